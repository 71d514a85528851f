#include "advise/match.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <rogate/place.hpp>
#include <rogate/variable.hpp>

#include "base/text.hpp"
#include "verdict/compare.hpp"

namespace rogate::advise {

namespace {

constexpr std::size_t most_paths = 5;

bool any_matches(const std::vector<std::string>& patterns, std::string_view text) {
    return patterns.empty() ||
           std::ranges::any_of(patterns, [&](const std::string& pattern) { return matches(pattern, text); });
}

bool is_by(const Sign& sign, const Process& process) {
    const std::string_view exe = process.exe;
    return any_matches(sign.processes, process.comm) ||
           any_matches(sign.processes, exe.substr(exe.rfind('/') + 1));
}

// Done in a control run, or refused since something was read-only.
bool is_write(const RunRecord& run, const Attempt& attempt) {
    if (attempt.cls != AttemptClass::write) return false;
    return run.plan.kind == RunKind::control ? attempt.error == 0 : verdict::failed_by_read_only(attempt);
}

// A folder of the container's that stays writable, whatever is set: of those that are for it, /tmp first.
std::string place_among(const std::vector<WritablePath>& places, const std::string& container) {
    std::string found;
    for (const WritablePath& each : places) {
        const std::string_view path = path_in(each.path);
        if (each.as == WritableAs::tmpfs && container_of(each.path) == container &&
            (found.empty() || path == "/tmp"))
            found = path;
    }
    return found;
}

bool needs_place(const Setting& setting) {
    return std::ranges::any_of(setting.environment, [](const auto& variable) {
        return variable.second.find(writable_place) != std::string::npos;
    });
}

// What only moves writes is not tried beside what removes the same ones.
void prefer_what_needs_no_place(const Advisor& advisor, std::vector<Match>& matches) {
    const auto as_known = [&](const Match& match) -> const Setting& {
        return *std::ranges::find(advisor.settings, match.setting.id, &Setting::id);
    };
    for (Match& match : matches) {
        if (!match.why_not.empty() || !needs_place(as_known(match))) continue;
        const auto better = std::ranges::find_if(matches, [&](const Match& other) {
            return other.why_not.empty() && !needs_place(as_known(other)) && other.paths == match.paths;
        });
        if (better != matches.end())
            match.why_not = "another setting is tried for the same: " + better->setting.how;
    }
}

}  // namespace

bool shows(const Setting& setting, const Attempt& attempt) {
    return std::ranges::any_of(setting.shown_by, [&](const Sign& sign) {
        return any_matches(sign.paths, path_in(attempt.path.view())) && is_by(sign, attempt.process) &&
               any_matches(sign.operations, attempt.operation) && any_matches(sign.phases, attempt.phase);
    });
}

namespace {

// One for each container that writes what the setting is about.
std::vector<Match> matches_of(const Setting& setting, const verdict::Question& question,
                              const std::vector<RunRecord>& runs) {
    std::vector<Match> found;
    for (const RunRecord& run : runs)
        for (const Attempt& attempt : run.attempts) {
            if (!is_write(run, attempt) || !shows(setting, attempt)) continue;
            const std::string& mount = attempt.mount.str();
            if (std::ranges::find(question.candidates, mount) == question.candidates.end()) continue;
            const std::string container(container_of(mount));
            auto match = std::ranges::find(found, container, &Match::container);
            if (match == found.end()) {
                found.push_back(
                    {.setting = setting, .container = container, .mounts = {}, .paths = {}, .why_not = {}});
                match = std::prev(found.end());
            }
            if (std::ranges::find(match->mounts, mount) == match->mounts.end())
                match->mounts.push_back(mount);
            const std::string path = attempt.path.str();
            if (match->paths.size() < most_paths &&
                std::ranges::find(match->paths, path) == match->paths.end())
                match->paths.push_back(path);
        }
    return found;
}

// `place` is what ${writable} stands for; empty: there is none.
void put_in(Match& match, const Advisor& advisor, const std::string& place) {
    const Setting& setting = match.setting;
    if (!setting.trap.empty())
        match.why_not = "it is not advised: " + setting.trap;
    else if (setting.environment.empty())
        match.why_not = "rogate tries variables only; this is for you to try";
    std::map<std::string, std::string> environment;
    for (auto [name, value] : setting.environment) {
        const std::string variable = variable_in(match.container, name);
        if (match.why_not.empty() && advisor.variables.contains(variable))
            match.why_not = fmt::format("{} is set already, to what you have chosen", name);
        const std::size_t at = value.find(writable_place);
        if (at != std::string::npos) {
            if (place.empty() && match.why_not.empty())
                match.why_not = "it takes a folder that stays writable anyway, and there is none";
            value.replace(at, writable_place.size(), place);
        }
        environment.emplace(variable, value);
    }
    match.setting.environment = std::move(environment);
}

}  // namespace

std::vector<Match> find_matches(const Advisor& advisor, const verdict::Question& question,
                                const std::vector<RunRecord>& runs, const std::vector<WritablePath>& places) {
    std::vector<Match> found;
    for (const Setting& setting : advisor.settings) {
        if (setting.is_place) continue;
        for (Match& match : matches_of(setting, question, runs)) {
            put_in(match, advisor, place_among(places, match.container));
            found.push_back(std::move(match));
        }
    }
    prefer_what_needs_no_place(advisor, found);
    return found;
}

}  // namespace rogate::advise
