#include "campaign/submounts.hpp"

#include <algorithm>
#include <map>
#include <sstream>

namespace rogate::campaign {

namespace {

// Space, tab, newline and backslash are written as three octal digits.
std::string unescaped(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const std::string_view digits = text.substr(std::min(i + 1, text.size()), 3);
        if (text[i] == '\\' && digits.size() == 3 &&
            digits.find_first_not_of("01234567") == std::string_view::npos) {
            out += static_cast<char>((digits[0] - '0') * 64 + (digits[1] - '0') * 8 + (digits[2] - '0'));
            i += 3;
        } else {
            out += text[i];
        }
    }
    return out;
}

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
        const std::string path = unescaped(point);
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

bool holds_data(std::string_view type) {
    static constexpr std::string_view kernels_own[] = {
        "proc",    "sysfs",       "cgroup",   "cgroup2",   "devpts",     "mqueue", "debugfs",
        "tracefs", "securityfs",  "bpf",      "configfs",  "fusectl",    "pstore", "efivarfs",
        "autofs",  "binfmt_misc", "devtmpfs", "hugetlbfs", "rpc_pipefs", "nsfs",   "selinuxfs"};
    return std::find(std::begin(kernels_own), std::end(kernels_own), type) == std::end(kernels_own);
}

}  // namespace rogate::campaign
