#include "spec/yaml_reader.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>

namespace rogate::spec {

namespace {

// Thrown through yaml-cpp's parser to stop it; never leaves this file.
struct Refused {
    Place place;
    std::string text;
};

// yaml-cpp counts columns in bytes from 0; editors count characters from 1.
class Lines {
  public:
    Lines(std::string_view text, int file) : text_(text), file_(file) {
        for (std::size_t i = 0; i < text.size(); ++i)
            if (text[i] == '\n') starts_.push_back(i + 1);
    }
    Place place(const YAML::Mark& mark) const {
        if (mark.is_null() || mark.line < 0 || mark.column < 0) return {0, 0, file_};
        return place(static_cast<std::size_t>(mark.line), static_cast<std::size_t>(mark.column));
    }
    Place place_of(std::size_t offset) const {
        const auto after = std::ranges::upper_bound(starts_, offset);
        const auto line = static_cast<std::size_t>(after - starts_.begin()) - 1;
        return place(line, offset - starts_[line]);
    }
    // Value::text_at of a scalar that begins at `mark`.
    Place place_of_text(const YAML::Mark& mark, const std::string& text) const {
        const Place nowhere{0, 0, file_};
        if (mark.is_null() || mark.line < 0 || static_cast<std::size_t>(mark.line) >= starts_.size())
            return nowhere;
        const auto line = static_cast<std::size_t>(mark.line), column = static_cast<std::size_t>(mark.column);
        const std::string_view rest = text_.substr(std::min(starts_[line] + column, text_.size()));
        if (rest.starts_with('|')) return place_of_block(line + 1, text);
        const std::size_t quote = rest.starts_with('"') || rest.starts_with('\'') ? 1 : 0;
        if (text.empty() || !rest.substr(quote).starts_with(text) || text.find('\n') != std::string::npos)
            return nowhere;
        return place(line, column + quote);
    }

  private:
    Place place_of_block(std::size_t line, const std::string& text) const {
        const std::size_t first = text.find_first_not_of('\n');
        if (first == std::string::npos || line + first >= starts_.size()) return {0, 0, file_};
        const std::string_view begun = std::string_view(text).substr(first, text.find('\n', first) - first);
        const std::string_view written = text_.substr(starts_[line + first]);
        const std::size_t indent = written.substr(0, written.find('\n')).find(begun);
        return indent == std::string_view::npos
                   ? Place{0, 0, file_}
                   : Place{static_cast<int>(line) + 1, static_cast<int>(indent) + 1, file_};
    }
    Place place(std::size_t line, std::size_t bytes) const {
        Place place{static_cast<int>(line) + 1, 1, file_};
        if (line >= starts_.size()) return place;
        for (const char c : text_.substr(starts_[line], bytes))
            if ((static_cast<unsigned char>(c) & 0xc0) != 0x80) ++place.column;
        return place;
    }
    std::string_view text_;
    int file_;
    std::vector<std::size_t> starts_{0};
};

std::size_t length_of_utf8(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = byte(0);
    if (first < 0x80) return 1;
    const std::size_t length = first >= 0xc2 && first < 0xe0 ? 2 : first >= 0xe0 && first < 0xf0 ? 3 : 4;
    if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((byte(i) & 0xc0) != 0x80) return 0;
    if ((first == 0xe0 && byte(1) < 0xa0) || (first == 0xf0 && byte(1) < 0x90)) return 0;  // overlong
    if ((first == 0xed && byte(1) > 0x9f) || (first == 0xf4 && byte(1) > 0x8f))
        return 0;  // surrogate, too large
    return length;
}

// yaml-cpp takes byte 0x04 for the end of the text (stream.h: Stream::eof) and replaces what is not UTF-8:
// either would silently load something else than what is written.
void check_characters(std::string_view text, const Lines& lines) {
    for (std::size_t i = 0; i < text.size();) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if ((byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7f)
            throw Refused{lines.place_of(i),
                          fmt::format("control character 0x{:02x}; write it as \"\\x{:02x}\" "
                                      "in a double-quoted string",
                                      byte, byte)};
        const std::size_t length = length_of_utf8(text.substr(i));
        if (length == 0)
            throw Refused{lines.place_of(i),
                          fmt::format("byte 0x{:02x} is not UTF-8; save the file as UTF-8", byte)};
        i += length;
    }
}

// What YAML's own schema gives to a value without saying so ("!!int 3"), and "!!merge" before a "<<".
bool is_core_tag(std::string_view tag) {
    constexpr std::string_view prefix = "tag:yaml.org,2002:";
    constexpr std::string_view names[] = {"str", "int", "float", "bool", "null", "map", "seq", "merge"};
    return tag.starts_with(prefix) && std::ranges::find(names, tag.substr(prefix.size())) != std::end(names);
}

// Builds the tree from the parser's events. Limits are checked before anything is built, so that a small text
// cannot expand into a large tree.
class Builder : public YAML::EventHandler {
  public:
    enum class Documents { one, many };
    Builder(const Lines& lines, const YamlLimits& limits, Problems& problems, Documents documents)
        : lines_(lines), limits_(limits), problems_(problems), allowed_(documents) {}

