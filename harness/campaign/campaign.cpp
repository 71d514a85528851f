#include "campaign/campaign.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <rogate/labels.hpp>
#include <rogate/names.hpp>
#include <rogate/place.hpp>
#include <rogate/variable.hpp>

#include "advise/advise.hpp"
#include "base/text.hpp"
#include "campaign/companions.hpp"
#include "campaign/data.hpp"
#include "campaign/exercise.hpp"
#include "campaign/guests.hpp"
#include "campaign/harden.hpp"
#include "campaign/images.hpp"
#include "campaign/members.hpp"
#include "campaign/pod.hpp"
#include "campaign/pods.hpp"
#include "campaign/readiness.hpp"
#include "campaign/relay.hpp"
#include "campaign/runner.hpp"
#include "campaign/runtimes.hpp"
#include "campaign/tries.hpp"
#include "engine/together.hpp"
#include "scenario/places.hpp"
#include "secrets/collect.hpp"
#include "verdict/compare.hpp"
#include "verdict/plan.hpp"
#include "verdict/varying.hpp"

namespace rogate::campaign {

using engine::Task;

std::string new_session() {
    std::random_device device;
    return fmt::format("{:08x}{:04x}", device(), device() & 0xffffU);
}

std::vector<Mount> effective_mounts(const Subject& subject, const std::vector<std::string>& image_volumes) {
    std::vector<Mount> mounts = subject.mounts;
    const auto covered = [&](const std::string& target) {
        return std::any_of(mounts.begin(), mounts.end(), [&](const Mount& m) { return m.target == target; });
    };
    for (std::string target : image_volumes) {
        while (target.size() > 1 && target.ends_with('/')) target.pop_back();
        if (covered(target)) continue;
        Mount mount;
        mount.type = MountType::anonymous;
        mount.target = target;
        mounts.push_back(std::move(mount));
    }
    Mount root;
    root.type = MountType::rootfs;
    root.target = "/";
    root.read_only = subject.read_only_rootfs;
    mounts.push_back(std::move(root));
    std::stable_sort(mounts.begin(), mounts.end(),
                     [](const Mount& a, const Mount& b) { return a.target < b.target; });
    return mounts;
}

std::vector<Mount> effective_mounts(const std::vector<Member>& members,
                                    const std::map<std::string, std::vector<std::string>>& image_volumes) {
    std::vector<Mount> all;
    for (const Member& member : members) {
        const auto volumes = image_volumes.find(member.name);
        for (Mount& mount :
             effective_mounts(member.subject, volumes == image_volumes.end() ? std::vector<std::string>{}
                                                                             : volumes->second)) {
            mount.target = place_in(member.name, mount.target);
            all.push_back(std::move(mount));
        }
    }
    return all;
}

namespace {

bool is_tried(const Scenario& scenario, const Mount& mount) {
    const Member* member = find_member(scenario.members, std::string(container_of(mount.target)));
    return member == nullptr || member->tried;
}

// Of a system, a target without a container is of each that has it.
std::vector<const Mount*> mounts_named(const Scenario& scenario, const std::string& candidate,
                                       const std::vector<Mount>& mounts) {
    std::vector<const Mount*> found;
    for (const Mount& mount : mounts)
        if (mount.target == candidate || (container_of(candidate).empty() &&
                                          path_in(mount.target) == candidate && is_tried(scenario, mount)))
            found.push_back(&mount);
    return found;
}

// `unknown`: containers whose image, and what that declares, cannot be had.
bool may_be_missing(const Scenario& scenario, const std::string& candidate,
                    const std::set<std::string>& unknown) {
    const std::string container(container_of(candidate));
    if (!scenario.members.empty()) return container.empty() ? !unknown.empty() : unknown.contains(container);
    const auto named = scenario.named_candidates.find(candidate);
    return named != scenario.named_candidates.end() && named->second.if_there;
}

std::string no_mount(const Scenario& scenario, const std::string& candidate,
                     const std::vector<Mount>& mounts) {
    std::string where = scenario.file;
    if (const auto named = scenario.named_candidates.find(candidate);
        named != scenario.named_candidates.end()) {
        const SourcePlace& at = named->second.at;
        where = at.line > 0 ? fmt::format("{}:{}:{}", at.file, at.line, at.column) : "--candidate";
    }
    const std::string_view container = container_of(candidate);
    std::string known;
    for (const Mount& mount : mounts)
        if ((container.empty() || container_of(mount.target) == container) && is_tried(scenario, mount))
            known += (known.empty() ? "" : ", ") + mount.target;
    const bool of_system = !scenario.members.empty();
    return fmt::format("{}: candidate '{}' is no mount of {}; {} mounts are {}", where, candidate,
                       !of_system          ? "the subject"
                       : container.empty() ? "any container that is tried"
                                           : fmt::format("'{}'", container),
                       of_system && container.empty() ? "their" : "its", known);
}

}  // namespace

Result<std::vector<std::string>> choose_candidates(const Scenario& scenario, const std::vector<Mount>& mounts,
                                                   const std::set<std::string>& unknown) {
    std::vector<std::string> chosen;
    if (!scenario.candidates) {
        for (const Mount& mount : mounts)
            if (!mount.read_only && (mount.type != MountType::rootfs || scenario.rootfs) &&
                is_tried(scenario, mount))
                chosen.push_back(mount.target);
        return chosen;
    }
    std::vector<std::string> wanted = *scenario.candidates;
    if (scenario.rootfs) wanted.emplace_back("/");
    for (const std::string& each : wanted) {
        const auto found = mounts_named(scenario, each, mounts);
        if (found.empty() && !may_be_missing(scenario, each, unknown))
            return fail(ErrorKind::usage, no_mount(scenario, each, mounts));
        for (const Mount* mount : found)
            if (!mount->read_only) chosen.push_back(mount->target);
    }
    std::sort(chosen.begin(), chosen.end());
    chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
    return chosen;
}

Result<> check_fixtures(const Scenario& scenario, const std::vector<Mount>& mounts) {
    for (const Fixture& fixture : scenario.fixtures) {
        const bool known = fixture.target != "/" &&
                           std::any_of(mounts.begin(), mounts.end(),
                                       [&](const Mount& mount) { return mount.target == fixture.target; });
        if (!known)
            return fail(ErrorKind::usage,
                        fmt::format("{}: fixture for '{}', which is no mount of the subject", scenario.file,
                                    fixture.target));
    }
    return {};
}

std::string now_utc() {
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::now()));
}

