// The part of the data plane that tells which files a run opened for writing and left as they were.
#include <fmt/format.h>

#include "base/escape.hpp"
#include "campaign/data.hpp"

namespace rogate::campaign {

using engine::Task;

namespace {

// More files of one run than these are not compared; they count as written.
constexpr std::size_t most_compared = 200;

// Bytes that are no UTF-8 cannot be passed to a container as a word.
bool is_word(const std::string& path) {
    return well_formed(path) == path.size();
}

}  // namespace

std::optional<Scratch::Pair> DataPlane::layered(const RunPlan& plan, const std::string& path) const {
    const std::size_t index = mount_of(path);
    const SharedData owner = owner_of(index);
    const DataMount& data = mounts_[owner.with];
    if (data.how != DataSource::overlay || !data.is_directory || data.fixture || plan.data_of ||
        starts_empty(plan, data) || mounts_[index].how == DataSource::given)
        return std::nullopt;
    const std::string inside = owner.part + path.substr(mounts_[index].mount.target.size());
    if (inside.empty() || !is_word(inside)) return std::nullopt;
    return Scratch::Pair{
        .from = seen_by_helper(owner.with) + inside,
        .to = Scratch::in_helper(fmt::format("{}/upper{}", folder(plan.id, owner.with), inside))};
}

Task<std::set<std::string>> DataPlane::unwritten(RunPlan plan, std::vector<std::string> paths) {
    std::vector<std::string> compared;
    std::vector<Scratch::Pair> pairs;
    for (std::string& path : paths) {
        if (pairs.size() == most_compared) break;
        auto pair = layered(plan, path);
        if (!pair) continue;
        pairs.push_back(std::move(*pair));
        compared.push_back(std::move(path));
    }
    std::set<std::string> found;
    if (pairs.empty()) co_return found;
    std::vector<engine::MountSpec> sources = source_mounts();
    auto same = co_await scratch_.unchanged(std::move(pairs), std::move(sources));
    if (!same) co_return fail(std::move(same.error()));
    for (const std::size_t each : *same)
        if (each < compared.size()) found.insert(std::move(compared[each]));
    co_return found;
}

}  // namespace rogate::campaign
