// Typed reading of values: each function returns the value, or nothing after it has told `problems` what is
// wrong with it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <rogate/subject.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "spec/keys.hpp"
#include "spec/notations.hpp"
#include "spec/problems.hpp"
#include "spec/surroundings.hpp"
#include "spec/yaml_reader.hpp"

namespace rogate::spec {

// What every reader of a part of the file needs.
struct Context {
    Problems& problems;
    const Surroundings& surroundings;
    std::string file;    // as the user named it
    std::string folder;  // absolute; relative sources of mounts start here

    void problem(const Value& at, std::string text) const { problems.add(at.place, std::move(text)); }
    // What is no problem, but has to be known.
    void note(const Value& at, std::string_view text) const;
    SourcePlace declared(Place place) const {
        return {place.file == 0 ? file : problems.file(place.file), place.line, place.column};
    }
};

enum class Zero { allowed, refused };

// `what` names the value in messages: "'timeout'".
std::optional<std::string> read_text(const Value& value, std::string_view what, const Context& context);
std::optional<std::string> read_line(const Value& value, std::string_view what,
                                     const Context& context);  // not empty
std::optional<std::int64_t> read_integer(const Value& value, std::string_view what, const Context& context,
                                         std::int64_t min, std::int64_t max);
std::optional<bool> read_bool(const Value& value, std::string_view what, const Context& context);
std::optional<std::int64_t> read_duration(const Value& value, std::string_view what, const Context& context,
                                          Zero zero);
std::optional<std::string> read_regex(const Value& value, std::string_view what, const Context& context);
std::optional<std::vector<std::string>> read_texts(const Value& value, std::string_view what,
                                                   const Context& context);
std::optional<std::uint16_t> read_port(const Value& value, std::string_view what, const Context& context);

// One value in one of the notations of notations.hpp.
template <class T>
std::optional<T> read_notation(const Value& value, std::string_view what, const Context& context,
                               Parsed<T> (*parse)(std::string_view)) {
    const auto text = read_text(value, what, context);
    if (!text) return std::nullopt;
    auto parsed = parse(*text);
    if (parsed) return std::move(*parsed);
    context.problem(value, std::move(parsed.error()));
    return std::nullopt;
}

// {A: b} or [A=b, C]; a name without a value takes it from rogate's own environment, and must be set there.
std::map<std::string, std::string> read_environment(const Value& value, const Context& context);
// {a: b} or [a=b].
std::map<std::string, std::string> read_settings(const Value& value, std::string_view what,
                                                 const Context& context);

// A mapping whose keys are known. Unknown keys are reported when it is made.
class Mapping {
  public:
    // `where` names the mapping in messages: "step 'upload'". Something else than a mapping reads as an empty
    // one.
    Mapping(const Value& value, std::string where, const KeySet& keys, const Context& context);

    const std::string& where() const { return where_; }
    const Value& value() const { return value_; }

    // Null if the key is absent, or has no value (which is a problem: a forgotten value must not read as a
    // default).
    const Value* get(std::string_view key) const;
    bool has(std::string_view key) const { return find(key) != nullptr; }
    Place place_of(std::string_view key) const;  // of the key itself

    std::optional<std::string> text(std::string_view key) const;
    std::optional<std::string> line(std::string_view key) const;
    std::optional<int> integer(std::string_view key, int min, int max) const;
    bool flag(std::string_view key, bool otherwise) const;
    std::optional<std::int64_t> duration(std::string_view key, Zero zero) const;
    std::optional<std::int64_t> size(std::string_view key) const;
    std::optional<std::string> signal(std::string_view key) const;
    std::optional<std::string> path(std::string_view key) const;  // in the container
    std::optional<std::string> regex(std::string_view key) const;
    std::vector<std::string> texts(std::string_view key) const;

  private:
    const std::pair<ValuePtr, ValuePtr>* find(std::string_view key) const;

    const Value& value_;
    std::string where_;
    const KeySet& keys_;
    const Context& context_;
};

// A list, or a string that is split into words; absent and empty are different things (an empty one clears
// the image's).
std::optional<std::vector<std::string>> read_words(const Mapping& mapping, std::string_view key,
                                                   const Context& context);

}  // namespace rogate::spec
