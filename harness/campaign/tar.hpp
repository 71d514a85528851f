// The little tar that the data plane writes and reads itself: folders with owner and mode, and the first
// header of a stream.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <rogate/error.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/tar.hpp"

struct archive_entry;  // libarchive's

namespace rogate::campaign {

struct TarFolder {
    std::string path;  // relative, no trailing '/'
    std::uint32_t uid = 0, gid = 0, mode = 0755;
    std::int64_t modified = 0;      // seconds since 1970; 0: whenever
    std::uint32_t nanoseconds = 0;  // beyond them
};

Result<std::string> tar_of(const std::vector<TarEntry>& entries);
Result<std::string> tar_of_folders(const std::vector<TarFolder>& folders);

// The same tar of one file, whose time the engine has told in whole seconds.
Result<std::string> with_nanoseconds(std::string_view bytes, std::uint32_t nanoseconds);

// The same tar with `change` done to each header; its first failure ends it.
Result<std::string> with_headers(std::string_view bytes,
                                 const std::function<Result<>(archive_entry*)>& change);

// The same entries, owned by `group` and open to it as a pod's fsGroup makes them: readable and writable, and
// directories with the set-group-ID bit (kubelet: pkg/volume/volume_linux.go, changeFilePermission).
Result<std::string> with_group(std::string_view bytes, std::uint32_t group);

// Owner, mode and time of the first entry, and whether another one follows; needs the first 512 bytes and,
// after pax headers, more: `need_more` in that case.
struct FirstEntry {
    bool need_more = false;
    bool only_one = false;  // true also where the bytes end just behind it
    TarFolder entry;
};
Result<FirstEntry> first_tar_entry(std::string_view bytes);

// Whether there is anything but directories among the entries behind the first one; nullopt: these bytes,
// from its beginning, have only directories so far. Regular files without content count only
// `with_empty_ones`.
std::optional<bool> tar_holds_files(std::string_view bytes, bool with_empty_ones = true);

}  // namespace rogate::campaign
