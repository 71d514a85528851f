// YAML text -> a tree of values that know their place. Pure; nothing of yaml-cpp shows.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "spec/problems.hpp"

namespace rogate::spec {

struct Value;
using ValuePtr = std::shared_ptr<const Value>;  // shared, because an alias is the anchored value itself

struct Value {
    enum class Kind { null, scalar, sequence, mapping };
    Kind kind = Kind::null;
    Place place;
    std::string text;   // scalar: as written, without the quotes
    bool plain = true;  // scalar: written without quotes
    // Scalar: of its first character, where every line of it is one of the file's, all from this column on.
    // Line 0: it does not stand in the file as it reads (escapes, folded lines); column 0: its lines do
    // (variables).
    Place text_at;
    std::string tag;  // "!reset" or "!override", where YamlLimits::merge_tags allows them
    std::vector<ValuePtr> items;
    std::vector<std::pair<ValuePtr, ValuePtr>>
        pairs;  // in the order of the file; keys are scalars and unique

    // Size with every alias expanded, which is what the limits go by.
    std::size_t nodes = 1;
    std::size_t bytes = 0;
    int height = 1;
};

struct YamlLimits {
    std::size_t bytes = std::size_t{1024} * 1024;
    std::size_t expanded_nodes = 100'000;
    std::size_t expanded_bytes = std::size_t{4} * 1024 * 1024;
    int nesting = 64;
    std::string_view what = "scenario";  // the file holds; for messages
    bool merge_tags = false;             // Compose's !reset and !override
    int file = 0;                        // of every place
};

// The only document of `text`, with merge keys (<<) applied; null when it could not be read, and `problems`
// says why. A duplicate key is a problem too, but the rest of the document is still returned.
ValuePtr read_yaml(std::string_view text, Problems& problems, const YamlLimits& limits = {});

// Every document of `text`, empty ones left out; nothing when it could not be read.
std::vector<ValuePtr> read_yaml_documents(std::string_view text, Problems& problems,
                                          const YamlLimits& limits = {});

// "a mapping", "a list", … for messages.
std::string_view kind_name(const Value& value);

}  // namespace rogate::spec
