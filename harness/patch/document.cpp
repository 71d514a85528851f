#include "patch/document.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include "patch/extent.hpp"
#include "patch/scalar_text.hpp"

namespace rogate::patch {

namespace {

constexpr std::size_t largest_text = std::size_t{4} * 1024 * 1024;
constexpr std::size_t most_nodes = 500'000;
constexpr std::size_t deepest = 100;

// Thrown through yaml-cpp's parser to stop it; never leaves this file.
struct Refused {
    std::size_t offset;
    std::string text;
};

// Builds the tree from the parser's events, in the order of the text.
class Builder : public YAML::EventHandler {
  public:
    Builder(const std::string& text, std::size_t start) : text_(text), start_(start) {}

    std::vector<NodePtr> take() { return std::move(roots_); }

    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const NodePtr node = begin(mark, Node::Kind::null, "", anchor);
        node->end = node->begin + written_null(text_, node->begin);
        finish(node, anchor);
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const NodePtr node = begin(mark, Node::Kind::alias, "", 0);
        const auto found = anchors_.find(anchor);
        if (found == anchors_.end()) throw Refused{node->begin, "an alias within the value that it names"};
        node->names = anchor;
        node->target = found->second;
        node->end = end_of_word(text_, node->begin);
        deliver(node);
    }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        const NodePtr node = begin(mark, Node::Kind::scalar, tag, anchor);
        node->text = value;
        const char first = node->begin < text_.size() ? text_[node->begin] : '\n';
        // A tag alone ("!reset" with nothing behind it) is a scalar without a text.
        node->style = value.empty() && first != '"' && first != '\'' && first != '|' && first != '>' ? 'p'
                      : first == '"' || first == '\'' || first == '|' || first == '>'                ? first
                                                                                                     : 'p';
        node->end = end_of_scalar(text_, *node);
        if (node->end == nowhere) throw Refused{node->begin, "the end of this value cannot be found"};
        finish(node, anchor);
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value style) override {
        open(mark, Node::Kind::sequence, tag, anchor, style);
    }
    void OnSequenceEnd() override { close(); }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value style) override {
        open(mark, Node::Kind::mapping, tag, anchor, style);
    }
    void OnMapEnd() override { close(); }

  private:
    struct Open {
        NodePtr node;
        YAML::anchor_t anchor = 0;
        NodePtr key;  // mapping: read, and its value is not yet
    };

    NodePtr begin(const YAML::Mark& mark, Node::Kind kind, const std::string& tag, YAML::anchor_t anchor) {
        if (++count_ > most_nodes) throw Refused{start_, fmt::format("more than {} values", most_nodes)};
        auto node = std::make_shared<Node>();
        node->kind = kind;
        // "?" and "!" are the parser's own, for plain and quoted scalars.
        if (tag != "?" && tag != "!") node->tag = tag;
        node->anchored = anchor != 0;
        node->in_flow = !open_.empty() && open_.back().node->flow;
        const std::size_t offset =
            mark.pos < 0 ? text_.size() : std::min(text_.size(), start_ + static_cast<std::size_t>(mark.pos));
        node->begin = kind == Node::Kind::alias ? offset : skip_properties(text_, offset);
        return node;
    }

    void open(const YAML::Mark& mark, Node::Kind kind, const std::string& tag, YAML::anchor_t anchor,
              YAML::EmitterStyle::value style) {
        if (open_.size() >= deepest)
            throw Refused{start_, fmt::format("nested more than {} levels", deepest)};
        const NodePtr node = begin(mark, kind, tag, anchor);
        node->flow = style == YAML::EmitterStyle::Flow;
        open_.push_back({node, anchor, nullptr});
    }

    void close() {
        const Open done = std::move(open_.back());
        open_.pop_back();
        done.node->end = end_of_collection(text_, *done.node);
        if (done.node->end == nowhere)
            throw Refused{done.node->begin, "the end of this value cannot be found"};
        refuse_duplicates(*done.node);
        finish(done.node, done.anchor);
    }

    // Readers disagree on which of two equal keys counts.
    void refuse_duplicates(const Node& mapping) const {
        std::set<std::string_view> known;
        for (const auto& pair : mapping.pairs)
            if (pair.key->text != "<<" && pair.key->kind == Node::Kind::scalar &&
                !known.insert(pair.key->text).second)
                throw Refused{
                    pair.key->begin,
                    fmt::format("a second '{}' in one mapping; keep one of the two", pair.key->text)};
    }

    void finish(const NodePtr& node, YAML::anchor_t anchor) {
        if (anchor != 0) anchors_[anchor] = node;
        deliver(node);
    }

    void deliver(const NodePtr& node) {
        if (open_.empty()) {
            roots_.push_back(node);
            return;
        }
        Open& parent = open_.back();
        if (parent.node->kind == Node::Kind::sequence) {
            parent.node->items.push_back(node);
        } else if (!parent.key) {
            // docker compose and the API server refuse it; here its place would be that of whatever follows.
            if (node->kind == Node::Kind::null) throw Refused{node->begin, "a key without a name"};
            parent.key = node;
        } else {
            Node::Pair pair{parent.key, node, colon_behind(text_, parent.key->end)};
            // A value that is not written has no place; it would stand behind the colon. The parser gives the
            // place of whatever comes next.
            const std::size_t behind = pair.colon == nowhere ? parent.key->end : pair.colon + 1;
            if (node->kind == Node::Kind::null &&
                (node->end == node->begin || !only_space(behind, node->begin)))
                node->begin = node->end = behind;
            refuse_unindented(*parent.node, pair);
            parent.node->pairs.push_back(std::move(pair));
            parent.key = nullptr;
        }
    }

    // yaml-cpp takes a value on a line of its own that is not indented; YAML and its other readers do not.
    void refuse_unindented(const Node& mapping, const Node::Pair& pair) const {
        const Node& value = *pair.value;
        if (mapping.flow || value.kind != Node::Kind::scalar || pair.colon == nowhere) return;
        const std::size_t line = text_.rfind('\n', value.begin);
        if (line == std::string::npos || line < pair.colon) return;
        const std::size_t own_line = text_.rfind('\n', mapping.begin);
        const std::size_t own = mapping.begin - (own_line == std::string::npos ? 0 : own_line + 1);
        if (value.begin - line - 1 <= own)
            throw Refused{value.begin,
                          fmt::format("the value of '{}' is not indented below it", pair.key->text)};
    }

    bool only_space(std::size_t from, std::size_t to) const {
        return from <= to && std::string_view(text_).substr(from, to - from).find_first_not_of(" \t") ==
                                 std::string_view::npos;
    }

    const std::string& text_;
    std::size_t start_;
    std::size_t count_ = 0;
    std::vector<Open> open_;
    std::map<YAML::anchor_t, NodePtr> anchors_;
    std::vector<NodePtr> roots_;
};

