#include "campaign/missing.hpp"

#include <fmt/format.h>

namespace rogate::campaign {

namespace {

std::string place_of(const Mount& mount) {
    const SourcePlace& at = mount.declared;
    return at.line == 0 ? std::string() : fmt::format("{}:{}:{}: ", at.file, at.line, at.column);
}

}  // namespace

std::optional<std::string> missing_bind_source(const std::string& message) {
    // Docker's words, and podman's.
    constexpr std::pair<std::string_view, std::string_view> forms[] = {
        {"bind source path does not exist: ", ""}, {"statfs ", ": no such file or directory"}};
    for (const auto& [before, after] : forms) {
        const std::size_t start = message.find(before);
        if (start == std::string::npos) continue;
        const std::size_t begin = start + before.size();
        const std::size_t end = after.empty() ? message.find('\n', begin) : message.find(after, begin);
        if (!after.empty() && end == std::string::npos) continue;
        return message.substr(begin, end == std::string::npos ? end : end - begin);
    }
    return std::nullopt;
}

std::string made_up_note(const Mount& mount) {
    return fmt::format(
        "{}there is no {} on the engine's host: the runs have an empty directory at {} in its place, as "
        "whoever "
        "starts the application would make it; nothing is made there",
        place_of(mount), mount.source, mount.target);
}

Error missing_error(const Mount& mount) {
    return {ErrorKind::usage,
            fmt::format("{}bind source path does not exist: {}, which is mounted on {}; make it first",
                        place_of(mount), mount.source, mount.target)};
}

}  // namespace rogate::campaign
