#include <fmt/format.h>

#include <algorithm>
#include <rogate/names.hpp>

#include "base/escape.hpp"
#include "gate/findings.hpp"
#include "gate/verdicts.hpp"

namespace rogate::gate {

namespace {

constexpr std::string_view look_and_update =
    "Look at it; if it is meant, take it into the lock file with --update-lock and commit that.";

// What a mount is written for, against what the lock says of it.
struct Difference {
    std::vector<const Attempt*> added;
    std::vector<const LockedWrite*> gone;
};

Difference difference(const Case& about, const LockedMount& locked) {
    const MountResult& mount = about.mount;
    const VolatileNames names(about.result.varying_names);
    Difference found;
    std::set<const LockedWrite*> still;
    for (const Attempt& attempt : required_writes(mount)) {
        if (attempt.cls != AttemptClass::write) continue;
        const LockedWrite* entry = entry_for(locked, attempt, mount.mount.target, names);
        if (entry == nullptr)
            found.added.push_back(&attempt);
        else
            still.insert(entry);
    }
    for (const LockedWrite& write : locked.writes)
        if (!still.contains(&write)) found.gone.push_back(&write);
    return found;
}

// `fresh` explains a mount that the lock does not know; else what it wrote before is known.
std::optional<Finding> about_new_writes(const Case& about, const LockedMount& locked, Level level,
                                        bool fresh) {
    const auto writes = difference(about, locked).added;
    if (writes.empty()) return std::nullopt;
    Finding found = finding(
        level, fresh ? "new-mount" : "new-write", about,
        fresh ? fmt::format("is not in the lock file, and is written to: {} kinds of write", writes.size())
              : fmt::format("{} {} not in the lock file", writes.size(),
                            writes.size() == 1 ? "kind of write is" : "kinds of write are"));
    if (!fresh && locked.writes.empty()) found.what += "; nothing was written there before";
    for (const Attempt* attempt : writes) found.evidence.push_back("new: " + evidence_line(about, *attempt));
    if (level == Level::fail) found.remedy = look_and_update;
    return found;
}

// The same need under another name is no change: safe and already-ro.
std::optional<Finding> about_verdict(const Case& about, const LockedMount& locked, Level level) {
    const MountResult& mount = about.mount;
    const auto before = need(locked.verdict), now = need(mount.verdict);
    const bool split_changed = mount.verdict == Verdict::split && locked.verdict == Verdict::split && [&] {
        std::set<std::string> paths;
        for (const WritablePath& path : mount.writable) paths.insert(path.path);
        return paths != locked.writable;
    }();
    if (locked.verdict == mount.verdict && !split_changed) return std::nullopt;
    if (before && now && *before == 0 && *now == 0) return std::nullopt;
    const bool better = before && now && *now < *before;
    if (better) return std::nullopt;  // told by about_improvement()
    Finding found = finding(level, "new-verdict", about,
                            split_changed ? "needs other sub-paths writable than the lock file has"
                                          : fmt::format("was {} and is {} now: {}", to_string(locked.verdict),
                                                        to_string(mount.verdict), escape_text(mount.reason)));
    if (split_changed) {
        for (const std::string& path : locked.writable) found.evidence.push_back("was: " + escape_text(path));
        for (const WritablePath& path : mount.writable)
            found.evidence.push_back("now: " + escape_text(path.path));
    }
    if (level == Level::fail) found.remedy = look_and_update;
    return found;
}

std::optional<Finding> about_improvement(const Case& about, const LockedMount& locked) {
    const auto before = need(locked.verdict), now = need(about.mount.verdict);
    const auto gone = difference(about, locked).gone;
    const bool better = now && (before ? *now < *before : true) && locked.verdict != about.mount.verdict;
    if (gone.empty() && !better) return std::nullopt;
    Finding found = finding(Level::note, better ? "could-be-read-only" : "gone-write", about, "");
    if (better)
        found.what =
            fmt::format("was {} and is {} now{}", to_string(locked.verdict), to_string(about.mount.verdict),
                        about.mount.verdict == Verdict::safe ? ": it could be mounted read-only" : "");
    else
        found.what = fmt::format("{} of the lock file {} not made any more",
                                 gone.size() == 1 ? "a write" : "writes", gone.size() == 1 ? "is" : "are");
    for (const LockedWrite* write : gone)
        found.evidence.push_back(
            fmt::format("gone: {} {}  by {}", write->operation, write->path, write->process));
    found.remedy = "Nothing has to be done; --update-lock takes it out of the lock file.";
    return found;
}

}  // namespace

std::vector<Finding> compare_with_lock(const CampaignResult& result, const Lock& lock, bool updating) {
    std::vector<Finding> findings;
    const Level level = updating ? Level::note : Level::fail;
    const auto scenario = lock.scenarios.find(result.scenario.name);
    if (scenario == lock.scenarios.end()) {
        Finding found;
        found.level = level;
        found.rule = "new-scenario";
        found.scenario = result.scenario.name;
        found.what =
            updating ? "is new in the lock file" : "is not in the lock file, so nothing can be compared";
        if (!updating) found.remedy = look_and_update;
        return {found};
    }
    const auto take = [&](std::optional<Finding> found) {
        if (found) findings.push_back(std::move(*found));
    };
    for (const MountResult& mount : result.mounts) {
        const Case about{result, mount};
        // No evidence: neither that a write is new nor that one is gone. The policy has its say about that.
        if (mount.verdict == Verdict::inconclusive) continue;
        const auto known = scenario->second.find(mount.mount.target);
        if (known == scenario->second.end()) {
            auto writes = about_new_writes(about, {}, level, true);
            if (!writes) {
                writes = finding(Level::note, "new-mount", about,
                                 "is not in the lock file; nothing is written there");
                writes->remedy = "--update-lock takes it in.";
            }
            findings.push_back(std::move(*writes));
            continue;
        }
        take(about_verdict(about, known->second, level));
        take(about_new_writes(about, known->second, level, false));
        // Nothing was done on an untested mount, so nothing can be called gone.
        if (mount.verdict != Verdict::untested) take(about_improvement(about, known->second));
    }
    for (const auto& [target, unused] : scenario->second) {
        const bool still =
            std::any_of(result.mounts.begin(), result.mounts.end(),
                        [&](const MountResult& mount) { return mount.mount.target == target; });
        if (still) continue;
        Finding found;
        found.level = Level::note;
        found.rule = "gone-mount";
        found.scenario = result.scenario.name;
        found.mount = target;
        found.what = "is in the lock file, and is no mount any more";
        findings.push_back(std::move(found));
    }
    return findings;
}

}  // namespace rogate::gate
