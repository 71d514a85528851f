#include "campaign/submounts.hpp"

#include <algorithm>
#include <map>
#include <sstream>

#include "base/text.hpp"

namespace rogate::campaign {

namespace {

bool says_read_only(const std::string& options) {
    return options == "ro" || options.starts_with("ro,");
}

}  // namespace

std::vector<Submount> submounts_below(std::string_view directory, std::string_view mountinfo) {
    std::map<std::string, Submount> found;
    std::istringstream lines{std::string(mountinfo)};
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string id, parent, device, root, point, options, word, type, source, of_file_system;
        words >> id >> parent >> device >> root >> point >> options;
        while (words >> word && word != "-") {
        }
        words >> type >> source >> of_file_system;
        const std::string path = without_octal(point);
        if (!path.starts_with(directory) || path.size() <= directory.size() || path[directory.size()] != '/')
            continue;
        found[path] = {path, type, says_read_only(options) || says_read_only(of_file_system)};
    }
    std::vector<Submount> mounts;
    mounts.reserve(found.size());
    for (auto& [path, mount] : found) mounts.push_back(std::move(mount));
    return mounts;
}

std::optional<std::string_view> whole_mountinfo(std::string_view said) {
    static constexpr std::string_view last =
        "\nend\n";  // mountinfo has no such line, nor a newline in a name
    if (!said.ends_with(last)) return std::nullopt;
    return said.substr(0, said.size() - (last.size() - 1));
}

std::set<std::string> roots_with_lists(std::string_view said) {
    std::set<std::string> found;
    std::istringstream lines{std::string(said)};
    for (std::string line; std::getline(lines, line);)
        if (line.starts_with("acl ")) found.insert(line.substr(4));
    return found;
}

bool holds_data(std::string_view type) {
    static constexpr std::string_view kernels_own[] = {
        "proc",    "sysfs",       "cgroup",   "cgroup2",   "devpts",     "mqueue", "debugfs",
        "tracefs", "securityfs",  "bpf",      "configfs",  "fusectl",    "pstore", "efivarfs",
        "autofs",  "binfmt_misc", "devtmpfs", "hugetlbfs", "rpc_pipefs", "nsfs",   "selinuxfs"};
    return std::find(std::begin(kernels_own), std::end(kernels_own), type) == std::end(kernels_own);
}

}  // namespace rogate::campaign
