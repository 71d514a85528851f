#include "verdict/no_op.hpp"

#include <fcntl.h>

#include <algorithm>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cerrno>
#include <map>
#include <set>

namespace rogate::verdict {

namespace {

bool is_removal(const Attempt& attempt) {
    return attempt.operation == "unlink" || attempt.operation == "rmdir" || attempt.operation == "rename";
}

bool is_open(const Attempt& attempt) {
    return attempt.operation == "open-write";
}

bool only_opens(const Attempt& attempt) {
    constexpr std::uint32_t changes = O_TRUNC | O_APPEND | (O_TMPFILE & ~O_DIRECTORY);
    return is_open(attempt) && attempt.error == 0 && (attempt.open_flags & O_ACCMODE) == O_RDWR &&
           (attempt.open_flags & changes) == 0;
}

bool is_below_any(std::string_view path, const std::set<std::string_view>& folders) {
    for (std::size_t end = path.rfind('/'); end != std::string_view::npos && end > 0;
         end = path.rfind('/', end - 1))
        if (folders.contains(path.substr(0, end))) return true;
    return false;
}

}  // namespace

bool fails_everywhere(std::string_view operation, int error) {
    if (error == EACCES) return true;
    if (operation == "unlink" || operation == "rmdir" || operation == "rename")
        return error == ENOENT || error == ENOTEMPTY || error == ENOTDIR;
    if (operation == "chmod" || operation == "chown" || operation == "utime") return error == EPERM;
    // fs/xattr.c: EPERM is for trusted.* and security.* without the capability, and for user.* on what is
    // neither a file nor a directory.
    if (operation == "setxattr") return error == EPERM;
    return operation == "removexattr" && (error == EPERM || error == ENODATA);
}

void distrust_removals(RunRecord& run) {
    const auto doubted = [](const Attempt& each) {
        return each.error == EROFS && each.cls == AttemptClass::no_op && is_removal(each) &&
               each.control == "ok";
    };
    if (std::none_of(run.attempts.begin(), run.attempts.end(), doubted)) return;
    boost::unordered_flat_set<std::string_view> refused;
    for (const Attempt& each : run.attempts)
        if (each.error == EROFS && each.cls == AttemptClass::write && !is_removal(each))
            refused.insert(each.path);
    for (Attempt& each : run.attempts.edit())
        if (doubted(each) && !refused.contains(each.path)) each.cls = AttemptClass::write;
}

std::vector<std::string> only_opened(const RunRecord& control) {
    std::map<std::string_view, bool> opened;  // whether nothing else was done to it
    std::set<std::string_view> renamed;
    for (const Attempt& each : control.attempts) {
        if (each.operation == "rename") renamed.insert(each.path.view());
        if (each.operation == "access") continue;
        const bool only = only_opens(each) && !each.mount.empty();
        const auto [at, fresh] = opened.try_emplace(each.path.view(), only);
        if (!fresh) at->second = at->second && only;
    }
    std::vector<std::string> paths;
    for (const auto& [path, only] : opened)
        if (only && !is_below_any(path, renamed)) paths.emplace_back(path);
    return paths;
}

void excuse_openings(RunRecord& run, const RunRecord& control) {
    if (control.unwritten.empty()) return;
    const auto excused = [&](const Attempt& each) {
        return each.error == EROFS && each.cls == AttemptClass::write && is_open(each) && each.read_instead &&
               each.control == "ok" && control.unwritten.contains(each.path.str());
    };
    if (std::none_of(run.attempts.begin(), run.attempts.end(), excused)) return;
    for (Attempt& each : run.attempts.edit())
        if (excused(each)) each.cls = AttemptClass::no_op;
}

void distrust_openings(RunRecord& run, const RunRecord& control) {
    const auto doubted = [&](const Attempt& each) {
        return each.error == EROFS && each.cls == AttemptClass::no_op && is_open(each) && each.read_instead &&
               !control.unwritten.contains(each.path.str());
    };
    if (std::none_of(run.attempts.begin(), run.attempts.end(), doubted)) return;
    for (Attempt& each : run.attempts.edit())
        if (doubted(each)) each.cls = AttemptClass::write;
}

}  // namespace rogate::verdict
