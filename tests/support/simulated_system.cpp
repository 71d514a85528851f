// What a seed stands for, where several containers are settled together: the applications of several other
// seeds beside each other, whose folders and volumes are the same ones.
#include <fmt/format.h>

#include <algorithm>

#include "support/simulated_campaign.hpp"

namespace rogate::test {

Simulation system_simulation_of(std::uint64_t seed) {
    Simulation whole;
    const int count = 2 + static_cast<int>(seed % 3);
    for (int i = 0; i < count; ++i) {
        Simulation one = simulation_of(seed * 31 + static_cast<std::uint64_t>(i) * 7919);
        if (i == 0) {
            whole = one;
            whole.scenario = {};
            whole.script = {};
            whole.scenario.name = fmt::format("seed {}", seed);
            whole.scenario.file = "seed.yaml";
            whole.scenario.data = one.scenario.data;
        }
        whole.seed = seed;
        Member member;
        member.name = fmt::format("s{}", i);
        member.subject = one.scenario.subject;
        member.subject.image = member.name + ":1";
        member.grace_ms = 2000;
        member.readiness.timeout_ms = 5000;
        if (i > 0 && seed % 2 == 0) member.after.push_back({.service = fmt::format("s{}", i - 1)});
        if (i > 0 && seed % 4 == 1)
            member.after.push_back({.service = "s0", .condition = Dependency::Condition::completed});
        if (seed % 5 == 0) member.restart = {.name = "on-failure", .tries = 2};
        whole.scenario.members.push_back(member);
        Script script = one.script;
        for (auto& [step, acts] : one.script.on_exec)
            script.at_start.insert(script.at_start.end(), acts.begin(), acts.end());
        if (i == 0 && seed % 4 == 1) script.ends_with = 0;
        whole.scripts.emplace(member.name, std::move(script));
        for (const auto& [path, node] : one.user_data) whole.user_data.emplace(path, node);
        for (const std::string& volume : one.user_volumes)
            if (std::ranges::find(whole.user_volumes, volume) == whole.user_volumes.end())
                whole.user_volumes.push_back(volume);
    }
    return whole;
}

}  // namespace rogate::test
