#include "patch/environment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>

#include "patch/reach.hpp"

namespace rogate::patch {

namespace {

// For a text in which '$' begins a variable.
std::string with_dollars_doubled(const std::string& text) {
    std::string out;
    for (const char c : text) out += c == '$' ? std::string("$$") : std::string(1, c);
    return out;
}

class Variables {
  public:
    Variables(Job& job, OpenFile& file, NodePtr owner, std::string who, const Sharing& sharing)
        : job_(job), file_(file), owner_(resolved(owner)), who_(std::move(who)), sharing_(sharing) {}

    void write(const std::string& key, bool dollars);
    void write_objects(const std::string& key);

  private:
    const std::map<std::string, std::string>& wanted() const {
        return job_.result.recommendation.environment;
    }
    // Nobody else reads it, or that is what is wanted.
    bool may_change(const Node& node);
    // It is there: as it should be, or refused.
    void check_said(const Node& at, const std::string& name, const std::string& said,
                    const std::string& value);
    bool is_own(const Found& found, const std::string& key);

    Job& job_;
    OpenFile& file_;
    NodePtr owner_;
    std::string who_;
    const Sharing& sharing_;
};

bool Variables::may_change(const Node& node) {
    const std::string with = sharing_.with(node);
    if (with.empty() || job_.request.change_shared) {
        if (!with.empty())
            job_.note(fmt::format("the variables of {} are changed for {} too, which was not run with them",
                                  who_, with));
        return true;
    }
    job_.refuse(
        file_, node,
        fmt::format("the variables are shared with {} by an anchor or merge key; write them for {} alone "
                    "by hand, or give --shared",
                    with, who_));
    return false;
}

void Variables::check_said(const Node& at, const std::string& name, const std::string& said,
                           const std::string& value) {
    if (said != value)
        job_.refuse(file_, at,
                    fmt::format("{} is '{}' here, and the run had '{}'; the file has changed since the run",
                                name, said, value));
}

// What comes by a merge key would be lost beside an own key.
bool Variables::is_own(const Found& found, const std::string& key) {
    if (found.owner == owner_.get()) return true;
    job_.refuse(file_, *owner_,
                fmt::format("'{}' of {} comes by a merge key; write {} there by hand", key, who_,
                            fmt::join(std::views::keys(wanted()), ", ")));
    return false;
}

void Variables::write(const std::string& key, bool dollars) {
    const auto written = [&](const std::string& value) {
        return dollars ? with_dollars_doubled(value) : value;
    };
    const Found found = find(owner_, key);
    const NodePtr node = found ? resolved(found.pair->value) : nullptr;
    if (found && !is_own(found, key)) return;
    if (!node || node->kind == Node::Kind::null) {
        std::vector<std::pair<std::string, NodePtr>> pairs;
        for (const auto& [name, value] : wanted()) pairs.emplace_back(name, make_scalar(written(value)));
        if (may_change(*owner_)) job_.take(file_.editor->add(*owner_, key, make_mapping(std::move(pairs))));
        return;
    }
    std::vector<NodePtr> entries;
    for (const auto& [name, value] : wanted()) {
        if (node->kind == Node::Kind::sequence) {
            const auto item = std::ranges::find_if(node->items, [&](const NodePtr& each) {
                const std::string& text = resolved(each)->text;
                return text == name || text.starts_with(name + "=");
            });
            if (item == node->items.end())
                entries.push_back(make_scalar(name + "=" + written(value)));
            else
                check_said(
                    **item, name,
                    resolved(*item)->text.substr(std::min(name.size() + 1, resolved(*item)->text.size())),
                    written(value));
            continue;
        }
        if (node->kind != Node::Kind::mapping)
            return job_.refuse(file_, *node,
                               fmt::format("'{}' of {} is neither a list nor a mapping", key, who_));
        if (const Found there = find(node, name)) {
            check_said(*there.pair->key, name, text_of(node, name), written(value));
        } else if (may_change(*node)) {
            if (node->flow && node->pairs.empty() && wanted().size() > 1)
                return job_.refuse(file_, *node, fmt::format("write {} here by hand", name));
            job_.take(file_.editor->add(*node, name, make_scalar(written(value))));
        }
    }
    if (!entries.empty() && may_change(*node)) job_.take(file_.editor->append(*node, entries));
}

void Variables::write_objects(const std::string& key) {
    const Found found = find(owner_, key);
    const NodePtr list = found ? resolved(found.pair->value) : nullptr;
    if (found && !is_own(found, key)) return;
    std::vector<NodePtr> entries;
    for (const auto& [name, value] : wanted()) {
        const Node* there = nullptr;
        std::string said;
        if (list && list->kind == Node::Kind::sequence)
            for (const NodePtr& item : list->items)
                if (text_of(item, "name") == name) {
                    there = item.get();
                    said = text_of(item, "value");
                }
        if (there != nullptr)
            check_said(*there, name, said, value);
        else
            entries.push_back(make_mapping({{"name", make_scalar(name)}, {"value", make_scalar(value)}}));
    }
    if (entries.empty()) return;
    if (list && list->kind == Node::Kind::sequence) {
        if (may_change(*list)) job_.take(file_.editor->append(*list, entries));
        return;
    }
    auto fresh = std::make_shared<Node>();
    fresh->kind = Node::Kind::sequence;
    fresh->made = true;
    fresh->items = std::move(entries);
    if (may_change(*owner_)) job_.take(file_.editor->add(*owner_, key, fresh));
}

}  // namespace

void set_environment(Job& job, OpenFile& file, const NodePtr& owner, const std::string& who,
                     const Sharing& sharing, bool dollars) {
    if (job.result.recommendation.environment.empty()) return;
    Variables(job, file, owner, who, sharing).write("environment", dollars);
}

void set_container_env(Job& job, OpenFile& file, const NodePtr& container, const std::string& who,
                       const Sharing& sharing) {
    if (job.result.recommendation.environment.empty()) return;
    Variables(job, file, container, who, sharing).write_objects("env");
}

}  // namespace rogate::patch
