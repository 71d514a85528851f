#include "verdict/pages_changed.hpp"

#include <map>
#include <set>

namespace rogate::verdict {

namespace {

std::map<std::string, std::vector<std::size_t>> contents_in(const RunRecord& run) {
    std::map<std::string, std::vector<std::size_t>> contents;
    for (const auto& [step, seen] : run.observations)
        for (const auto& [page, content] : seen.contents) contents[page].push_back(content);
    return contents;
}

}  // namespace

std::vector<std::string> pages_changed(const RunRecord& control, const RunRecord& run) {
    const auto there = contents_in(control);
    std::vector<std::string> changed;
    for (const auto& [page, contents] : contents_in(run)) {
        const auto found = there.find(page);
        if (found == there.end() || found->second.size() < 2) continue;
        const std::set<std::size_t> known(found->second.begin(), found->second.end());
        const std::set<std::size_t> here(contents.begin(), contents.end());
        if (known.size() == 1 && here != known) changed.push_back(page);
    }
    return changed;
}

}  // namespace rogate::verdict
