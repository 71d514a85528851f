#include "verdict/checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "verdict/doubt.hpp"

namespace rogate::verdict {

namespace {

using Checks = std::vector<CapabilityCheck>;

const Checks& checks_of(const RunRecord& run) {
    static const Checks none;
    return run.checks ? run.checks->all : none;
}

// Processes have other numbers in each run, and a phase more or less.
bool is_same_need(const CapabilityCheck& a, const CapabilityCheck& b) {
    return a.capability == b.capability && a.call == b.call && a.comm == b.comm;
}

bool was_allowed(const RunRecord& run, const CapabilityCheck& like) {
    return std::ranges::any_of(checks_of(run), [&](const CapabilityCheck& each) {
        return each.error == 0 && is_same_need(each, like);
    });
}

bool was_refused(const RunRecord& run, const CapabilityCheck& like) {
    return std::ranges::any_of(checks_of(run), [&](const CapabilityCheck& each) {
        return each.error != 0 && is_same_need(each, like);
    });
}

// To the same user, and with the same error: what is refused for its mode (EACCES) is executed nowhere, and
// what has a file capability that is not to be had (EPERM) was executed before.
bool was_refused_so(const RunRecord& run, const CapabilityCheck& like) {
    return std::ranges::any_of(checks_of(run), [&](const CapabilityCheck& each) {
        return each.error == like.error && each.uid == like.uid && is_same_need(each, like);
    });
}

bool is_refused_anew(const CapabilityCheck& check, const RunRecord& before) {
    return check.error != 0 && (was_allowed(before, check) || !was_refused_so(before, check));
}

}  // namespace

std::string distrust_of_checks(const RunRecord& run) {
    if (!run.checks) {
        if (!observed(run)) return "nothing was observed";
        if (run.observer == "ptrace")
            return "the ptrace observer does not see which capabilities the kernel asks for";
        return "the observer does not see which capabilities this kernel asks for";
    }
    if (run.checks->lost > 0)
        return fmt::format("{} checks of capabilities were not seen in run {}", run.checks->lost,
                           run.plan.id);
    return {};
}

Checks uses_of(const RunRecord& run, const std::string& capability) {
    Checks found;
    for (const CapabilityCheck& each : checks_of(run))
        if (each.error == 0 && each.capability == capability) found.push_back(each);
    return found;
}

Checks refused_anew(const RunRecord& run, const RunRecord& before, const std::string& capability) {
    Checks found;
    for (const CapabilityCheck& each : checks_of(run))
        if (each.capability == capability && is_refused_anew(each, before)) found.push_back(each);
    return found;
}

Checks calls_refused_anew(const RunRecord& run, const RunRecord& before, const std::set<std::string>& told) {
    Checks found;
    const auto is_told = [&](const CapabilityCheck& call) {
        return std::ranges::any_of(checks_of(run), [&](const CapabilityCheck& each) {
            return told.contains(each.capability.str()) && each.call == call.call && each.comm == call.comm &&
                   is_refused_anew(each, before);
        });
    };
    for (const CapabilityCheck& each : checks_of(run))
        if (each.capability.empty() && !was_refused_so(before, each) && !is_told(each)) found.push_back(each);
    return found;
}

Checks no_longer_asked(const RunRecord& run, const RunRecord& before) {
    Checks found;
    for (const CapabilityCheck& each : checks_of(before))
        if (each.error == 0 && !was_allowed(run, each) && !was_refused(run, each)) found.push_back(each);
    return found;
}

std::string named(const Checks& checks) {
    constexpr std::size_t most = 3;
    std::vector<std::string> texts;
    for (const CapabilityCheck& each : checks) {
        std::string text = fmt::format("{} for {}", each.comm.str(), each.call.str());
        if (std::ranges::find(texts, text) == texts.end()) texts.push_back(std::move(text));
    }
    if (texts.size() <= most) return fmt::format("{}", fmt::join(texts, ", "));
    const std::size_t more = texts.size() - most;
    texts.resize(most);
    return fmt::format("{} and {} more", fmt::join(texts, ", "), more);
}

}  // namespace rogate::verdict
