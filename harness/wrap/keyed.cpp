#include "wrap/keyed.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"

namespace rogate::wrap {

namespace {

bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-' || c == '/' || c == ':';
}

// Takes the key out of a text for people.
std::string plain(const std::string& text, const std::string& key) {
    const std::string prefix = key + ":/";
    std::string made;
    std::size_t from = 0;
    for (;;) {
        const std::size_t at = text.find(prefix, from);
        if (at == std::string::npos) break;
        const bool begins_word = at == 0 || !is_word(text[at - 1]);
        made += text.substr(from, at - from);
        if (!begins_word) made += key + ":";
        made += '/';
        from = at + prefix.size();
    }
    return made + text.substr(from);
}

bool is_kernels(std::string_view path) {
    return is_or_below(path, "/proc") || is_or_below(path, "/dev");
}

Attempts plain(Attempts attempts, const std::string& key) {
    if (attempts.empty()) return attempts;
    for (Attempt& each : attempts.edit()) {
        if (const auto mount = without_key(key, each.mount.str())) each.mount = *mount;
        if (const auto path = without_key(key, each.path.view())) each.path = *path;
    }
    return attempts;
}

bool is_of(const Attempt& attempt, const std::string& key) {
    return without_key(key, attempt.mount.str()).has_value() ||
           (attempt.mount.empty() && without_key(key, attempt.path.view()).has_value());
}

Attempts only(const Attempts& attempts, const std::string& key) {
    std::vector<std::uint32_t> places;
    for (std::uint32_t i = 0; i < attempts.size(); ++i)
        if (is_of(attempts[i], key)) places.push_back(i);
    std::vector<Attempt> copies;
    for (const std::uint32_t place : places) copies.push_back(attempts[place]);
    return plain(Attempts(std::move(copies)), key);
}

template <class Value>
std::map<std::string, Value> only(const std::map<std::string, Value>& all, const std::string& key) {
    std::map<std::string, Value> found;
    for (const auto& [target, value] : all)
        if (auto own = without_key(key, target)) found.emplace(std::move(*own), value);
    return found;
}

std::vector<std::string> only(const std::vector<std::string>& all, const std::string& key) {
    std::vector<std::string> found;
    for (const std::string& target : all)
        if (auto own = without_key(key, target)) found.push_back(std::move(*own));
    return found;
}

void plain(std::vector<std::string>& targets, const std::string& key) {
    for (std::string& target : targets)
        if (auto own = without_key(key, target)) target = std::move(*own);
}

}  // namespace

std::string keyed(const std::string& key, std::string_view target) {
    return fmt::format("{}:{}", key, target);
}

std::optional<std::string> without_key(const std::string& key, std::string_view target) {
    if (!target.starts_with(key)) return std::nullopt;
    target.remove_prefix(key.size());
    if (!target.starts_with(":/")) return std::nullopt;
    return std::string(target.substr(1));
}

void add_recording(RunRecord& run, const std::string& key, observe::Recording recording,
                   bool has_healthcheck) {
    std::vector<Attempt>& all = run.attempts.edit();
    for (Attempt& each : recording.attempts) {
        if (!each.mount.empty() || !is_kernels(each.path.view())) each.path = keyed(key, each.path.view());
        if (!each.mount.empty()) each.mount = keyed(key, each.mount.str());
        // Nobody told the observer which processes an engine puts into the container.
        if (each.phase == "healthcheck")
            each.phase = has_healthcheck ? "health check or docker exec" : "docker exec";
        all.push_back(std::move(each));
    }
    for (const auto& [target, count] : recording.uses) run.uses[keyed(key, target)] += count;
    run.lost_events += recording.lost_events;
    if (run.observer_problem.empty() && !recording.problem.empty())
        run.observer_problem = fmt::format("{}: {}", key, recording.problem);
}

RunRecord of_container(const RunRecord& run, const std::string& key) {
    RunRecord own = run;
    own.plan.read_only = only(run.plan.read_only, key);
    own.attempts = only(run.attempts, key);
    own.canary = only(run.canary, key);
    own.uses = only(run.uses, key);
    own.tries.clear();
    return own;
}

MountResult of_container(MountResult result, const std::string& key) {
    if (const auto target = without_key(key, result.mount.target)) result.mount.target = *target;
    result.reason = plain(result.reason, key);
    for (Attempts* each :
         {&result.attempts, &result.writes, &result.difference.left_out, &result.difference.instead})
        *each = plain(std::move(*each), key);
    plain(result.difference.unused, key);
    plain(result.difference.with, key);
    return result;
}

Recommendation of_container(const Recommendation& whole, const std::string& key) {
    Recommendation own;
    own.read_only = only(whole.read_only, key);
    own.verified_by_run = own.read_only.empty() ? std::nullopt : whole.verified_by_run;
    return own;
}

}  // namespace rogate::wrap
