// The part of the data plane that learns what the mounts' sources are: what is mounted below them, and what
// they have that an overlay or an archive would not give to the runs.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "base/text.hpp"
#include "campaign/data.hpp"
#include "campaign/sources.hpp"
#include "observe/observer.hpp"

namespace rogate::campaign {

using engine::Task;

namespace {

// Where a source is as the subject has it, beside the place where it is by itself.
constexpr const char* as_subject = "-as-subject";

// Two million files, on a slow disk.
constexpr engine::Milliseconds searching_deadline{300'000};

// More than these (somebody binds the engine's own directory, or "/") are left as they are.
constexpr std::size_t most_given_to_runs = 16;

// Since API 1.44 (and Linux 5.12) a read-only bind is read-only all the way down.
bool may_be_recursive(const std::string& api_version) {
    int major = 0, minor = 0;
    return std::sscanf(api_version.c_str(), "%d.%d", &major, &minor) == 2 &&
           (major > 1 || (major == 1 && minor >= 44));
}

}  // namespace

// A container with all the sources read-only tells for certain: it has what the subject would have, in
// whichever mount namespace the engine lives. Where read-only may be recursive it has each source twice: once
// as the subject would have it, which shows whether it is, and once without what is mounted below, which
// shows how that is by itself.
Task<std::string> DataPlane::read_account() {
    std::vector<std::string> words = {"sources"};
    for (std::size_t i = 0; i < mounts_.size(); ++i)
        if (has_source(mounts_[i]) && !mounts_[i].fixture && mode_ != DataMode::live)
            words.push_back(fmt::format("/rogate/source/{}", i));
    std::vector<engine::MountSpec> mounts = source_mounts();
    if (may_be_recursive(client_.api_version())) {
        std::vector<engine::MountSpec> by_itself = mounts;
        for (engine::MountSpec& mount : mounts) mount.target += as_subject;
        for (engine::MountSpec& mount : by_itself) mount.not_below = true;
        mounts.insert(mounts.end(), by_itself.begin(), by_itself.end());
    }
    co_return co_await account_of("look", std::move(words), std::move(mounts));
}

Task<std::string> DataPlane::account_of(std::string name, std::vector<std::string> words,
                                        std::vector<engine::MountSpec> mounts) {
    auto image = co_await observe::import_mount_reader(client_, session_);
    if (!image) co_return fail(std::move(image.error()));
    engine::ContainerSpec spec = scratch_.reader(name, *image, std::move(words), std::move(mounts));
    spec.cap_add = {"DAC_READ_SEARCH", "DAC_OVERRIDE"};  // also to ask a socket whether anybody listens
    auto created = co_await client_.container_create(std::move(spec));
    if (!created) co_return fail(std::move(created.error()));
    auto text = co_await client_.container_output(*created, searching_deadline);
    if (!text) co_return fail(std::move(text.error()));
    if (auto removed = co_await client_.container_remove(*created); !removed)
        co_return fail(std::move(removed.error()));
    if (auto removed = co_await client_.image_remove(*image, true); !removed)
        co_return fail(std::move(removed.error()));
    const std::optional<std::string_view> whole = whole_account(*text);
    if (!whole)
        co_return fail(
            ErrorKind::engine,
            fmt::format(
                "engine: POST /containers/{}/attach: what there is to know of the mounts broke off after {} "
                "bytes, so that nothing can be concluded; run again",
                *created, text->size()));
    co_return std::string(*whole);
}

// One look at both, since only what is looked at together is known to be one file.
Task<std::vector<std::pair<std::string, std::string>>> DataPlane::linked_with(const DataPlane& other) {
    std::vector<std::pair<std::string, std::string>> linked;
    const auto has_folders = [](const DataPlane& plane) {
        return plane.mode_ != DataMode::live && std::ranges::any_of(plane.mounts_, [](const DataMount& data) {
                   return has_source(data) && !data.fixture && !data.below_source && !is_kernels_own(data);
               });
    };
    if (!has_folders(*this) || !has_folders(other)) co_return linked;
    std::vector<std::string> words = {"sources"};
    std::vector<engine::MountSpec> mounts;
    std::map<std::string, std::string> here, there;  // where the reader has it -> the mount's target
    const auto add = [&](const DataPlane& plane, const std::string& folder,
                         std::map<std::string, std::string>& targets) {
        for (engine::MountSpec& each : plane.source_mounts()) {
            const std::string place = each.target.substr(each.target.rfind('/') + 1);
            const DataMount& data = plane.mounts_[std::stoul(place)];
            if (is_kernels_own(data)) continue;
            each.target = folder + place;
            each.not_below = may_be_recursive(client_.api_version());
            words.push_back(each.target);
            targets.emplace(each.target, data.mount.target);
            mounts.push_back(std::move(each));
        }
    };
    add(*this, "/rogate/source/", here);
    add(other, "/rogate/source/beside-", there);
    auto account = co_await account_of("links", std::move(words), std::move(mounts));
    if (!account) co_return fail(std::move(account.error()).with_context("looking for files with two names"));
    const std::map<std::string, SourceFacts> facts = source_facts(*account);
    const auto path_of = [](const std::string& target, const std::string& path) {
        return target + (path.empty() ? "" : "/") + path;
    };
    for (const auto& [at, target] : here)
        for (const auto& [beside, its_target] : there) {
            const auto own = facts.find(at), its = facts.find(beside);
            if (own == facts.end() || its == facts.end()) continue;
            // What is one source anyway has one layer.
            if (own->second.device == its->second.device && own->second.root == its->second.root) continue;
            const auto same = [&](const auto& link) {
                return std::ranges::any_of(its->second.links, [&](const auto& other_link) {
                    return other_link.second == link.second;
                });
            };
            const auto link = std::ranges::find_if(own->second.links, same);
            if (link == own->second.links.end()) continue;
            const auto its_link = std::ranges::find(its->second.links, link->second,
                                                    [](const auto& each) { return each.second; });
            linked.emplace_back(path_of(target, link->first), path_of(its_target, its_link->first));
        }
    co_return linked;
}

Task<> DataPlane::learn_of_sources() {
    auto mountinfo = co_await read_account();
    if (!mountinfo)
        co_return fail(std::move(mountinfo.error()).with_context("looking at the mounts' sources"));
    const std::size_t declared = mounts_.size();
    const std::map<std::string, SourceFacts> facts = source_facts(*mountinfo);
    for (std::size_t i = 0; i < declared; ++i)
        if (const auto known = facts.find(fmt::format("/rogate/source/{}", i)); known != facts.end())
            mounts_[i].facts = known->second;
    for (std::size_t i = 0; i < declared; ++i) {
        if (!has_source(mounts_[i])) continue;
        const std::string seen_at = seen_by_helper(i);
        std::vector<Submount> below = submounts_below(seen_at, *mountinfo);
        // What another mount of the subject covers is out of reach.
        std::erase_if(below, [&](const Submount& submount) {
            const std::string at = mounts_[i].mount.target + submount.path.substr(seen_at.size());
            return std::any_of(mounts_.begin(), mounts_.begin() + static_cast<std::ptrdiff_t>(declared),
                               [&](const DataMount& other) {
                                   return other.mount.target.size() > mounts_[i].mount.target.size() &&
                                          is_or_below(at, other.mount.target);
                               });
        });
        const std::vector<Submount> covered = submounts_below(seen_at + as_subject, *mountinfo);
        for (const Submount& submount : below) {
            const std::string path = seen_at + as_subject + submount.path.substr(seen_at.size());
            const auto same = std::ranges::find(covered, path, &Submount::path);
            const bool follows = reaches_below_ && same != covered.end() && same->read_only;
            take_submount(i, submount, below.size(), follows);
        }
    }
    for (std::size_t i = declared; i < mounts_.size(); ++i)
        if (const auto known = facts.find(mounts_[i].seen_at); known != facts.end())
            mounts_[i].facts = known->second;
    co_return Result<>{};
}

void DataPlane::take_submount(std::size_t index, const Submount& submount, std::size_t how_many,
                              bool follows) {
    const std::string inside = submount.path.substr(seen_by_helper(index).size());
    const std::string shown = fmt::format("{}{} ({})", mounts_[index].mount.target, inside, submount.type);
    if (!submount.read_only && !follows) mounts_[index].writable_below.push_back(shown);
    if (mode_ == DataMode::live || is_kernels_own(mounts_[index]))
        return;  // the runs have what the subject has
    // The engine can have made it read-only: whether it was before is not known. Binds alone can be looked at
    // without that.
    const bool unknown = submount.read_only && may_be_recursive(client_.api_version()) &&
                         mounts_[index].mount.type != MountType::bind;
    const std::string source = real_source(mounts_[index]);
    if (how_many > most_given_to_runs || !holds_data(submount.type) || source.empty() || unknown) {
        mounts_[index].hidden_below.push_back(shown);
        return;
    }
    DataMount data;
    data.below_source = true;
    data.seen_at = submount.path;
    data.how = mode_ == DataMode::copy ? DataSource::copy : DataSource::overlay;
    data.mount.source = source + inside;
    data.mount.target = mounts_[index].mount.target + inside;
    data.mount.read_only = submount.read_only || (follows && mounts_[index].mount.read_only);
    data.read_only_by_itself = submount.read_only;
    if (follows) data.follows = mounts_[index].mount.target;
    mounts_.push_back(std::move(data));
}

}  // namespace rogate::campaign
