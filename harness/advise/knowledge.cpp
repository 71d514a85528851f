#include "advise/knowledge.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "advise/keys.hpp"
#include "spec/fields.hpp"

// harness/advise/settings.yaml (CMakeLists.txt)
extern "C" const char rogate_settings_begin[], rogate_settings_end[];

namespace rogate::advise {

namespace {

using spec::Context;
using spec::Mapping;
using spec::Value;

// A list, or one word alone.
std::vector<std::string> one_or_more(const Mapping& mapping, std::string_view key, const Context& context) {
    const Value* value = mapping.get(key);
    if (value == nullptr) return {};
    if (value->kind != Value::Kind::sequence) {
        auto text = spec::read_line(*value, fmt::format("'{}'", key), context);
        return text ? std::vector{std::move(*text)} : std::vector<std::string>{};
    }
    return mapping.texts(key);
}

Sign read_sign(const Value& value, const Context& context) {
    const Mapping mapping(value, "an entry of 'shown_by'", keys::sign, context);
    Sign sign{.processes = one_or_more(mapping, "process", context),
              .paths = one_or_more(mapping, "path", context),
              .operations = one_or_more(mapping, "operation", context),
              .phases = one_or_more(mapping, "phase", context)};
    if (sign.paths.empty())
        context.problem(value, "an entry of 'shown_by' has no 'path'; write the pattern of what is written");
    return sign;
}

Setting read_setting(const Value& value, const Context& context) {
    const Mapping mapping(value, "a setting", keys::setting, context);
    Setting setting;
    setting.id = mapping.line("id").value_or("");
    setting.what = mapping.line("what").value_or("");
    setting.how = mapping.line("setting").value_or("");
    setting.cost = mapping.line("cost").value_or("");
    setting.since = mapping.line("since").value_or("");
    setting.trap = mapping.line("trap").value_or("");
    setting.is_place = mapping.flag("place", false);
    setting.sources = one_or_more(mapping, "source", context);
    if (const Value* variables = mapping.get("environment"))
        setting.environment = spec::read_settings(*variables, "'environment'", context);
    if (const Value* signs = mapping.get("shown_by")) {
        if (signs->kind != Value::Kind::sequence)
            context.problem(*signs, "'shown_by' is no list");
        else
            for (const spec::ValuePtr& each : signs->items)
                setting.shown_by.push_back(read_sign(*each, context));
    }
    for (const auto& [key, given] :
         {std::pair("id", !setting.id.empty()), std::pair("what", !setting.what.empty()),
          std::pair("setting", !setting.how.empty()), std::pair("shown_by", mapping.has("shown_by"))})
        if (!given) context.problem(value, fmt::format("a setting has no '{}'", key));
    return setting;
}

}  // namespace

Result<std::vector<Setting>> parse_settings(std::string_view text, const std::string& file_name) {
    spec::Problems problems(file_name);
    const spec::Surroundings surroundings;
    const Context context{problems, surroundings, file_name, "/"};
    std::vector<Setting> settings;
    const spec::ValuePtr root = spec::read_yaml(text, problems);
    if (!root) return fail(problems.error());
    const Mapping mapping(*root, "the file of settings", keys::file, context);
    const Value* list = mapping.get("settings");
    if (list != nullptr && list->kind != Value::Kind::sequence)
        context.problem(*list, "'settings' is no list");
    else if (list != nullptr)
        for (const spec::ValuePtr& each : list->items) {
            Setting setting = read_setting(*each, context);
            if (std::ranges::find(settings, setting.id, &Setting::id) != settings.end())
                context.problem(*each, fmt::format("a second setting '{}'", setting.id));
            settings.push_back(std::move(setting));
        }
    if (!problems.empty()) return fail(problems.error());
    return settings;
}

const std::vector<Setting>& shipped_settings() {
    static const std::vector<Setting> settings = [] {
        auto read = parse_settings({rogate_settings_begin, rogate_settings_end}, "settings.yaml");
        return read ? std::move(*read) : std::vector<Setting>{};  // a test reads it
    }();
    return settings;
}

bool matches(std::string_view pattern, std::string_view text) {
    if (pattern.empty()) return text.empty();
    if (pattern.starts_with("/**/") && matches(pattern.substr(3), text)) return true;
    if (pattern.starts_with("**")) {
        for (std::size_t at = 0; at <= text.size(); ++at)
            if (matches(pattern.substr(2), text.substr(at))) return true;
        return false;
    }
    if (pattern.front() == '*') {
        for (std::size_t at = 0; at <= text.size(); ++at) {
            if (matches(pattern.substr(1), text.substr(at))) return true;
            if (at < text.size() && text[at] == '/') return false;
        }
        return false;
    }
    return !text.empty() && text.front() == pattern.front() && matches(pattern.substr(1), text.substr(1));
}

}  // namespace rogate::advise
