// Writing a tar for the engine's archive and import calls: what libarchive has no single call for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <rogate/error.hpp>
#include <string>

struct archive;

namespace rogate {

struct FreeArchive {  // of libarchive; readers and writers alike
    void operator()(archive* a) const;
};
using ArchivePtr = std::unique_ptr<archive, FreeArchive>;

struct TarEntry {
    enum class Type { file, folder, link };
    std::string name;  // relative; a folder's may end with '/'
    Type type = Type::file;
    std::uint32_t uid = 0, gid = 0, mode = 0644;  // mode: permission bits
    std::string content = {};                     // file
    std::string target = {};                      // link
    std::int64_t modified = 0;                    // seconds since 1970; 0: whenever it is unpacked
    std::uint32_t nanoseconds = 0;                // beyond them
};

class TarWriter {
  public:
    TarWriter();
    // ErrorKind::internal: libarchive cannot write it.
    Result<> add(const TarEntry& what);
    std::size_t size() const { return bytes_->size(); }  // so far
    // The whole tar; nothing can be added any more.
    Result<std::string> finish();

  private:
    std::unique_ptr<std::string> bytes_;  // where libarchive writes: it has its address
    ArchivePtr writer_;
};

}  // namespace rogate