Error refusal(const std::string& file, const std::string& text, std::size_t offset, const std::string& what) {
    return {ErrorKind::usage, fmt::format("{}: {}", place({file, text, {}}, offset), what)};
}

bool same_lists(const std::vector<NodePtr>& a, const std::vector<NodePtr>& b) {
    return std::ranges::equal(a, b, [](const NodePtr& x, const NodePtr& y) { return same(*x, *y); });
}

}  // namespace

Result<Document> read_document(std::string file, std::string text) {
    if (text.size() > largest_text)
        return fail(ErrorKind::usage, fmt::format("{}: larger than {} bytes", file, largest_text));
    if (const auto odd = odd_byte(text); odd != nowhere)
        return fail(
            refusal(file, text, odd,
                    fmt::format("byte 0x{:02x} is no text that can be patched; save the file as UTF-8 "
                                "with LF or CRLF line ends",
                                static_cast<unsigned char>(text[odd]))));
    const std::size_t start = text.starts_with("\xef\xbb\xbf") ? 3 : 0;
    Builder builder(text, start);
    try {
        // yaml-cpp 0.7 notices an open quote only if the text does not end with a line break
        // (scanscalar.cpp).
        std::istringstream stream(text.substr(start) + "\n#");
        YAML::Parser parser(stream);
        while (parser.HandleNextDocument(builder)) {
        }
    } catch (const Refused& refused) {
        return fail(refusal(file, text, refused.offset, refused.text));
    } catch (const YAML::Exception& error) {
        const std::size_t at = error.mark.pos < 0 ? 0 : start + static_cast<std::size_t>(error.mark.pos);
        return fail(refusal(file, text, at, fmt::format("not valid YAML: {}", error.msg)));
    }
    Document document{std::move(file), std::move(text), builder.take()};
    return document;
}

