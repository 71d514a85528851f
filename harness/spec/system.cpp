#include "spec/system.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "spec/kubernetes.hpp"
#include "spec/steps.hpp"

namespace rogate::spec {

namespace {

using Role = SystemContainer::Role;

// `name` and all that it waits for, and so on.
std::set<std::string> needed_by(const System& system, const std::string& name) {
    std::set<std::string> needed;
    std::vector<std::string> open{name};
    while (!open.empty()) {
        const std::string next = std::move(open.back());
        open.pop_back();
        if (!needed.insert(next).second) continue;
        if (const SystemContainer* container = find_container(system, next))
            for (const Dependency& each : container->after) open.push_back(each.service);
    }
    return needed;
}

const SystemPod* pod_of(const System& system, const SystemContainer& container) {
    const auto found = std::ranges::find(system.pods, container.pod, &SystemPod::name);
    return container.pod.empty() || found == system.pods.end() ? nullptr : &*found;
}

// Beside the subject of a pod: in its network namespace, which has the host name; where the pod's storage
// gives a mount, it is told by `mounts` alone.
PodContainer as_peer(const SystemContainer& container, bool after) {
    PodContainer peer;
    peer.name = container.subject.origin.container;
    peer.init = container.role == Role::init;
    peer.sidecar = container.role == Role::sidecar;
    peer.after = after;
    peer.restart = container.restart;
    peer.subject = container.subject;
    peer.subject.hostname.reset();
    peer.subject.healthcheck.reset();
    std::erase_if(peer.subject.mounts, [](const Mount& mount) { return mount.type != MountType::tmpfs; });
    peer.mounts = container.pod_mounts;
    return peer;
}

void add_ports(const Subject& from, Subject& to) {
    for (const Port& port : from.ports)
        if (std::ranges::find(to.ports, port) == to.ports.end()) to.ports.push_back(port);
}

void put_into_pod(const System& system, const SystemContainer& subject, Scenario& scenario) {
    const SystemPod* pod = pod_of(system, subject);
    if (pod == nullptr) return;
    scenario.pod.volumes = pod->volumes;
    scenario.pod.fs_group = pod->fs_group;
    scenario.pod.secrets = pod->secrets;
    scenario.pod.mounts = subject.pod_mounts;
    bool behind = false;
    for (const SystemContainer& each : system.containers) {
        if (each.pod != subject.pod) continue;
        if (&each == &subject) {
            behind = true;
            continue;
        }
        if (behind && subject.role == Role::init) break;
        scenario.pod.containers.push_back(as_peer(each, behind));
        if (each.role == Role::init) continue;
        add_ports(each.subject, scenario.subject);  // the pod has one network namespace
        if (each.probes != Probes{})
            scenario.probes_beside.emplace(each.subject.origin.container, each.probes);
    }
}

// Of an init container that is the subject; empty: nothing comes behind it.
std::string stands_alone(const System& system, const SystemContainer& container) {
    const bool has_more =
        std::any_of(system.containers.begin(), system.containers.end(), [&](const SystemContainer& each) {
            return &each > &container && each.pod == container.pod;  // elements of one vector
        });
    if (container.role != Role::init || !has_more) return {};
    return fmt::format(
        "container '{}': those that come behind it are not started, so that nothing shows what they miss "
        "where a "
        "write of its own fails",
        container.name);
}

std::string without_effect(const SystemContainer& container, bool is_subject) {
    std::vector<std::string> keys = container.without_effect;
    // It is asked how it ends.
    if (is_subject && container.pod.empty() && !container.restart.name.empty()) keys.emplace_back("restart");
    return keys.empty() ? std::string()
                        : fmt::format("service '{}': without effect on the test: {}", container.name,
                                      fmt::join(keys, ", "));
}

Mount mount_of(const PodMount& place, const std::vector<PodVolume>& volumes) {
    Mount mount;
    mount.target = place.target;
    mount.read_only = place.read_only;
    mount.type = MountType::anonymous;
    mount.no_copy = true;
    const auto volume = std::ranges::find(volumes, place.volume, &PodVolume::name);
    if (volume == volumes.end()) return mount;
    if (volume->kind == PodVolume::Kind::files) mount.type = MountType::bind;
    if (volume->kind == PodVolume::Kind::data) {
        mount.type = volume->data.type;
        mount.source = volume->data.source;
    }
    return mount;
}

class Data {
  public:
    explicit Data(const System& system) : system_(system) {}

