#include "campaign/tar.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

namespace rogate::campaign {

namespace {

la_ssize_t append(archive*, void* to, const void* bytes, std::size_t size) {
    static_cast<std::string*>(to)->append(static_cast<const char*>(bytes), size);
    return static_cast<la_ssize_t>(size);
}

}  // namespace

Result<std::string> tar_of(const std::vector<TarEntry>& entries) {
    TarWriter tar;
    for (const TarEntry& entry : entries)
        if (auto added = tar.add(entry); !added) return fail(std::move(added.error()));
    return tar.finish();
}

Result<std::string> tar_of_folders(const std::vector<TarFolder>& folders) {
    std::vector<TarEntry> entries;
    for (const TarFolder& folder : folders)
        entries.push_back({.name = folder.path + "/",
                           .type = TarEntry::Type::folder,
                           .uid = folder.uid,
                           .gid = folder.gid,
                           .mode = folder.mode,
                           .modified = folder.modified,
                           .nanoseconds = folder.nanoseconds});
    return tar_of(entries);
}

Result<std::string> with_headers(std::string_view bytes,
                                 const std::function<Result<>(archive_entry*)>& change) {
    std::string out;
    const ArchivePtr reader(archive_read_new());
    const ArchivePtr writer(archive_write_new());
    archive_read_support_format_tar(reader.get());
    archive_read_open_memory(reader.get(), bytes.data(), bytes.size());
    archive_write_set_format_pax(writer.get());
    archive_write_set_bytes_in_last_block(writer.get(), 1);  // as in base/tar.cpp
    archive_write_open(writer.get(), &out, nullptr, append, nullptr);
    const auto failed = [](archive* of) {
        return fail(ErrorKind::internal, fmt::format("tar: {}", archive_error_string(of)));
    };
    archive_entry* entry = nullptr;
    int status = archive_read_next_header(reader.get(), &entry);
    for (; status == ARCHIVE_OK || status == ARCHIVE_WARN;
         status = archive_read_next_header(reader.get(), &entry)) {
        if (auto changed = change(entry); !changed) return fail(std::move(changed.error()));
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

Result<std::string> with_nanoseconds(std::string_view bytes, std::uint32_t nanoseconds) {
    return with_headers(bytes, [nanoseconds](archive_entry* entry) -> Result<> {
        archive_entry_set_mtime(entry, archive_entry_mtime(entry), nanoseconds);
        return {};
    });
}

Result<std::string> with_group(std::string_view bytes, std::uint32_t group) {
    return with_headers(bytes, [group](archive_entry* entry) -> Result<> {
        archive_entry_set_gid(entry, group);
        archive_entry_set_gname(entry, nullptr);
        const bool folder = archive_entry_filetype(entry) == AE_IFDIR;
        if (archive_entry_filetype(entry) != AE_IFLNK)
            archive_entry_set_perm(entry, archive_entry_perm(entry) | (folder ? 02770U : 0660U));
        return {};
    });
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
    first.entry.modified = archive_entry_mtime(entry);
    first.only_one = archive_read_next_header(reader.get(), &entry) == ARCHIVE_EOF;
    return first;
}

std::optional<bool> tar_holds_files(std::string_view bytes, bool with_empty_ones) {
    constexpr std::size_t block = 512, type_at = 156, size_at = 124, size_length = 11;
    while (bytes.size() >= block) {
        const char type = bytes[type_at];
        if (bytes[0] == '\0') return false;                                               // the end
        const bool describes = type == 'x' || type == 'g' || type == 'L' || type == 'K';  // the next entry
        std::uint64_t size = 0;
        if (type != '5')
            for (const char digit : bytes.substr(size_at, size_length))
                if (digit >= '0' && digit <= '7') size = size * 8 + static_cast<std::uint64_t>(digit - '0');
        // A size of eight gigabytes and more is no octal number; its first bit is set.
        const bool is_empty_file = (type == '0' || type == '\0') && size == 0 &&
                                   (static_cast<unsigned char>(bytes[size_at]) & 0x80U) == 0;
        if (type != '5' && !describes && (with_empty_ones || !is_empty_file)) return true;
        const std::size_t whole = block + (static_cast<std::size_t>(size) + block - 1) / block * block;
        if (whole > bytes.size()) return std::nullopt;
        bytes.remove_prefix(whole);
    }
    return std::nullopt;
}

}  // namespace rogate::campaign
