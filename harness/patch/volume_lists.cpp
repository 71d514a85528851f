#include "patch/volume_lists.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace rogate::patch {

namespace {

std::string target_of(const NodePtr& entry, bool tmpfs) {
    if (entry->kind == Node::Kind::mapping) {
        for (const char* key : {"target", "dst", "destination"})
            if (const std::string text = text_of(entry, key); !text.empty()) return text;
        return "";
    }
    if (entry->kind != Node::Kind::scalar) return "";
    if (tmpfs) return parse_tmpfs(entry->text).target;
    const auto mount = parse_short(entry->text);
    return mount ? mount->target : "";
}

bool is_path(const std::string& source) {
    return source.starts_with('/') || source.starts_with('.') || source.starts_with('~') ||
           source.find('/') != std::string::npos;
}

}  // namespace

bool is_anonymous(const NodePtr& entry, bool tmpfs) {
    if (tmpfs) return false;
    if (entry->kind == Node::Kind::scalar) {
        const auto mount = parse_short(entry->text);
        return mount && mount->source.empty();
    }
    const std::string type = text_of(entry, "type");
    return (type == "volume" || type.empty()) && !find(entry, "source") && !find(entry, "src");
}

VolumeLists::VolumeLists(Job& job, OpenFile& file, NodePtr service, std::string who,
                         std::vector<std::string> keys, bool dollars)
    : job_(job), file_(file), service_(resolved(service)), who_(std::move(who)), dollars_(dollars) {
    List volumes{.key = keys.front()};
    for (const std::string& key : keys)
        if (const Found found = find(service_, key); found && !volumes.found) {
            volumes.key = key;
            volumes.found = found;
        }
    lists_.push_back(std::move(volumes));
    lists_.push_back({.key = "tmpfs", .tmpfs = true, .found = find(service_, "tmpfs")});
    for (List& list : lists_) {
        if (!list.found) continue;
        const NodePtr& node = resolved(list.found.pair->value);
        if (node->kind == Node::Kind::sequence) list.node = node;
        if (list.tmpfs && node->kind == Node::Kind::scalar) {
            list.single = true;
            list.node = std::make_shared<Node>();
            list.node->kind = Node::Kind::sequence;
            list.node->items.push_back(list.found.pair->value);
        }
        if (!list.node && node->kind != Node::Kind::null)
            job_.refuse(file_, *node,
                        fmt::format("'{}' of {} is no list; nothing can be changed here", list.key, who_));
    }
}

bool VolumeLists::replaces_earlier() const {
    return std::ranges::any_of(lists_, [](const List& list) {
        const Node* value = list.found.value();
        return !list.tmpfs && value != nullptr && (value->tag == "!override" || value->tag == "!reset");
    });
}

NodePtr VolumeLists::value(const Entry& entry) const {
    return resolved(lists_[entry.list].node->items[entry.item]);
}

NodePtr& VolumeLists::slot(const Entry& entry) {
    List& list = lists_[entry.list];
    return list.single && !list.copied ? list.found.pair->value : list.node->items[entry.item];
}

std::optional<VolumeLists::Entry> VolumeLists::locate(const std::string& target, const Mount* mount) {
    std::optional<Entry> exact, by_place;
    for (std::size_t l = 0; l < lists_.size(); ++l) {
        if (!lists_[l].node) continue;
        for (std::size_t i = 0; i < lists_[l].node->items.size(); ++i) {
            const NodePtr& item = lists_[l].node->items[i];
            const std::string text = target_of(resolved(item), lists_[l].tmpfs);
            if (text.empty()) continue;
            const bool variable = dollars_ && has_variable(text);
            if (!variable && normalised(text) == target) {
                if (exact) {
                    job_.refuse(file_, *item,
                                fmt::format("a second mount on {} in {}; keep one of the two", target, who_));
                    return exact;
                }
                exact = Entry{l, i, true};
            } else if (variable && could_be(text, target) && job_.declared_at(file_, *item, mount)) {
                by_place = Entry{l, i, false};
            }
        }
    }
    return exact ? exact : by_place;
}

