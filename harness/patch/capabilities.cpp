#include "patch/capabilities.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/capabilities.hpp"
#include "patch/reach.hpp"

namespace rogate::patch {

std::string plain_capability(std::string text) {
    return capability_named(text).value_or(text);
}

bool is_no_new_privileges(const std::string& option) {
    return option == "no-new-privileges" || option == "no-new-privileges:true" ||
           option == "no-new-privileges=true";
}

namespace {

NodePtr make_list(const std::vector<std::string>& texts) {
    auto list = std::make_shared<Node>();
    list->kind = Node::Kind::sequence;
    list->made = true;
    for (const std::string& text : texts) list->items.push_back(make_scalar(text));
    return list;
}

NodePtr make_false() {
    NodePtr no = make_scalar("false");
    no->style = 'L';
    return no;
}

NodePtr make_lists(const std::vector<std::string>& kept) {
    std::vector<std::pair<std::string, NodePtr>> lists{{"drop", make_list({"ALL"})}};
    if (!kept.empty()) lists.emplace_back("add", make_list(kept));
    return make_mapping(std::move(lists));
}

class Hardening {
  public:
    Hardening(Job& job, OpenFile& file, std::string who, const Sharing& sharing)
        : job_(job), file_(file), who_(std::move(who)), sharing_(sharing) {}

    void below_service(const NodePtr& owner);
    void below_container(const NodePtr& container);

  private:
    const Recommendation& advice() const { return job_.result.recommendation; }
    bool may_change(const Node& node);
    // Null with `*refused` untouched: the key is not there.
    NodePtr list_of(const NodePtr& owner, const std::string& key, bool* refused);
    void add_to(const NodePtr& owner, const std::string& key, const std::vector<std::string>& texts);
    void drop_all(const NodePtr& owner, const std::string& key);
    std::vector<std::size_t> others(const NodePtr& list, std::set<std::string>* missing) const;
    void take_out(const NodePtr& owner, const std::string& key);
    void keep(const NodePtr& owner, const std::string& key);