    const std::vector<ValuePtr>& roots() const { return roots_; }

    void OnDocumentStart(const YAML::Mark& mark) override {
        anchors_.clear();  // an anchor holds within its document
        if (documents_++ > 0 && allowed_ == Documents::one)
            throw Refused{lines_.place(mark),
                          fmt::format("a second document begins here; one file holds one {}", limits_.what)};
    }
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const auto value = begin(mark, Value::Kind::null, "");
        finish(value, anchor);
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const auto found = anchors_.find(anchor);
        if (found == anchors_.end())
            throw Refused{lines_.place(mark),
                          "an alias within the value it names; a value cannot contain itself"};
        count(lines_.place(mark), found->second->nodes, found->second->bytes, found->second->height);
        deliver(found->second);
    }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& text) override {
        const auto value = begin(mark, Value::Kind::scalar, tag);
        // Everything ends up in C strings sooner or later, where a zero byte would cut it short.
        if (text.find('\0') != std::string::npos)
            throw Refused{value->place, "the value contains a zero byte; leave it out"};
        value->text = text;
        value->bytes = text.size();
        value->plain = tag == "?" || (is_core_tag(tag) && tag != "tag:yaml.org,2002:str");
        value->text_at = lines_.place_of_text(mark, text);
        bytes_ += text.size();
        finish(value, anchor);
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        open_.push_back({begin(mark, Value::Kind::sequence, tag), anchor, nullptr});
    }
    void OnSequenceEnd() override { close(); }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        open_.push_back({begin(mark, Value::Kind::mapping, tag), anchor, nullptr});
    }
    void OnMapEnd() override { close(); }

  private:
    struct Open {
        std::shared_ptr<Value> value;
        YAML::anchor_t anchor = 0;
        ValuePtr key;  // mapping: read, and its value is not yet
    };

    void count(Place place, std::size_t nodes, std::size_t bytes, int height) {
        nodes_ += nodes;
        bytes_ += bytes;
        if (nodes_ > limits_.expanded_nodes || bytes_ > limits_.expanded_bytes)
            throw Refused{
                place, fmt::format("more than {} values or {} bytes with aliases expanded; write a smaller "
                                   "{}",
                                   limits_.expanded_nodes, limits_.expanded_bytes, limits_.what)};
        if (static_cast<int>(open_.size()) + height > limits_.nesting)
            throw Refused{place,
                          fmt::format("nested more than {} levels deep; write it flatter", limits_.nesting)};
    }

    std::shared_ptr<Value> begin(const YAML::Mark& mark, Value::Kind kind, const std::string& tag) {
        auto value = std::make_shared<Value>();
        value->kind = kind;
        value->place = lines_.place(mark);
        // "?" and "!" are the parser's own, for plain and quoted scalars.
        if (limits_.merge_tags && (tag == "!reset" || tag == "!override"))
            value->tag = tag;
        else if (!tag.empty() && tag != "?" && tag != "!" && !is_core_tag(tag))
            throw Refused{value->place, fmt::format("tag {} is not supported; leave it out", in_quotes(tag))};
        count(value->place, 1, 0, 1);
        return value;
    }

    void finish(const std::shared_ptr<Value>& value, YAML::anchor_t anchor) {
        if (anchor != 0) anchors_[anchor] = value;
        deliver(value);
    }

    void close() {
        const Open done = std::move(open_.back());
        open_.pop_back();
        if (done.value->kind == Value::Kind::mapping) {
            refuse_duplicates(*done.value);
            apply_merges(*done.value);
        }
        finish(done.value, done.anchor);
    }

    void deliver(const ValuePtr& value) {
        if (open_.empty()) {
            roots_.push_back(value);
            return;
        }
        Open& parent = open_.back();
        parent.value->nodes += value->nodes;
        parent.value->bytes += value->bytes;
        parent.value->height = std::max(parent.value->height, value->height + 1);
        if (parent.value->kind == Value::Kind::sequence) {
            parent.value->items.push_back(value);
        } else if (!parent.key) {
            if (value->kind != Value::Kind::scalar)
                throw Refused{value->place,
                              fmt::format("a key is {}; a key must be a word", kind_name(*value))};
            parent.key = value;
        } else {
            parent.value->pairs.emplace_back(std::move(parent.key), value);
            parent.key = nullptr;
        }
    }

    // yaml-cpp keeps both of two equal keys, and a look-up finds the first: the second would be lost without
    // a word.
    void refuse_duplicates(Value& mapping) {
        std::map<std::string_view, Place> seen;
        std::erase_if(mapping.pairs, [&](const auto& pair) {
            const auto [first, fresh] = seen.emplace(pair.first->text, pair.first->place);
            if (!fresh)
                problems_.add(pair.first->place,
                              fmt::format("key {} is already given at line {}; keep one of the two",
                                          in_quotes(pair.first->text), first->second.line));
            return !fresh;
        });
    }

    // "<<: *defaults" or "<<: [*a, *b]": keys that are not given here, the first that has one wins
    // (yaml.org/type/merge.html).
    void apply_merges(Value& mapping) {
        const auto merge = std::ranges::find_if(
            mapping.pairs, [](const auto& pair) { return pair.first->plain && pair.first->text == "<<"; });
        if (merge == mapping.pairs.end()) return;
        const ValuePtr what = merge->second;
        mapping.pairs.erase(merge);
        const auto sources = what->kind == Value::Kind::sequence ? what->items : std::vector<ValuePtr>{what};
        std::map<std::string_view, int> known;
        for (const auto& pair : mapping.pairs) known.emplace(pair.first->text, 0);
        for (const ValuePtr& source : sources) {
            if (source->kind != Value::Kind::mapping) {
                problems_.add(source->place,
                              fmt::format("'<<' merges {}; write an alias of a mapping", kind_name(*source)));
                continue;
            }
            for (const auto& pair : source->pairs)
                if (known.emplace(pair.first->text, 0).second) mapping.pairs.push_back(pair);
        }
    }

    const Lines& lines_;
    const YamlLimits& limits_;
    Problems& problems_;
    Documents allowed_;
    int documents_ = 0;
    std::size_t nodes_ = 0;
    std::size_t bytes_ = 0;
    std::vector<Open> open_;
    std::map<YAML::anchor_t, ValuePtr> anchors_;
    std::vector<ValuePtr> roots_;
};

