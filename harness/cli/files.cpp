#include "cli/files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <vector>

namespace rogate::cli {

namespace {

tl::unexpected<Error> io_error(std::string_view what, const std::string& path) {
    return fail(ErrorKind::io, fmt::format("{} {}: {}", what, path, std::strerror(errno)));
}

// False: errno says why not.
bool write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t n = write(fd, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
}

}  // namespace

Result<> write_file(const std::string& path, const std::function<Result<>(const report::Sink&)>& write) {
    const std::string temporary = fmt::format("{}.{}.tmp", path, getpid());
    const int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return io_error("cannot write", temporary);
    const auto written = write([&](std::string_view bytes) -> Result<> {
        if (!write_all(fd, bytes)) return io_error("cannot write", path);
        return {};
    });
    if (!written) {
        close(fd);
        unlink(temporary.c_str());
        return written;
    }
    if (close(fd) != 0 || std::rename(temporary.c_str(), path.c_str()) != 0) {
        auto error = io_error("cannot write", path);
        unlink(temporary.c_str());
        return error;
    }
    return {};
}

Result<> write_file(const std::string& path, std::string_view bytes) {
    return write_file(path, [&](const report::Sink& sink) { return sink(bytes); });
}

Result<> append_file(const std::string& path, std::string_view bytes) {
    const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) return io_error("cannot write", path);
    if (!write_all(fd, bytes)) {
        auto error = io_error("cannot write", path);
        close(fd);
        return error;
    }
    if (close(fd) != 0) return io_error("cannot write", path);
    return {};
}

Result<> print(std::string_view text) {
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
        return io_error("cannot write to", "standard output");
    return {};
}

Result<std::string> read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return fail(ErrorKind::usage, fmt::format("cannot read {}: {}", path, std::strerror(errno)));
    std::ostringstream text;
    text << file.rdbuf();
    if (file.bad()) return fail(ErrorKind::io, fmt::format("cannot read {}", path));
    return std::move(text).str();
}

Result<report::Source> open_file(const std::string& path) {
    struct Reading {
        std::ifstream file;
        std::vector<char> piece = std::vector<char>(256U << 10U);
    };
    auto reading = std::make_shared<Reading>();
    reading->file.open(path, std::ios::binary);
    if (!reading->file)
        return fail(ErrorKind::usage, fmt::format("cannot read {}: {}", path, std::strerror(errno)));
    return [reading, path]() -> Result<std::string_view> {
        auto& [file, piece] = *reading;
        file.read(piece.data(), static_cast<std::streamsize>(piece.size()));
        if (file.bad()) return fail(ErrorKind::io, fmt::format("cannot read {}", path));
        return std::string_view(piece.data(), static_cast<std::size_t>(file.gcount()));
    };
}

Result<> make_folder(const std::string& path) {
    // What it is to hold names the user's paths: for the user alone, unless it was there.
    const mode_t before = umask(077);
    std::error_code error;
    std::filesystem::create_directories(path, error);
    umask(before);
    if (error)
        return fail(ErrorKind::io, fmt::format("cannot make the folder {}: {}", path, error.message()));
    return {};
}

}  // namespace rogate::cli