const Node* VolumeLists::doubtful(const std::string& target) const {
    if (!dollars_) return nullptr;
    for (const List& list : lists_) {
        if (!list.node) continue;
        for (const NodePtr& item : list.node->items) {
            const NodePtr& node = resolved(item);
            const std::string text = target_of(node, list.tmpfs);
            const bool whole = text.empty() && node->kind == Node::Kind::scalar && has_variable(node->text);
            if (whole || (has_variable(text) && could_be(text, target))) return node.get();
        }
    }
    return nullptr;
}

bool VolumeLists::is_read_only(const Entry& entry) const {
    const NodePtr node = value(entry);
    if (node->kind == Node::Kind::mapping) {
        for (const char* key : {"read_only", "readonly"}) {
            const std::string text = text_of(node, key);
            if (text == "true" || text == "yes" || text == "on" || text == "True" || text == "TRUE")
                return true;
        }
        return false;
    }
    const auto mount = is_tmpfs(entry) ? std::optional(parse_tmpfs(node->text)) : parse_short(node->text);
    return mount && (is_tmpfs(entry) || !mount->source.empty()) && !short_read_only(node->text, *mount);
}

std::string VolumeLists::bind_source(const Entry& entry) const {
    const NodePtr node = value(entry);
    if (is_tmpfs(entry)) return "";
    if (node->kind == Node::Kind::mapping) {
        if (text_of(node, "type") != "bind") return "";
        const std::string source = text_of(node, "source");
        return source.empty() ? text_of(node, "src") : source;
    }
    const auto mount = parse_short(node->text);
    return mount && is_path(mount->source) ? mount->source : "";
}

bool VolumeLists::may_change(const Node& node, const std::string& what) {
    const std::string with = sharing.with(node);
    if (with.empty()) return true;
    if (job_.request.change_shared) {
        job_.note(fmt::format("{}: {} is changed for {} too, which was not run with it",
                              place(file_.document, node.begin), what, with));
        return true;
    }
    job_.refuse(file_, node,
                fmt::format("{} is shared with {} (by an anchor, a merge key, 'extends' or 'volumes_from'), "
                            "which was not asked; write it for {} alone by hand, or give --shared to change "
                            "it for all of them",
                            what, with, who_));
    return false;
}

// A list that others share becomes one of its own, if that changes nothing for them.
bool VolumeLists::own_copy(List& list, const std::string& what) {
    if (list.copied) return true;
    if (!list.node) return may_change(*service_, what);
    const Node& shared = *resolved(list.found.pair->value);
    if (sharing.with(shared).empty() || job_.request.change_shared) return may_change(shared, what);
    const bool reaches_it_by_name = list.found.merged || list.found.pair->value->kind == Node::Kind::alias;
    if (!reaches_it_by_name || !sharing.with(*service_).empty() || !shared.tag.empty() || list.single)
        return may_change(shared, what);
    job_.note(fmt::format("{}: {} gets a list '{}' of its own, since this one is shared with {}",
                          place(file_.document, shared.begin), who_, list.key, sharing.with(shared)));
    list.node = flattened(shared);
    list.copied = true;
    return true;
}

void VolumeLists::change_text(const Entry& entry, const std::string& text, const std::string& target) {
    List& list = lists_[entry.list];
    const std::string what = "the mount on " + target;
    if (!own_copy(list, what)) return;
    NodePtr& where = slot(entry);
    if (where->made) {
        where->text = text;
        return;
    }
    // An alias is replaced by the new text, and what it names stays as it is for the others.
    if (where->kind != Node::Kind::alias && !may_change(*where, what)) return;
    job_.take(file_.editor->set_scalar(where, text));
    if (list.single) list.node->items[0] = where;
}

void VolumeLists::set_writable(const Entry& entry, const std::string& target) {
    if (!is_read_only(entry)) return;
    const NodePtr node = value(entry);
    if (node->kind == Node::Kind::mapping) return change_mapping(entry, target, {}, false);
    const auto mount = is_tmpfs(entry) ? parse_tmpfs(node->text) : *parse_short(node->text);
    const auto change = short_writable(mount);
    if (mount.variable_options || !change)
        return job_.refuse(
            file_, *node,
            "the options of the mount on " + target + " cannot be changed here; take 'ro' away by hand");
    std::string text = node->text;
    text.replace(change->at, change->length, change->text);
    change_text(entry, text, target);
}

