#include "cmdline/project_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "spec/fields.hpp"
#include "spec/nearest_name.hpp"

namespace rogate::cmdline {

namespace {

constexpr std::array<std::string_view, 8> settable = {"color", "engine-timeout", "jobs",   "observer",
                                                      "out",   "quiet",          "repeat", "requests"};

struct Refused {
    std::string_view name, why;
};
constexpr std::array<Refused, 17> refused = {{{"host", "it names an engine"},
                                              {"context", "it names an engine"},
                                              {"policy", "it says what is accepted"},
                                              {"accept", "it says what is accepted"},
                                              {"lock", "it says what is accepted"},
                                              {"update-lock", "it says what is accepted"},
                                              {"since", "it says what is judged"},
                                              {"only", "it says what is judged"},
                                              {"shard", "it says what is judged"},
                                              {"service", "it says what is judged"},
                                              {"candidate", "it says what is judged"},
                                              {"container", "it says what is judged"},
                                              {"data", "it decides over data"},
                                              {"test", "it runs a command"},
                                              {"command", "it runs a command"},
                                              {"commands", "it runs a command"},
                                              {"in-place", "it changes files"}}};

void tell_unknown(const spec::Value& key, const spec::Context& context) {
    const auto* const known = std::find_if(refused.begin(), refused.end(),
                                           [&](const Refused& each) { return each.name == key.text; });
    if (known != refused.end())
        context.problem(
            key, fmt::format("'{}' cannot be set here: {}, and whoever proposes a change can change this "
                             "file; give it on the command line",
                             key.text, known->why));
    else
        context.problem(
            key, fmt::format("unknown option '{}'; {}", key.text, spec::suggestion(key.text, settable)));
}

// Results of a project stay in it, whoever wrote the file.
void check_out(const spec::Value& value, const spec::Context& context) {
    const std::string padded = "/" + value.text + "/";
    if (value.text.starts_with('/') || padded.find("/../") != std::string::npos)
        context.problem(value,
                        "'out' must be a folder within the project; write a relative path without '..'");
}

}  // namespace

std::span<const std::string_view> settable_options() {
    return settable;
}

std::string variable_of(std::string_view option) {
    std::string name = "ROGATE_";
    for (const char each : option)
        name += each == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(each)));
    return name;
}

Result<Settings> parse_project_file(std::string_view text, const std::string& path) {
    spec::Problems problems(path);
    const spec::Surroundings surroundings;
    const spec::Context context{problems, surroundings, path, ""};
    Settings settings;
    const spec::ValuePtr root = spec::read_yaml(text, problems, {.what = "project file"});
    if (root && root->kind == spec::Value::Kind::mapping) {
        for (const auto& [key, value] : root->pairs) {
            if (std::find(settable.begin(), settable.end(), key->text) == settable.end()) {
                tell_unknown(*key, context);
                continue;
            }
            const auto word = spec::read_text(*value, fmt::format("'{}'", key->text), context);
            if (!word) continue;
            if (key->text == "out") check_out(*value, context);
            settings[key->text] = {*word, context.declared(value->place)};
        }
    } else if (root && root->kind != spec::Value::Kind::null) {
        context.problem(
            *root, fmt::format("a project file is a mapping of options, not {}", spec::kind_name(*root)));
    }
    if (!problems.empty()) return fail(problems.error());
    return settings;
}

}  // namespace rogate::cmdline
