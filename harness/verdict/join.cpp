#include "verdict/join.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <rogate/capability_weight.hpp>
#include <rogate/names.hpp>
#include <set>
#include <tuple>

#include "verdict/compare.hpp"

namespace rogate::verdict {

namespace {

// From bad to good. Where nobody watched, a pass shows nothing of the writes that failed.
int rank(Verdict verdict, bool watched) {
    if (verdict == Verdict::untested && !watched) return 2;
    switch (verdict) {
        case Verdict::required:
            return 0;
        case Verdict::inconclusive:
            return 1;
        case Verdict::ineffective:
            return 3;
        case Verdict::split:
            return 4;
        case Verdict::tolerated:
            return 5;
        case Verdict::safe:
            return 6;
        case Verdict::untested:
            return 7;
        case Verdict::already_ro:
            return 8;
    }
    return 1;
}

bool watched(const CampaignResult& result) {
    return result.runs.empty() || observed(result.runs.front());
}

using Mounts = std::set<std::tuple<std::string, MountType, bool>>;

Mounts mounts_of(const CampaignResult& result) {
    Mounts mounts;
    for (const MountResult& each : result.mounts)
        mounts.emplace(each.mount.target, each.mount.type, each.mount.read_only);
    return mounts;
}

Result<> check_alike(const std::vector<CampaignResult>& results) {
    std::set<std::string> names;
    const CampaignResult& first = results.front();
    for (const CampaignResult& result : results) {
        if (!names.insert(result.scenario.name).second)
            return fail(ErrorKind::usage, fmt::format("scenario '{}' is there twice; name each result once",
                                                      result.scenario.name));
        std::string differs;
        if (result.image_id != first.image_id) differs = "images";
        if (mounts_of(result) != mounts_of(first)) differs = "mounts";
        if (!differs.empty())
            return fail(
                ErrorKind::usage,
                fmt::format(
                    "'{}' and '{}' are results of different subjects: their {} differ; `rogate report` and "
                    "`rogate gate` take several results as they are",
                    first.scenario.name, result.scenario.name, differs));
    }
    return {};
}

template <class T>
void append(std::vector<T>& to, const std::vector<T>& from) {
    to.insert(to.end(), from.begin(), from.end());
}
void append(Attempts& to, const Attempts& from) {
    if (to.empty())
        to = from;
    else if (!from.empty())
        to.edit().insert(to.edit().end(), from.begin(), from.end());
}

bool same_paths(const std::vector<WritablePath>& a, const std::vector<WritablePath>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](const WritablePath& x, const WritablePath& y) {
                          return x.path == y.path && x.as == y.as && x.tmpfs_options == y.tmpfs_options;
                      });
}

std::string in_scenario(const CampaignResult& result, const std::string& reason) {
    return fmt::format("scenario '{}': {}", result.scenario.name, reason);
}

// The same mount in one more scenario. `all_watched`: those joined so far.
void join_mount(MountResult& whole, const MountResult& other, const CampaignResult& result,
                bool all_watched) {
    append(whole.attempts, other.attempts), append(whole.writes, other.writes);
    append(whole.runs, other.runs), append(whole.costs, other.costs);
    whole.writes_in_control += other.writes_in_control;
    whole.candidate = whole.candidate || other.candidate;
    const bool both_split = whole.verdict == Verdict::split && other.verdict == Verdict::split;
    if (both_split && !same_paths(whole.writable, other.writable)) {
        whole.verdict = Verdict::inconclusive;
        whole.reason += "; " + in_scenario(result, other.reason) +
                        "; both together were not run: make one scenario of the two";
        whole.writable.clear();
        return;
    }
    if (rank(other.verdict, watched(result)) >= rank(whole.verdict, all_watched)) return;
    whole.verdict = other.verdict;
    whole.reason = in_scenario(result, other.reason);
    whole.writable = other.verdict == Verdict::split ? other.writable : std::vector<WritablePath>{};
}

// What only some of the scenarios have asked says nothing of the others, but that it is needed.
void join_capabilities(std::vector<CapabilityResult>& whole, const CampaignResult& result,
                       const std::string& before) {
    const auto not_asked = [](CapabilityResult& each, const std::string& scenario) {
        if (each.verdict == CapabilityVerdict::needed) return;
        each.verdict = CapabilityVerdict::inconclusive;
        each.reason = fmt::format("scenario '{}' did not ask", scenario);
    };
    for (CapabilityResult& each : whole) {
        const auto other = std::ranges::find(result.capabilities, each.name, &CapabilityResult::name);
        if (other == result.capabilities.end()) {
            not_asked(each, result.scenario.name);
            continue;
        }
        append(each.checks, other->checks), append(each.runs, other->runs);
        if (weight(other->verdict) <= weight(each.verdict)) continue;
        each.verdict = other->verdict;
        each.reason = in_scenario(result, other->reason);
    }
    for (const CapabilityResult& other : result.capabilities) {
        if (std::ranges::find(whole, other.name, &CapabilityResult::name) != whole.end()) continue;
        whole.push_back(other);
        not_asked(whole.back(), before);
    }
}

CampaignResult renumbered(CampaignResult result, int offset) {
    for (RunRecord& run : result.runs) {
        run.plan.id += offset;
        if (run.plan.data_of) *run.plan.data_of += offset;
    }
    for (MountResult& mount : result.mounts)
        for (int& id : mount.runs) id += offset;
    for (CapabilityResult& each : result.capabilities)
        for (int& id : each.runs) id += offset;
    if (result.recommendation.verified_by_run) *result.recommendation.verified_by_run += offset;
    return result;
}

}  // namespace

Result<CampaignResult> joined(const std::vector<CampaignResult>& results) {
    if (results.empty()) return fail(ErrorKind::usage, "no result to join");
    if (auto alike = check_alike(results); !alike) return fail(std::move(alike.error()));
    CampaignResult whole = results.front();
    if (results.size() == 1) return whole;
    for (MountResult& mount : whole.mounts) mount.reason = in_scenario(whole, mount.reason);
    for (CapabilityResult& each : whole.capabilities) each.reason = in_scenario(whole, each.reason);
    bool all_watched = watched(whole);
    for (std::size_t i = 1; i < results.size(); ++i) {
        const CampaignResult next =
            renumbered(results[i], whole.runs.empty() ? 0 : whole.runs.back().plan.id);
        append(whole.runs, next.runs);
        for (MountResult& mount : whole.mounts)
            for (const MountResult& other : next.mounts)
                if (other.mount.target == mount.mount.target) join_mount(mount, other, next, all_watched);
        join_capabilities(whole.capabilities, next, whole.scenario.name);
        all_watched = all_watched && watched(next);
        const Recommendation& also = next.recommendation;
        if (also.verified_by_run && also.read_only == whole.recommendation.read_only &&
            also.environment == whole.recommendation.environment &&
            also.capabilities == whole.recommendation.capabilities &&
            also.no_new_privileges == whole.recommendation.no_new_privileges &&
            same_paths(also.writable, whole.recommendation.writable) && whole.recommendation.verified_by_run)
            whole.recommendation.verified_by_run = also.verified_by_run;
        else
            whole.recommendation = {}, whole.settings.clear();
        whole.scenario.name += " + " + next.scenario.name;
        whole.scenario.description.clear();
        whole.started_at = std::min(whole.started_at, next.started_at);
        whole.duration_s += next.duration_s;
        if (whole.stopped.empty()) whole.stopped = next.stopped;
    }
    return whole;
}

}  // namespace rogate::verdict
