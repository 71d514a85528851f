// Mounts that a change to files made read-only, and which scenarios are about them. Pure.
#pragma once

#include <rogate/result.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace rogate::change {

// One mount that was writable before and is read-only now.
struct Change {
    std::string kind;  // compose, kubernetes, scenario
    std::string name;  // the service, "Deployment/shop", the scenario
    std::string container;
    std::string target;
    SourcePlace declared;   // as it is now; the file's name is relative to the repository
    std::string path;       // of the file, absolute
    std::string base = {};  // compose: the file that this one is merged over, relative to the repository
    bool operator==(const Change&) const = default;
};

struct Since {
    std::string revision;  // as it was asked for
    std::string folder;    // what relative names in scenarios and results are relative to
    std::vector<Change> changes;
    std::vector<std::string> not_compared;  // files that cannot be read, and why
    // Mounts that may have been made read-only, and what keeps that from being told.
    std::vector<std::string> not_known = {};
    bool operator==(const Since&) const = default;
};

// Whether the subject of `scenario` is what was changed. An absolute name may be of another checkout; any
// other must be the same file.
bool is_about(const Change& change, const std::string& folder, const Scenario& scenario);

// The mounts of the scenario that were made read-only, in order and each once.
std::vector<std::string> made_read_only(const Since& since, const Scenario& scenario);

// The scenario as it was before, with just these mounts as candidates: whether they can be read-only is what
// its runs find out.
Scenario before_the_change(Scenario scenario, const std::vector<std::string>& made_read_only);

}  // namespace rogate::change
