#include "cli/config.hpp"

#include <fmt/format.h>

#include <CLI/Error.hpp>
#include <CLI/Option.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "cli/files.hpp"
#include "cmdline/project_file.hpp"

namespace rogate::cli {

namespace {

struct Found {
    std::string path, folder;  // empty: there is none
    cmdline::Settings settings;
};

Result<Found> project_file() {
    std::error_code unused;
    Found found;
    const std::string here = std::filesystem::current_path(unused).string();
    found.path = cmdline::find_project_file(
        here, [&](const std::string& path) { return std::filesystem::exists(path, unused); });
    if (found.path.empty()) return found;
    found.folder = std::filesystem::path(found.path).parent_path().string();
    auto text = read_file(found.path);
    if (!text) return fail(std::move(text.error()));
    auto settings = cmdline::parse_project_file(*text, found.path);
    if (!settings) return fail(std::move(settings.error()));
    found.settings = std::move(*settings);
    return found;
}

Result<> give(CLI::Option& option, const std::string& value, const std::string& from) {
    try {
        option.add_result(value);
        option.run_callback();
    } catch (const CLI::Error& error) {
        return fail(ErrorKind::usage, fmt::format("{}: {}", from, error.what()));
    }
    return {};
}

std::string joined(const CLI::Option& option) {
    std::string text;
    for (const std::string& each : option.results()) text += (text.empty() ? "" : " ") + each;
    return text;
}

Result<Held> settle(CLI::Option& option, const std::string& name, const Found& file) {
    if (option.count() > 0) return Held{name, joined(option), "command line"};
    const std::string variable = cmdline::variable_of(name);
    if (const char* value = std::getenv(variable.c_str()); value != nullptr && *value != '\0') {
        if (auto given = give(option, value, variable); !given) return fail(std::move(given.error()));
        return Held{name, value, variable};
    }
    const auto setting = file.settings.find(name);
    if (setting == file.settings.end()) return Held{name, "", "default"};
    const SourcePlace& place = setting->second.place;
    const std::string from = fmt::format("{}:{}:{}", place.file, place.line, place.column);
    const std::string value =
        name == "out" ? fmt::format("{}/{}", file.folder, setting->second.value) : setting->second.value;
    if (auto given = give(option, value, from); !given) return fail(std::move(given.error()));
    return Held{name, value, from};
}

}  // namespace

Result<std::vector<Held>> apply_settings(CLI::App& app, CLI::App& run) {
    auto file = project_file();
    if (!file) return fail(std::move(file.error()));
    std::vector<Held> all;
    for (const std::string_view each : cmdline::settable_options()) {
        const std::string name(each);
        CLI::Option* option = app.get_option_no_throw("--" + name);
        if (option == nullptr) option = run.get_option_no_throw("--" + name);
        if (option == nullptr) continue;
        auto held = settle(*option, name, *file);
        if (!held) return fail(std::move(held.error()));
        all.push_back(std::move(*held));
    }
    return all;
}

int config_command(const std::vector<Held>& held) {
    std::size_t option_width = 6, value_width = 5;
    for (const Held& each : held) {
        option_width = std::max(option_width, each.option.size());
        value_width = std::max(value_width, each.value.size());
    }
    std::puts(fmt::format("{:<{}}  {:<{}}  FROM", "OPTION", option_width, "VALUE", value_width).c_str());
    for (const Held& each : held)
        std::puts(fmt::format("{:<{}}  {:<{}}  {}", each.option, option_width,
                              each.value.empty() ? "-" : each.value, value_width, each.from)
                      .c_str());
    return 0;
}

}  // namespace rogate::cli
