// YAML text -> a tree whose values know the bytes they stand on, so that a change can be made to these bytes
// alone. Aliases and merge keys are kept as written: what two services share must be seen.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <rogate/error.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rogate::patch {

struct Node;
using NodePtr = std::shared_ptr<Node>;

inline constexpr std::size_t nowhere = static_cast<std::size_t>(-1);

struct Node {
    enum class Kind { null, scalar, sequence, mapping, alias };
    struct Pair {
        NodePtr key, value;
        std::size_t colon = nowhere;  // of the ':' behind the key; nowhere: written in another way
    };
    Kind kind = Kind::null;
    // The value itself, without its anchor and tag: [begin, end) in the text. Of a null that is not written
    // both are where it would be. Of a value that a change made (`made`) they mean nothing.
    std::size_t begin = 0, end = 0;
    bool made = false;
    bool anchored = false;
    std::string tag;
    char style = 'p';       // scalar: p plain, ' or " quoted, | or > a block
    std::string text;       // scalar: its value
    bool flow = false;      // sequence, mapping: in brackets
    bool in_flow = false;   // stands within brackets
    std::size_t names = 0;  // alias: the number of the anchor that it names
    NodePtr target;         // alias: the value that it names
    std::vector<NodePtr> items;
    std::list<Pair> pairs;  // stay where they are while others are added
};

struct Document {
    std::string file;  // as the user named it, for messages
    std::string text;
    std::vector<NodePtr> roots;  // one for each document of the file
};

// ErrorKind::usage with file:line:column says what is wrong with the text.
Result<Document> read_document(std::string file, std::string text);

// "file:line:column", counted from 1, columns in characters.
std::string place(const Document& document, std::size_t offset);
std::size_t line_of(std::string_view text, std::size_t offset);
// Offset of a line and column that count from 1, columns in characters; nowhere if the text has no such
// place.
std::size_t offset_of(std::string_view text, int line, int column);

// Do they say the same, written as they are (aliases are compared by what they name, not by its content)?
bool same(const Node& a, const Node& b);

// The value itself, or what the alias names.
const NodePtr& resolved(const NodePtr& node);
// A copy of its own that shares nothing, aliases resolved and merges applied.
NodePtr flattened(const Node& node);

NodePtr make_scalar(std::string text);
NodePtr make_null();
NodePtr make_mapping(std::vector<std::pair<std::string, NodePtr>> pairs);

}  // namespace rogate::patch
