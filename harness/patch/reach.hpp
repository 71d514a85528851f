// What a service or container gets by aliases and merge keys, and with whom it shares that. Pure.
#pragma once

#include <set>
#include <string_view>
#include <vector>

#include "patch/document.hpp"

namespace rogate::patch {

struct Found {
    Node* owner = nullptr;       // the mapping that the key is written in
    Node::Pair* pair = nullptr;  // null: the key is nowhere
    bool merged = false;         // it comes by a merge key
    explicit operator bool() const { return pair != nullptr; }
    // Null if it is not there.
    Node* value() const { return pair == nullptr ? nullptr : resolved(pair->value).get(); }
};

// The value of a key as a YAML reader would see it; `mapping` may be an alias, or null.
Found find(const NodePtr& mapping, std::string_view key);
// Its text; empty if it is not there or no scalar.
std::string text_of(const NodePtr& mapping, std::string_view key);

// Every value that `from` is read from, merge keys included, but not what they bring that is overridden.
void reach(const NodePtr& from, std::set<const Node*>& seen);

}  // namespace rogate::patch
