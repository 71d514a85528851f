#include "campaign/pod.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <rogate/labels.hpp>
#include <utility>

#include "campaign/containers.hpp"
#include "campaign/images.hpp"
#include "campaign/relay.hpp"
#include "campaign/tar.hpp"
#include "engine/together.hpp"

namespace rogate::campaign {

using engine::Task;

namespace {

// A cluster has no limit; an init container that never ends would hold a run for ever.
constexpr std::chrono::seconds longest_init{300};

template <class Visit>
void each_mount(const PodPeers& pod, const Visit& visit) {
    for (const PodMount& mount : pod.mounts) visit(mount);
    for (const PodContainer& container : pod.containers)
        for (const PodMount& mount : container.mounts) visit(mount);
}

}  // namespace

DataMount made_of(const PodVolume& volume, const std::optional<std::uint32_t>& group) {
    DataMount made;
    made.how = DataSource::made;
    made.outlasts_pod = volume.for_group;  // a claim that is empty to begin with
    made.mode = volume.kind == PodVolume::Kind::empty ? volume.mode : 0755U;
    if (group) {
        made.gid = *group;
        made.mode |= 02770U;
    }
    for (const PodFile& file : volume.files)
        made.made_files.push_back({.name = file.path,
                                   .uid = 0,
                                   .gid = made.gid,
                                   .mode = group ? file.mode | 0440U : file.mode,
                                   .content = file.content});
    return made;
}

PodVolumes volumes_of(const PodPeers& pod) {
    PodVolumes volumes;
    for (const PodVolume& volume : pod.volumes) {
        bool parts = false, written = false;
        each_mount(pod, [&](const PodMount& mount) {
            if (mount.volume != volume.name) return;
            parts = parts || !mount.sub_path.empty();
            written = written || !mount.read_only;
        });
        Mount mount = volume.data;
        mount.target = "/" + volume.name;
        mount.no_copy = true;
        if (volume.kind != PodVolume::Kind::data) {
            mount.type = MountType::anonymous;
            volumes.known.push_back(made_of(volume, pod.fs_group));
            volumes.known.back().mount = mount;
        } else if (parts || (written && volume.for_group && pod.fs_group)) {
            // A part of an overlay cannot be mounted by itself, nor can its files be given away.
            DataMount copied;
            copied.mount = mount;
            copied.how = DataSource::copy;
            if (volume.for_group && written) copied.group = pod.fs_group;
            volumes.known.push_back(std::move(copied));
        } else {
            mount.read_only = !written;
        }
        if (volume.kind == PodVolume::Kind::data && volume.for_group && mount.type == MountType::volume) {
            if (volumes.known.empty() || volumes.known.back().mount.target != mount.target) {
                volumes.known.emplace_back();
                volumes.known.back().mount = mount;
            }
            volumes.known.back().mode_when_new = pod.fs_group ? 0775 : 0777;
        }
        volumes.mounts.push_back(std::move(mount));
    }
    return volumes;
}

Pod::Pod(engine::Client& client, Status& status, const Scenario& scenario, std::string session,
         std::string network, bool publish)
    : client_(client),
      status_(status),
      scenario_(scenario),
      data_(client, session, scenario.subject.image, "pod-"),
      session_(std::move(session)),
      network_(std::move(network)),
      publish_(publish) {
    data_.use(scenario.data);
    data_.keep_read_only_above();  // as in a cluster, where recursiveReadOnly has to be asked for
}

bool Pod::shares_network() const {
    return std::ranges::any_of(scenario_.pod.containers,
                               [](const PodContainer& container) { return !container.init; });
}

Task<> Pod::survey() {
    if (!scenario_.pod.any()) co_return Result<>{};
    for (const PodContainer& container : scenario_.pod.containers)
        if (auto image = co_await need_image(client_, container.subject.image, status_); !image)
            co_return fail(
                std::move(image.error()).with_context(fmt::format("container '{}'", container.name)));
    PodVolumes volumes = volumes_of(scenario_.pod);
    for (DataMount& known : volumes.known) data_.know(std::move(known));
    if (auto surveyed = co_await data_.survey(std::move(volumes.mounts)); !surveyed)
        co_return fail(std::move(surveyed.error()).with_context("the pod's volumes"));
    for (const std::string& note : data_.notes()) status_.warn(note);
    for (const DataMount& data : data_.mounts())
        if (data.how == DataSource::fresh)
            co_return fail(
                ErrorKind::usage,
                fmt::format("the engine has no volume '{}', which 'claims' gives for '{}'; write 'empty' "
                            "for a claim that is empty to begin with",
                            data.mount.source, data.mount.target.substr(1)));
    if (shares_network()) co_return co_await make_holder_image();
    co_return Result<>{};
}

Task<> Pod::make_holder_image() {
    auto image = co_await import_holder(client_, session_);
    if (!image) co_return fail(std::move(image.error()));
    image_ = std::move(*image);
    co_return Result<>{};
}

std::vector<DataMount> Pod::subject_mounts() const {
    std::vector<DataMount> given;
    for (const PodMount& mount : scenario_.pod.mounts) {
        const DataMount& data = data_of_volume("/" + mount.volume);
        DataMount known;
        known.mount.target = mount.target;
        known.how = DataSource::given;
        if (mount.sub_path.empty()) {
            known.is_directory = data.is_directory;
            known.special = data.special;
        } else {
            known.is_directory = std::ranges::none_of(
                data.made_files, [&](const TarEntry& file) { return file.name == mount.sub_path; });
        }
        known.writable_below = data.writable_below;
        known.hidden_below = data.hidden_below;
        given.push_back(std::move(known));
    }
    return given;
}

bool Pod::learn_from(const RunRecord& control) {
    std::vector<std::pair<std::string, std::string>> places;
    for (const PodMount& mount : scenario_.pod.mounts)
        places.emplace_back(mount.target,
                            "/" + mount.volume + (mount.sub_path.empty() ? "" : "/" + mount.sub_path));
    return !places.empty() && data_.learn_from(control, places);
}

std::vector<DataDifference> Pod::differences() const {
    std::vector<DataDifference> found;
    for (const DataMount& data : data_.mounts())
        for (const DataMount::Lack& lack : data.lacks) {
            const auto mount = std::ranges::find(scenario_.pod.mounts, data.mount.target,
                                                 [](const PodMount& each) { return "/" + each.volume; });
            found.push_back({.target = mount == scenario_.pod.mounts.end() ? "" : mount->target,
                             .what = fmt::format("volume {}: {}", data.mount.target.substr(1), lack.what),
                             .way_out = lack.way_out});
        }
    return found;
}

void Pod::dress(engine::ContainerSpec& subject) const {
    if (holder_.empty()) return;
    subject.network_mode = "container:" + holder_;
    // The holder's, which all containers of the pod have.
    subject.hostname =
        client_.server().network_brings_host_name() ? std::nullopt : scenario_.subject.hostname;
    subject.publish.clear();
    subject.extra_hosts.clear();
    subject.network_aliases.clear();
}

Task<> Pod::start_holder(int run) {
    engine::ContainerSpec spec = holder_container(image_);
    spec.name = fmt::format("rogate-{}-run{}-pod", session_, run);
    spec.labels = labels(session_, "holder");
    place_on_network(scenario_.subject, network_, publish_, spec);
    auto created = co_await client_.container_create(std::move(spec));
    if (!created) co_return fail(std::move(created.error()).with_context("making the pod's network"));
    holder_ = *created;
    auto started = co_await client_.container_start(holder_);
    if (!started) co_return fail(std::move(started.error()).with_context("starting the pod's network"));
    co_return Result<>{};
}

Task<std::vector<engine::MountSpec>> Pod::mount(int run, const PodMount& mount) {
    std::vector<engine::MountSpec> made;
    if (!mount.sub_path.empty()) {
        auto part = co_await data_.part_of(run, "/" + mount.volume, mount.sub_path);
        if (!part)
            co_return fail(std::move(part.error()).with_context(fmt::format("mount {}", mount.target)));
        made.push_back(std::move(*part));
        made.back().target = mount.target;
        made.back().read_only = mount.read_only;
        co_return made;
    }
    made.push_back(specs_.at(mount.volume));
    made.back().target = mount.target;
    made.back().read_only = mount.read_only;
    // What is mounted below the volume's source would else be the real thing, and writable.
    for (const auto& [name, spec] : specs_) {
        if (!name.starts_with(mount.volume + "/")) continue;
        made.push_back(spec);
        made.back().target = mount.target + name.substr(mount.volume.size());
    }
    co_return made;
}

Task<std::string> Pod::wait_for(const PodContainer& container, const std::string& id) {
    auto code = co_await client_.container_wait(id, longest_init);
    if (!code && code.error().kind != ErrorKind::timeout) co_return fail(std::move(code.error()));
    if (code && *code == 0) co_return std::string();
    auto tail = co_await log_tail(client_, id, masker_);
    if (!tail) co_return fail(std::move(tail.error()));
    if (!code)
        co_return fmt::format("init container '{}' did not end within {} s{}", container.name,
                              longest_init.count(), *tail);
    co_return fmt::format("init container '{}' exited with code {}{}", container.name, *code, *tail);
}

Task<std::string> Pod::pass(const PodContainer& container, const Step& probe) {
    const std::string& id = containers_.at(container.name);
    scenario::Memory memory;
    memory.masker = masker_;
    scenario::StepRunner runner(client_, id, memory, beside_, {}, holder_);
    if (auto found = co_await runner.refresh(); !found) co_return fail(std::move(found.error()));
    const Readiness readiness{{probe}, scenario_.readiness.timeout_ms};
    auto outcome = co_await runner.wait_ready(readiness);
    if (!outcome)
        co_return fail(
            std::move(outcome.error()).with_context(fmt::format("probing container '{}'", container.name)));
    if (outcome->passed) co_return std::string();
    auto state = co_await client_.container_inspect(id);
    if (!state) co_return fail(std::move(state.error()));
    auto tail = co_await log_tail(client_, id, masker_);
    if (!tail) co_return fail(std::move(tail.error()));
    if (!state->running)
        co_return fmt::format("container '{}' exited with code {}{}", container.name, state->exit_code,
                              *tail);
    co_return fmt::format("container '{}' is {} ({}){}", container.name, outcome->message, probe.name, *tail);
}

Task<std::string> Pod::ready() {
    for (const PodContainer& container : scenario_.pod.containers) {
        const auto probes = scenario_.probes_beside.find(container.name);
        if (probes == scenario_.probes_beside.end()) continue;
        for (const auto* probe : {&probes->second.startup, &probes->second.readiness}) {
            if (!*probe) continue;
            auto trouble = co_await pass(container, **probe);
            if (!trouble || !trouble->empty()) co_return trouble;
        }
    }
    co_return std::string();
}

Task<std::string> Pod::launch(int run, const PodContainer& container) {
    status_.phase_started("container " + container.name);
    const std::string who = fmt::format("container '{}'", container.name);
    engine::ContainerSpec spec = beside_subject(session_, run, container.name, container.subject, network_);
    dress(spec);
    spec.restart = container.restart.name;
    spec.restart_tries = container.restart.tries;
    for (const Mount& each : container.subject.mounts) add_tmpfs(spec, each, each.read_only);
    for (const PodMount& each : container.mounts) {
        auto made = co_await mount(run, each);
        if (!made) co_return fail(std::move(made.error()).with_context(who));
        spec.mounts.insert(spec.mounts.end(), made->begin(), made->end());
    }
    auto created = co_await client_.container_create(std::move(spec));
    if (!created) co_return fail(std::move(created.error()).with_context(who));
    containers_[container.name] = *created;
    auto trouble = co_await start_beside(client_, who, *created);
    if (!trouble || !trouble->empty()) co_return trouble;
    const auto probes = scenario_.probes_beside.find(container.name);
    if (container.sidecar && probes != scenario_.probes_beside.end() && probes->second.startup)
        co_return co_await pass(container, *probes->second.startup);
    if (!container.init) co_return trouble;
    co_return co_await wait_for(container, *created);
}

Task<std::string> Pod::start(const RunPlan& plan, scenario::Neighbourhood beside) {
    beside_ = std::move(beside);
    if (!scenario_.pod.any()) co_return std::string();
    const int run = plan.id;
    RunPlan own = with_parts(plan);
    auto specs = co_await data_.prepare(own);
    if (!specs) co_return fail(std::move(specs.error()).with_context("the pod's volumes"));
    specs_.clear();
    parts_.clear();
    const auto is_part = [&](const std::string& path) {
        return std::ranges::find(own.writable, path, &WritablePath::path) != own.writable.end();
    };
    for (engine::MountSpec& spec : *specs) {
        const std::string path = spec.target;
        if (is_part(path))
            parts_.emplace(path, std::move(spec));
        else
            specs_.emplace(path.substr(1), std::move(spec));
    }
    if (shares_network())
        if (auto started = co_await start_holder(run); !started) co_return fail(std::move(started.error()));
    for (const PodContainer& container : scenario_.pod.containers) {
        if (container.after) continue;
        auto trouble = co_await launch(run, container);
        if (!trouble || !trouble->empty()) co_return trouble;
    }
    co_return std::string();
}

Task<std::string> Pod::start_rest(int run) {
    for (const PodContainer& container : scenario_.pod.containers) {
        if (!container.after) continue;
        auto trouble = co_await launch(run, container);
        if (!trouble || !trouble->empty()) co_return trouble;
    }
    co_return std::string();
}

Task<std::string> Pod::fallen() {
    co_return co_await name_fallen(client_, "container", containers_, masker_);
}

Task<> Pod::stop(bool kill) {
    std::vector<Task<>> ends;
    for (const auto& [name, container] : containers_)
        ends.push_back(end_beside(client_, container, kill, scenario_.shutdown.timeout_ms));
    auto all = engine::together(std::move(ends));
    auto ended = co_await std::move(all);
    if (!ended) co_return fail(std::move(ended.error()).with_context("stopping the pod's containers"));
    co_return Result<>{};
}

Task<> Pod::keep(RunPlan plan, std::string subject) {
    if (!scenario_.pod.any()) co_return Result<>{};
    std::map<std::string, DataPlane::SeenIn> places;
    const auto note = [&](const std::string& container, const std::vector<PodMount>& mounts) {
        for (const PodMount& mount : mounts)
            if (mount.sub_path.empty())
                places.try_emplace("/" + mount.volume, DataPlane::SeenIn{container, mount.target});
    };
    note(subject, scenario_.pod.mounts);
    for (const PodContainer& container : scenario_.pod.containers)
        if (const auto id = containers_.find(container.name); id != containers_.end())
            note(id->second, container.mounts);
    std::string no_subject;
    auto kept = co_await data_.keep(std::move(plan), std::move(no_subject), std::move(places));
    if (!kept) co_return fail(std::move(kept.error()).with_context("the pod's volumes"));
    if (!holder_.empty()) containers_.emplace("", std::exchange(holder_, {}));
    co_return co_await remove_all(client_, std::exchange(containers_, {}));
}

Task<> Pod::remove(int run) {
    if (!scenario_.pod.any()) co_return Result<>{};
    if (!holder_.empty()) containers_.emplace("", std::exchange(holder_, {}));
    auto removed = co_await remove_all(client_, std::exchange(containers_, {}));
    if (!removed) co_return removed;
    co_return co_await data_.release(run);
}

}  // namespace rogate::campaign
