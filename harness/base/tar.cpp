#include "base/tar.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

namespace rogate {

namespace {

struct FreeEntry {
    void operator()(archive_entry* e) const { archive_entry_free(e); }
};

la_ssize_t append(archive*, void* to, const void* bytes, std::size_t size) {
    static_cast<std::string*>(to)->append(static_cast<const char*>(bytes), size);
    return static_cast<la_ssize_t>(size);
}

tl::unexpected<Error> failed(archive* writer) {
    return fail(ErrorKind::internal, fmt::format("tar: {}", archive_error_string(writer)));
}

unsigned file_type(TarEntry::Type type) {
    if (type == TarEntry::Type::folder) return AE_IFDIR;
    return type == TarEntry::Type::link ? AE_IFLNK : AE_IFREG;
}

}  // namespace

void FreeArchive::operator()(archive* a) const {
    archive_free(a);
}

TarWriter::TarWriter() : bytes_(std::make_unique<std::string>()), writer_(archive_write_new()) {
    archive_write_set_format_pax(writer_.get());  // the restricted one has whole seconds
    // Nothing behind the end but the end: podman's reader goes away there, and podman takes what is still to
    // be written for a failure ("passing bulk input to subprocess: broken pipe").
    archive_write_set_bytes_in_last_block(writer_.get(), 1);
    archive_write_open(writer_.get(), bytes_.get(), nullptr, append, nullptr);
}

Result<> TarWriter::add(const TarEntry& what) {
    const std::unique_ptr<archive_entry, FreeEntry> entry(archive_entry_new());
    archive_entry_set_pathname(entry.get(), what.name.c_str());
    archive_entry_set_filetype(entry.get(), file_type(what.type));
    archive_entry_set_perm(entry.get(), what.mode & 07777U);
    archive_entry_set_uid(entry.get(), what.uid);
    archive_entry_set_gid(entry.get(), what.gid);
    if (what.modified != 0) archive_entry_set_mtime(entry.get(), what.modified, what.nanoseconds);
    if (what.type == TarEntry::Type::link) archive_entry_set_symlink(entry.get(), what.target.c_str());
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(what.content.size()));
    // It warns of names that it cannot translate from the "C" locale, and writes them as they are.
    if (archive_write_header(writer_.get(), entry.get()) < ARCHIVE_WARN) return failed(writer_.get());
    if (!what.content.empty() &&
        archive_write_data(writer_.get(), what.content.data(), what.content.size()) < 0)
        return failed(writer_.get());
    return {};
}

Result<std::string> TarWriter::finish() {
    if (archive_write_close(writer_.get()) != ARCHIVE_OK) return failed(writer_.get());
    return std::move(*bytes_);
}

}  // namespace rogate
