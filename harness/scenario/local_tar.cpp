#include "scenario/local_tar.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>

namespace rogate::scenario {

namespace {

namespace fs = std::filesystem;

// All of it is held in memory, once for each run.
constexpr std::size_t load_limit = 256U << 20U;

struct FreeArchive {  // archive_free() serves readers and writers alike
    void operator()(archive* a) const { archive_free(a); }
};
struct FreeEntry {
    void operator()(archive_entry* e) const { archive_entry_free(e); }
};

la_ssize_t append(archive*, void* to, const void* bytes, std::size_t size) {
    static_cast<std::string*>(to)->append(static_cast<const char*>(bytes), size);
    return static_cast<la_ssize_t>(size);
}

struct Entry {
    std::string name;
    unsigned type = AE_IFREG;
    std::uint32_t mode = 0644, uid = 0, gid = 0;
    std::string content, link;
};

class TarWriter {
  public:
    TarWriter() : writer_(archive_write_new()) {
        archive_write_set_format_pax_restricted(writer_.get());
        archive_write_open(writer_.get(), &bytes_, nullptr, append, nullptr);
    }

    Result<> add(const Entry& what) {
        const std::unique_ptr<archive_entry, FreeEntry> entry(archive_entry_new());
        archive_entry_set_pathname(entry.get(), what.name.c_str());
        archive_entry_set_filetype(entry.get(), what.type);
        archive_entry_set_perm(entry.get(), what.mode & 07777U);
        archive_entry_set_uid(entry.get(), what.uid);
        archive_entry_set_gid(entry.get(), what.gid);
        if (what.type == AE_IFLNK) archive_entry_set_symlink(entry.get(), what.link.c_str());
        archive_entry_set_size(entry.get(), static_cast<la_int64_t>(what.content.size()));
        if (archive_write_header(writer_.get(), entry.get()) != ARCHIVE_OK ||
            (!what.content.empty() &&
             archive_write_data(writer_.get(), what.content.data(), what.content.size()) < 0))
            return fail(ErrorKind::internal, fmt::format("tar: {}", archive_error_string(writer_.get())));
        if (bytes_.size() > load_limit)
            return fail(ErrorKind::usage,
                        fmt::format("more than {} MiB; give the scenario less data", load_limit >> 20U));
        return {};
    }
    Result<std::string> finish() {
        if (archive_write_close(writer_.get()) != ARCHIVE_OK)
            return fail(ErrorKind::internal, fmt::format("tar: {}", archive_error_string(writer_.get())));
        return std::move(bytes_);
    }

  private:
    std::string bytes_;
    std::unique_ptr<archive, FreeArchive> writer_;
};

Result<> add_path(TarWriter& tar, const fs::path& path, const Entry& like,
                  std::optional<std::uint32_t> mode) {
    struct stat info {};
    if (lstat(path.c_str(), &info) != 0)
        return fail(ErrorKind::usage, fmt::format("{} cannot be read any more", path.string()));
    Entry entry = like;
    entry.mode = mode.value_or(static_cast<std::uint32_t>(info.st_mode & 07777U));
    if (S_ISLNK(info.st_mode)) {
        entry.type = AE_IFLNK;
        entry.link = fs::read_symlink(path).string();
    } else if (S_ISDIR(info.st_mode)) {
        entry.type = AE_IFDIR;
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
    return tar.add(entry);
}

Result<> add_tree(TarWriter& tar, const fs::path& root, const Entry& like,
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
        Entry entry = like;
        entry.name += "/" + path.lexically_relative(root).string();
        if (auto added = add_path(tar, path, entry, std::nullopt); !added) return added;
    }
    return {};
}

}  // namespace

Result<std::string> tar_of_load(const Load& load, const std::string& name) {
    TarWriter tar;
    Entry entry{.name = name,
                .mode = load.mode.value_or(0644),
                .uid = load.uid,
                .gid = load.gid,
                .content = {},
                .link = {}};
    if (load.from.empty()) {
        entry.content = load.text;
        if (auto added = tar.add(entry); !added) return fail(std::move(added.error()));
    } else if (auto added = add_tree(tar, load.from, entry, load.mode); !added) {
        return fail(std::move(added.error()));
    }
    return tar.finish();
}

Result<std::string> tar_of_content(const std::string& from, std::uint32_t uid, std::uint32_t gid,
                                   std::optional<std::uint32_t> mode) {
    TarWriter tar;
    Entry entry{.name = ".", .mode = mode.value_or(0755), .uid = uid, .gid = gid, .content = {}, .link = {}};
    Result<> added;
    if (from.empty()) {
        entry.type = AE_IFDIR;
        entry.name = "./";
        added = tar.add(entry);
    } else {
        if (!fs::is_directory(from)) entry.name = fs::path(from).filename().string();
        added = add_tree(tar, from, entry, mode);
    }
    if (!added) return fail(std::move(added.error()));
    return tar.finish();
}

Result<std::string> text_of_tar(const std::string& tar) {
    const std::unique_ptr<archive, FreeArchive> reader(archive_read_new());
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
