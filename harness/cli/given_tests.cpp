#include "cli/given_tests.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "init/draft.hpp"
#include "init/pages.hpp"
#include "spec/commands.hpp"
#include "spec/system.hpp"

namespace rogate::cli {

namespace fs = std::filesystem;

namespace {

Result<std::string> folder_of_tests(const std::string& given) {
    std::error_code failed;
    const fs::path folder = fs::absolute(given.empty() ? "." : given, failed).lexically_normal();
    if (!failed && fs::is_directory(folder, failed)) return folder.string();
    return fail(ErrorKind::usage, fmt::format("--test-directory {}: there is no such folder", given));
}

Result<> check_fitting(const RunOptions& options) {
    const auto needs = [](const char* option, const char* what) {
        return fail(ErrorKind::usage,
                    fmt::format("{} is about {}; give it as well, or leave {} out", option, what, option));
    };
    if (options.tests.empty() && !options.junit.empty()) return needs("--junit", "what --test writes");
    if (options.tests.empty() && !options.test_directory.empty())
        return needs("--test-directory", "where --test runs");
    if (options.tests.empty() && options.test_timeout)
        return needs("--test-timeout", "how long --test takes");
    if (!options.known_failures.empty() && options.junit.empty())
        return needs("--known-failures", "tests that --junit names");
    return {};
}

// The port by which users reach the system: where HTTP is spoken, if that is known.
std::optional<Front> front_of(const System& system) {
    const SystemContainer* container = init::subject_of(system);
    if (container == nullptr) return std::nullopt;
    std::optional<Front> front;
    for (const Port& port : container->subject.ports) {
        if (port.protocol != "tcp") continue;
        if (init::page_of(*container, port.container)) return Front{container->name, port.container};
        if (!front) front = Front{container->name, port.container};
    }
    return front;
}

}  // namespace

Result<std::vector<std::string>> names_of_known_failures(const std::vector<std::string>& given) {
    std::vector<std::string> all;
    for (const std::string& each : given) {
        auto names = spec::known_failures(each, fs::current_path().string(), spec::read_input_file);
        if (!names) return fail(std::move(names.error()).with_context("--known-failures"));
        all.insert(all.end(), names->begin(), names->end());
    }
    return all;
}

Result<> give_tests(const RunOptions& options, spec::Input& input) {
    if (auto fits = check_fitting(options); !fits) return fits;
    const auto front = front_of(input.system);
    std::vector<Scenario*> all;
    for (Scenario& scenario : input.scenarios) all.push_back(&scenario);
    if (input.together) all.push_back(&*input.together);
    for (Scenario* scenario : all) {
        scenario->front = front;
        if (options.soak) scenario->soak_ms = options.soak->count();
    }
    if (options.tests.empty()) return {};
    auto folder = folder_of_tests(options.test_directory);
    if (!folder) return fail(std::move(folder.error()));
    spec::GivenTests given{
        .commands = options.tests, .directory = *folder, .junit = options.junit, .known_failures = {}};
    if (options.test_timeout) given.timeout_ms = options.test_timeout->count();
    auto known = names_of_known_failures(options.known_failures);
    if (!known) return fail(std::move(known.error()));
    given.known_failures = std::move(*known);
    for (Scenario& scenario : input.scenarios)
        if (input.own_exercise) spec::put_all_beside(input.system, scenario);
    for (Scenario* scenario : all) {
        spec::add_tests(given, *scenario);
        scenario->self_made = false;
    }
    return {};
}

Result<> check_consent(bool allowed, const std::vector<Scenario>& scenarios) {
    if (allowed) return {};
    for (const Scenario& scenario : scenarios) {
        const Step* command = spec::first_command(scenario.steps);
        if (command == nullptr) continue;
        return fail(
            ErrorKind::usage,
            fmt::format("{}:{}:{}: step '{}' runs a command on this machine, with all that you may do; read "
                        "it, and allow it by --allow-commands",
                        command->declared.file, command->declared.line, command->declared.column,
                        command->name));
    }
    return {};
}

}  // namespace rogate::cli
