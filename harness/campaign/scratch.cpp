#include "campaign/scratch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <rogate/labels.hpp>
#include <tuple>

#include "base/text.hpp"
#include "campaign/missing.hpp"
#include "campaign/relay.hpp"
#include "campaign/sources.hpp"
#include "observe/observer.hpp"

namespace rogate::campaign {

using engine::Task;

namespace {

// What is copied goes through this process: only so much of it.
constexpr std::size_t copy_limit = 512U << 20U;

// The header of a folder is followed by the next one at once; both fit, whatever extended headers they have.
constexpr std::size_t two_headers = 16U << 10U;

Error too_large(const std::string& target) {
    return {.kind = ErrorKind::usage,
            .message = fmt::format(
                "the data of {} are to be copied for the runs, since an overlay is not possible or "
                "'data: copy' asks for it, and are more than the {} MiB that are copied; give the "
                "scenario a smaller data set",
                target, copy_limit >> 20U)};
}

engine::MountSpec volume_at(std::string target, std::string name) {
    return {.type = engine::MountSpec::Type::volume,
            .source = std::move(name),
            .target = std::move(target),
            .read_only = false,
            .no_copy = true,
            .propagation = {}};
}

}  // namespace

std::string Scratch::named(std::string_view what) const {
    return fmt::format("rogate-{}-{}{}", session_, part_, what);
}

engine::VolumeSpec Scratch::volume(std::string name) const {
    engine::VolumeSpec spec;
    spec.name = std::move(name);
    spec.labels = labels(session_, "data");
    return spec;
}

engine::ContainerSpec Scratch::never_started(std::string_view name) const {
    engine::ContainerSpec spec;
    spec.name = named(name);
    spec.image = image_;
    spec.labels = labels(session_, "helper");
    spec.network_disabled = true;
    spec.entrypoint = std::vector<std::string>{"/rogate-helper-is-never-started"};
    return spec;
}

Task<std::string> Scratch::container_of_image(std::string image) {
    if (const auto known = of_images_.find(image); known != of_images_.end()) co_return known->second;
    engine::ContainerSpec spec = never_started(fmt::format("image{}", of_images_.size()));
    spec.image = image;
    auto created = co_await client_.container_create(std::move(spec));
    if (!created)
        co_return fail(
            std::move(created.error()).with_context(fmt::format("looking into the image {}", image)));
    mounts_of_.insert_or_assign(*created, std::vector<engine::MountSpec>{});
    of_images_.emplace(std::move(image), *created);
    co_return std::move(*created);
}

engine::ContainerSpec Scratch::reader(std::string_view name, std::string image,
                                      std::vector<std::string> words,
                                      std::vector<engine::MountSpec> mounts) const {
    engine::ContainerSpec spec;
    spec.name = named(name);
    spec.image = std::move(image);
    spec.labels = labels(session_, "helper");
    spec.entrypoint = std::move(words);
    spec.entrypoint->insert(spec.entrypoint->begin(), "/rogate-observer");
    spec.network_disabled = true;
    spec.open_stdin = true;  // it says nothing before somebody listens (Client::container_output)
    spec.read_only_rootfs = true;
    spec.cap_drop = {"ALL"};
    spec.mounts = std::move(mounts);
    return spec;
}

Task<> Scratch::make(std::vector<engine::MountSpec> sources) {
    if (mountpoint_.empty()) {
        auto made = co_await client_.volume_create(volume(named("scratch")));
        if (!made)
            co_return fail(std::move(made.error()).with_context("making the volume for throw-away layers"));
        mountpoint_ = made->mountpoint;
    }
    co_return co_await make_helper(std::move(sources));
}

Task<> Scratch::make_helper_again(std::vector<engine::MountSpec> sources) {
    if (auto removed = co_await client_.container_remove(helper_); !removed) co_return removed;
    mounts_of_.erase(helper_);
    co_return co_await make_helper(std::move(sources));
}

Task<> Scratch::make_helper(std::vector<engine::MountSpec> sources) {
    engine::ContainerSpec spec = never_started("helper");
    spec.mounts = std::move(sources);
    spec.mounts.push_back(volume_at("/rogate/scratch", named("scratch")));
    std::vector<engine::MountSpec> mounts = spec.mounts;
    auto created = co_await client_.container_create(std::move(spec));
    if (!created) {
        Error error = std::move(created.error());
        if (missing_bind_source(error.message)) error.kind = ErrorKind::usage;
        co_return fail(std::move(error).with_context("looking at the mounts' sources"));
    }
    helper_ = *created;
    mounts_of_.insert_or_assign(helper_, std::move(mounts));
    co_return Result<>{};
}

void Scratch::bind(engine::MountSpec& spec, const std::string& place) const {
    spec.type = engine::MountSpec::Type::bind;
    spec.no_copy = false;
    spec.source = on_host(place);
}

Task<> Scratch::put_folders(std::vector<TarFolder> folders) {
    if (folders.empty()) co_return Result<>{};
    auto tar = tar_of_folders(folders);
    if (!tar) co_return fail(std::move(tar.error()));
    co_return co_await put({}, std::move(*tar));
}

Task<> Scratch::put(std::string place, std::string tar) {
    co_return co_await client_.archive_put(helper_, in_helper(place), std::move(tar));
}

Task<std::string> Scratch::hold(std::string name, std::vector<engine::MountSpec> volumes) {
    if (holder_image_.empty()) {
        auto image = co_await import_holder(client_, session_);
        if (!image) co_return fail(std::move(image.error()));
        holder_image_ = std::move(*image);
    }
    engine::ContainerSpec spec = holder_container(holder_image_);
    spec.name = named(name);
    spec.labels = labels(session_, "helper");
    spec.network_disabled = true;
    spec.mounts = volumes;
    auto created = co_await client_.container_create(std::move(spec));
    if (!created) co_return fail(std::move(created.error()));
    auto started = co_await client_.container_start(*created);
    if (!started) co_return fail(std::move(started.error()));
    mounts_of_.insert_or_assign(*created, std::move(volumes));
    co_return std::move(*created);
}

Task<std::string> Scratch::reader_image() {
    if (reader_image_.empty()) {
        auto image = co_await observe::import_mount_reader(client_, session_);
        if (!image) co_return fail(std::move(image.error()));
        reader_image_ = std::move(*image);
    }
    co_return reader_image_;
}

Task<std::string> Scratch::output_of(engine::ContainerSpec spec,
                                     std::optional<engine::Milliseconds> deadline) {
    auto created = co_await client_.container_create(std::move(spec));
    if (!created) co_return fail(std::move(created.error()));
    auto said = co_await client_.container_output(*created, deadline);
    if (!said) co_return fail(std::move(said.error()));
    if (auto removed = co_await client_.container_remove(*created); !removed)
        co_return fail(std::move(removed.error()));
    co_return std::move(*said);
}

// A container that has the same mounts can look, where archives do not tell. Nothing for other engines, and
// for what the container has in no mount.
Task<std::optional<Owners>> Scratch::owners(std::string container, std::string path, bool below) {
    const auto mounts = mounts_of_.find(container);
    if (client_.server().archives_tell_owners() || mounts == mounts_of_.end())
        co_return std::optional<Owners>();
    const bool in_a_mount = std::ranges::any_of(
        mounts->second, [&](const engine::MountSpec& mount) { return is_or_below(path, mount.target); });
    if (!in_a_mount) co_return std::optional<Owners>();
    auto image = co_await reader_image();
    if (!image) co_return fail(std::move(image.error()));
    std::vector<std::string> words = {below ? "owners-below" : "owners", std::move(path)};
    engine::ContainerSpec spec =
        reader(fmt::format("owners{}", checks_++), std::move(*image), std::move(words), mounts->second);
    spec.cap_add = {"DAC_READ_SEARCH"};
    for (engine::MountSpec& mount : spec.mounts) mount.read_only = true;
    auto said = co_await output_of(std::move(spec));
    if (!said) co_return fail(std::move(said.error()).with_context("looking who owns the data"));
    auto known = owners_of(*said);
    if (!known) co_return fail(std::move(known.error()));
    co_return std::optional<Owners>(std::move(*known));
}

Task<FirstEntry> Scratch::look_at(std::string container, std::string path) {
    std::string head;
    engine::ByteSink sink = [&](std::string_view bytes) -> Result<bool> {
        head.append(bytes);
        return head.size() < two_headers;
    };
    auto got = co_await client_.archive_get(container, path, sink);
    if (!got) co_return fail(std::move(got.error()));
    auto first = first_tar_entry(head);
    if (!first) co_return fail(std::move(first.error()));
    auto true_ones = co_await owners(std::move(container), path, false);
    if (!true_ones) co_return fail(std::move(true_ones.error()));
    if (*true_ones) {
        const auto known = (*true_ones)->find(path);
        if (known == (*true_ones)->end())
            co_return fail(ErrorKind::engine, fmt::format("{} went away while it was looked at", path));
        std::tie(first->entry.uid, first->entry.gid) = known->second;
    }
    co_return std::move(*first);
}

Task<bool> Scratch::holds_files(std::string container, std::string path, bool with_empty_ones) {
    constexpr std::size_t enough = 4U << 20U;  // of directories alone: who has that many has files
    std::string head;
    std::optional<bool> found;
    engine::ByteSink sink = [&](std::string_view bytes) -> Result<bool> {
        head.append(bytes);
        found = tar_holds_files(head, with_empty_ones);
        return !found && head.size() < enough;
    };
    auto got = co_await client_.archive_get(std::move(container), std::move(path), sink);
    if (!got) co_return fail(std::move(got.error()));
    co_return found.value_or(true);
}

Task<std::string> Scratch::tree_of(std::string container, std::string path, std::string target) {
    std::string tar;
    bool is_too_large = false;
    engine::ByteSink sink = [&](std::string_view bytes) -> Result<bool> {
        is_too_large = tar.size() + bytes.size() > copy_limit;
        if (!is_too_large) tar.append(bytes);
        return !is_too_large;
    };
    auto got = co_await client_.archive_get(container, path, sink);
    if (!got)
        co_return fail(std::move(got.error()).with_context(fmt::format("copying the data of {}", target)));
    if (is_too_large) co_return fail(too_large(target));
    std::string of = path.ends_with("/.") ? path.substr(0, path.size() - 2) : path;
    auto true_ones = co_await owners(std::move(container), std::move(of), true);
    if (!true_ones)
        co_return fail(
            std::move(true_ones.error()).with_context(fmt::format("copying the data of {}", target)));
    if (!*true_ones) co_return tar;
    co_return with_owners(tar, **true_ones);
}

// A copy of as much as is copied, on a slow disk.
constexpr engine::Milliseconds copying_deadline{300'000};

// The program says "end", or what went wrong.
Task<> Scratch::run_program(std::string name, std::vector<std::string> words,
                            std::vector<engine::MountSpec> mounts, std::string target) {
    auto image = co_await reader_image();
    if (!image) co_return fail(std::move(image.error()));
    mounts.push_back(volume_at("/rogate/scratch", named("scratch")));
    engine::ContainerSpec spec = reader(name, std::move(*image), std::move(words), std::move(mounts));
    spec.cap_add = {"CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "MKNOD", "SETFCAP"};
    auto said = co_await output_of(std::move(spec), copying_deadline);
    if (!said) co_return fail(std::move(said.error()));
    if (said->ends_with("end\n")) co_return Result<>{};
    if (said->ends_with("too large\n")) co_return fail(too_large(target));
    while (said->ends_with('\n')) said->pop_back();
    if (said->empty())
        co_return fail(ErrorKind::engine,
                       fmt::format("engine: POST /containers/{}/attach: the program that copies "
                                   "ended without a word; run again",
                                   named(name)));
    co_return fail(ErrorKind::engine, std::move(*said));
}

Task<> Scratch::make_alike(std::vector<Pair> pairs, std::vector<engine::MountSpec> sources) {
    if (pairs.empty()) co_return Result<>{};
    std::vector<std::string> words = {"like"};
    for (Pair& pair : pairs) {
        words.push_back(std::move(pair.from));
        words.push_back(std::move(pair.to));
    }
    auto done =
        co_await run_program(fmt::format("like{}", checks_++), std::move(words), std::move(sources), {});
    if (!done)
        co_return fail(
            std::move(done.error()).with_context("giving throw-away layers the attributes of the data"));
    co_return done;
}

Task<> Scratch::copy(Pair pair, std::vector<engine::MountSpec> sources, std::string target) {
    std::vector<std::string> words = {"copy", fmt::format("{}", copy_limit), std::move(pair.from),
                                      std::move(pair.to)};
    auto done =
        co_await run_program(fmt::format("copy{}", checks_++), std::move(words), std::move(sources), target);
    if (!done)
        co_return fail(std::move(done.error()).with_context(fmt::format("copying the data of {}", target)));
    co_return done;
}

Task<std::vector<std::size_t>> Scratch::unchanged(std::vector<Pair> pairs,
                                                  std::vector<engine::MountSpec> sources) {
    const std::string what = "comparing what a run opened for writing with the data";
    auto image = co_await reader_image();
    if (!image) co_return fail(std::move(image.error()).with_context(what));
    std::vector<std::string> words = {"unwritten"};
    for (Pair& pair : pairs) {
        words.push_back(std::move(pair.from));
        words.push_back(std::move(pair.to));
    }
    sources.push_back(volume_at("/rogate/scratch", named("scratch")));
    engine::ContainerSpec spec = reader(fmt::format("unwritten{}", checks_++), std::move(*image),
                                        std::move(words), std::move(sources));
    for (engine::MountSpec& mount : spec.mounts) mount.read_only = true;
    spec.cap_add = {"DAC_READ_SEARCH"};
    auto said = co_await output_of(std::move(spec), copying_deadline);
    if (!said) co_return fail(std::move(said.error()).with_context(what));
    auto places = unchanged_of(*said);
    if (!places) co_return fail(ErrorKind::engine, what + ": the list broke off; run again");
    co_return std::move(*places);
}

Task<> Scratch::mount_volumes_of(std::string container) {
    if (client_.server().archives_mount_volumes()) co_return Result<>{};
    auto started = co_await client_.container_start(std::move(container));
    const bool mounted = started || (started.error().kind == ErrorKind::refused &&
                                     started.error().message.find("mounting volume") == std::string::npos);
    if (mounted) co_return Result<>{};
    co_return started;
}

Task<std::string> Scratch::wrong_with_part(std::string volume, std::string sub_path) {
    engine::ContainerSpec spec = never_started(fmt::format("part{}", checks_++));
    spec.mounts.push_back(volume_at("/rogate/volume", std::move(volume)));
    spec.mounts.back().read_only = true;
    auto container = co_await client_.container_create(std::move(spec));
    if (!container) co_return fail(std::move(container.error()));
    std::string id = *container;
    if (auto mounted = co_await mount_volumes_of(std::move(id)); !mounted)
        co_return fail(std::move(mounted.error()));
    std::string wrong;
    for (std::size_t end = 0; wrong.empty() && end != std::string::npos;) {
        end = sub_path.find('/', end + 1);
        const std::string part = sub_path.substr(0, end);
        auto stat = co_await client_.archive_stat(*container, "/rogate/volume/" + part);
        if (!stat && stat.error().kind != ErrorKind::not_found) co_return fail(std::move(stat.error()));
        if (!stat)
            wrong = "is not there, so that no engine would start the container; make it first";
        else if (!stat->link_target.empty())
            wrong = fmt::format(
                "leads through a symbolic link ({}), which could lead out of the volume; name the "
                "directory itself",
                part);
    }
    if (auto removed = co_await client_.container_remove(*container); !removed)
        co_return fail(std::move(removed.error()));
    co_return wrong;
}

engine::VolumeSpec Scratch::overlay(std::string name, const std::string& lower, const std::string& place,
                                    const TarFolder& root, const std::string& flags) {
    if (client_.server().first_mount_changes_owner()) unowned_.insert_or_assign(name, root);
    engine::VolumeSpec spec = volume(std::move(name));
    spec.options = {{"type", "overlay"},
                    {"device", "overlay"},
                    {"o", fmt::format("lowerdir={},upperdir={}/upper,workdir={}/work{}{}", lower,
                                      on_host(place), on_host(place), overlay_options.at(options_), flags)}};
    return spec;
}

Task<> Scratch::make_volume(engine::VolumeSpec volume) {
    auto made = co_await client_.volume_create(std::move(volume));
    if (!made) co_return fail(std::move(made.error()));
    co_return Result<>{};
}

// A folder in the container that is like the volume's root, for the engine to take owner and mode from.
Task<> Scratch::put_roots_below(std::string container, const std::vector<engine::MountSpec>& mounts) {
    std::vector<TarFolder> folders;
    for (const engine::MountSpec& mount : mounts) {
        const auto root = unowned_.find(mount.source);
        if (root == unowned_.end()) continue;
        TarFolder folder = root->second;
        folder.path = mount.target.substr(1);
        folders.push_back(std::move(folder));
    }
    if (folders.empty()) co_return Result<>{};
    auto tar = tar_of_folders(folders);
    if (!tar) co_return fail(std::move(tar.error()));
    std::string at = "/";
    co_return co_await client_.archive_put(std::move(container), std::move(at), std::move(*tar));
}

Task<> Scratch::give_back_owners() {
    std::vector<std::string> names;
    for (const auto& [name, root] : unowned_) names.push_back(name);
    if (names.empty()) co_return Result<>{};
    auto mounted = co_await can_be_mounted(std::move(names));
    if (!mounted) co_return fail(std::move(mounted.error()));
    if (!*mounted)
        co_return fail(ErrorKind::refused,
                       "the engine cannot mount an overlay of the data; 'data: copy' copies them");
    co_return Result<>{};
}

Task<bool> Scratch::can_be_mounted(std::vector<std::string> volumes) {
    engine::ContainerSpec spec = never_started(fmt::format("check{}", checks_++));
    for (std::size_t i = 0; i < volumes.size(); ++i) {
        spec.mounts.push_back(volume_at(fmt::format("/rogate/check/{}", i), std::move(volumes[i])));
        spec.mounts.back().read_only = true;
    }
    const std::vector<engine::MountSpec> mounts = spec.mounts;
    auto checker = co_await client_.container_create(std::move(spec));
    // What the engine refuses is the overlay's fault; a connection that broke is not.
    const auto refused = [](const Error& error) {
        return error.kind == ErrorKind::refused || error.kind == ErrorKind::not_found;
    };
    if (!checker && !refused(checker.error())) co_return fail(std::move(checker.error()));
    if (!checker) co_return false;
    if (auto put = co_await put_roots_below(*checker, mounts); !put) co_return fail(std::move(put.error()));
    auto mounted = co_await mount_volumes_of(*checker);
    if (mounted) {
        auto stat = co_await client_.archive_stat(*checker, mounts.front().target);
        if (!stat) mounted = fail(std::move(stat.error()));
    }
    if (!mounted && !refused(mounted.error())) co_return fail(std::move(mounted.error()));
    if (auto removed = co_await client_.container_remove(*checker); !removed)
        co_return fail(std::move(removed.error()));
    if (mounted)
        for (const engine::MountSpec& mount : mounts) unowned_.erase(mount.source);
    co_return mounted.has_value();
}

}  // namespace rogate::campaign
