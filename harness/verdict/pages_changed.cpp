#include "verdict/pages_changed.hpp"

#include <map>
#include <set>
#include <string_view>
#include <utility>

namespace rogate::verdict {

namespace {

// Which service, and which of its pages. A step that asks again after a restart asks the same service; steps
// of others may ask for pages of the same name.
using Page = std::pair<std::string, std::string>;

std::map<Page, std::vector<std::size_t>> contents_in(const RunRecord& run) {
    constexpr std::string_view again = " again";
    std::map<Page, std::vector<std::size_t>> contents;
    for (const auto& [step, seen] : run.observations) {
        const std::string asked = step.ends_with(again) ? step.substr(0, step.size() - again.size()) : step;
        for (const auto& [page, content] : seen.contents) contents[{asked, page}].push_back(content);
    }
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
        if (known.size() == 1 && here != known) changed.push_back(page.second);
    }
    return changed;
}

}  // namespace rogate::verdict
