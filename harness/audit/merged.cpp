#include "audit/merged.hpp"

#include <algorithm>
#include <string_view>
#include <tuple>

#include "base/text.hpp"

namespace rogate::audit {

namespace {

// Folders to go up from one and down to the other.
std::ptrdiff_t steps_between(std::string_view one, std::string_view other) {
    const auto [end, unused] = std::ranges::mismatch(one, other);
    const auto shared = folder_of(one.substr(0, static_cast<std::size_t>(end - one.begin())));
    return std::ranges::count(one.substr(shared.size()), '/') +
           std::ranges::count(other.substr(shared.size()), '/');
}

}  // namespace

MergedOver::MergedOver(const std::vector<Found>& mounts) {
    for (const Found& found : mounts)
        if (found.kind == "compose" && !found.partial)
            whole_[{found.name, found.mount.target}].push_back(&found);
}

const Found* MergedOver::base_of(const Found& over) const {
    const std::string& file = over.mount.declared.file;
    const bool by_name = is_merged_by_name(file);
    if (over.kind != "compose" || (!by_name && !over.partial)) return nullptr;
    const auto same = whole_.find({over.name, over.mount.target});
    if (same == whole_.end()) return nullptr;
    const Found* best = nullptr;
    std::tuple<std::ptrdiff_t, bool> of_best;
    for (const Found* base : same->second) {
        const std::string& under = base->mount.declared.file;
        if (under == file) continue;
        const std::tuple of_this(steps_between(folder_of(file), folder_of(under)), base->mount.read_only);
        if (by_name && std::get<0>(of_this) > 0) continue;
        if (best != nullptr && of_this >= of_best) continue;
        best = base;
        of_best = of_this;
    }
    return best;
}

}  // namespace rogate::audit
