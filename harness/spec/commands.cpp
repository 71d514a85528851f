#include "spec/commands.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "spec/actions.hpp"
#include "spec/kubernetes.hpp"

namespace rogate::spec {

namespace fs = std::filesystem;

namespace {

void read_directory(const Mapping& mapping, CommandAction& action, const Context& context) {
    const auto text = mapping.line("directory");
    if (!text) return;
    const fs::path path = (fs::path(context.folder) / *text).lexically_normal();
    std::error_code failed;
    if (!fs::is_directory(path, failed))
        context.problem(*mapping.get("directory"),
                        fmt::format("{} is no folder on this machine", in_quotes(path.string())));
    action.directory = path.string();
}

// A string, or a list of them.
std::vector<std::string> text_or_texts(const Mapping& mapping, std::string_view key, const Context& context) {
    const Value* value = mapping.get(key);
    if (value == nullptr) return {};
    if (value->kind == Value::Kind::scalar) {
        auto text = read_line(*value, in_quotes(key), context);
        return text ? std::vector<std::string>{std::move(*text)} : std::vector<std::string>{};
    }
    return read_texts(*value, in_quotes(key), context).value_or(std::vector<std::string>{});
}

}  // namespace

Result<std::vector<std::string>> known_failures(const std::string& given, const std::string& folder,
                                                const FileReader& read_file) {
    const std::string path = (fs::path(folder) / given).lexically_normal().string();
    std::error_code failed;
    if (!fs::is_regular_file(path, failed)) return std::vector<std::string>{given};
    auto text = read_file(path);
    if (!text) return fail(ErrorKind::usage, fmt::format("{}: {}", path, text.error().message));
    std::vector<std::string> names;
    std::istringstream lines(*text);
    for (std::string line; std::getline(lines, line);) {
        while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
        if (!line.empty() && line.front() != '#') names.push_back(std::move(line));
    }
    if (names.empty())
        return fail(ErrorKind::usage,
                    fmt::format("{}: no test is named in this file; write one name in each line", path));
    return names;
}

std::optional<Action> read_host_command(const Value& value, const std::string& where,
                                        const Context& context) {
    CommandAction action;
    action.directory = context.folder;
    if (value.kind != Value::Kind::mapping) {
        auto words = read_command(value, context);
        if (!words) return std::nullopt;
        action.command = std::move(*words);
        return action;
    }
    const Mapping mapping(value, where, keys::command, context);
    if (const Value* words = mapping.get("run"))
        action.command = read_command(*words, context).value_or(std::vector<std::string>{});
    else if (!mapping.has("run"))
        context.problem(
            value, fmt::format("{} has no 'run'; write a list of words, or one string for the shell", where));
    read_directory(mapping, action, context);
    if (const Value* environment = mapping.get("environment"))
        action.environment = read_environment(*environment, context);
    action.junit = text_or_texts(mapping, "junit", context);
    for (const std::string& given : text_or_texts(mapping, "known_failures", context)) {
        auto names = known_failures(given, context.folder, context.surroundings.read_file);
        if (names)
            action.known_failures.insert(action.known_failures.end(), names->begin(), names->end());
        else
            context.problem(*mapping.get("known_failures"), names.error().message);
    }
    if (!action.known_failures.empty() && action.junit.empty())
        context.problem(value,
                        fmt::format("{} has 'known_failures', and no 'junit' that names tests", where));
    return action;
}

void add_tests(const GivenTests& given, Scenario& scenario) {
    std::vector<Step> steps;
    for (const std::string& command : given.commands) {
        Step step;
        step.action = CommandAction{.command = {"sh", "-c", command},
                                    .directory = given.directory,
                                    .environment = {},
                                    .junit = given.junit,
                                    .known_failures = given.known_failures};
        step.timeout_ms = given.timeout_ms;
        step.name = default_name(step);
        const std::string name = step.name;
        const auto taken = [&](const std::vector<Step>& all) {
            return std::ranges::find(all, step.name, &Step::name) != all.end();
        };
        for (int count = 2; taken(scenario.steps) || taken(steps); ++count)
            step.name = fmt::format("{} ({})", name, count);
        steps.push_back(std::move(step));
    }
    scenario.steps.insert(std::ranges::find_if(scenario.steps, is_pre_stop),
                          std::make_move_iterator(steps.begin()), std::make_move_iterator(steps.end()));
}

const Step* first_command(const std::vector<Step>& steps) {
    for (const Step& step : steps) {
        if (std::holds_alternative<CommandAction>(step.action) && step.declared.line > 0) return &step;
        if (const auto* inside = steps_inside(step))
            if (const Step* found = first_command(*inside)) return found;
    }
    return nullptr;
}

}  // namespace rogate::spec
