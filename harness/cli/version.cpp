#include "cli/version.hpp"

#include "rogate_version.hpp"  // made by version.cmake

namespace rogate::cli {

std::string version() {
    return ROGATE_VERSION;
}

std::string version_date() {
    return ROGATE_COMMIT_DATE;
}

std::string version_text() {
    const std::string commit = ROGATE_COMMIT, date = ROGATE_COMMIT_DATE;
    std::string text = "rogate " ROGATE_VERSION "\n";
    if (!commit.empty()) text += "commit " + commit + (date.empty() ? "" : " of " + date) + ", ";
    return text + ROGATE_BUILD;
}

}  // namespace rogate::cli
