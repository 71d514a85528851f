#include "wrap/question.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "verdict/compare.hpp"
#include "verdict/difference.hpp"
#include "wrap/keyed.hpp"

namespace rogate::wrap {

namespace {

const Subjected* container_of(const std::vector<Subjected>& system, const std::string& target) {
    const auto found = std::ranges::find_if(
        system, [&](const Subjected& each) { return without_key(each.key, target).has_value(); });
    return found == system.end() ? nullptr : &*found;
}

}  // namespace

verdict::Question question_of(const std::vector<Subjected>& system, bool rootfs, bool root_hides) {
    verdict::Question question;
    for (const Subjected& each : system)
        for (const Mount& own : each.mounts) {
            Mount mount = own;
            mount.target = keyed(each.key, own.target);
            // Of a tmpfs no part is tried, and of these mounts none is either (refine() says so).
            mount.type = MountType::tmpfs;
            const bool is_root = own.type == MountType::rootfs;
            const auto special = each.special.find(own.target);
            if (each.was_there && !is_root) {
                question.not_tried.emplace(
                    mount.target, "the container was there before COMMAND, so that nothing of it is changed");
            } else if (special != each.special.end() && special->second.empty()) {
                question.not_tried.emplace(
                    mount.target, "what its source is (a socket, a device, …) could not be looked at");
            } else if (special != each.special.end()) {
                question.ineffective.emplace(
                    mount.target,
                    fmt::format(
                        "the source is {}: whoever may open it can use it through a read-only mount as well",
                        special->second));
            } else if (!each.was_there && !own.read_only && (!is_root || rootfs)) {
                if (!each.was_started)
                    question.not_tried.emplace(mount.target, "the container was created, and never started");
                else if (is_root && root_hides)
                    question.not_tried.emplace(mount.target,
                                               "podman mounts a tmpfs on /run, /tmp and /var/tmp of a "
                                               "container whose root is read-only, so "
                                               "that a run with it shows nothing of what is written there; "
                                               "ask an engine of docker's");
                else
                    question.candidates.push_back(mount.target);
            }
            if (each.was_there) mount.read_only = false;
            question.mounts.push_back(std::move(mount));
        }
    return question;
}

void note_absent(verdict::Question& question, const RunRecord& run, const std::set<std::string>& present,
                 bool is_control) {
    if (!run.passed || is_control) return;
    std::vector<std::string> left;
    for (const std::string& target : question.candidates) {
        const bool there = std::ranges::any_of(
            present, [&](const std::string& key) { return without_key(key, target).has_value(); });
        if (there)
            left.push_back(target);
        else
            question.not_tried.emplace(
                target,
                fmt::format(
                    "COMMAND did not start this container in run {}, which passed: what is not there in "
                    "each run cannot be compared",
                    run.plan.id));
    }
    question.candidates = std::move(left);
}

bool writes_what_outlasts(const RunRecord& control, const std::vector<Subjected>& system,
                          const std::function<bool(const std::string& volume)>& outlasts) {
    for (const Subjected& each : system)
        for (const Mount& mount : each.mounts) {
            const bool stays =
                mount.type == MountType::bind || (mount.type == MountType::volume && outlasts(mount.source));
            if (stays && verdict::writes_made(control, keyed(each.key, mount.target)) > 0) return true;
        }
    return false;
}

void refine(MountResult& result, const std::vector<Subjected>& system, const verdict::Question& question,
            const RunRecord* first) {
    const Subjected* container = container_of(system, result.mount.target);
    if (container == nullptr) return;
    for (const Mount& own : container->mounts)
        if (keyed(container->key, own.target) == result.mount.target) result.mount.type = own.type;
    const bool passes = result.verdict == Verdict::safe || result.verdict == Verdict::tolerated;
    if (passes && !container->unseen_writers.empty()) {
        result.verdict = Verdict::inconclusive;
        result.reason =
            fmt::format("passes read-only as far as can be seen, but {}", container->unseen_writers);
    }
    // With nothing made yet it would have been refused.
    if (first != nullptr && (result.verdict == Verdict::safe || result.verdict == Verdict::untested))
        if (Attempts only_first = verdict::write_attempts(*first, result.mount.target); !only_first.empty()) {
            result.verdict = Verdict::tolerated;
            result.reason = fmt::format(
                "passes read-only once the first run has made what the others find: {}; where that is not "
                "there yet, it has to be writable",
                verdict::named(only_first));
            result.writes = std::move(only_first);
        }
    if (result.verdict == Verdict::required && question.stopped.empty() && !result.attempts.empty())
        result.reason += "; `rogate wrap` tries mounts as a whole, so that a part of it may be enough";
}

}  // namespace rogate::wrap