    std::vector<SystemData> go() {
        for (const SystemContainer& container : system_.containers)
            for (const Mount& mount : container.subject.mounts) add(container, mount);
        for (const SystemContainer& container : system_.containers) {
            SystemData root;
            root.kind = SystemData::Kind::rootfs;
            root.places.push_back({container.name, "/", {}, container.subject.read_only_rootfs, {}});
            found_.push_back(std::move(root));
        }
        return std::move(found_);
    }

  private:
    using Kind = SystemData::Kind;

    void add(const SystemContainer& container, const Mount& mount) {
        DataPlace place{container.name, mount.target, {}, mount.read_only, mount.declared};
        SystemData data;
        data.source = mount.source;
        data.kind = mount.type == MountType::bind     ? Kind::bind
                    : mount.type == MountType::volume ? Kind::volume
                    : mount.type == MountType::tmpfs  ? Kind::tmpfs
                                                      : Kind::anonymous;
        const auto in_pod = std::ranges::find(container.pod_mounts, mount.target, &PodMount::target);
        if (in_pod != container.pod_mounts.end()) {
            place.sub_path = in_pod->sub_path;
            give_volume(container, *in_pod, data);
        }
        const auto known = std::ranges::find_if(found_, [&](const SystemData& each) {
            return each.kind == data.kind && each.source == data.source && each.pod == data.pod;
        });
        const bool of_one = data.kind == Kind::tmpfs || (data.kind == Kind::anonymous && data.source.empty());
        if (known == found_.end() || of_one) {
            data.places.push_back(std::move(place));
            found_.push_back(std::move(data));
        } else {
            known->places.push_back(std::move(place));
        }
    }

    void give_volume(const SystemContainer& container, const PodMount& place, SystemData& data) const {
        const SystemPod* pod = pod_of(system_, container);
        if (pod == nullptr) return;
        const auto volume = std::ranges::find(pod->volumes, place.volume, &PodVolume::name);
        if (volume == pod->volumes.end() || volume->kind == PodVolume::Kind::data) return;
        data.kind = volume->kind == PodVolume::Kind::files ? Kind::files : Kind::empty_dir;
        data.source = volume->name;
        data.pod = pod->name;
    }

