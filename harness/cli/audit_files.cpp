#include "cli/audit_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "spec/kube_text.hpp"
#include "spec/surroundings.hpp"

namespace rogate::cli {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view skipped[] = {".git", ".hg",         ".svn",       "node_modules", ".venv", "venv",
                                        ".tox", "__pycache__", ".terraform", ".cache",       ".idea"};

void read_one(const fs::path& path, std::string name, audit::Audit& audit) {
    ++audit.files;
    const auto trouble = [&](std::string why) {
        audit.troubles.push_back({name, name + ": " + std::move(why)});
    };
    std::error_code error;
    const std::uintmax_t size = fs::file_size(path, error);
    if (error) return trouble(error.message());
    if (size > spec::largest_manifest)
        return trouble(fmt::format("larger than {} MiB, and not read", spec::largest_manifest >> 20U));
    std::ifstream file(path, std::ios::binary);
    std::string text(size, '\0');
    if (!file || (size > 0 && !file.read(text.data(), static_cast<std::streamsize>(size))))
        return trouble("cannot be read");
    // "./" says nothing, and is not what a repository calls its files.
    while (name.starts_with("./")) name.erase(0, 2);
    audit::read_text(text, name, audit,
                     {.read = spec::read_input_file,
                      .folder = fs::absolute(path, error).lexically_normal().parent_path().string()});
}

void walk(const fs::path& folder, audit::Audit& audit) {
    std::error_code error;
    std::vector<fs::directory_entry> entries;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
        entries.push_back(*it);
    if (error) audit.troubles.push_back({folder.string(), folder.string() + ": " + error.message()});
    std::sort(entries.begin(), entries.end());
    for (const fs::directory_entry& entry : entries) {
        const std::string name = entry.path().filename().string();
        if (entry.is_symlink(error)) continue;
        if (entry.is_directory(error)) {
            if (std::find(std::begin(skipped), std::end(skipped), name) == std::end(skipped))
                walk(entry.path(), audit);
        } else if (entry.is_regular_file(error)) {
            if (audit::may_declare(name)) read_one(entry.path(), entry.path().string(), audit);
        }
    }
}

}  // namespace

void read_tree(const std::string& path, audit::Audit& audit) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (!fs::exists(status))
        audit.troubles.push_back({path, path + ": there is no such file or folder"});
    else if (fs::is_directory(status))
        walk(fs::path(path).lexically_normal(), audit);
    else if (fs::is_regular_file(status))
        read_one(path, path, audit);
    else
        audit.troubles.push_back({path, path + ": is neither a file nor a folder"});
}

void read_file_as(const std::string& path, const std::string& name, audit::Audit& audit) {
    read_one(path, name, audit);
}

}  // namespace rogate::cli
