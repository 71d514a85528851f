#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <linux/fs.h>
#include <linux/fscrypt.h>
#include <linux/fsverity.h>
#include <sys/mount.h>
#include <sys/quota.h>

#include <algorithm>
#include <cerrno>
#include <vector>

extern "C" {
#include "observe/agent/calls.h"
#include "observe/agent/ioctls.h"
}

namespace {

event call(int number, std::vector<unsigned long long> args = {}) {
    event made{};
    made.number = number;
    std::copy(args.begin(), args.end(), made.args);
    return made;
}

TEST(AgentCalls, ThatAreNotLookedAtChangeSomethingOrNot) {
    const auto changes = [](int number, std::vector<unsigned long long> args) {
        const event made = call(number, std::move(args));
        return call_changes_unlooked(&made);
    };
    EXPECT_TRUE(changes(ROW_BPF, {BPF_OBJ_PIN}));
    EXPECT_FALSE(changes(ROW_BPF, {BPF_OBJ_GET}));
    EXPECT_TRUE(changes(ROW_ACCT, {0x7f00}));
    EXPECT_FALSE(changes(ROW_ACCT, {0}));
    EXPECT_TRUE(changes(ROW_QUOTACTL, {static_cast<unsigned>(QCMD(Q_SETQUOTA, USRQUOTA))}));
    EXPECT_FALSE(changes(ROW_QUOTACTL, {static_cast<unsigned>(QCMD(Q_GETQUOTA, GRPQUOTA))}));
    EXPECT_TRUE(changes(ROW_QUOTACTL_FD, {3, static_cast<unsigned>(QCMD(Q_QUOTAON, USRQUOTA))}));
    EXPECT_TRUE(changes(ROW_SWAPON, {}));
    EXPECT_TRUE(changes(KERNEL_NUMBER + NEWEST_CALL + 1, {}));
}

TEST(AgentCalls, TellWhetherTheyChangeAName) {
    event renamed = call(ROW_RENAMEAT2);
    EXPECT_TRUE(call_changes_name(&renamed));
    EXPECT_TRUE(call_moves_off(&renamed));
    renamed.args[4] = RENAME_EXCHANGE;
    EXPECT_FALSE(call_moves_off(&renamed));
    renamed.args[4] = 0;
    renamed.flags = EVENT_SECOND;
    EXPECT_FALSE(call_moves_off(&renamed));
    for (const int number : {ROW_UNLINK, ROW_SYMLINKAT, ROW_MOUNT}) {
        const event each = call(number);
        EXPECT_TRUE(call_changes_name(&each)) << number;
        EXPECT_FALSE(call_moves_off(&each)) << number;
    }
    for (const int number : {ROW_CHMOD, ROW_FCHOWN, ROW_SETXATTR}) {
        const event each = call(number);
        EXPECT_FALSE(call_changes_name(&each)) << number;
    }
}

TEST(AgentCalls, SayWhatTheKernelWillFollow) {
    event handle = call(ROW_NAME_TO_HANDLE_AT);
    EXPECT_FALSE(call_follows_last(&handle));
    handle.args[4] = AT_SYMLINK_FOLLOW;
    EXPECT_TRUE(call_follows_last(&handle));
    const event made = call(ROW_MKDIR), changed = call(ROW_CHMOD), removed = call(ROW_UNLINK);
    EXPECT_FALSE(call_follows_last(&made));
    EXPECT_TRUE(call_follows_last(&changed));
    EXPECT_FALSE(call_follows_last(&removed));
}

TEST(AgentIoctls, AreThoseOfTheKernelsHeaders) {
    const auto known = [](unsigned long request) {
        return std::find(std::begin(changing_ioctls), std::end(changing_ioctls), request) !=
               std::end(changing_ioctls);
    };
    for (const unsigned long request :
         {FS_IOC_SETFLAGS, FS_IOC32_SETFLAGS, FS_IOC_SETVERSION, FS_IOC32_SETVERSION, FS_IOC_FSSETXATTR,
          FS_IOC_SETFSLABEL, FS_IOC_ENABLE_VERITY, FS_IOC_SET_ENCRYPTION_POLICY})
        EXPECT_TRUE(known(request)) << std::hex << request;
    for (const unsigned long request : {FS_IOC_GETFLAGS, FS_IOC_FSGETXATTR, FS_IOC_GETFSLABEL})
        EXPECT_FALSE(known(request)) << std::hex << request;
}

}  // namespace
