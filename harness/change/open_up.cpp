#include "change/open_up.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "base/escape.hpp"
#include "base/text.hpp"
#include "change/change.hpp"

namespace rogate::change {

namespace {

bool is_one_of(const std::vector<std::string>& targets, const std::string& target) {
    return std::find(targets.begin(), targets.end(), target) != targets.end();
}

// Of the control runs that failed.
Attempts refused_on(const CampaignResult& result, const std::string& target) {
    std::vector<Attempt> refused;
    for (const RunRecord& run : result.runs)
        if (run.plan.kind == RunKind::control && run.plan.environment.empty() && !run.passed)
            for (const Attempt& each : run.attempts)
                if (each.error == EROFS && each.mount == target) refused.push_back(each);
    return refused;
}

// A cluster mounts them read-only whatever a file says.
bool is_files_of_pod(const Scenario& scenario, const std::string& target) {
    for (const PodMount& place : scenario.pod.mounts)
        for (const PodVolume& volume : scenario.pod.volumes)
            if (place.target == target && place.volume == volume.name &&
                volume.kind == PodVolume::Kind::files)
                return true;
    return false;
}

// There is no layer over them: what is written there, the host's kernel does.
bool is_kernels(const Mount& mount) {
    return mount.type == MountType::bind &&
           (is_or_below(mount.source, "/proc") || is_or_below(mount.source, "/sys") ||
            is_or_below(mount.source, "/dev"));
}

std::string named(const Attempts& attempts) {
    constexpr std::size_t most = 3;
    std::string text;
    std::size_t shown = 0;
    for (const Attempt& each : attempts) {
        if (shown == most) return text + ", …";
        text += fmt::format("{}{} {}", shown++ == 0 ? "" : ", ", each.operation.str(),
                            escape_text(each.path.str()));
    }
    return text;
}

// Where it is configured, as far as that is known.
std::string place_of(const CampaignResult& result, const Mount& mount) {
    if (mount.declared.line > 0) return fmt::format("at {}:{}", mount.declared.file, mount.declared.line);
    const auto& files = result.scenario.subject.origin.files;
    if (!files.empty()) return fmt::format("in {}", fmt::join(files, ", "));
    return result.scenario.file.empty() ? "in its configuration" : "in " + result.scenario.file;
}

}  // namespace

std::vector<std::string> refused_as_configured(const CampaignResult& result) {
    std::vector<std::string> targets;
    for (const MountResult& each : result.mounts)
        if (each.mount.read_only && !is_files_of_pod(result.scenario, each.mount.target) &&
            !is_kernels(each.mount) && !refused_on(result, each.mount.target).empty())
            targets.push_back(each.mount.target);
    return targets;
}

void tell_refused(CampaignResult& result, const std::vector<std::string>& refused) {
    for (MountResult& each : result.mounts) {
        if (!is_one_of(refused, each.mount.target)) continue;
        each.attempts = refused_on(result, each.mount.target);
        each.reason += fmt::format(
            "; it is read-only {}, and there was refused: {}; --open-up makes it writable in the control run "
            "and settles what has to be writable",
            place_of(result, each.mount), named(each.attempts));
    }
}

Scenario opened_up(Scenario scenario, const std::vector<MountResult>& mounts,
                   const std::vector<std::string>& targets) {
    std::vector<std::string> candidates = targets;
    const auto add = [&](const std::string& target) {
        if (!is_one_of(candidates, target)) candidates.push_back(target);
    };
    if (scenario.candidates)
        for (const std::string& target : *scenario.candidates) add(target);
    else
        for (const MountResult& each : mounts)
            if (!each.mount.read_only && each.mount.type != MountType::rootfs) add(each.mount.target);
    Scenario opened = before_the_change(std::move(scenario), targets);
    std::sort(candidates.begin(), candidates.end());
    opened.candidates = std::move(candidates);
    return opened;
}

void tell_opened(CampaignResult& result, const std::vector<std::string>& opened) {
    for (MountResult& each : result.mounts) {
        if (!is_one_of(opened, each.mount.target)) continue;
        each.opened_up = true;
        const std::string place = place_of(result, each.mount);
        each.reason +=
            each.verdict == Verdict::required
                ? fmt::format("; it is read-only {}: make it writable there", place)
                : fmt::format("; it is read-only {}, and was made writable for the control run", place);
    }
}

}  // namespace rogate::change
