#include "scenario/local_tar.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/tar.hpp"

namespace rogate::scenario {

namespace {

namespace fs = std::filesystem;

// All of it is held in memory, once for each run.
constexpr std::size_t load_limit = 256U << 20U;

Result<> add(TarWriter& tar, const TarEntry& entry) {
    if (auto added = tar.add(entry); !added) return added;
    if (tar.size() > load_limit)
        return fail(ErrorKind::usage,
                    fmt::format("more than {} MiB; give the scenario less data", load_limit >> 20U));
    return {};
}

Result<> add_path(TarWriter& tar, const fs::path& path, const TarEntry& like,
                  std::optional<std::uint32_t> mode) {
    struct stat info {};
    if (lstat(path.c_str(), &info) != 0)
        return fail(ErrorKind::usage, fmt::format("{} cannot be read any more", path.string()));
    TarEntry entry = like;
    entry.mode = mode.value_or(static_cast<std::uint32_t>(info.st_mode & 07777U));
    if (S_ISLNK(info.st_mode)) {
        entry.type = TarEntry::Type::link;
        entry.target = fs::read_symlink(path).string();
    } else if (S_ISDIR(info.st_mode)) {
        entry.type = TarEntry::Type::folder;
        entry.name += "/";
    } else if (S_ISREG(info.st_mode)) {
        std::ifstream file(path, std::ios::binary);
        if (!file || static_cast<std::uintmax_t>(info.st_size) > load_limit)
            return fail(ErrorKind::usage, fmt::format("{} cannot be read, or is too large", path.string()));
        entry.content.assign(std::istreambuf_iterator<char>(file), {});
    } else {
        return fail(ErrorKind::usage,
                    fmt::format("{} is no file, folder or link; leave it out", path.string()));
    }
    return add(tar, entry);
}

Result<> add_tree(TarWriter& tar, const fs::path& root, const TarEntry& like,
                  std::optional<std::uint32_t> mode) {
    if (auto added = add_path(tar, root, like, mode); !added) return added;
    std::error_code failure;
    if (!fs::is_directory(root, failure) || fs::is_symlink(root, failure)) return {};
    std::vector<fs::path> inside;
    for (auto each = fs::recursive_directory_iterator(root, failure);
         !failure && each != fs::recursive_directory_iterator(); each.increment(failure))
        inside.push_back(each->path());
    if (failure)
        return fail(ErrorKind::usage, fmt::format("{} cannot be read: {}", root.string(), failure.message()));
    std::sort(inside.begin(), inside.end());
    for (const fs::path& path : inside) {
        TarEntry entry = like;
        entry.name += "/" + path.lexically_relative(root).string();
        if (auto added = add_path(tar, path, entry, std::nullopt); !added) return added;
    }
    return {};
}

}  // namespace

Result<std::string> tar_of_load(const Load& load, const std::string& name) {
    TarWriter tar;
    TarEntry entry{.name = name, .uid = load.uid, .gid = load.gid, .mode = load.mode.value_or(0644)};
    if (load.from.empty()) {
        entry.content = load.text;
        if (auto added = add(tar, entry); !added) return fail(std::move(added.error()));
    } else if (auto added = add_tree(tar, load.from, entry, load.mode); !added) {
        return fail(std::move(added.error()));
    }
    return tar.finish();
}

Result<std::string> tar_of_content(const std::string& from, std::uint32_t uid, std::uint32_t gid,
                                   std::optional<std::uint32_t> mode) {
    TarWriter tar;
    TarEntry entry{.name = ".", .uid = uid, .gid = gid, .mode = mode.value_or(0755)};
    Result<> added;
    if (from.empty()) {
        entry.type = TarEntry::Type::folder;
        entry.name = "./";
        added = add(tar, entry);
    } else {
        if (!fs::is_directory(from)) entry.name = fs::path(from).filename().string();
        added = add_tree(tar, from, entry, mode);
    }
    if (!added) return fail(std::move(added.error()));
    return tar.finish();
}

Result<std::string> text_of_tar(const std::string& tar) {
    const ArchivePtr reader(archive_read_new());
    archive_read_support_format_tar(reader.get());
    archive_read_open_memory(reader.get(), tar.data(), tar.size());
    archive_entry* entry = nullptr;
    std::string content;
    std::vector<std::string> names;
    bool folder = false, first = true;
    for (int status = 0; (status = archive_read_next_header(reader.get(), &entry)) != ARCHIVE_EOF;
         first = false) {
        if (status != ARCHIVE_OK && status != ARCHIVE_WARN)
            return fail(ErrorKind::protocol, fmt::format("the engine's archive is not a tar: {}",
                                                         archive_error_string(reader.get())));
        if (first && archive_entry_filetype(entry) == AE_IFDIR) {
            folder = true;
            continue;
        }
        if (folder) {
            const std::string name = archive_entry_pathname(entry);
            names.push_back(name.substr(name.find('/') + 1));
            continue;
        }
        char piece[65536];
        la_ssize_t got = 0;
        while ((got = archive_read_data(reader.get(), piece, sizeof piece)) > 0)
            content.append(piece, static_cast<std::size_t>(got));
        if (got < 0)
            return fail(ErrorKind::protocol, fmt::format("the engine's archive breaks off: {}",
                                                         archive_error_string(reader.get())));
    }
    if (!folder) return content;
    std::sort(names.begin(), names.end());
    std::string list;
    for (const std::string& name : names) list += name + "\n";
    return list;
}

}  // namespace rogate::scenario
