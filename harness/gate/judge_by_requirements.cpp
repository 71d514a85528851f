#include <fmt/format.h>

#include <rogate/names.hpp>

#include "base/escape.hpp"
#include "gate/findings.hpp"

namespace rogate::gate {

namespace {

bool passes_read_only(Verdict verdict) {
    return verdict == Verdict::safe || verdict == Verdict::tolerated || verdict == Verdict::split;
}

}  // namespace

std::vector<Finding> judge_by_requirements(const Case& about, const Policy& policy) {
    const Requirements& require = policy.require;
    const MountResult& mount = about.mount;
    std::vector<Finding> findings;
    if (require.real_data && !mount.made_up.empty()) {
        Finding found =
            finding(Level::fail, "made-up-data", about,
                    fmt::format("was judged by runs that had {} there, and the policy requires real data",
                                escape_text(mount.made_up)));
        found.remedy = "Run it with the data as they are, or leave 'require: real-data' out of the policy.";
        findings.push_back(std::move(found));
    }
    if (!passes_read_only(mount.verdict)) return findings;
    if (require.scenario && mount.self_made) {
        Finding found =
            finding(Level::fail, "no-scenario", about,
                    fmt::format("is {}, but only rogate's own exercise vouches for it, and the policy "
                                "requires a scenario",
                                to_string(mount.verdict)));
        found.remedy =
            "Give the run a test (rogate run --test COMMAND), or a scenario (rogate init begins one).";
        findings.push_back(std::move(found));
    }
    const Watched watched = mount.watched.value_or(Watched{});
    const double wanted_s = static_cast<double>(require.watched_ms.value_or(0)) / 1000.0;
    const bool too_short = require.watched_ms && watched.seconds < wanted_s;
    const bool too_few = require.steps && watched.steps < *require.steps;
    if (too_short || too_few) {
        Finding found = finding(
            Level::fail, "watched-too-little", about,
            fmt::format(
                "is {}, but was watched through {} {}, {:.1f} s, and the policy requires {}{}{}",
                to_string(mount.verdict), watched.steps, watched.steps == 1 ? "step" : "steps",
                watched.seconds,
                too_few ? fmt::format("{} {}", *require.steps, *require.steps == 1 ? "step" : "steps") : "",
                too_few && too_short ? " and " : "", too_short ? fmt::format("{:.1f} s", wanted_s) : ""));
        found.remedy =
            "Add steps to the scenario, or one that waits, until what the application does by itself has "
            "come.";
        findings.push_back(std::move(found));
    }
    return findings;
}

}  // namespace rogate::gate
