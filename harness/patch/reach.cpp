#include "patch/reach.hpp"

#include <string>

namespace rogate::patch {

namespace {

// The mappings behind "<<", in the order in which they count.
std::vector<NodePtr> merged_into(const Node& mapping) {
    std::vector<NodePtr> sources;
    for (const auto& pair : mapping.pairs) {
        if (pair.key->text != "<<") continue;
        const NodePtr& what = resolved(pair.value);
        if (what->kind == Node::Kind::mapping) sources.push_back(what);
        if (what->kind == Node::Kind::sequence)
            for (const NodePtr& item : what->items) sources.push_back(resolved(item));
    }
    return sources;
}

void reach_keys(const NodePtr& mapping, std::set<const Node*>& seen, std::set<std::string>& known) {
    seen.insert(mapping.get());
    for (const auto& pair : mapping->pairs)
        if (pair.key->text != "<<" && known.insert(pair.key->text).second) reach(pair.value, seen);
    for (const NodePtr& source : merged_into(*mapping))
        if (source->kind == Node::Kind::mapping) reach_keys(source, seen, known);
}

}  // namespace

Found find(const NodePtr& where, std::string_view key) {
    if (!where) return {};
    const NodePtr& mapping = resolved(where);
    if (mapping->kind != Node::Kind::mapping) return {};
    for (auto& pair : mapping->pairs)
        if (pair.key->text == key && key != "<<") return {mapping.get(), &pair, false};
    for (const NodePtr& source : merged_into(*mapping))
        if (Found found = find(source, key)) {
            found.merged = true;
            return found;
        }
    return {};
}

std::string text_of(const NodePtr& mapping, std::string_view key) {
    const Node* value = find(mapping, key).value();
    return value != nullptr && value->kind == Node::Kind::scalar ? value->text : "";
}

void reach(const NodePtr& from, std::set<const Node*>& seen) {
    const NodePtr& node = resolved(from);
    if (node->kind == Node::Kind::mapping) {
        std::set<std::string> known;
        reach_keys(node, seen, known);
        return;
    }
    if (!seen.insert(node.get()).second) return;
    for (const NodePtr& item : node->items) reach(item, seen);
}

}  // namespace rogate::patch
