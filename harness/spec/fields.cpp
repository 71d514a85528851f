#include "spec/fields.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <regex>
#include <stdexcept>

#include "base/references.hpp"
#include "spec/nearest_name.hpp"

namespace rogate::spec {

namespace {

// libstdc++ compiles a regular expression recursively: a long one would overflow the stack.
constexpr std::size_t longest_regex = 2000;

std::string named(std::string_view key) {
    return fmt::format("'{}'", key);
}

bool is_variable_name(std::string_view name) {
    return !name.empty() &&
           std::ranges::none_of(name, [](char c) { return c == '=' || c == ' ' || c == '\n'; });
}

// The pairs of {a: b} or [a=b] with the places they come from; `value` is null for a name alone.
struct Setting {
    std::string name;
    std::optional<std::string> value;
    const Value* at = nullptr;
};

std::vector<Setting> settings_of_list(const Value& list, std::string_view what, const Context& context) {
    std::vector<Setting> settings;
    for (const ValuePtr& item : list.items) {
        const auto text = read_text(*item, fmt::format("an entry of {}", what), context);
        if (!text) continue;
        const std::size_t equals = text->find('=');
        Setting setting{text->substr(0, equals), std::nullopt, item.get()};
        if (equals != std::string::npos) setting.value = text->substr(equals + 1);
        const auto same = [&](const Setting& other) { return other.name == setting.name; };
        const auto earlier = std::ranges::find_if(settings, same);
        if (earlier != settings.end())
            context.problem(*item, fmt::format("{} is already given at line {}; keep one of the two",
                                               in_quotes(setting.name), earlier->at->place.line));
        else
            settings.push_back(std::move(setting));
    }
    return settings;
}

std::vector<Setting> settings_of(const Value& value, std::string_view what, const Context& context) {
    if (value.kind == Value::Kind::sequence) return settings_of_list(value, what, context);
    std::vector<Setting> settings;
    if (value.kind != Value::Kind::mapping) {
        context.problem(value, fmt::format("{} is {}; write a mapping (NAME: value) or a list (- NAME=value)",
                                           what, kind_name(value)));
        return settings;
    }
    for (const auto& [key, set] : value.pairs) {
        Setting setting{key->text, std::nullopt, key.get()};
        if (set->kind != Value::Kind::null) {
            setting.value = read_text(*set, in_quotes(key->text), context);
            if (!setting.value) continue;
        }
        settings.push_back(std::move(setting));
    }
    return settings;
}

}  // namespace

void Context::note(const Value& at, std::string_view text) const {
    const SourcePlace place = declared(at.place);
    problems.note(fmt::format("{}:{}:{}: {}", place.file, place.line, place.column, text));
}

std::optional<std::string> read_text(const Value& value, std::string_view what, const Context& context) {
    if (value.kind == Value::Kind::scalar) return value.text;
    context.problem(value,
                    value.kind == Value::Kind::null
                        ? fmt::format("{} is empty; give it a value, or quote it if the text is meant", what)
                        : fmt::format("{} is {}; write a single value", what, kind_name(value)));
    return std::nullopt;
}

std::optional<std::string> read_line(const Value& value, std::string_view what, const Context& context) {
    auto text = read_text(value, what, context);
    if (!text) return text;
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
    if (!text->empty() && std::ranges::none_of(*text, is_control)) return text;
    context.problem(value, fmt::format("{} is {}; write one line of text", what,
                                       text->empty() ? "empty" : "more than one line"));
    return std::nullopt;
}

std::optional<std::int64_t> read_integer(const Value& value, std::string_view what, const Context& context,
                                         std::int64_t min, std::int64_t max) {
    const auto text = read_text(value, what, context);
    if (!text) return std::nullopt;
    const auto number = parse_integer(*text, min, max);
    if (number) return *number;
    context.problem(value, fmt::format("{}: {}", what, number.error()));
    return std::nullopt;
}

std::optional<bool> read_bool(const Value& value, std::string_view what, const Context& context) {
    const auto text = read_text(value, what, context);
    if (!text) return std::nullopt;
    if (*text == "true" || *text == "false") return *text == "true";
    context.problem(value, fmt::format("{} is {}; write true or false", what, in_quotes(*text)));
    return std::nullopt;
}

std::optional<std::int64_t> read_duration(const Value& value, std::string_view what, const Context& context,
                                          Zero zero) {
    const auto duration = read_notation(value, what, context, parse_duration);
    if (!duration || *duration > 0 || zero == Zero::allowed) return duration;
    context.problem(value, fmt::format("{} is zero; write a time, for example 5s", what));
    return std::nullopt;
}

std::optional<std::string> read_regex(const Value& value, std::string_view what, const Context& context) {
    auto text = read_text(value, what, context);
    if (!text) return text;
    if (text->size() > longest_regex) {
        context.problem(value, fmt::format("{} is a regular expression of {} bytes; {} is the most", what,
                                           text->size(), longest_regex));
        return std::nullopt;
    }
    try {
        // What is captured in the run is put in as a literal.
        const std::string sample = replace_references(
            *text, [](const std::string&) { return "x"; }, Escapes::resolve);
        const std::regex compiled(sample, std::regex::ECMAScript | std::regex::multiline);
        return text;
    } catch (const std::regex_error& error) {
        context.problem(value,
                        fmt::format("{} is not a regular expression ({}); write one as in JavaScript, with a "
                                    "backslash before a character that is meant literally",
                                    in_quotes(*text), error.what()));
        return std::nullopt;
    }
}

std::optional<std::vector<std::string>> read_texts(const Value& value, std::string_view what,
                                                   const Context& context) {
    if (value.kind != Value::Kind::sequence) {
        context.problem(value, fmt::format("{} is {}; write a list", what, kind_name(value)));
        return std::nullopt;
    }
    std::vector<std::string> texts;
    for (const ValuePtr& item : value.items) {
        auto text = read_text(*item, fmt::format("an entry of {}", what), context);
        if (!text) return std::nullopt;
        texts.push_back(std::move(*text));
    }
    return texts;
}

std::optional<std::uint16_t> read_port(const Value& value, std::string_view what, const Context& context) {
    const auto port = read_integer(value, what, context, 1, std::numeric_limits<std::uint16_t>::max());
    if (!port) return std::nullopt;
    return static_cast<std::uint16_t>(*port);
}

std::map<std::string, std::string> read_environment(const Value& value, const Context& context) {
    std::map<std::string, std::string> environment;
    for (Setting& setting : settings_of(value, "'environment'", context)) {
        if (!is_variable_name(setting.name)) {
            context.problem(*setting.at, fmt::format("{} is not the name of a variable; write NAME=value",
                                                     in_quotes(setting.name)));
            continue;
        }
        if (!setting.value) setting.value = context.surroundings.environment(setting.name);
        if (setting.value)
            environment.emplace(std::move(setting.name), std::move(*setting.value));
        else
            context.problem(
                *setting.at,
                fmt::format("variable {} has no value here and is not set in the environment of rogate; "
                            "give it a value, or set it",
                            in_quotes(setting.name)));
    }
    return environment;
}

std::map<std::string, std::string> read_settings(const Value& value, std::string_view what,
                                                 const Context& context) {
    std::map<std::string, std::string> settings;
    for (Setting& setting : settings_of(value, what, context)) {
        if (setting.value && !setting.name.empty())
            settings.emplace(std::move(setting.name), std::move(*setting.value));
        else
            context.problem(*setting.at,
                            fmt::format("{} has no value; write NAME=value", in_quotes(setting.name)));
    }
    return settings;
}

Mapping::Mapping(const Value& value, std::string where, const KeySet& keys, const Context& context)
    : value_(value), where_(std::move(where)), keys_(keys), context_(context) {
    if (value.kind != Value::Kind::mapping) {
        context.problem(value,
                        fmt::format("{} is {}; write a mapping (key: value)", where_, kind_name(value)));
        return;
    }
    for (const auto& [key, unused] : value.pairs)
        if (std::ranges::find(keys.names(), key->text) == keys.names().end())
            context.problem(*key, fmt::format("unknown key {} in {}; {}", in_quotes(key->text), where_,
                                              suggestion(key->text, keys.names())));
}

const std::pair<ValuePtr, ValuePtr>* Mapping::find(std::string_view key) const {
    if (std::ranges::find(keys_.names(), key) == keys_.names().end())
        throw std::logic_error(fmt::format("key '{}' is read in {}, but missing from keys.hpp", key, where_));
    const auto found =
        std::ranges::find_if(value_.pairs, [&](const auto& pair) { return pair.first->text == key; });
    return found == value_.pairs.end() ? nullptr : &*found;
}

const Value* Mapping::get(std::string_view key) const {
    const auto* pair = find(key);
    if (pair == nullptr) return nullptr;
    if (pair->second->kind != Value::Kind::null) return pair->second.get();
    context_.problem(*pair->first,
                     fmt::format("'{}' of {} has no value; give it one, or leave the key out", key, where_));
    return nullptr;
}

Place Mapping::place_of(std::string_view key) const {
    const auto* pair = find(key);
    return pair == nullptr ? value_.place : pair->first->place;
}

std::optional<std::string> Mapping::text(std::string_view key) const {
    const Value* value = get(key);
    return value == nullptr ? std::nullopt : read_text(*value, named(key), context_);
}

std::optional<std::string> Mapping::line(std::string_view key) const {
    const Value* value = get(key);
    return value == nullptr ? std::nullopt : read_line(*value, named(key), context_);
}

std::optional<int> Mapping::integer(std::string_view key, int min, int max) const {
    const Value* value = get(key);
    if (value == nullptr) return std::nullopt;
    const auto number = read_integer(*value, named(key), context_, min, max);
    if (!number) return std::nullopt;
    return static_cast<int>(*number);
}

bool Mapping::flag(std::string_view key, bool otherwise) const {
    const Value* value = get(key);
    return value == nullptr ? otherwise : read_bool(*value, named(key), context_).value_or(otherwise);
}

std::optional<std::int64_t> Mapping::duration(std::string_view key, Zero zero) const {
    const Value* value = get(key);
    return value == nullptr ? std::nullopt : read_duration(*value, named(key), context_, zero);
}

std::optional<std::int64_t> Mapping::size(std::string_view key) const {
    const Value* value = get(key);
    return value == nullptr ? std::nullopt : read_notation(*value, named(key), context_, parse_size);
}

std::optional<std::string> Mapping::signal(std::string_view key) const {
    const Value* value = get(key);
    return value == nullptr ? std::nullopt : read_notation(*value, named(key), context_, parse_signal);
}

std::optional<std::string> Mapping::path(std::string_view key) const {
    const Value* value = get(key);
    return value == nullptr ? std::nullopt
                            : read_notation(*value, named(key), context_, parse_container_path);
}

std::optional<std::string> Mapping::regex(std::string_view key) const {
    const Value* value = get(key);
    return value == nullptr ? std::nullopt : read_regex(*value, named(key), context_);
}

std::vector<std::string> Mapping::texts(std::string_view key) const {
    const Value* value = get(key);
    if (value == nullptr) return {};
    return read_texts(*value, named(key), context_).value_or(std::vector<std::string>{});
}

std::optional<std::vector<std::string>> read_words(const Mapping& mapping, std::string_view key,
                                                   const Context& context) {
    const Value* value = mapping.get(key);
    if (value == nullptr) return std::nullopt;
    const std::string what = fmt::format("'{}'", key);
    if (value->kind == Value::Kind::sequence) return read_texts(*value, what, context);
    if (value->kind == Value::Kind::mapping) {
        context.problem(*value, fmt::format("{} is a mapping; write a list of words, or one string", what));
        return std::nullopt;
    }
    return read_notation(*value, what, context, split_shell_words);
}

}  // namespace rogate::spec
