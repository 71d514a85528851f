#include "spec/compose_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <span>

#include "spec/env_file.hpp"
#include "spec/problems.hpp"

namespace rogate::spec {

namespace fs = std::filesystem;

namespace {

// COMPOSE_FILE, of the environment in the folder where rogate was started, or of the .env beside the files.
std::optional<ComposeFiles> said_by_variable(const fs::path& folder, const Surroundings& surroundings) {
    std::error_code failure;
    const bool is_here = fs::equivalent(folder, fs::current_path(failure), failure);
    Variables of_file;
    if (const auto text = surroundings.read_file((folder / ".env").string())) {
        Problems ignored((folder / ".env").string());  // told when the project is read
        of_file = parse_env_file(
            *text, [&](const std::string& name) { return surroundings.environment(name); }, 0, ignored);
    }
    const auto variable = [&](const std::string& name) -> std::string {
        if (auto set = is_here ? surroundings.environment(name) : std::nullopt) return *set;
        const auto found = of_file.find(name);
        return found == of_file.end() ? std::string() : found->second;
    };
    const std::string list = variable("COMPOSE_FILE");
    if (list.empty()) return std::nullopt;
    std::string separator = variable("COMPOSE_PATH_SEPARATOR");
    if (separator.empty()) separator = ":";
    ComposeFiles found;
    for (std::size_t start = 0; start <= list.size();) {
        const std::size_t end = std::min(list.find(separator, start), list.size());
        if (end > start) found.files.push_back(list.substr(start, end - start));
        start = end + separator.size();
    }
    found.notes.push_back(
        fmt::format("{}: COMPOSE_FILE names the files: {}", folder.string(), fmt::join(found.files, ", ")));
    return found;
}

}  // namespace

ComposeFiles compose_files_in(const std::string& path, const Surroundings& surroundings) {
    const fs::path folder(path);
    if (auto said = said_by_variable(folder, surroundings)) return std::move(*said);
    constexpr const char* names[] = {"compose.yaml", "compose.yml", "docker-compose.yml",
                                     "docker-compose.yaml"};
    constexpr const char* overrides[] = {"compose.override.yml", "compose.override.yaml",
                                         "docker-compose.override.yml", "docker-compose.override.yaml"};
    ComposeFiles found;
    std::error_code failure;
    for (const auto& usual : {std::span<const char* const>(names), std::span<const char* const>(overrides)})
        for (const char* name : usual)
            if (fs::exists(folder / name, failure)) {
                found.files.emplace_back(name);
                break;
            }
    if (found.files.size() == 1 && found.files.front().find(".override.") != std::string::npos)
        found.files.clear();
    return found;
}

}  // namespace rogate::spec