Task<EngineFacts> engine_facts(engine::Client& client) {
    auto info = co_await client.info();
    if (!info) co_return fail(std::move(info.error()));
    const engine::Version& version = client.server();
    EngineFacts facts;
    facts.name = version.platform;
    facts.version = version.version;
    facts.api_version = client.api_version();
    facts.kernel = info->kernel;
    facts.os = info->operating_system;
    facts.cgroup_version = info->cgroup_version;
    facts.host = client.endpoint().to_string();
    co_return facts;
}

namespace {

// A mount on which read-only protects nothing is not tried: target -> why.
std::map<std::string, std::string> without_protection(const std::vector<DataMount>& mounts) {
    std::map<std::string, std::string> found;
    for (const DataMount& data : mounts)
        if (!data.special.empty())
            found.emplace(
                data.mount.target,
                fmt::format(
                    "the source is {}: whoever may open it can use it through a read-only mount as well",
                    data.special));
        else if (!data.writable_below.empty())
            found.emplace(
                data.mount.target,
                fmt::format(
                    "{}, mounted below its source, {} writable on this engine when it is read-only; give "
                    "the container {} of its own, or use Docker 25 or newer on Linux 5.12 or newer",
                    fmt::join(data.writable_below, ", "), data.writable_below.size() == 1 ? "stays" : "stay",
                    data.writable_below.size() == 1 ? "a mount" : "mounts"));
    return found;
}

// Whether what a run wrote can still be there in a later one.
bool has_state(const DataMount& data) {
    return data.mount.type == MountType::bind || data.mount.type == MountType::volume ||
           data.mount.type == MountType::anonymous;
}

// Each of them doubts every verdict, unless nothing used that mount.
std::vector<DataDifference> differences_of(const std::vector<DataMount>& mounts) {
    std::vector<DataDifference> found;
    for (const DataMount& data : mounts) {
        const std::string& target = data.mount.target;
        for (const DataMount::Lack& lack : data.lacks)
            found.push_back({.target = target,
                             .what = fmt::format("{}: {}", target, lack.what),
                             .way_out = lack.way_out});
        // Also where the mount itself is not tried, since what is hidden decides what the application does
        // elsewhere.
        if (!data.hidden_below.empty() && data.how != DataSource::as_it_is)
            found.push_back({.target = target,
                             .what = fmt::format("{}: what is mounted below its source ({})", target,
                                                 fmt::join(data.hidden_below, ", ")),
                             .way_out = "declare it as a mount of its own"});
    }
    return found;
}

// What a patch writes into a manifest in place of a tmpfs: as the kubelet makes it (spec/kube_volumes.cpp).
std::string empty_dir_options(const std::optional<std::uint32_t>& group) {
    return group ? fmt::format("mode=2777,gid={},exec", *group) : std::string("mode=0777,exec");
}

std::string empty_dir_options(const Scenario& scenario) {
    if (scenario.subject.origin.kind != Origin::Kind::kubernetes) return {};
    return empty_dir_options(scenario.pod.fs_group);
}

// Of each container of a system of pods.
std::map<std::string, std::string> empty_dir_options_of(const Pods& pods) {
    std::map<std::string, std::string> options;
    for (const auto& [name, member] : pods.members)
        options.emplace(name, empty_dir_options(pods.pod_of(name)->fs_group));
    return options;
}

// As the kubelet makes an emptyDir.
DataPlane::NewRoot empty_dir_of(const std::optional<std::uint32_t>& group) {
    return {.group = group.value_or(0), .mode = group ? 02777U : 0777U};
}

// How new volumes of the runs are made, where a cluster makes them.
void make_as_a_cluster_does(const Scenario& scenario, const Pods& pods, DataPlane& data) {
    if (scenario.subject.origin.kind != Origin::Kind::kubernetes) return;
    std::map<std::string, DataPlane::NewRoot> roots;
    if (scenario.members.empty()) roots.emplace("", empty_dir_of(scenario.pod.fs_group));
    for (const auto& [name, member] : pods.members)
        roots.emplace(name, empty_dir_of(pods.pod_of(name)->fs_group));
    data.make_new_volumes(std::move(roots));
}

bool needs_holder(const Pods& pods) {
    return std::ranges::any_of(pods.pods,
                               [&](const SystemPod& pod) { return shares_network(pods, pod.name); });
}

// The variables that the user or the image has set.
void add_variables(const Subject& subject, const std::string& container, const engine::ImageInfo& image,
                   std::set<std::string>& all) {
    for (const std::string& each : image.env)
        all.insert(variable_in(container, each.substr(0, each.find('='))));
    for (const auto& [name, value] : subject.environment) all.insert(variable_in(container, name));
}

bool is_empty_claim(const std::vector<PodVolume>& volumes, const PodMount& mount) {
    const auto volume = std::ranges::find(volumes, mount.volume, &PodVolume::name);
    return volume != volumes.end() && volume->kind == PodVolume::Kind::empty && volume->for_group;
}

// What the runs have in place of the user's data: target -> what.
std::map<std::string, std::string> made_up(const Scenario& scenario, const Pods& pods,
                                           const std::vector<DataMount>& mounts) {
    std::string states;
    for (const DataState state : scenario.states)
        states += fmt::format("{}{}", states.empty() ? "" : ", ", to_string(state));
    std::map<std::string, std::string> found;
    for (const DataMount& data : mounts) {
        const bool is_fixture = std::ranges::any_of(
            scenario.fixtures, [&](const Fixture& fixture) { return fixture.target == data.mount.target; });
        if (is_fixture)
            found.emplace(data.mount.target, "a fixture");
        else if (!states.empty() && has_state(data))
            found.emplace(data.mount.target, fmt::format("data in the states {}", states));
    }
    for (const PodMount& mount : scenario.pod.mounts) {
        if (is_empty_claim(scenario.pod.volumes, mount)) found.emplace(mount.target, "an empty claim");
    }
    for (const auto& [name, member] : pods.members)
        for (const PodMount& mount : member.mounts)
            if (is_empty_claim(pods.pod_of(name)->volumes, mount))
                found.emplace(place_in(name, mount.target), "an empty claim");
    return found;
}

std::string listed(const DataMount& data) {
    std::string text;
    for (const auto& [path, is_directory] : data.missing_mount_points)
        text += fmt::format("{}{}{}", text.empty() ? "" : ", ", path, is_directory ? "" : " (a file)");
    return text;
}

// What is read-only to begin with is so in every run.
void warn_of_mount_points(const std::vector<DataMount>& mounts, Status& status) {
    for (const DataMount& data : mounts)
        if (data.mount.read_only && !data.missing_mount_points.empty())
            status.warn(fmt::format(
                "{} is mounted read-only, and its source {} does not have the mount points {}: the engine "
                "cannot make them there, so the container does not start; make them first",
                data.mount.target, data.mount.source, listed(data)));
}

// Under a read-only mount the engine cannot make the mount points of others.
void note_mount_points(const DataPlane& plane, std::vector<MountResult>& results) {
    const std::vector<DataMount>& mounts = plane.mounts();
    for (MountResult& result : results) {
        const auto data = std::find_if(mounts.begin(), mounts.end(), [&](const DataMount& each) {
            return each.mount.target == result.mount.target;
        });
        if (data == mounts.end() || !result.candidate) continue;
        if (result.verdict != Verdict::safe && result.verdict != Verdict::tolerated &&
            result.verdict != Verdict::split)
            continue;
        if (!data->missing_mount_points.empty())
            result.reason += fmt::format("; make the mount points {} in its source first", listed(*data));
        const auto made = plane.made_in_new_volumes().find(result.mount.target);
        if (made == plane.made_in_new_volumes().end()) continue;
        std::vector<std::string> needed;
        for (const std::string& each : made->second) {
            const std::string path = result.mount.target + "/" + each;
            const auto& split = result.writable;
            if (std::ranges::find(mounts, path, [](const DataMount& m) { return m.mount.target; }) !=
                    mounts.end() ||
                std::ranges::find(split, path, &WritablePath::path) != split.end())
                needed.push_back(each);
        }
        if (!needed.empty())
            result.reason +=
                fmt::format("; a new volume needs the mount points {} in it before the first start",
                            fmt::join(needed, ", "));
    }
}

// A verdict rests on every run of a plan.
void name_all_runs(const Tries& tries, std::vector<MountResult>& results) {
    for (MountResult& result : results) {
        std::vector<int> all;
        for (const int id : result.runs)
            for (const int each : tries.behind(id))
                if (std::find(all.begin(), all.end(), each) == all.end()) all.push_back(each);
        result.runs = std::move(all);
    }
}

using ImagesOf = std::map<std::string, engine::ImageInfo>;  // by container; the subject's by ""

Secrets secrets_of(const Scenario& scenario, const Pods& pods, const ImagesOf& images) {
    Secrets all = secrets::of_scenario(scenario);
    add_secrets(all, secrets::of_pods(pods, scenario));
    for (const auto& [container, image] : images) add_secrets(all, secrets::of_image(image.env, scenario));
    return all;
}

// Before its images are there nothing is known of the volumes that they declare.
std::vector<Mount> mounts_of(const Scenario& scenario, const ImagesOf& images) {
    if (scenario.members.empty())
        return effective_mounts(scenario.subject,
                                images.contains("") ? images.at("").volumes : std::vector<std::string>{});
    std::map<std::string, std::vector<std::string>> volumes;
    for (const auto& [container, image] : images) volumes.emplace(container, image.volumes);
    return effective_mounts(scenario.members, volumes);
}

// What did not become in the control run what its configuration promises shows nothing of its mounts.
void leave_out_what_fell(const RunRecord& control, const std::vector<Mount>& mounts,
                         verdict::Question& question) {
    for (const Mount& mount : mounts) {
        const auto record = control.containers.find(std::string(container_of(mount.target)));
        if (record == control.containers.end() || record->second.trouble.empty()) continue;
        if (std::erase(question.candidates, mount.target) == 0) continue;
        question.not_tried.emplace(
            mount.target, fmt::format("the control run failed, with every mount as it is configured: {}",
                                      record->second.trouble));
    }
}

struct Campaign {
    engine::Client& client;
    Status& status;
    std::string session;
    Options options;
    CampaignResult result;