std::vector<ValuePtr> read(std::string_view text, Problems& problems, const YamlLimits& limits,
                           Builder::Documents documents) {
    if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
    const Lines lines(text, limits.file);
    Builder builder(lines, limits, problems, documents);
    try {
        check_characters(text, lines);
        // yaml-cpp 0.7 notices that a quote is never closed only if the text does not end with a line break
        // (scanscalar.cpp): with a comment as the last line it never does.
        std::istringstream stream{std::string(text) + "\n#"};
        YAML::Parser parser(stream);
        while (parser.HandleNextDocument(builder)) {
        }
    } catch (const Refused& refused) {
        problems.add(refused.place, refused.text);
        return {};
    } catch (const YAML::Exception& error) {
        problems.add(
            lines.place(error.mark),
            fmt::format("not valid YAML: {}; look at the indentation, quotes and brackets here", error.msg));
        return {};
    }
    return builder.roots();
}

}  // namespace

std::string_view kind_name(const Value& value) {
    switch (value.kind) {
        case Value::Kind::null:
            return "empty";
        case Value::Kind::scalar:
            return "a single value";
        case Value::Kind::sequence:
            return "a list";
        case Value::Kind::mapping:
            return "a mapping";
    }
    return "";
}

ValuePtr read_yaml(std::string_view text, Problems& problems, const YamlLimits& limits) {
    if (text.size() > limits.bytes) {
        problems.add({0, 0, limits.file}, fmt::format("larger than {} bytes; a {} is a few hundred lines",
                                                      limits.bytes, limits.what));
        return nullptr;
    }
    const bool nothing_wrong_yet = problems.empty();
    const std::vector<ValuePtr> roots = read(text, problems, limits, Builder::Documents::one);
    if (!roots.empty()) return roots.front();
    if (nothing_wrong_yet && problems.empty())
        problems.add({1, 1, limits.file},
                     limits.what == "scenario"
                         ? "the file is empty; it needs at least 'subject' with an 'image'"
                         : "the file is empty");
    return nullptr;
}

std::vector<ValuePtr> read_yaml_documents(std::string_view text, Problems& problems,
                                          const YamlLimits& limits) {
    if (text.size() > limits.bytes) {
        problems.add({0, 0, limits.file},
                     fmt::format("larger than {} bytes; name a smaller file", limits.bytes));
        return {};
    }
    std::vector<ValuePtr> roots = read(text, problems, limits, Builder::Documents::many);
    std::erase_if(roots, [](const ValuePtr& root) { return root->kind == Value::Kind::null; });
    return roots;
}

}  // namespace rogate::spec
