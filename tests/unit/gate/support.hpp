// What the tests of this room share.
#pragma once

#include <gmock/gmock.h>

#include <cerrno>

#include "gate/decide.hpp"

namespace rogate::gate::test {

inline Attempt write(std::string path, std::string operation = "create", int error = EROFS) {
    Attempt made;
    made.mount = "/data";
    made.path = std::move(path);
    made.operation = std::move(operation);
    made.syscall = "openat";
    made.error = error;
    made.phase = "step upload";
    made.process = {.pid = 7, .comm = "app", .exe = "/usr/sbin/app", .uid = 33};
    made.control = "ok";
    return made;
}

inline MountResult mount(Verdict verdict, std::vector<Attempt> attempts = {},
                         std::vector<Attempt> writes = {}) {
    MountResult made;
    made.mount.target = "/data";
    made.mount.declared = {"shop.yaml", 7, 5};
    made.verdict = verdict;
    made.reason = "the reason";
    made.attempts = std::move(attempts);
    made.writes = std::move(writes);
    made.runs = {1, 3};
    return made;
}

inline CampaignResult result(std::vector<MountResult> mounts) {
    CampaignResult made;
    made.scenario.name = "shop";
    made.runs.emplace_back().passed = true;
    made.mounts = std::move(mounts);
    return made;
}

inline Policy policy(const std::string& text) {
    auto parsed = parse_policy(text, "policy.yaml");
    if (parsed) return std::move(*parsed);
    ADD_FAILURE() << parsed.error().message;
    return {};
}

inline Day day(std::string_view text) {
    return *parse_day(text);
}

inline Decision decide(const std::vector<CampaignResult>& results, const std::string& policy_text = "",
                       const Lock* lock = nullptr, std::string_view today = "2026-06-15") {
    const Policy agreed = policy_text.empty() ? Policy{} : policy(policy_text);
    return gate::decide({results, agreed, lock, day(today)});
}

// The rules of the findings, "fail:failed-write", in order.
inline std::vector<std::string> rules(const Decision& decision) {
    std::vector<std::string> list;
    for (const Finding& each : decision.findings)
        list.push_back((each.level == Level::fail   ? "fail:"
                        : each.level == Level::note ? "note:"
                                                    : "open:") +
                       each.rule);
    return list;
}

}  // namespace rogate::gate::test
