#include "verdict/no_op.hpp"

#include <algorithm>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cerrno>

namespace rogate::verdict {

namespace {

bool is_removal(const Attempt& attempt) {
    return attempt.operation == "unlink" || attempt.operation == "rmdir" || attempt.operation == "rename";
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

}  // namespace rogate::verdict
