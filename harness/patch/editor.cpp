#include "patch/editor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "patch/extent.hpp"
#include "patch/scalar_text.hpp"

namespace rogate::patch {

namespace {

bool is_list(const Node& node) {
    return node.kind == Node::Kind::sequence && !node.flow && !node.items.empty();
}

std::size_t column_in(std::string_view text, std::size_t offset) {
    const std::size_t before = offset == 0 ? std::string_view::npos : text.rfind('\n', offset - 1);
    const std::size_t begin = before != std::string_view::npos   ? before + 1
                              : text.starts_with("\xef\xbb\xbf") ? 3
                                                                 : 0;
    return offset - std::min(begin, offset);
}

// How far this file indents, by what it does most often.
class Indentation {
  public:
    explicit Indentation(const Document& document) : text_(document.text) {
        for (const NodePtr& root : document.roots) look(*root);
    }
    static std::optional<std::size_t> most(const std::map<std::size_t, int>& counts) {
        const auto best = std::ranges::max_element(counts, {}, [](const auto& each) { return each.second; });
        return best == counts.end() ? std::nullopt : std::optional(best->first);
    }
    std::map<std::size_t, int> steps, lists, gaps;

  private:
    void look(const Node& node) {
        for (const NodePtr& item : node.items) look(*item);
        if (is_list(node)) {
            // Of the first one, which stands behind its dash unless that has a line of its own.
            const std::string_view between =
                text_.substr(node.begin, std::max(node.begin, node.items.front()->begin) - node.begin);
            if (between.size() > 1 && between.find_first_not_of(' ', 1) == std::string_view::npos)
                ++gaps[between.size() - 1];
        }
        if (node.kind != Node::Kind::mapping) return;
        for (const auto& pair : node.pairs) {
            look(*pair.value);
            if (node.flow || pair.value->flow) continue;
            const std::size_t own = column_in(text_, node.begin);
            const std::size_t column = column_in(text_, pair.value->begin);
            if (pair.value->kind == Node::Kind::mapping && column > own) ++steps[column - own];
            if (is_list(*pair.value) && column >= own) ++lists[column - own];
        }
    }
    std::string_view text_;
};

std::size_t end_of_pair(const Node::Pair& pair) {
    return std::max(pair.key->end, pair.value->end);
}

// JSON: keys in double quotes, so values too.
bool is_json(const Node& mapping) {
    return mapping.flow && !mapping.pairs.empty() &&
           std::ranges::all_of(mapping.pairs, [](const auto& pair) { return pair.key->style == '"'; });
}

}  // namespace

std::string apply_edits(std::string_view text, std::vector<Edit> edits) {
    std::ranges::stable_sort(edits, {}, [](const Edit& edit) { return std::pair(edit.begin, edit.rank); });
    std::string out;
    std::size_t at = 0;
    for (const Edit& edit : edits) {
        out += text.substr(at, edit.begin - at);
        out += edit.text;
        at = edit.end;
    }
    return out += text.substr(at);
}

std::string line_break_of(std::string_view text) {
    const std::size_t end = text.find('\n');
    return end != std::string_view::npos && end > 0 && text[end - 1] == '\r' ? "\r\n" : "\n";
}

Editor::Editor(Document& document) : document_(document), newline_(line_break_of(document.text)) {
    const Indentation found(document);
    step_ = Indentation::most(found.steps).value_or(2);
    gap_ = Indentation::most(found.gaps).value_or(1);
    json_ = !document.roots.empty() &&
            std::ranges::all_of(document.roots, [](const NodePtr& root) { return is_json(*root); });
    list_offset_ = Indentation::most(found.lists).value_or(step_);
}

tl::unexpected<Error> Editor::refuse(std::size_t offset, const std::string& what) const {
    return fail(ErrorKind::usage, fmt::format("{}: {}", place(document_, offset), what));
}

std::size_t Editor::column_of(std::size_t offset) const {
    return column_in(document_.text, offset);
}

std::size_t Editor::line_end(std::size_t offset) const {
    std::size_t end = document_.text.find('\n', offset);
    if (end == std::string::npos) return document_.text.size();
    return end > offset && document_.text[end - 1] == '\r' ? end - 1 : end;
}

std::size_t Editor::line_begin(std::size_t offset) const {
    return offset - column_of(offset);
}

// Of a list in this mapping: as its neighbours have it.
std::size_t Editor::list_offset(const Node& mapping) const {
    for (const auto& pair : mapping.pairs)
        if (is_list(*pair.value) && !pair.value->made) {
            const std::size_t column = column_of(pair.value->begin), own = column_of(mapping.begin);
            if (column >= own) return column - own;
        }
    return list_offset_;
}

// Below the line of `after`. Where several things end there, the innermost goes on first, and a list before
// the key that follows it in the same column.
void Editor::add_lines(std::size_t after, std::size_t column, bool item, const std::string& text) {
    constexpr std::size_t outermost = 1'000'000;
    const std::size_t at = line_end(after);
    edits_.push_back({at, at, text, 2 * (outermost - std::min(column, outermost)) + (item ? 1 : 2)});
}

Result<> Editor::set_scalar(NodePtr& slot, const std::string& text, bool literal) {
    Node& old = *slot;
    if (old.made) return fail(ErrorKind::internal, "a value is changed twice by one patch");
    if (old.kind == Node::Kind::alias || old.kind == Node::Kind::null) {
        NodePtr fresh = make_scalar(text);
        if (literal) fresh->style = 'L';
        edits_.push_back({old.begin, old.end, flow_text(*fresh, json_ ? '"' : 'p')});
        // What comes next to it is still placed by where the old one stood.
        fresh->begin = old.begin;
        fresh->end = old.end;
        fresh->in_flow = old.in_flow;
        fresh->made = false;
        slot = fresh;
        return {};
    }
    if (old.kind != Node::Kind::scalar || old.style == '|' || old.style == '>')
        return refuse(old.begin, fmt::format("this is not a value on one line; write {} here", text));
    std::string written = text;
    if (literal)
        old.style = 'p';
    else if (old.style == 'p' && !plain_will_do(text, old.in_flow))
        old.style = '\'';
    if (old.style != 'p') written = in_scalar_quotes(text, old.style);
    edits_.push_back({old.begin, old.end, written});
    old.text = text;
    return {};
}

Result<> Editor::set_literal(Node& mapping, const std::string& key, const std::string& text) {
    const auto found =
        std::ranges::find_if(mapping.pairs, [&](const auto& pair) { return pair.key->text == key; });
    if (found != mapping.pairs.end() && found->value->kind != Node::Kind::null)
        return set_scalar(found->value, text, true);
    NodePtr value = make_scalar(text);
    value->style = 'L';
    return add(mapping, key, value);
}

Result<> Editor::fill(Node& mapping, Node::Pair& pair, const NodePtr& value) {
    if (pair.colon == nowhere || pair.value->anchored || !pair.value->tag.empty())
        return refuse(pair.key->begin, fmt::format("'{}' has no value and is written in a way that cannot be "
                                                   "changed safely; give it one by hand",
                                                   pair.key->text));
    const std::size_t column = column_of(mapping.begin);
    // A comment behind the colon stays there; what is written on lines of its own goes below it.
    const bool on_lines = !mapping.flow && ((value->kind == Node::Kind::mapping && !value->pairs.empty()) ||
                                            (value->kind == Node::Kind::sequence && !value->items.empty()));
    const std::string text = mapping.flow ? " " + flow_text(*value, json_ ? '"' : 'p')
                                          : block_value(*value, column, list_offset(mapping));
    std::size_t begin = pair.value->begin;
    const std::size_t end = pair.value->end;
    if (end > begin) begin = pair.colon + 1;
    if (on_lines) {
        if (end > begin) edits_.push_back({begin, end, ""});
        const bool list = value->kind == Node::Kind::sequence;
        add_lines(end, column + (list ? list_offset(mapping) : step_), list, text);
    } else {
        edits_.push_back({begin, end, text});
    }
    pair.value = value;
    return {};
}

Result<> Editor::replace_alias(Node& mapping, const std::string& key, const NodePtr& value) {
    const auto found =
        std::ranges::find_if(mapping.pairs, [&](const auto& pair) { return pair.key->text == key; });
    return fill(mapping, *found, value);
}

Result<> Editor::add(Node& mapping, const std::string& key, const NodePtr& value, std::string_view behind) {
    if (mapping.kind != Node::Kind::mapping || mapping.made)
        return refuse(mapping.begin, fmt::format("no mapping to write '{}' into", key));
    for (auto& pair : mapping.pairs) {
        if (pair.key->text != key) continue;
        if (pair.value->kind == Node::Kind::null) return fill(mapping, pair, value);
        return refuse(pair.key->begin,
                      fmt::format("'{}' is not of a kind that can be added to; change it by hand", key));
    }
    for (const auto& pair : mapping.pairs)
        if (!mapping.flow && !pair.key->made && pair.colon == nowhere)
            return refuse(
                pair.key->begin,
                fmt::format("this is no 'key: value' on one line, so '{}' cannot be added to the mapping "
                            "safely; add it by hand",
                            key));
    NodePtr name = make_scalar(key);
    if (mapping.flow) {
        if (document_.text[mapping.begin] != '{')
            return refuse(mapping.begin, fmt::format("add {}: {} by hand", key, flow_text(*value, 'p')));
        const char quote = json_ ? '"' : 'p';
        const std::string text = scalar_text(*name, quote, true) + ": " + flow_text(*value, quote);
        if (auto added = add_flow(mapping, {text}); !added) return added;
        mapping.pairs.push_back({name, value});
        return {};
    }
    std::size_t after = nowhere, last = nowhere, last_key = 0;
    for (const auto& pair : mapping.pairs) {
        if (pair.key->made) continue;
        last = end_of_pair(pair);
        last_key = pair.key->begin;
        if (pair.key->text == behind) after = last;
    }
    if (after == nowhere) after = last;
    if (after == nowhere) return refuse(mapping.begin, fmt::format("add '{}' by hand", key));
    const std::size_t column = column_of(mapping.begin);
    // A tag or an anchor before the first key: the keys do not begin where it seems.
    if (document_.text.substr(line_begin(mapping.begin), column).find_first_not_of(" -") != std::string::npos)
        return refuse(mapping.begin, fmt::format("add '{}' by hand", key));
    // Sections of a file that are kept apart by an empty line stay so.
    const std::size_t line = line_begin(last_key);
    const bool apart = column == 0 && value->kind == Node::Kind::mapping && line > 0 &&
                       document_.text.substr(0, line).ends_with(newline_ + newline_);
    const std::string text = (apart ? newline_ : "") + newline_ + std::string(column, ' ') +
                             scalar_text(*name, 'p', false) + ":" +
                             block_value(*value, column, list_offset(mapping));
    add_lines(after, column, false, text);
    auto position =
        std::ranges::find_if(mapping.pairs, [&](const auto& pair) { return pair.key->text == behind; });
    if (position == mapping.pairs.end() || position->key->made) position = std::prev(mapping.pairs.end());
    do ++position;
    while (position != mapping.pairs.end() && position->key->made);
    mapping.pairs.insert(position, {name, value});
    return {};
}

Result<> Editor::append(Node& sequence, const std::vector<NodePtr>& values) {
    if (values.empty()) return {};
    if (sequence.kind != Node::Kind::sequence || sequence.made)
        return fail(ErrorKind::internal, "a list is made and added to by one patch");
    if (sequence.flow) {
        std::vector<std::string> rendered;
        for (const NodePtr& value : values)
            rendered.push_back(flow_text(*value, json_ ? '"' : quotes_of(sequence.items)));
        if (auto added = add_flow(sequence, rendered); !added) return added;
        sequence.items.insert(sequence.items.end(), values.begin(), values.end());
        return {};
    }
    const Node& last = *sequence.items.back();
    if (last.made) return fail(ErrorKind::internal, "a list is added to twice by one patch");
    const std::size_t column = column_of(sequence.begin);
    std::size_t gap = gap_;
    if (line_begin(last.begin) == line_begin(sequence.begin) || sequence.items.size() > 1) {
        const std::string_view line = std::string_view(document_.text).substr(line_begin(last.begin));
        const std::size_t dash = line.find_first_not_of(' ');
        if (dash == column && line[dash] == '-') {
            const std::size_t next = line.find_first_not_of(' ', dash + 1);
            if (next != std::string_view::npos && next > dash + 1 && next < dash + 9 && line[next] != '\n' &&
                line[next] != '\r' && line[next] != '#')
                gap = next - dash - 1;
        }
    }
    std::string text;
    for (const NodePtr& value : values)
        text += newline_ + std::string(column, ' ') + entry(sequence, value, column, gap);
    add_lines(std::max(last.end, sequence.end), column, true, text);
    sequence.items.insert(sequence.items.end(), values.begin(), values.end());
    return {};
}

// With the end of the line before, so that what is added below stays below.
void Editor::cut_lines(std::size_t begin, std::size_t end) {
    constexpr std::size_t behind_others = nowhere;
    std::size_t from = line_begin(begin);
    if (from > 0) --from;
    if (from > 0 && document_.text[from - 1] == '\r') --from;
    edits_.push_back({from, line_end(end), "", behind_others});
}

// Within brackets, a comment there may be about what stays.
Result<> Editor::cut(std::size_t begin, std::size_t end) {
    if (document_.text.substr(begin, end - begin).find('#') != std::string::npos)
        return refuse(begin, "there is a comment between the entries of this list; take them out by hand");
    edits_.push_back({begin, end, ""});
    return {};
}

Result<> Editor::remove_flow(Node& sequence, const std::vector<std::size_t>& places) {
    const auto& items = sequence.items;
    std::size_t first = 0;  // of those that stay, or behind the last one
    for (const std::size_t place : places) first += place == first ? 1 : 0;
    if (first == items.size()) return cut(sequence.begin + 1, sequence.end - 1);
    for (const std::size_t place : places) {
        auto done = place < first ? cut(items[place]->begin, items[place + 1]->begin)
                                  : cut(items[place - 1]->end, items[place]->end);
        if (!done) return done;
    }
    return {};
}

Result<> Editor::remove_lines(Node& sequence, const std::vector<std::size_t>& places) {
    const std::string& text = document_.text;
    for (const std::size_t place : places) {
        const Node& item = *sequence.items[place];
        const std::size_t dash = item.begin == 0 ? nowhere : text.rfind('-', item.begin - 1);
        const bool is_alone = dash != nowhere && column_of(dash) == column_of(sequence.begin) &&
                              text.find_first_not_of(' ', line_begin(dash)) == dash;
        if (!is_alone)
            return refuse(item.begin, "this entry is not on lines of its own; take it out by hand");
        cut_lines(dash, item.end);
    }
    return {};
}

// The key goes along, where it has a line of its own and is not all that there is.
Result<> Editor::empty(Node& mapping, std::list<Node::Pair>::iterator pair) {
    const std::size_t key = pair->key->begin, end = pair->value->items.back()->end;
    const bool is_own_line = document_.text.find_first_not_of(' ', line_begin(key)) == key;
    if (pair->colon == nowhere) return refuse(key, "this list cannot be emptied; take it out by hand");
    if (!mapping.flow && mapping.pairs.size() > 1 && is_own_line) {
        cut_lines(key, end);
        mapping.pairs.erase(pair);
        return {};
    }
    edits_.push_back({pair->colon + 1, end, " []"});
    pair->value->items.clear();
    pair->value->flow = true;
    return {};
}

Result<> Editor::remove(Node& mapping, const std::string& key, const std::vector<std::size_t>& places) {
    const auto pair = std::ranges::find_if(mapping.pairs, [&](const auto& each) {
        return each.key->kind == Node::Kind::scalar && each.key->text == key;
    });
    if (places.empty()) return {};
    if (pair == mapping.pairs.end() || resolved(pair->value)->made ||
        resolved(pair->value)->kind != Node::Kind::sequence)
        return fail(ErrorKind::internal, "what is taken out is in no list");
    Node& sequence = *resolved(pair->value);
    for (const std::size_t place : places)
        if (sequence.items[place]->anchored)
            return refuse(sequence.items[place]->begin, "this entry has an anchor; take it out by hand");
    const bool is_all = places.size() == sequence.items.size();
    const bool is_own =
        pair->value->kind == Node::Kind::sequence && !sequence.anchored && sequence.tag.empty();
    if (is_all && is_own && !sequence.flow) return empty(mapping, pair);
    if (is_all && !sequence.flow)
        return refuse(sequence.begin, "no entry of this list is needed; take it out by hand");
    auto done = sequence.flow ? remove_flow(sequence, places) : remove_lines(sequence, places);
    if (!done) return done;
    for (auto place = places.rbegin(); place != places.rend(); ++place)
        sequence.items.erase(sequence.items.begin() + static_cast<std::ptrdiff_t>(*place));
    return {};
}

Result<> Editor::add_flow(Node& parent, const std::vector<std::string>& rendered) {
    const std::string& text = document_.text;
    std::size_t first = nowhere, last = nowhere, end = nowhere;  // of the children in the text
    const auto child = [&](const Node& head, std::size_t behind) {
        if (head.made) return;
        if (first == nowhere) first = head.begin;
        last = head.begin;
        end = behind;
    };
    for (const NodePtr& item : parent.items) child(*item, item->end);
    for (const auto& pair : parent.pairs) child(*pair.key, end_of_pair(pair));
    const std::size_t close = parent.end - 1;
    if (first == nowhere) {
        const bool empty =
            skip_blank(text, parent.begin + 1) == close && text.find('#', parent.begin) >= close;
        edits_.push_back({parent.begin + 1, empty ? close : parent.begin + 1,
                          fmt::format("{}", fmt::join(rendered, ", "))});
        return {};
    }
    // A last child without a value can still have its colon.
    const std::size_t next = skip_blank(text, end);
    const bool has_comma = next < close && text[next] == ',';
    if (!has_comma && next != close) return refuse(end, fmt::format("add {} here by hand", rendered.front()));
    const std::size_t begin_of_last = line_begin(last);
    const bool on_own_line =
        begin_of_last > parent.begin &&
        text.find_first_not_of(" \t", begin_of_last) >= skip_blank(text, begin_of_last) &&
        skip_blank(text, begin_of_last) == last;
    std::string separator = on_own_line ? newline_ + text.substr(begin_of_last, last - begin_of_last) : " ";
    std::string added = separator + fmt::format("{}", fmt::join(rendered, "," + separator));
    const std::size_t behind = has_comma ? next + 1 : end;
    if (has_comma)
        added += ",";
    else
        // "data:," is a name with a colon to some readers (go-yaml): the comma must not touch it.
        edits_.push_back({end, end, end > 0 && text[end - 1] == ':' ? " ," : ","});
    const std::size_t at = on_own_line && line_end(behind) < close ? line_end(behind) : behind;
    edits_.push_back({at, at, added});
    return {};
}

Result<> Editor::make_list(Node& mapping, const std::string& key, const std::vector<NodePtr>& values) {
    const auto found =
        std::ranges::find_if(mapping.pairs, [&](const auto& pair) { return pair.key->text == key; });
    Node& old = *found->value;
    if (old.kind != Node::Kind::scalar || old.anchored || !old.tag.empty() || old.style == '|' ||
        old.style == '>' || found->colon == nowhere)
        return refuse(old.begin, fmt::format("write '{}' as a list and add to it by hand", key));
    auto list = std::make_shared<Node>();
    list->kind = Node::Kind::sequence;
    list->made = true;
    list->items.push_back(found->value);
    if (mapping.flow) {
        list->flow = true;
        std::string text;
        for (const NodePtr& value : values) text += ", " + flow_text(*value, old.style);
        edits_.push_back({old.begin, old.begin, "["});
        edits_.push_back({old.end, old.end, text + "]"});
    } else {
        const std::string dash = "-" + std::string(gap_, ' ');
        const std::string indent =
            newline_ + std::string(column_of(mapping.begin) + list_offset(mapping), ' ');
        edits_.push_back({found->colon + 1, old.begin, indent + dash});
        std::string text;
        for (const NodePtr& value : values) text += indent + dash + flow_text(*value, old.style, false);
        add_lines(old.end, column_of(mapping.begin) + list_offset(mapping), true, text);
    }
    list->items.insert(list->items.end(), values.begin(), values.end());
    found->value = list;
    return {};
}

void Editor::splice(Node& scalar, const std::vector<Edit>& edits, std::string text) {
    edits_.insert(edits_.end(), edits.begin(), edits.end());
    scalar.text = std::move(text);
}

Result<std::string> Editor::result() const {
    std::string text = apply_edits(document_.text, edits_);
    const auto again = read_document(document_.file, text);
    const auto wrong = [&](const std::string& what) {
        return fail(
            ErrorKind::internal,
            fmt::format("the change to {} was not written: its text would not read as intended ({}); please "
                        "report this with the file",
                        document_.file, what));
    };
    if (!again) return wrong(again.error().message);
    const bool equal = std::ranges::equal(again->roots, document_.roots,
                                          [](const NodePtr& a, const NodePtr& b) { return same(*a, *b); });
    if (!equal) return wrong("its values differ");
    return text;
}

}  // namespace rogate::patch
