// Changes to YAML text that keep everything else as it is. Each is made twice: to the text, as edits of
// ranges, and to the tree; result() reads the new text and holds it against the tree.
#pragma once

#include <list>
#include <string>
#include <string_view>
#include <vector>

#include "patch/document.hpp"

namespace rogate::patch {

struct Edit {
    std::size_t begin = 0, end = 0;
    std::string text;
    std::size_t rank = 0;  // among those at one place
};

// Edits at one place are made by rank, then in their order. They must not overlap.
std::string apply_edits(std::string_view text, std::vector<Edit> edits);
// "\r\n" if the first line ends with it.
std::string line_break_of(std::string_view text);

// The quotes that the strings of a list have in common; p if none, or if there is none to look at.
char quotes_of(const std::vector<NodePtr>& items);

class Editor {
  public:
    explicit Editor(Document& document);

    // `slot` is where the tree holds the value: an alias there is replaced by the value, its anchor
    // untouched.
    Result<> set_scalar(NodePtr& slot, const std::string& text, bool literal = false);
    // The key gets a value that is written without quotes (true); added behind the last one if it is not
    // there.
    Result<> set_literal(Node& mapping, const std::string& key, const std::string& text);
    // Behind the key `behind` if that is there, else as the last one. The key must not be there yet, or be
    // null.
    Result<> add(Node& mapping, const std::string& key, const NodePtr& value, std::string_view behind = {});
    Result<> append(Node& sequence, const std::vector<NodePtr>& values);
    // Takes items of the list at `key` out, and the key as well if none is left and it can go. What is on an
    // item's line goes with it. `places`: in order.
    Result<> remove(Node& mapping, const std::string& key, const std::vector<std::size_t>& places);
    // "tmpfs: /run" becomes a list of that and of `values`.
    Result<> make_list(Node& mapping, const std::string& key, const std::vector<NodePtr>& values);
    // "volumes: *shared" becomes `value`.
    Result<> replace_alias(Node& mapping, const std::string& key, const NodePtr& value);
    // A range within a scalar's text, for command lines; the caller has made sure of the quoting. `text`: the
    // whole value afterwards.
    void splice(Node& scalar, const std::vector<Edit>& edits, std::string text);

    bool changed() const { return !edits_.empty(); }
    // ErrorKind::internal if the new text does not read as intended.
    Result<std::string> result() const;

    const Document& document() const { return document_; }

  private:
    Result<> remove_flow(Node& sequence, const std::vector<std::size_t>& places);
    Result<> remove_lines(Node& sequence, const std::vector<std::size_t>& places);
    Result<> empty(Node& mapping, std::list<Node::Pair>::iterator pair);
    Result<> cut(std::size_t begin, std::size_t end);
    void cut_lines(std::size_t begin, std::size_t end);
    void add_lines(std::size_t after, std::size_t column, bool item, const std::string& text);
    Result<> add_flow(Node& parent, const std::vector<std::string>& rendered);
    Result<> fill(Node& mapping, Node::Pair& pair, const NodePtr& value);
    std::string entry(const Node& sibling_style, const NodePtr& value, std::size_t column, std::size_t gap);
    std::string block_value(Node& value, std::size_t column, std::size_t list_offset);
    std::string block_lines(Node& mapping, std::size_t column);
    std::string flow_text(Node& value, char quote, bool in_flow = true);
    std::string scalar_text(Node& scalar, char quote, bool in_flow);
    std::size_t column_of(std::size_t offset) const;
    std::size_t line_end(std::size_t offset) const;
    std::size_t line_begin(std::size_t offset) const;
    std::size_t list_offset(const Node& mapping) const;
    tl::unexpected<Error> refuse(std::size_t offset, const std::string& what) const;

    Document& document_;
    std::string newline_;
    std::size_t step_ = 2;         // of nested mappings in this file
    std::size_t list_offset_ = 2;  // of lists in mappings in this file
    std::size_t gap_ = 1;          // between a dash and what it lists
    bool json_ = false;
    std::vector<Edit> edits_;
};

}  // namespace rogate::patch
