// How new values are written: as their neighbours in the file are.
#include <algorithm>

#include "patch/editor.hpp"
#include "patch/scalar_text.hpp"

namespace rogate::patch {

char quotes_of(const std::vector<NodePtr>& items) {
    char quote = 0;
    for (const NodePtr& item : items) {
        if (item->kind != Node::Kind::scalar) continue;
        if (quote != 0 && item->style != quote) return 'p';
        quote = item->style;
    }
    return quote == '"' || quote == '\'' ? quote : 'p';
}

std::string Editor::scalar_text(Node& scalar, char quote, bool in_flow) {
    if (scalar.style == 'L') {
        scalar.style = 'p';
        return scalar.text;
    }
    if (quote != '"' && quote != '\'') quote = plain_will_do(scalar.text, in_flow) ? 'p' : '\'';
    scalar.style = quote;
    return quote == 'p' ? scalar.text : in_scalar_quotes(scalar.text, quote);
}

std::string Editor::flow_text(Node& value, char quote, bool in_flow) {
    std::string out;
    const auto comma = [&] {
        if (out.size() > 1) out += ", ";
    };
    switch (value.kind) {
        case Node::Kind::scalar:
            return scalar_text(value, quote, in_flow);
        case Node::Kind::sequence:
            value.flow = true;
            out = "[";
            for (const NodePtr& item : value.items) {
                comma();
                out += flow_text(*item, quote);
            }
            return out + "]";
        case Node::Kind::mapping:
            value.flow = true;
            out = "{";
            for (const auto& pair : value.pairs) {
                comma();
                out += scalar_text(*pair.key, quote, true) + ": " + flow_text(*pair.value, quote);
            }
            return out + "}";
        case Node::Kind::null:
        case Node::Kind::alias:
            break;
    }
    return "null";
}

// What stands behind "key:".
std::string Editor::block_value(Node& value, std::size_t column, std::size_t lists) {
    if (value.kind == Node::Kind::null) return "";
    if (value.kind == Node::Kind::mapping && !value.pairs.empty())
        return newline_ + std::string(column + step_, ' ') + block_lines(value, column + step_);
    if (value.kind != Node::Kind::sequence || value.items.empty()) return " " + flow_text(value, 'p', false);
    std::string out;
    for (const NodePtr& item : value.items)
        out += newline_ + std::string(column + lists, ' ') + entry(value, item, column + lists, gap_);
    return out;
}

// The lines of a mapping, the first one without its indentation.
std::string Editor::block_lines(Node& mapping, std::size_t column) {
    std::string out;
    for (const auto& pair : mapping.pairs) {
        if (!out.empty()) out += newline_ + std::string(column, ' ');
        out += scalar_text(*pair.key, 'p', false) + ":" + block_value(*pair.value, column, list_offset_);
    }
    return out;
}

// "- value", the value written as those of the list `like` are.
std::string Editor::entry(const Node& like, const NodePtr& value, std::size_t column, std::size_t gap) {
    const std::string dash = "-" + std::string(gap, ' ');
    if (value->kind == Node::Kind::mapping && !value->pairs.empty()) {
        const auto in_braces = [](const NodePtr& item) {
            return item->kind == Node::Kind::mapping && item->flow;
        };
        if (std::ranges::none_of(like.items, in_braces)) return dash + block_lines(*value, column + 1 + gap);
    }
    std::vector<NodePtr> written;
    for (const NodePtr& item : like.items)
        if (!item->made) written.push_back(item);
    return dash + flow_text(*value, value->kind == Node::Kind::scalar ? quotes_of(written) : 'p', false);
}

}  // namespace rogate::patch