    std::string network;
    std::string relay;              // its container; empty: ports are published
    std::string holder_image = {};  // of what holds the network of a pod; empty: none is needed
    std::unique_ptr<Guests> guests = {};
    bool interrupted = false;  // by the budget's time
    // By container of a system: why there is no image for it, so that no run has it.
    std::map<std::string, std::string> not_had = {};

    // Ended when the time is over.
    template <class T>
    Task<T> bounded(Task<T> work);
    // Says so; true: no more runs are made.
    bool refuses(int runs, verdict::Question& question);
    Task<> without_runs();
    // Those that the scenario's containers are made of, by container. They are pulled where they are not
    // there. One that cannot be had costs a system that container, and what needs it.
    Task<ImagesOf> need_images();
    void name_images(const ImagesOf& images);
    // eBPF sees nothing of what a runtime like gVisor's keeps from the engine's kernel.
    Task<ObserverChoice> choose_observer();
    Task<> start_observer(std::unique_ptr<observe::Observer>* observer);
    Task<> make_network();
    Task<> remove_network();
    Task<> run_all(observe::Observer& observer, DataPlane& data, Companions& companions, Pod& pod,
                   const ImagesOf& images, const std::vector<Mount>& mounts,
                   std::vector<std::string> candidates, const Secrets& secrets);
};

template <class T>
Task<T> Campaign::bounded(Task<T> work) {
    if (!options.budget) co_return co_await std::move(work);
    auto ending = options.budget->within(std::move(work), &interrupted);
    co_return co_await std::move(ending);
}

bool Campaign::refuses(int runs, verdict::Question& question) {
    question.stopped = options.budget ? options.budget->refusal(runs) : "";
    if (question.stopped.empty()) return false;
    status.warn(question.stopped + ": what is not settled is inconclusive");
    return true;
}

// What is known of the mounts without the engine's doing anything for it; each is inconclusive.
Task<> Campaign::without_runs() {
    auto facts = co_await engine_facts(client);
    if (!facts) co_return fail(std::move(facts.error()));
    result.engine = std::move(*facts);
    std::map<std::string, std::string> names{{"", result.scenario.subject.image}};
    if (!result.scenario.members.empty()) names.clear();
    for (const Member& member : result.scenario.members) names.emplace(member.name, member.subject.image);
    ImagesOf images;
    for (const auto& [container, name] : names) {
        auto image = co_await client.image_inspect(name);
        if (!image && image.error().kind != ErrorKind::not_found) co_return fail(std::move(image.error()));
        if (image) images.emplace(container, std::move(*image));
    }
    name_images(images);
    verdict::Question question;
    question.mounts = mounts_of(result.scenario, images);
    std::set<std::string> unknown;
    for (const auto& [container, name] : names)
        if (!images.contains(container)) unknown.insert(container);
    auto candidates = choose_candidates(result.scenario, question.mounts, unknown);
    if (!candidates) co_return fail(std::move(candidates.error()));
    question.candidates = std::move(*candidates);
    refuses(1, question);
    result.stopped = question.stopped;
    result.mounts = verdict::judge_all(question, {});
    co_return Result<>{};
}

Task<ImagesOf> Campaign::need_images() {
    ImagesOf images;
    if (result.scenario.members.empty()) {
        auto image = co_await need_image(client, result.scenario.subject.image, status);
        if (!image) co_return fail(std::move(image.error()));
        images.emplace("", std::move(*image));
    }
    const auto has_none = [&] { return not_had.size() == result.scenario.members.size(); };
    for (const Member& member : result.scenario.members) {
        if (not_had.contains(member.name)) {
            if (has_none()) co_return fail(ErrorKind::not_found, not_had.at(member.name));
            images.emplace(member.name, engine::ImageInfo{});
            continue;
        }
        auto image = co_await need_image(client, member.subject.image, status);
        if (!image && image.error().kind != ErrorKind::not_found)
            co_return fail(std::move(image.error()).with_context(quoted(member.name)));
        if (image) {
            images.emplace(member.name, std::move(*image));
            continue;
        }
        Error missing = std::move(image.error()).with_context(quoted(member.name));
        not_had.emplace(member.name, missing.message);
        if (has_none()) co_return fail(std::move(missing));
        images.emplace(member.name, engine::ImageInfo{});
    }
    co_return images;
}

void Campaign::name_images(const ImagesOf& images) {
    for (const auto& [container, image] : images)
        if (container.empty())
            result.image_id = image.id;
        else if (!not_had.contains(container))
            result.image_ids.emplace(container, image.id);
}

Task<ObserverChoice> Campaign::choose_observer() {
    if (options.observer == ObserverChoice::none || options.observer == ObserverChoice::ptrace)
        co_return options.observer;
    std::vector<std::string> runtimes{result.scenario.subject.runtime};
    for (const Companion& companion : result.scenario.companions)
        runtimes.push_back(companion.subject.runtime);
    for (const Member& member : result.scenario.members) runtimes.push_back(member.subject.runtime);
    auto apart = co_await kernel_apart(client, std::move(runtimes));
    if (!apart) co_return fail(std::move(apart.error()));
    if (apart->empty()) co_return options.observer;
    const std::string why = fmt::format(
        "the runtime {} is not known to leave containers the engine's kernel, so that the eBPF observer "
        "might "
        "see none of their calls",
        *apart);
    if (options.observer == ObserverChoice::ebpf)
        co_return fail(ErrorKind::usage,
                       why + "; use --observer ptrace, which watches from within the container");
    status.warn(why + ": ptrace is used");
    co_return ObserverChoice::ptrace;
}

Task<> Campaign::start_observer(std::unique_ptr<observe::Observer>* observer) {
    if (options.own_observer) {
        auto giving = options.own_observer();
        auto own = co_await std::move(giving);
        if (!own) co_return fail(std::move(own.error()).with_context("starting the observer"));
        *observer = std::move(*own);
        co_return Result<>{};
    }
    auto choice = co_await choose_observer();
    if (!choice) co_return fail(std::move(choice.error()));
    observe::SidecarOptions sidecar;
    sidecar.session = session;
    sidecar.ring_bytes = options.ring_bytes;
    sidecar.reply_timeout = options.observer_timeout;
    sidecar.sees_capabilities = is_hardened(result.scenario);
    auto started = co_await campaign::start_observer(client, *choice, std::move(sidecar), status);
    if (!started) co_return fail(std::move(started.error()).with_context("starting the observer"));
    *observer = std::move(*started);
    co_return Result<>{};
}

Task<> Campaign::make_network() {
    auto made = co_await client.network_create(network, labels(session, "network"), options.offline);
    if (!made) co_return fail(std::move(made.error()).with_context("making the run's network"));
    co_return Result<>{};
}

// While the observer ends, since each takes the engine a tenth of a second. A network that is still in use is
// left to the session's sweep, which reports what it cannot remove.
Task<> Campaign::remove_network() {
    Result<> removed;
    if (!relay.empty()) removed = co_await client.container_remove(relay);
    removed = co_await client.network_remove(network);
    co_return Result<>{};
}

Task<> Campaign::run_all(observe::Observer& observer, DataPlane& data, Companions& companions, Pod& pod,
                         const ImagesOf& images, const std::vector<Mount>& mounts,
                         std::vector<std::string> candidates, const Secrets& secrets) {
    result.data_mode = data.mode() == "none" ? pod.data_mode() : data.mode();
    const auto pointless = without_protection(data.mounts());
    const auto all_differences = [&] {
        auto found = differences_of(data.mounts());
        for (DataDifference& each : companions.differences(data)) found.push_back(std::move(each));
        for (DataDifference& each : pod.differences()) found.push_back(std::move(each));
        return found;
    };
    std::map<std::string, std::string> untried;
    for (const std::string& target : candidates)
        if (client.server().read_only_root_has_tmpfs() && is_root(target))
            untried.emplace(
                target,
                "podman mounts a tmpfs on /run, /tmp and /var/tmp of a container whose root is read-only, so "
                "that a run with it shows nothing of what is written there; ask an engine of docker's");
    std::size_t told = 0, told_of_pod = pod.notes().size();
    const auto tell_notes = [&] {
        for (; told < data.notes().size(); ++told) status.warn(data.notes()[told]);
        for (; told_of_pod < pod.notes().size(); ++told_of_pod) status.warn(pod.notes()[told_of_pod]);
    };
    tell_notes();
    warn_of_mount_points(data.mounts(), status);
    std::erase_if(candidates, [&](const std::string& target) {
        return pointless.contains(target) || untried.contains(target);
    });

    Bench bench{.client = client,
                .observer = observer,
                .data = data,
                .status = status,
                .scenario = result.scenario,
                .session = session,
                .network = network,
                .companions = companions,
                .pod = pod,
                .image = images.begin()->second,
                .relay = relay,
                .images = &images,
                .secrets = &secrets,
                .pods = options.pods,
                .not_had = not_had,
                .holder_image = holder_image,
                .guests = guests.get()};
    verdict::Question question{.mounts = mounts,
                               .candidates = std::move(candidates),
                               .ineffective = pointless,
                               .not_tried = untried,
                               .can_make_mount_points = pod.can_make_mount_points(),
                               .tmpfs_has_owner = client.server().tmpfs_takes_owner(),
                               .tmpfs_options = empty_dir_options(result.scenario),
                               .tmpfs_options_of = empty_dir_options_of(options.pods),
                               .after_restart = verdict::phases_after_restart(result.scenario.steps),
                               .data_differences = all_differences(),
                               .made_up = made_up(result.scenario, options.pods, data.mounts()),
                               .facts = {}};
    question.can_make_mount_points.merge(data.can_make_mount_points());
    for (const Mount& mount : mounts)
        if (data.is_shared(mount.target) || companions.have(mount))
            question.seen_elsewhere.insert(mount.target);
    bench.lacks_data = !question.data_differences.empty();
    std::optional<Tries> tries(std::in_place, bench, options.repeat, result.runs, 0);
    // With `data: live` another setting would write to the user's own data.
    const bool is_live = result.scenario.data == DataMode::live;
    advise::Advisor advisor;
    if (!is_live) advisor.settings = options.settings;
    if (result.scenario.members.empty())
        add_variables(result.scenario.subject, "", images.at(""), advisor.variables);
    for (const Member& member : result.scenario.members)
        add_variables(member.subject, member.name, images.at(member.name), advisor.variables);
    std::vector<RunRecord> plans;  // one for each plan, whatever the number of its runs
    const verdict::Question before_any_run = question;
    for (;;) {
        verdict::NextStep step = advise::next_step(advisor, question, plans);
        for (const std::string& path : step.look_at) {
            auto looking = data.is_given(path) ? pod.look(path) : data.look(path);
            auto bound = bounded(std::move(looking));
            auto facts = co_await std::move(bound);
            if (interrupted) break;
            if (!facts) co_return fail(std::move(facts.error()));
            question.facts.emplace(path, *facts);
        }
        if (interrupted || (!step.run && step.look_at.empty())) break;
        if (!step.run) continue;
        const int at_most = tries->at_most();
        // Everything is settled without settings; they are tried as far as the budget goes.
        const bool tries_settings = !step.run->environment.empty();
        if (tries_settings && options.budget && !options.budget->refusal(at_most).empty()) break;
        // After it come the last looks at what runs would have needed.
        if (refuses(at_most, question)) continue;
        const std::size_t runs_before = result.runs.size();
        if (options.budget) options.budget->take(at_most);
        auto trying = bounded(tries->launch(std::move(*step.run)));
        auto record = co_await std::move(trying);
        if (options.budget)
            options.budget->give_back(at_most - static_cast<int>(result.runs.size() - runs_before));
        if (interrupted) {
            // Part of the tries is no evidence either.
            result.runs.erase(result.runs.begin() + static_cast<std::ptrdiff_t>(runs_before),
                              result.runs.end());
            interrupted = !tries_settings;
            break;
        }
        if (!record) co_return fail(std::move(record.error()));
        // What the runs were given was not what the application needs: none of them counts.
        const bool is_control = record->plan.kind == RunKind::control && record->plan.environment.empty();
        const bool again = is_control && data.learn_from(*record);
        if ((is_control && pod.learn_from(*record)) || again) {
            tell_notes();
            question.candidates = before_any_run.candidates;
            question.not_tried = before_any_run.not_tried;
            question.data_differences = all_differences();
            bench.lacks_data = !question.data_differences.empty();
            if (auto cleared = co_await clear_remains(bench); !cleared) co_return cleared;
            const int so_far = result.runs.back().plan.id;
            plans.clear();
            result.runs.clear();
            bench.control = nullptr;
            tries.emplace(bench, options.repeat, result.runs, so_far);
            continue;
        }
        if (plans.empty()) leave_out_what_fell(*record, mounts, question);
        plans.push_back(std::move(*record));
    }
    if (interrupted) refuses(1, question);
    result.stopped = question.stopped;
    advise::Conclusion concluded = advise::conclude(advisor, question, plans);
    result.mounts = std::move(concluded.mounts);
    result.recommendation = std::move(concluded.recommendation);
    result.settings = std::move(concluded.settings);
    result.data_differences = verdict::with_use(question.data_differences, plans);
    if (is_hardened(result.scenario) && !interrupted) {
        auto asked = capability_question(result.scenario, client.server().read_only_root_has_tmpfs());
        if (!asked) co_return fail(std::move(asked.error()));
        auto hardening =
            harden(*tries, options.budget.get(), std::move(*asked), plans, result, status, &interrupted);
        if (auto hardened = co_await std::move(hardening); !hardened) co_return hardened;
    }
    if (!interrupted)
        if (auto cleared = co_await clear_remains(bench); !cleared) co_return cleared;
    note_mount_points(data, result.mounts);
    // What was asked of each container of a system is told when the result is taken apart.
    if (result.scenario.members.empty()) tell_exercise(result);
    name_all_runs(*tries, result.mounts);
    result.varying_names = verdict::varying_names(result.runs);
    co_return Result<>{};
}

void cut_off(Scenario& scenario, Status& status) {
    std::vector<std::string>& networks = scenario.subject.networks;
    if (!networks.empty())
        status.warn(fmt::format("--offline: the subject joins no network but the run's own; not joined: {}",
                                fmt::join(networks, ", ")));
    networks.clear();
    for (Member& member : scenario.members) member.subject.networks.clear();
}

}  // namespace

