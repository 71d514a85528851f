// What a seed stands for, where several containers are settled together: the applications of several other
// seeds beside each other, whose folders and volumes are the same ones. What they do in steps of their own
// there is asked of each here; then all of them run for a while, and are restarted.
#include <fmt/format.h>

#include <algorithm>

#include "support/simulated_campaign.hpp"

namespace rogate::test {

namespace {

Step asking(const std::string& container, const std::string& word) {
    Step step;
    step.name = fmt::format("{} of {}", word, container);
    step.container = container;
    ExecAction action;
    action.command = {"do", word};
    step.action = std::move(action);
    return step;
}

// The first container leaves a file in a folder of both, and goes on if it cannot. The last one has to find
// it when it is asked for something, and writes something else by the way that it can do without.
void share(Simulation& whole) {
    Mount mount;
    mount.target = shared_folder;
    Member &first = whole.scenario.members.front(), &last = whole.scenario.members.back();
    if (whole.pods.pods.empty()) {
        mount.source = "/srv/shared";
        whole.user_data[mount.source] = folder();
    } else {
        mount.type = MountType::anonymous;
        mount.no_copy = true;
        for (const Member* each : {&first, &last})
            whole.pods.members.at(each->name)
                .mounts.push_back({.target = shared_folder,
                                   .volume = "work",
                                   .sub_path = whole.seed % 4 == 3 ? "part" : ""});
    }
    first.subject.mounts.push_back(mount);
    last.subject.mounts.push_back(mount);
    whole.scripts.at(first.name)
        .at_start.insert(whole.scripts.at(first.name).at_start.begin(),
                         {.kind = Act::Kind::write, .path = shared_path});
    std::vector<Act>& acts = whole.scripts.at(last.name).on_exec["need"];
    if (last.subject.mounts.front().target != shared_folder &&
        !last.subject.mounts.front().target.ends_with(".conf"))
        acts.push_back(
            {.kind = Act::Kind::write, .path = last.subject.mounts.front().target + "/by the way"});
    acts.push_back({.kind = Act::Kind::need, .path = shared_path, .refused = Act::Refused::end});
    whole.scenario.steps.push_back(asking(last.name, "need"));
}

// A pod around all of them, with a folder that is new in each run.
void put_into_pod(Simulation& whole) {
    SystemPod pod;
    pod.name = "Pod/p";
    pod.volumes.emplace_back();
    pod.volumes.back().name = "work";
    whole.pods.pods.push_back(std::move(pod));
    whole.scenario.subject.origin.kind = Origin::Kind::kubernetes;
    for (Member& member : whole.scenario.members) {
        PodMember& in_pod = whole.pods.members[member.name];
        in_pod.pod = "Pod/p";
        in_pod.init = member.ends;
        member.subject.hostname = "p";
        member.subject.aliases = {"front"};
    }
}

}  // namespace

std::string image_of(std::string member) {
    std::ranges::replace(member, '/', '_');
    return member + ":1";
}

Simulation system_simulation_of(std::uint64_t seed) {
    Simulation whole;
    const int count = 2 + static_cast<int>(seed % 3);
    const bool is_pod = seed % 3 == 2 || seed % 7 == 3;
    const auto named = [&](int number) { return fmt::format("{}s{}", is_pod ? "p/" : "", number); };
    for (int i = 0; i < count; ++i) {
        Simulation one = simulation_of(seed * 31 + static_cast<std::uint64_t>(i) * 7919);
        if (i == 0) {
            whole = one;
            whole.scenario = {};
            whole.script = {};
            whole.scenario.name = fmt::format("seed {}", seed);
            whole.scenario.file = "seed.yaml";
            whole.scenario.data = one.scenario.data;
            whole.scenario.self_made = true;
            whole.scenario.soak_ms = seed % 7 == 0 ? 0 : 300;
        }
        whole.seed = seed;
        Member member;
        member.name = named(i);
        member.subject = one.scenario.subject;
        member.subject.image = image_of(member.name);
        member.grace_ms = 2000;
        member.readiness.timeout_ms = 5000;
        if (i > 0 && seed % 2 == 0) member.after.push_back({.service = named(i - 1)});
        if (i > 0 && seed % 4 == 1)
            member.after.push_back({.service = named(0), .condition = Dependency::Condition::completed});
        if (seed % 5 == 0) member.restart = {.name = "on-failure", .tries = 2};
        Script script = one.script;
        for (const auto& [step, acts] : one.script.on_exec)
            whole.scenario.steps.push_back(asking(member.name, step));
        if (i == 0 && seed % 4 == 1) {
            script.ends_with = 0;
            member.ends = true;
        }
        member.goes_on = !script.ends_with && seed % 6 != 0;  // none of them: there is no restart
        whole.scenario.members.push_back(member);
        whole.scripts.emplace(member.name, std::move(script));
        for (const auto& [path, node] : one.user_data) whole.user_data.emplace(path, node);
        for (const std::string& volume : one.user_volumes)
            if (std::ranges::find(whole.user_volumes, volume) == whole.user_volumes.end())
                whole.user_volumes.push_back(volume);
    }
    if (is_pod) put_into_pod(whole);
    if (seed % 3 == 1 || is_pod) share(whole);
    return whole;
}

}  // namespace rogate::test