void VolumeLists::change_mapping(const Entry& entry, const std::string& target, const std::string& source,
                                 bool read_only) {
    const std::string word = read_only ? "true" : "false";
    List& list = lists_[entry.list];
    const std::string what = "the mount on " + target;
    if (!own_copy(list, what)) return;
    const NodePtr node = value(entry);
    if (node->made) {
        if (!source.empty()) node->pairs.push_back({make_scalar("source"), make_scalar(source)});
        std::erase_if(node->pairs, [](const auto& pair) {
            return pair.key->text == "read_only" || pair.key->text == "readonly";
        });
        NodePtr yes = make_scalar(word);
        yes->style = 'L';
        node->pairs.push_back({make_scalar("read_only"), yes});
        return;
    }
    if (!may_change(*node, what)) return;
    std::string key = "read_only";
    if (find(node, "readonly")) key = "readonly";
    const Found said = find(node, key);
    if (said && dollars_ && has_variable(text_of(node, key))) {
        job_.refuse(file_, *said.value(),
                    fmt::format("'{}' of the mount on {} comes from a variable; write {} by hand", key,
                                target, word));
        return;
    }
    if (!source.empty()) job_.take(file_.editor->add(*node, "source", make_scalar(source), "type"));
    job_.take(file_.editor->set_literal(*node, key, word));
}

std::vector<NodePtr>& VolumeLists::addition(bool tmpfs) {
    return std::ranges::find(lists_, tmpfs, &List::tmpfs)->added;
}

std::string VolumeLists::written(const std::string& path) const {
    if (!dollars_) return path;
    std::string out;
    for (const char c : path) out += c == '$' ? std::string("$$") : std::string(1, c);
    return out;
}

void VolumeLists::add_tmpfs(const std::string& path, const std::string& options) {
    addition(true).push_back(make_scalar(written(path) + (options.empty() ? "" : ":" + options)));
}

void VolumeLists::set_read_only_root(bool read_only) {
    const Found said = find(service_, "read_only");
    const std::string text = text_of(service_, "read_only");
    const bool is_so = text == "true" || text == "yes" || text == "on" || text == "True" || text == "TRUE";
    const std::string word = read_only ? "true" : "false";
    if (said && dollars_ && has_variable(text)) {
        job_.refuse(file_, *said.value(),
                    fmt::format("'read_only' comes from a variable; write {} by hand", word));
        return;
    }
    if (is_so == read_only) return;
    if (may_change(*service_, "'read_only' of " + who_))
        job_.take(file_.editor->set_literal(*service_, "read_only", word));
}

void VolumeLists::finish() {
    for (List& list : lists_) {
        if (list.added.empty() && !list.copied) continue;
        if (!list.added.empty() && !own_copy(list, fmt::format("'{}' of {}", list.key, who_))) continue;
        Editor& editor = *file_.editor;
        if (list.copied) {
            list.node->items.insert(list.node->items.end(), list.added.begin(), list.added.end());
            list.node->anchored = false;
            job_.take(list.found.merged ? editor.add(*service_, list.key, list.node)
                                        : editor.replace_alias(*service_, list.key, list.node));
        } else if (list.single) {
            job_.take(editor.make_list(*list.found.owner, list.key, list.added));
        } else if (list.node) {
            job_.take(editor.append(*list.node, list.added));
        } else {
            auto fresh = std::make_shared<Node>();
            fresh->kind = Node::Kind::sequence;
            fresh->made = true;
            fresh->items = list.added;
            Node& owner = list.found ? *list.found.owner : *service_;
            if (may_change(owner, fmt::format("'{}' of {}", list.key, who_)))
                job_.take(editor.add(owner, list.key, fresh,
                                     list.tmpfs ? std::string_view(lists_.front().key) : std::string_view()));
        }
    }
}

}  // namespace rogate::patch
