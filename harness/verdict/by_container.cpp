#include "verdict/by_container.hpp"

#include <algorithm>
#include <rogate/place.hpp>
#include <rogate/variable.hpp>
#include <utility>

namespace rogate::verdict {

namespace {

class Part {
  public:
    Part(const CampaignResult& whole, const std::string& container) : whole_(whole), container_(container) {}

    CampaignResult go(Scenario scenario) const;

  private:
    bool is_own(std::string_view place) const { return container_of(place) == container_; }
    std::string own(std::string_view place) const {
        return std::string(is_own(place) ? path_in(place) : place);
    }
    std::vector<std::string> own(const std::vector<std::string>& places) const {
        std::vector<std::string> all;
        for (const std::string& each : places) all.push_back(own(each));
        return all;
    }
    // All of them, or those of the container alone.
    Attempts own(const Attempts& attempts, bool alone) const;
    std::vector<WritablePath> own(const std::vector<WritablePath>& paths) const;
    template <class T>
    std::map<std::string, T> own(const std::map<std::string, T>& by_place) const {
        std::map<std::string, T> found;
        for (const auto& [place, each] : by_place)
            if (is_own(place)) found.emplace(own(place), each);
        return found;
    }
    std::vector<SettingResult> settings() const;
    RunRecord run(const RunRecord& run) const;
    MountResult mount(const MountResult& mount) const;
    Recommendation recommendation() const;

    const CampaignResult& whole_;
    const std::string& container_;
};

Attempts Part::own(const Attempts& attempts, bool alone) const {
    std::vector<std::uint32_t> places;
    for (std::uint32_t i = 0; i < attempts.size(); ++i)
        if (!alone || is_own(attempts[i].path.view())) places.push_back(i);
    Attempts found = attempts.picked(std::move(places));
    if (found.empty()) return {};
    for (Attempt& each : found.edit()) {
        each.mount = own(each.mount.str());
        each.path = own(each.path.view());
    }
    return found;
}

std::vector<WritablePath> Part::own(const std::vector<WritablePath>& paths) const {
    std::vector<WritablePath> found;
    for (const WritablePath& each : paths) {
        if (!is_own(each.path)) continue;
        found.push_back(each);
        found.back().path = own(each.path);
        found.back().mount = own(each.mount);
    }
    return found;
}

RunRecord Part::run(const RunRecord& run) const {
    RunRecord part = run;
    part.plan.read_only.clear();
    for (const std::string& target : run.plan.read_only)
        (is_own(target) ? part.plan.read_only : part.beside).push_back(own(target));
    part.plan.writable = own(run.plan.writable);
    part.plan.environment.clear();  // those of others keep their names
    for (const auto& [variable, value] : run.plan.environment)
        part.plan.environment.emplace(variable_of(container_, variable).value_or(variable), value);
    part.attempts = own(run.attempts, true);
    part.canary = own(run.canary);
    part.uses = own(run.uses);
    if (run.read_back) part.read_back = own(*run.read_back);
    std::erase_if(part.unseen_writers, [&](const auto& each) { return each.first != container_; });
    part.tries.clear(), part.unwritten.clear(), part.made_data = {};
    const auto record = run.containers.find(container_);
    part.containers.clear();
    if (record == run.containers.end()) return part;
    part.exit_code = record->second.exit_code;
    part.exited_early = record->second.exited_early;
    part.killed = record->second.killed;
    part.deaf_to_stop = record->second.deaf_to_stop;
    part.silent_ports = record->second.silent_ports;
    part.log_tail = record->second.log_tail;
    if (record->second.trouble.empty() || !run.passed) return part;
    // It goes on for the others.
    part.passed = false;
    if (!part.phases.empty()) {
        part.phases.back().passed = false;
        part.phases.back().message = record->second.trouble;
    }
    return part;
}

MountResult Part::mount(const MountResult& mount) const {
    MountResult part = mount;
    part.mount.target = own(mount.mount.target);
    part.attempts = own(mount.attempts, false);
    part.writes = own(mount.writes, false);
    part.writable = own(mount.writable);
    if (mount.still_failing) part.still_failing = own(*mount.still_failing, false);
    part.difference.left_out = own(mount.difference.left_out, false);
    part.difference.instead = own(mount.difference.instead, false);
    part.difference.unused = own(mount.difference.unused);
    part.difference.with = own(mount.difference.with);
    return part;
}

std::vector<SettingResult> Part::settings() const {
    std::vector<SettingResult> found;
    for (const SettingResult& each : whole_.settings) {
        if (each.mounts.empty() || !is_own(each.mounts.front())) continue;
        found.push_back(each);
        found.back().mounts = own(each.mounts);
        found.back().paths = own(each.paths);
        found.back().environment = variables_of(container_, each.environment);
    }
    return found;
}

Recommendation Part::recommendation() const {
    Recommendation part;
    part.verified_by_run = whole_.recommendation.verified_by_run;
    for (const std::string& target : whole_.recommendation.read_only)
        if (is_own(target)) part.read_only.push_back(own(target));
    part.writable = own(whole_.recommendation.writable);
    part.environment = variables_of(container_, whole_.recommendation.environment);
    if (part.read_only.empty()) part.verified_by_run.reset();
    return part;
}

CampaignResult Part::go(Scenario scenario) const {
    CampaignResult part;
    const auto member = std::ranges::find(whole_.scenario.members, container_, &Member::name);
    if (member != whole_.scenario.members.end()) {
        scenario.subject.image = member->subject.image;
        scenario.subject.ports = member->subject.ports;
        scenario.readiness = member->readiness;
    }
    part.scenario = std::move(scenario);
    part.engine = whole_.engine;
    part.observer = whole_.observer;
    if (const auto id = whole_.image_ids.find(container_); id != whole_.image_ids.end())
        part.image_id = id->second;
    for (const RunRecord& each : whole_.runs) part.runs.push_back(run(each));
    for (const MountResult& each : whole_.mounts)
        if (is_own(each.mount.target)) part.mounts.push_back(mount(each));
    part.recommendation = recommendation();
    part.settings = settings();
    part.started_at = whole_.started_at;
    part.duration_s = whole_.duration_s;
    for (const VaryingName& each : whole_.varying_names)
        if (is_own(each.pattern)) part.varying_names.push_back({own(each.pattern), each.names});
    part.data_mode = whole_.data_mode;
    for (const DataDifference& each : whole_.data_differences) {
        part.data_differences.push_back(each);
        part.data_differences.back().target = is_own(each.target) ? own(each.target) : std::string();
    }
    part.stopped = whole_.stopped;
    return part;
}

}  // namespace

std::vector<CampaignResult> by_container(const CampaignResult& whole,
                                         std::vector<ContainerScenario> scenarios) {
    std::vector<CampaignResult> parts;
    for (ContainerScenario& each : scenarios)
        parts.push_back(Part(whole, each.container).go(std::move(each.scenario)));
    return parts;
}

}  // namespace rogate::verdict