    const System& system_;
    std::vector<SystemData> found_;
};

}  // namespace

const SystemContainer* find_container(const System& system, const std::string& name) {
    const auto found = std::ranges::find(system.containers, name, &SystemContainer::name);
    return found == system.containers.end() ? nullptr : &*found;
}

std::string container_name(const std::string& pod, const std::string& container) {
    return pod + "/" + container;
}

std::vector<std::string> notes_of(const System& system, const std::vector<Scenario>& scenarios) {
    std::vector<std::string> notes = system.notes;
    for (const NotRun& each : system.left_out) notes.insert(notes.end(), each.why.begin(), each.why.end());
    for (const SystemContainer& each : system.containers) {
        const bool is_subject = std::ranges::any_of(scenarios, [&](const Scenario& scenario) {
            return scenario.subject.origin == each.subject.origin;
        });
        if (auto note = without_effect(each, is_subject); !note.empty()) notes.push_back(std::move(note));
        if (auto note = stands_alone(system, each); is_subject && !note.empty())
            notes.push_back(std::move(note));
    }
    return notes;
}

Scenario scenario_of(const System& system, const std::string& container) {
    const SystemContainer& subject = *find_container(system, container);
    Scenario scenario;
    scenario.name = subject.name;
    // '/' would make a folder of its own of what is written about it.
    std::ranges::replace(scenario.name, '/', '.');
    scenario.file =
        subject.declared.file.empty() && !system.files.empty() ? system.files.front() : subject.declared.file;
    scenario.subject = subject.subject;
    scenario.after = subject.after;
    scenario.readiness = subject.readiness;
    scenario.steps = subject.hooks;
    scenario.shutdown.timeout_ms = subject.grace_ms;
    scenario.notes = system.notes;
    scenario.unlike_cluster = system.unlike_cluster;
    put_into_pod(system, subject, scenario);
    if (auto note = stands_alone(system, subject); !note.empty()) scenario.notes.push_back(std::move(note));
    add_ports_asked(scenario);
    const std::set<std::string> needed = needed_by(system, subject.name);
    for (const SystemContainer& each : system.containers) {
        if (!needed.contains(each.name)) continue;
        if (auto note = without_effect(each, &each == &subject); !note.empty())
            scenario.notes.push_back(std::move(note));
        if (&each != &subject)
            scenario.companions.push_back({each.name, each.subject, each.after, each.grace_ms, each.restart});
    }
    return scenario;
}

void put_all_beside(const System& system, Scenario& scenario) {
    if (system.kind != Origin::Kind::compose) return;
    const std::string& subject = scenario.subject.origin.name;
    for (const SystemContainer& each : system.containers) {
        const bool is_there =
            std::ranges::find(scenario.companions, each.name, &Companion::name) != scenario.companions.end();
        if (each.name == subject || is_there) continue;
        Companion made{each.name, each.subject, each.after, each.grace_ms, each.restart};
        made.behind = needed_by(system, each.name).contains(subject);
        scenario.companions.push_back(std::move(made));
    }
}

bool goes_on(const System& system, const SystemContainer& container) {
    const std::string& policy = container.restart.name;
    return system.kind == Origin::Kind::kubernetes || policy == "always" || policy == "unless-stopped";
}

namespace {

// What a container of a pod waits for: those of the init containers that come before it.
std::vector<Dependency> after_in_pod(const System& system, const SystemContainer& container) {
    std::vector<Dependency> after = container.after;
    for (const SystemContainer& each : system.containers) {
        if (&each == &container) break;
        if (each.pod != container.pod || each.role == Role::service) continue;
        after.push_back({each.name, each.role == Role::init ? Dependency::Condition::completed
                                                            : Dependency::Condition::started});
    }
    return after;
}

// Its ports are its own, whatever the pod's namespace has beside them.
Member member_in_pod(const System& system, const SystemContainer& each) {
    Scenario asked;
    asked.subject = each.subject;
    asked.readiness = each.readiness;
    asked.steps = each.hooks;
    if (each.role == Role::sidecar) asked.probes_beside.emplace(each.name, each.probes);
    add_ports_asked(asked);
    Member member{.name = each.name,
                  .subject = std::move(asked.subject),
                  .after = after_in_pod(system, each),
                  .readiness = each.readiness};
    const SystemPod& pod = *pod_of(system, each);
    for (const PodMount& place : each.pod_mounts) {
        const auto volume = std::ranges::find(pod.volumes, place.volume, &PodVolume::name);
        const auto mount = std::ranges::find(member.subject.mounts, place.target, &Mount::target);
        if (volume != pod.volumes.end() && mount != member.subject.mounts.end())
            mount->made_if_missing = volume->data.made_if_missing;
    }
    return member;
}

// The hooks after a start come first, and those before an end last, behind all that is asked.
void add_hooks(const System& system, const std::set<std::string>& names, Scenario& scenario) {
    for (const char* wanted : {post_start_name, pre_stop_name})
        for (const SystemContainer& each : system.containers) {
            if (!names.contains(each.name)) continue;
            for (Step hook : each.hooks) {
                if (hook.name != wanted) continue;
                hook.name = fmt::format("{} of {}", wanted, each.name);
                hook.container = each.name;
                scenario.steps.push_back(std::move(hook));
            }
        }
}

}  // namespace

std::string why_not_together(const System& system) {
    for (const SystemContainer& each : system.containers) {
        const SystemPod* pod = pod_of(system, each);
        if (pod == nullptr) continue;
        for (const PodMount& mount : each.pod_mounts) {
            const auto volume = std::ranges::find(pod->volumes, mount.volume, &PodVolume::name);
            const bool is_users = volume != pod->volumes.end() && volume->kind == PodVolume::Kind::data;
            if (is_users && (!mount.sub_path.empty() || volume->for_group))
                return fmt::format("container '{}' has a part of the volume '{}' mounted on {}", each.name,
                                   mount.volume, mount.target);
        }
    }
    return {};
}

Scenario together_of(const System& system, const std::vector<std::string>& containers) {
    Scenario scenario;
    scenario.name = system.name;
    scenario.unlike_cluster = system.unlike_cluster;
    if (!system.files.empty()) scenario.file = system.files.front();
    scenario.subject.origin = {
        .kind = system.kind, .files = system.files, .name = system.name, .container = {}};
    std::set<std::string> needed;
    for (const std::string& name : containers) needed.merge(needed_by(system, name));
    for (const SystemPod& pod : system.pods) {
        const auto is_of_it = [&](const SystemContainer& each) {
            return each.pod == pod.name && needed.contains(each.name);
        };
        if (std::ranges::none_of(system.containers, is_of_it)) continue;
        for (const SystemContainer& each : system.containers)
            if (each.pod == pod.name) needed.insert(each.name);
    }
    for (const SystemContainer& each : system.containers) {
        if (!needed.contains(each.name)) continue;
        Member member;
        if (each.pod.empty()) {
            const Scenario alone = scenario_of(system, each.name);
            member.name = each.name;
            member.subject = alone.subject;
            member.after = each.after;
            member.readiness = alone.readiness;
        } else {
            member = member_in_pod(system, each);
        }
        member.grace_ms = each.grace_ms;
        member.restart = each.restart;
        member.tried = std::ranges::find(containers, each.name) != containers.end();
        member.ends = each.ends;
        member.goes_on = goes_on(system, each);
        scenario.members.push_back(std::move(member));
    }
    add_hooks(system, needed, scenario);
    return scenario;
}

Pods pods_of(const System& system, const Scenario& together) {
    Pods found;
    for (const Member& member : together.members) {
        const SystemContainer* container = find_container(system, member.name);
        const SystemPod* pod = container == nullptr ? nullptr : pod_of(system, *container);
        if (pod == nullptr) continue;
        if (std::ranges::find(found.pods, pod->name, &SystemPod::name) == found.pods.end())
            found.pods.push_back(*pod);
        PodMember in_pod{.pod = pod->name,
                         .init = container->role == Role::init,
                         .mounts = container->pod_mounts,
                         .started_up = {}};
        if (container->role == Role::sidecar) in_pod.started_up = container->probes.startup;
        found.members.emplace(member.name, std::move(in_pod));
    }
    return found;
}

std::string subject_name(const Scenario& scenario) {
    const Origin& origin = scenario.subject.origin;
    if (origin.kind == Origin::Kind::compose) return origin.name;
    if (origin.kind == Origin::Kind::kubernetes)
        return container_name(origin.name.substr(origin.name.find('/') + 1), origin.container);
    return scenario.name;
}

System system_of(const Scenario& scenario) {
    System system;
    system.name = scenario.name;
    system.kind = scenario.subject.origin.kind;
    system.files = scenario.subject.origin.files;
    if (system.files.empty()) system.files.push_back(scenario.file);
    system.notes = scenario.notes;
    system.unlike_cluster = scenario.unlike_cluster;
    for (const Companion& each : scenario.companions) {
        SystemContainer made;
        made.name = each.name;
        made.subject = each.subject;
        made.after = each.after;
        made.restart = each.restart;
        made.grace_ms = each.grace_ms;
        system.containers.push_back(std::move(made));
    }
    SystemContainer subject;
    subject.name = subject_name(scenario);
    subject.subject = scenario.subject;
    subject.after = scenario.after;
    subject.readiness = scenario.readiness;
    subject.grace_ms = scenario.shutdown.timeout_ms;
    subject.pod_mounts = scenario.pod.mounts;
    const Origin& origin = scenario.subject.origin;
    if (origin.kind == Origin::Kind::kubernetes) {
        subject.pod = origin.name;
        system.pods.push_back(
            {origin.name, {}, scenario.pod.volumes, scenario.pod.fs_group, scenario.pod.secrets, {}});
    }
    bool placed = false;
    for (const PodContainer& each : scenario.pod.containers) {
        if (each.after && !placed) {
            system.containers.push_back(subject);
            placed = true;
        }
        SystemContainer made;
        made.name = container_name(origin.name.substr(origin.name.find('/') + 1), each.name);
        made.pod = origin.name;
        made.role = each.init ? Role::init : each.sidecar ? Role::sidecar : Role::service;
        made.ends = each.init;
        made.subject = each.subject;
        made.subject.origin = origin;
        made.subject.origin.container = each.name;
        made.pod_mounts = each.mounts;
        for (const PodMount& mount : each.mounts)
            made.subject.mounts.push_back(mount_of(mount, scenario.pod.volumes));
        if (const auto probes = scenario.probes_beside.find(each.name);
            probes != scenario.probes_beside.end())
            made.probes = probes->second;
        made.restart = each.restart;
        system.containers.push_back(std::move(made));
    }
    if (!placed) system.containers.push_back(std::move(subject));
    for (const SystemContainer& each : system.containers)
        for (const Dependency& other : each.after)
            if (other.condition == Dependency::Condition::completed)
                for (SystemContainer& waited_for : system.containers)
                    if (waited_for.name == other.service) waited_for.ends = true;
    system.data = data_of(system);
    return system;
}

std::vector<SystemData> data_of(const System& system) {
    return Data(system).go();
}

}  // namespace rogate::spec