Task<std::unique_ptr<observe::Observer>> start_observer(engine::Client& client, ObserverChoice choice,
                                                        observe::SidecarOptions options, Status& status) {
    if (choice == ObserverChoice::none) co_return observe::no_observer();
    if (choice != ObserverChoice::ptrace) {
        auto ebpf = co_await observe::start_ebpf_observer(client, options);
        if (ebpf || choice == ObserverChoice::ebpf || ebpf.error().kind == ErrorKind::cancelled)
            co_return ebpf;
        status.warn(
            fmt::format("the eBPF observer cannot run here, so ptrace is used: {}", ebpf.error().message));
    }
    co_return co_await observe::start_ptrace_observer(client, std::move(options));
}

Task<CampaignResult> run_campaign(engine::Client& client, Scenario scenario, std::string session,
                                  Options options, Status& status) {
    const auto start = std::chrono::steady_clock::now();
    Campaign campaign{.client = client,
                      .status = status,
                      .session = session,
                      .options = options,
                      .result = {},
                      .network = fmt::format("rogate-{}", session),
                      .relay = {}};
    CampaignResult& result = campaign.result;
    result.scenario = std::move(scenario);
    result.started_at = now_utc();
    const auto took = [&] {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    };
    const auto end_without_runs = [&]() -> Task<CampaignResult> {
        auto ended = co_await campaign.without_runs();
        if (!ended) co_return fail(std::move(ended.error()));
        result.duration_s = took();
        co_return std::move(result);
    };
    if (auto can = capability_question(result.scenario, false); !can) co_return fail(std::move(can.error()));
    ask_for_ports_as_on_nodes(result.scenario, status);
    if (options.budget && !options.budget->refusal(1).empty()) co_return co_await end_without_runs();
    auto facts = co_await engine_facts(client);
    if (!facts) co_return fail(std::move(facts.error()));
    result.engine = std::move(*facts);
    const std::shared_ptr<Images> built =
        options.images ? options.images : std::make_shared<Images>(ImageOptions{}, session);
    auto settling = campaign.bounded(built->settle(client, result.scenario, status));
    auto settled = co_await std::move(settling);
    if (campaign.interrupted) co_return co_await end_without_runs();
    if (!settled) co_return fail(std::move(settled.error()));
    campaign.not_had = std::move(*settled);
    auto getting = campaign.bounded(campaign.need_images());
    auto images = co_await std::move(getting);
    if (campaign.interrupted) co_return co_await end_without_runs();
    if (!images) co_return fail(std::move(images.error()));
    campaign.name_images(*images);
    const bool together = !result.scenario.members.empty();
    if (!together) {
        const engine::ImageInfo& image = images->at("");
        derive_readiness(result.scenario, image);
        add_exercise(result.scenario, image);
        if (scenario::runs_commands(result.scenario.steps)) add_exposed_ports(result.scenario.subject, image);
    }
    for (Member& member : result.scenario.members) {
        derive_readiness(member.subject, member.readiness, images->at(member.name));
        if (scenario::runs_commands(result.scenario.steps))
            add_exposed_ports(member.subject, images->at(member.name));
    }
    if (together) add_exercise(result.scenario, *images);
    const Secrets secrets = secrets_of(result.scenario, options.pods, *images);
    // A build's log may show what the build was given, and goes into the result.
    const Masker masker(secrets);
    for (auto& [container, why] : campaign.not_had) masker.mask(why);

    const std::vector<Mount> mounts = mounts_of(result.scenario, *images);
    std::set<std::string> unknown;
    for (const auto& [container, why] : campaign.not_had) unknown.insert(container);
    auto candidates = choose_candidates(result.scenario, mounts, unknown);
    if (!candidates) co_return fail(std::move(candidates.error()));
    for (const auto& [target, named] : result.scenario.named_candidates)
        if (!together && named.if_there && mounts_named(result.scenario, target, mounts).empty())
            status.note(fmt::format("candidate '{}' is no mount of '{}'; nothing of it is tried there",
                                    target, result.scenario.name));
    if (auto known = check_fixtures(result.scenario, mounts); !known)
        co_return fail(std::move(known.error()));

    if (result.scenario.data == DataMode::live)
        status.warn("data: live: the runs write to the real data; nothing else should be using them");
    status.preparing("starting the observer");
    std::unique_ptr<observe::Observer> observer;
    const auto with_image = std::ranges::find_if(
        result.scenario.members, [&](const Member& each) { return !campaign.not_had.contains(each.name); });
    DataPlane data(client, session, together ? with_image->subject.image : result.scenario.subject.image);
    data.use(result.scenario.data);
    make_as_a_cluster_does(result.scenario, options.pods, data);
    std::vector<Mount> surveyed_mounts = mounts;
    if (together) {
        std::map<std::string, std::string> names;
        for (const Member& member : result.scenario.members) names.emplace(member.name, member.subject.image);
        data.know_images(std::move(names));
        Mount nobodys;
        nobodys.type = MountType::rootfs;
        nobodys.target = "/";
        surveyed_mounts.insert(surveyed_mounts.begin(), std::move(nobodys));
        PodData in_pods = data_of_pods(options.pods);
        for (Mount& volume : in_pods.volumes) surveyed_mounts.push_back(std::move(volume));
        for (DataMount& known : in_pods.known) data.know(std::move(known));
        // As in a cluster, where recursiveReadOnly has to be asked for.
        if (!options.pods.pods.empty()) data.keep_read_only_above();
    }
    if (options.offline) cut_off(result.scenario, status);
    // No port of such a network is published.
    const bool by_relay = options.offline || options.requests == Requests::relay ||
                          (options.requests == Requests::automatic && needs_relay(client.endpoint()));
    Companions companions(client, status, result.scenario, session, campaign.network, !by_relay);
    Pod pod(client, status, result.scenario, session, campaign.network, !by_relay);
    companions.hide(Masker(secrets));
    pod.hide(Masker(secrets));
    auto surveying = campaign.bounded(pod.survey());
    auto surveyed = co_await std::move(surveying);
    if (campaign.interrupted) co_return co_await end_without_runs();
    if (!surveyed) co_return fail(std::move(surveyed.error()));
    for (DataMount& given : pod.subject_mounts()) data.know(std::move(given));
    std::vector<Task<>> preparations;
    preparations.push_back(campaign.start_observer(&observer));
    preparations.push_back(data.survey(std::move(surveyed_mounts), result.scenario.fixtures,
                                       written_by_companions(result.scenario)));
    preparations.push_back(companions.survey());
    preparations.push_back(campaign.make_network());
    auto preparing = campaign.bounded(engine::together(std::move(preparations)));
    auto prepared = co_await std::move(preparing);
    if (campaign.interrupted) co_return co_await end_without_runs();
    if (!prepared) co_return fail(std::move(prepared.error()));
    auto looking = campaign.bounded(companions.look_for_links(data));
    auto looked = co_await std::move(looking);
    if (campaign.interrupted) co_return co_await end_without_runs();
    if (!looked) co_return fail(std::move(looked.error()));
    if (result.scenario.members.size() > observer->at_once()) {
        result.not_together =
            observer->at_once() == 1
                ? fmt::format("the observer ({}) watches one container at a time", observer->facts().kind)
                : fmt::format("the observer watches {} containers at once, and there are {}",
                              observer->at_once(), result.scenario.members.size());
        co_return std::move(result);
    }
    const bool has_ports = !result.scenario.subject.ports.empty() ||
                           std::ranges::any_of(result.scenario.members, [](const Member& each) {
                               return !each.subject.ports.empty();
                           });
    if (by_relay && (has_ports || scenario::runs_commands(result.scenario.steps))) {
        auto relay = co_await start_relay(client, session, campaign.network);
        if (!relay) co_return fail(std::move(relay.error()));
        campaign.relay = std::move(*relay);
    }
    if (needs_holder(options.pods)) {
        auto holder = co_await import_holder(client, session);
        if (!holder) co_return fail(std::move(holder.error()));
        campaign.holder_image = std::move(*holder);
    }
    result.observer = observer->facts();
    BoundVolumes bound = bound_volumes(data, companions, pod);
    if (!options.real_engine_socket && has_engine_socket(result.scenario, client.endpoint(), bound)) {
        auto opening = campaign.bounded(Guests::open(client, session, std::move(bound)));
        auto opened = co_await std::move(opening);
        if (campaign.interrupted) co_return co_await end_without_runs();
        if (!opened) co_return fail(std::move(opened.error()));
        campaign.guests = std::move(*opened);
        data.put_in(campaign.guests->stand_in());
        companions.put_in(campaign.guests->stand_in());
        pod.put_in(campaign.guests->stand_in());
        status.warn(
            "a container mounts the engine's socket: it gets one by which it sees and changes only what is "
            "of the runs (--engine-socket real gives it everything)");
    }

    auto done = co_await campaign.run_all(*observer, data, companions, pod, *images, mounts,
                                          std::move(*candidates), secrets);
    if (!done && done.error().kind == ErrorKind::cancelled) co_return fail(std::move(done.error()));
    // The sweep removes all of it, as after an interruption.
    if (done && campaign.interrupted) {
        result.duration_s = took();
        co_return std::move(result);
    }
    auto ending = engine::together(observer->stop(), campaign.remove_network());
    auto stopped = co_await std::move(ending);
    if (!done) co_return fail(std::move(done.error()));
    if (!stopped) status.warn("stopping the observer: " + stopped.error().message);
    result.duration_s = took();
    co_return std::move(result);
}

}  // namespace rogate::campaign