    Job& job_;
    OpenFile& file_;
    std::string who_;
    const Sharing& sharing_;
};

bool Hardening::may_change(const Node& node) {
    const std::string with = sharing_.with(node);
    if (with.empty()) return true;
    if (job_.request.change_shared) {
        job_.note(
            fmt::format("the capabilities of {} are changed for {} too, which was not run so", who_, with));
        return true;
    }
    job_.refuse(
        file_, node,
        fmt::format(
            "the capabilities are shared with {} by an anchor or merge key; write them for {} alone by "
            "hand, or give --shared",
            with, who_));
    return false;
}

// What comes by a merge key would be lost beside an own key.
NodePtr Hardening::list_of(const NodePtr& owner, const std::string& key, bool* refused) {
    const Found found = find(owner, key);
    if (!found) return nullptr;
    const NodePtr& node = resolved(found.pair->value);
    if (node->kind == Node::Kind::null && found.owner == owner.get()) return nullptr;
    if (found.owner == owner.get() && node->kind == Node::Kind::sequence) return node;
    *refused = true;
    job_.refuse(file_, *owner,
                found.owner == owner.get()
                    ? fmt::format("'{}' of {} is no list", key, who_)
                    : fmt::format("'{}' of {} comes by a merge key; change it there by hand", key, who_));
    return nullptr;
}

void Hardening::add_to(const NodePtr& owner, const std::string& key, const std::vector<std::string>& texts) {
    if (texts.empty()) return;
    bool refused = false;
    const NodePtr list = list_of(owner, key, &refused);
    if (refused || !may_change(list ? *list : *owner)) return;
    if (!list) return job_.take(file_.editor->add(*owner, key, make_list(texts)));
    std::vector<NodePtr> entries;
    for (const std::string& text : texts) entries.push_back(make_scalar(text));
    job_.take(file_.editor->append(*list, entries));
}

void Hardening::drop_all(const NodePtr& owner, const std::string& key) {
    bool refused = false;
    const NodePtr list = list_of(owner, key, &refused);
    if (refused) return;
    if (list)
        for (const NodePtr& each : list->items)
            if (plain_capability(resolved(each)->text) == "ALL") return;
    add_to(owner, key, {"ALL"});
}

// The places of entries that do not stay. `*missing`: what stays and is not there.
std::vector<std::size_t> Hardening::others(const NodePtr& list, std::set<std::string>* missing) const {
    *missing = {advice().capabilities->begin(), advice().capabilities->end()};
    std::vector<std::size_t> places;
    if (!list) return places;
    for (std::size_t i = 0; i < list->items.size(); ++i)
        if (missing->erase(plain_capability(resolved(list->items[i])->text)) == 0) places.push_back(i);
    return places;
}

// Of entries that do not stay, and need not make room for others. Before anything is added, so that keys are
// added behind what is left.
void Hardening::take_out(const NodePtr& owner, const std::string& key) {
    const Found found = find(owner, key);
    if (!found || found.owner != owner.get()) return;
    const NodePtr& list = resolved(found.pair->value);
    if (list->kind != Node::Kind::sequence) return;  // keep() says so
    std::set<std::string> missing;
    std::vector<std::size_t> places = others(list, &missing);
    places.erase(places.begin(),
                 places.begin() + static_cast<std::ptrdiff_t>(std::min(places.size(), missing.size())));
    if (!places.empty() && may_change(*list)) job_.take(file_.editor->remove(*owner, key, places));
}

// What stays. An entry that is not among it makes room for one that is.
void Hardening::keep(const NodePtr& owner, const std::string& key) {
    bool refused = false;
    const NodePtr list = list_of(owner, key, &refused);
    if (refused) return;
    std::set<std::string> missing;
    for (const std::size_t place : others(list, &missing)) {
        if (missing.empty() || !may_change(*list)) return;
        job_.take(file_.editor->set_scalar(list->items[place], *missing.begin()));
        missing.erase(missing.begin());
    }
    add_to(owner, key, {missing.begin(), missing.end()});
}

void Hardening::below_service(const NodePtr& owner) {
    if (advice().capabilities) {
        take_out(owner, "cap_add");
        drop_all(owner, "cap_drop");
        keep(owner, "cap_add");
    }
    if (!advice().no_new_privileges) return;
    bool refused = false;
    const NodePtr list = list_of(owner, "security_opt", &refused);
    if (refused) return;
    if (list)
        for (const NodePtr& each : list->items)
            if (is_no_new_privileges(resolved(each)->text)) return;
    add_to(owner, "security_opt", {"no-new-privileges:true"});
}

void Hardening::below_container(const NodePtr& container) {
    const Found found = find(container, "securityContext");
    const NodePtr context = found ? resolved(found.pair->value) : nullptr;
    const bool is_there = context && context->kind == Node::Kind::mapping;
    if (context && context->made) return;  // by the root's change, which has put all of it there
    if (found && found.owner != container.get())
        return job_.refuse(
            file_, *container,
            fmt::format("the securityContext of {} comes by a merge key; change it there by hand", who_));
    std::vector<std::pair<std::string, NodePtr>> fresh;
    if (advice().capabilities) {
        const Found set = is_there ? find(context, "capabilities") : Found{};
        const NodePtr value = set ? resolved(set.pair->value) : nullptr;
        if (value && value->kind == Node::Kind::mapping) {
            take_out(value, "add");
            drop_all(value, "drop");
            keep(value, "add");
        } else {
            fresh.emplace_back("capabilities", make_lists(*advice().capabilities));
        }
    }
    if (advice().no_new_privileges &&
        !(is_there && text_of(context, "allowPrivilegeEscalation") == "false")) {
        if (is_there && find(context, "allowPrivilegeEscalation")) {
            if (may_change(*context))
                job_.take(file_.editor->set_literal(*context, "allowPrivilegeEscalation", "false"));
        } else {
            fresh.emplace_back("allowPrivilegeEscalation", make_false());
        }
    }
    if (fresh.empty()) return;
    if (!is_there) {
        if (may_change(*container))
            job_.take(file_.editor->add(*container, "securityContext", make_mapping(std::move(fresh))));
        return;
    }
    if (!may_change(*context)) return;
    for (auto& [key, value] : fresh) job_.take(file_.editor->add(*context, key, value));
}

}  // namespace

std::vector<std::pair<std::string, NodePtr>> security_context_of(const Recommendation& advice) {
    std::vector<std::pair<std::string, NodePtr>> pairs;
    if (advice.capabilities) pairs.emplace_back("capabilities", make_lists(*advice.capabilities));
    if (advice.no_new_privileges) pairs.emplace_back("allowPrivilegeEscalation", make_false());
    return pairs;
}

void set_capabilities(Job& job, OpenFile& file, const NodePtr& owner, const std::string& who,
                      const Sharing& sharing) {
    Hardening(job, file, who, sharing).below_service(resolved(owner));
}

void set_container_capabilities(Job& job, OpenFile& file, const NodePtr& container, const std::string& who,
                                const Sharing& sharing) {
    Hardening(job, file, who, sharing).below_container(resolved(container));
}

}  // namespace rogate::patch
