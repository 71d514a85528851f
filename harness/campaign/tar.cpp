#include "campaign/tar.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <memory>

namespace rogate::campaign {

namespace {

struct FreeArchive {  // archive_free() serves readers and writers alike
    void operator()(archive* a) const { archive_free(a); }
};
struct FreeEntry {
    void operator()(archive_entry* e) const { archive_entry_free(e); }
};
using ArchivePtr = std::unique_ptr<archive, FreeArchive>;
using EntryPtr = std::unique_ptr<archive_entry, FreeEntry>;

la_ssize_t append(archive*, void* to, const void* bytes, std::size_t size) {
    static_cast<std::string*>(to)->append(static_cast<const char*>(bytes), size);
    return static_cast<la_ssize_t>(size);
}

}  // namespace

Result<std::string> tar_of_folders(const std::vector<TarFolder>& folders) {
    std::string bytes;
    const ArchivePtr writer(archive_write_new());
    archive_write_set_format_pax_restricted(writer.get());
    archive_write_open(writer.get(), &bytes, nullptr, append, nullptr);
    for (const TarFolder& folder : folders) {
        const EntryPtr entry(archive_entry_new());
        archive_entry_set_pathname(entry.get(), (folder.path + "/").c_str());
        archive_entry_set_filetype(entry.get(), AE_IFDIR);
        archive_entry_set_perm(entry.get(), folder.mode & 07777U);
        archive_entry_set_uid(entry.get(), folder.uid);
        archive_entry_set_gid(entry.get(), folder.gid);
        if (archive_write_header(writer.get(), entry.get()) != ARCHIVE_OK)
            return fail(ErrorKind::internal, fmt::format("tar: {}", archive_error_string(writer.get())));
    }
    if (archive_write_close(writer.get()) != ARCHIVE_OK)
        return fail(ErrorKind::internal, fmt::format("tar: {}", archive_error_string(writer.get())));
    return bytes;
}

Result<std::string> tar_of_files(const std::vector<TarFile>& files) {
    std::string bytes;
    const ArchivePtr writer(archive_write_new());
    archive_write_set_format_pax_restricted(writer.get());
    archive_write_open(writer.get(), &bytes, nullptr, append, nullptr);
    for (const TarFile& file : files) {
        const EntryPtr entry(archive_entry_new());
        archive_entry_set_pathname(entry.get(), file.path.c_str());
        archive_entry_set_filetype(entry.get(), AE_IFREG);
        archive_entry_set_perm(entry.get(), file.mode & 07777U);
        archive_entry_set_uid(entry.get(), file.uid);
        archive_entry_set_gid(entry.get(), file.gid);
        archive_entry_set_size(entry.get(), static_cast<la_int64_t>(file.content.size()));
        if (archive_write_header(writer.get(), entry.get()) != ARCHIVE_OK ||
            archive_write_data(writer.get(), file.content.data(), file.content.size()) < 0)
            return fail(ErrorKind::internal, fmt::format("tar: {}", archive_error_string(writer.get())));
    }
    if (archive_write_close(writer.get()) != ARCHIVE_OK)
        return fail(ErrorKind::internal, fmt::format("tar: {}", archive_error_string(writer.get())));
    return bytes;
}

Result<std::string> with_group(std::string_view bytes, std::uint32_t group) {
    std::string out;
    const ArchivePtr reader(archive_read_new());
    const ArchivePtr writer(archive_write_new());
    archive_read_support_format_tar(reader.get());
    archive_read_open_memory(reader.get(), bytes.data(), bytes.size());
    archive_write_set_format_pax_restricted(writer.get());
    archive_write_open(writer.get(), &out, nullptr, append, nullptr);
    const auto failed = [](archive* of) {
        return fail(ErrorKind::internal, fmt::format("tar: {}", archive_error_string(of)));
    };
    archive_entry* entry = nullptr;
    int status = archive_read_next_header(reader.get(), &entry);
    for (; status == ARCHIVE_OK || status == ARCHIVE_WARN;
         status = archive_read_next_header(reader.get(), &entry)) {
        archive_entry_set_gid(entry, group);
        archive_entry_set_gname(entry, nullptr);
        const bool folder = archive_entry_filetype(entry) == AE_IFDIR;
        if (archive_entry_filetype(entry) != AE_IFLNK)
            archive_entry_set_perm(entry, archive_entry_perm(entry) | (folder ? 02770U : 0660U));
        if (archive_write_header(writer.get(), entry) < ARCHIVE_WARN) return failed(writer.get());
        const void* block = nullptr;
        std::size_t size = 0;
        la_int64_t offset = 0;
        int more = ARCHIVE_OK;
        while ((more = archive_read_data_block(reader.get(), &block, &size, &offset)) == ARCHIVE_OK)
            if (archive_write_data(writer.get(), block, size) < 0) return failed(writer.get());
        if (more != ARCHIVE_EOF) return failed(reader.get());
    }
    if (status != ARCHIVE_EOF) return failed(reader.get());
    if (archive_write_close(writer.get()) != ARCHIVE_OK) return failed(writer.get());
    return out;
}

Result<FirstEntry> first_tar_entry(std::string_view bytes) {
    FirstEntry first;
    const ArchivePtr reader(archive_read_new());
    archive_read_support_format_tar(reader.get());
    archive_read_open_memory(reader.get(), bytes.data(), bytes.size());
    archive_entry* entry = nullptr;
    const int status = archive_read_next_header(reader.get(), &entry);
    if (status != ARCHIVE_OK && status != ARCHIVE_WARN) {
        if (bytes.size() > (1U << 20U))
            return fail(ErrorKind::protocol, fmt::format("the engine's archive is not a tar: {}",
                                                         archive_error_string(reader.get())));
        first.need_more = true;
        return first;
    }
    first.entry.path = archive_entry_pathname(entry);
    first.entry.uid = static_cast<std::uint32_t>(archive_entry_uid(entry));
    first.entry.gid = static_cast<std::uint32_t>(archive_entry_gid(entry));
    first.entry.mode = static_cast<std::uint32_t>(archive_entry_perm(entry));
    first.only_one = archive_read_next_header(reader.get(), &entry) == ARCHIVE_EOF;
    return first;
}

}  // namespace rogate::campaign
