#include "scenario/junit_files.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "base/name_pattern.hpp"

namespace rogate::scenario {

namespace fs = std::filesystem;

namespace {

// A pattern that begins at a folder full of other things ends there.
constexpr std::size_t most_entries = 200'000;

// The folder that everything which matches lies in: "/p/results" of "/p/results/*.xml".
fs::path fixed_part(const std::string& pattern) {
    const std::size_t special = pattern.find_first_of("*?\\{");
    return fs::path(pattern.substr(0, special)).parent_path();
}

std::string absolute(const std::string& directory, const std::string& pattern) {
    return (fs::path(directory) / pattern).lexically_normal().string();
}

Result<std::string> text_of(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    std::string text;
    // One byte more than is allowed tells that there is more.
    std::string piece(std::size_t{1} << 16U, '\0');
    while (in && text.size() <= suite::largest_file) {
        in.read(piece.data(), static_cast<std::streamsize>(piece.size()));
        text.append(piece, 0, static_cast<std::size_t>(in.gcount()));
    }
    if (!in.eof() && text.size() <= suite::largest_file)
        return fail(ErrorKind::scenario, fmt::format("{}: it cannot be read", file));
    return text;
}

}  // namespace

JunitFiles::JunitFiles(std::string directory, std::vector<std::string> patterns)
    : directory_(std::move(directory)), patterns_(std::move(patterns)) {
    for (const std::string& pattern : patterns_) before_.merge(look(pattern));
}

JunitFiles::Files JunitFiles::look(const std::string& pattern) const {
    Files files;
    const std::string whole = absolute(directory_, pattern);
    const auto add = [&](const std::string& path) {
        struct stat found {};
        if (stat(path.c_str(), &found) != 0 || !S_ISREG(found.st_mode)) return;
        files.emplace(
            path,
            Stamp{found.st_dev, found.st_ino, found.st_mtim.tv_sec * 1'000'000'000LL + found.st_mtim.tv_nsec,
                  found.st_ctim.tv_sec * 1'000'000'000LL + found.st_ctim.tv_nsec, found.st_size});
    };
    if (whole.find_first_of("*?\\{") == std::string::npos) {
        add(whole);
        return files;
    }
    std::error_code failed;
    const fs::path root = fixed_part(whole);
    const bool deep = whole.find("**") != std::string::npos;
    const auto levels = static_cast<int>(std::ranges::count(whole.substr(root.string().size()), '/'));
    std::size_t seen = 0;
    fs::recursive_directory_iterator each(root, fs::directory_options::skip_permission_denied, failed), end;
    for (; !failed && each != end && ++seen <= most_entries; each.increment(failed)) {
        const std::string path = each->path().string();
        if (matches(whole, path)) add(path);
        if (!deep && each.depth() + 1 >= levels) each.disable_recursion_pending();
    }
    return files;
}

Result<suite::Tests> JunitFiles::read() const {
    std::vector<suite::TestCase> cases;
    std::set<std::string> read;  // two patterns may mean one file
    for (const std::string& pattern : patterns_) {
        const Files files = look(pattern);
        bool fresh = false;
        for (const auto& [path, stamp] : files) {
            const auto earlier = before_.find(path);
            if (earlier != before_.end() && earlier->second == stamp) continue;
            fresh = true;
            if (!read.insert(path).second) continue;
            auto text = text_of(path);
            if (!text) return fail(std::move(text.error()));
            if (auto done = suite::read_junit(*text, path, cases); !done)
                return fail(std::move(done.error()));
        }
        if (!fresh)
            return fail(ErrorKind::scenario,
                        fmt::format("the command wrote no JUnit file that is called {}{}",
                                    absolute(directory_, pattern),
                                    files.empty() ? "" : "; those that are there are of an earlier time"));
    }
    if (cases.empty()) return fail(ErrorKind::scenario, "no test is in the JUnit that the command wrote");
    return suite::by_name(std::move(cases));
}

}  // namespace rogate::scenario
