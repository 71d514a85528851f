#include "plan/plan.hpp"

#include <algorithm>
#include <set>

namespace rogate::plan {

namespace {

using Kind = SystemData::Kind;

std::string name_in(const System& system, const Scenario& scenario) {
    for (const SystemContainer& each : system.containers)
        if (each.subject.origin == scenario.subject.origin && each.subject.image == scenario.subject.image)
            return each.name;
    return system.containers.empty() ? std::string() : system.containers.back().name;
}

Given given_of(Kind kind, const Scenario* scenario, const std::string& target) {
    if (scenario != nullptr)
        for (const Fixture& fixture : scenario->fixtures)
            if (fixture.target == target) return Given::fixture;
    switch (kind) {
        case Kind::bind:
        case Kind::volume:
            if (scenario != nullptr && scenario->data == DataMode::live) return Given::live;
            return scenario != nullptr && scenario->data == DataMode::copy ? Given::copy : Given::overlay;
        case Kind::anonymous:
        case Kind::empty_dir:
            return Given::fresh;
        case Kind::files:
            return Given::files;
        case Kind::tmpfs:
            return Given::tmpfs;
        case Kind::rootfs:
            return Given::image;
    }
    return Given::overlay;
}

// As campaign/pod.cpp does it: a volume that is mounted in parts, or is to be given to the pod's group.
bool is_copied(const System& system, const SystemContainer& container, const std::string& target) {
    const auto place = std::ranges::find(container.pod_mounts, target, &PodMount::target);
    const auto pod = std::ranges::find(system.pods, container.pod, &SystemPod::name);
    if (place == container.pod_mounts.end() || pod == system.pods.end()) return false;
    const auto volume = std::ranges::find(pod->volumes, place->volume, &PodVolume::name);
    if (volume == pod->volumes.end() || volume->kind != PodVolume::Kind::data) return false;
    bool parts = false, written = false;
    for (const SystemContainer& each : system.containers)
        for (const PodMount& mount : each.pod_mounts)
            if (each.pod == container.pod && mount.volume == place->volume) {
                parts = parts || !mount.sub_path.empty();
                written = written || !mount.read_only;
            }
    return parts || (written && volume->for_group && pod->fs_group);
}

class Planner {
  public:
    Planner(System system, const std::vector<Scenario>& scenarios) : scenarios_(scenarios) {
        plan_.system = std::move(system);
    }

    Plan go() {
        for (const Scenario& each : scenarios_) subjects_[name_in(plan_.system, each)] = &each;
        for (const SystemContainer& container : plan_.system.containers)
            for (const SystemData& data : plan_.system.data)
                for (const DataPlace& place : data.places)
                    if (place.container == container.name) add_mount(container, data, place);
        for (const Scenario& each : scenarios_) add_trial(each);
        plan_.reach = reach_of(plan_.system);
        return std::move(plan_);
    }

  private:
    void add_mount(const SystemContainer& container, const SystemData& data, const DataPlace& place) {
        PlannedMount mount;
        mount.container = container.name;
        mount.target = place.target;
        mount.kind = data.kind;
        mount.source = data.source;
        mount.pod = data.pod;
        mount.sub_path = place.sub_path;
        mount.read_only = place.read_only;
        mount.declared = place.declared;
        for (const Mount& each : container.subject.mounts)
            if (each.target == place.target && each.made_if_missing) mount.made_if_missing = true;
        const auto subject = subjects_.find(container.name);
        const Scenario* scenario = subject == subjects_.end() ? nullptr : subject->second;
        mount.given = given_of(data.kind, scenario, place.target);
        if (mount.given == Given::overlay && is_copied(plan_.system, container, place.target))
            mount.given = Given::copy;
        mount.why_not = why_not(container, mount, scenario);
        mount.candidate = mount.why_not.empty();
        plan_.mounts.push_back(std::move(mount));
    }

    std::string why_not(const SystemContainer& container, const PlannedMount& mount,
                        const Scenario* scenario) const {
        const bool refused = std::ranges::any_of(
            plan_.system.refused, [&](const NotRun& each) { return each.container == container.name; });
        if (refused) return "its container is refused";
        if (mount.read_only) return "read-only already";
        if (scenario == nullptr) return "its container is not under test";
        const bool is_root = mount.kind == Kind::rootfs;
        if (is_root && scenario->rootfs) return "";
        if (scenario->candidates) {
            const auto& named = *scenario->candidates;
            return std::ranges::find(named, mount.target) != named.end() ? "" : "not among the candidates";
        }
        return is_root ? "tried only where the candidates name it, or with --rootfs" : "";
    }

    bool is_of_another(const Scenario& scenario, const std::string& target) const {
        const auto named = scenario.named_candidates.find(target);
        return named != scenario.named_candidates.end() && named->second.if_there &&
               std::ranges::find(plan_.mounts, target, &PlannedMount::target) != plan_.mounts.end();
    }

    void add_trial(const Scenario& scenario) {
        Trial trial;
        trial.name = scenario.name;
        trial.container = name_in(plan_.system, scenario);
        for (const PlannedMount& mount : plan_.mounts)
            if (mount.container == trial.container && mount.candidate)
                trial.candidates.push_back(mount.target);
        // It may be declared by the image alone.
        if (scenario.candidates)
            for (const std::string& target : *scenario.candidates) {
                const bool known = std::ranges::any_of(plan_.mounts, [&](const PlannedMount& mount) {
                    return mount.container == trial.container && mount.target == target;
                });
                if (!known && !is_of_another(scenario, target)) trial.candidates.push_back(target);
            }
        trial.steps = scenario.steps.size();
        trial.states = std::max<std::size_t>(1, scenario.states.size());
        const int states = static_cast<int>(trial.states), tried = static_cast<int>(trial.candidates.size());
        trial.least_runs = states * (tried == 0 ? 1 : 2);
        trial.runs_if_all_are_written = states * (tried == 0 ? 1 : tried + 2);
        plan_.trials.push_back(std::move(trial));
    }

    const std::vector<Scenario>& scenarios_;
    std::map<std::string, const Scenario*> subjects_;
    Plan plan_;
};

}  // namespace

Plan plan_of(System system, const std::vector<Scenario>& scenarios, bool offline) {
    Plan plan = Planner(std::move(system), scenarios).go();
    // A socket is a file, whatever the network is.
    for (Reach& each : plan.reach)
        if (offline && each.kind != Reach::Kind::socket) each.reached = false;
    return plan;
}

void hide_secrets(Plan& plan, const Masker& masker) {
    const auto hide = [&](std::string& text) { masker.mask(text, Masker::In::path); };
    for (SystemContainer& each : plan.system.containers) {
        for (auto* words : {&each.subject.command, &each.subject.entrypoint})
            if (*words)
                for (std::string& word : **words) hide(word);
        for (Step& check : each.readiness.checks) hide(check.name);
    }
    for (std::string& note : plan.system.notes) hide(note);
    for (auto* list : {&plan.system.refused, &plan.system.left_out})
        for (NotRun& each : *list)
            for (std::string& why : each.why) hide(why);
    for (Reach& each : plan.reach) hide(each.what);
}

}  // namespace rogate::plan