std::size_t line_of(std::string_view text, std::size_t offset) {
    const auto before = text.substr(0, std::min(offset, text.size()));
    return static_cast<std::size_t>(std::ranges::count(before, '\n')) + 1;
}

std::string place(const Document& document, std::size_t offset) {
    const std::string_view before = std::string_view(document.text).substr(0, offset);
    const std::size_t line = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
    std::size_t column = 1;
    for (const char c : before.substr(line))
        if ((static_cast<unsigned char>(c) & 0xc0U) != 0x80U) ++column;
    return fmt::format("{}:{}:{}", document.file, line_of(document.text, offset), column);
}

std::size_t offset_of(std::string_view text, int line, int column) {
    if (line < 1 || column < 1) return nowhere;
    std::size_t at = text.starts_with("\xef\xbb\xbf") ? 3 : 0;
    for (int i = 1; i < line; ++i) {
        at = text.find('\n', at);
        if (at == std::string_view::npos) return nowhere;
        ++at;
    }
    for (int i = 1; i < column; ++i) {
        if (at >= text.size() || text[at] == '\n') return nowhere;
        ++at;
        while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0U) == 0x80U) ++at;
    }
    return at;
}

bool same(const Node& a, const Node& b) {
    if (a.kind != b.kind || a.tag != b.tag || a.names != b.names || a.anchored != b.anchored) return false;
    if (a.kind == Node::Kind::scalar && (a.text != b.text || (a.style == 'p') != (b.style == 'p')))
        return false;
    return same_lists(a.items, b.items) &&
           std::ranges::equal(a.pairs, b.pairs, [](const auto& x, const auto& y) {
               return same(*x.key, *y.key) && same(*x.value, *y.value);
           });
}

const NodePtr& resolved(const NodePtr& node) {
    return node->kind == Node::Kind::alias ? node->target : node;
}

NodePtr flattened(const Node& node) {
    if (node.kind == Node::Kind::alias) return flattened(*node.target);
    auto copy = std::make_shared<Node>();
    copy->kind = node.kind;
    copy->made = true;
    copy->tag = node.tag;
    // Words and numbers stay what they are when they are written anew.
    copy->style = node.style == 'p' && !plain_will_do(node.text, false) ? 'L' : node.style;
    copy->text = node.text;
    for (const NodePtr& item : node.items) copy->items.push_back(flattened(*item));
    const auto has = [&](const std::string& key) {
        return std::ranges::any_of(copy->pairs, [&](const auto& pair) { return pair.key->text == key; });
    };
    const auto is_merge = [](const Node::Pair& pair) { return pair.key->text == "<<"; };
    for (const auto& pair : node.pairs)
        if (!is_merge(pair)) copy->pairs.push_back({flattened(*pair.key), flattened(*pair.value)});
    for (const auto& pair : node.pairs) {
        if (!is_merge(pair)) continue;
        const NodePtr merged = flattened(*pair.value);
        const auto sources = merged->kind == Node::Kind::sequence ? merged->items : std::vector{merged};
        for (const NodePtr& source : sources)
            for (const auto& each : source->pairs)
                if (!has(each.key->text)) copy->pairs.push_back(each);
    }
    return copy;
}

NodePtr make_scalar(std::string text) {
    auto node = std::make_shared<Node>();
    node->kind = Node::Kind::scalar;
    node->made = true;
    node->text = std::move(text);
    return node;
}

NodePtr make_null() {
    auto node = std::make_shared<Node>();
    node->made = true;
    return node;
}

NodePtr make_mapping(std::vector<std::pair<std::string, NodePtr>> pairs) {
    auto node = std::make_shared<Node>();
    node->kind = Node::Kind::mapping;
    node->made = true;
    for (auto& [key, value] : pairs) node->pairs.push_back({make_scalar(key), std::move(value)});
    return node;
}

}  // namespace rogate::patch
