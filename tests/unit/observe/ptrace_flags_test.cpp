#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <memory>

extern "C" {
#include "observe/agent/calls.h"
#include "observe/protocol.h"
#include "observe/ptrace_agent/flags.h"
}

namespace {

constexpr int ok = 0;

// On a mount that is read-only, a file that exists.
struct Case {
    std::unique_ptr<event> call = std::make_unique<event>();
    std::unique_ptr<where> place = std::make_unique<where>();

    explicit Case(long number, unsigned open_flags = 0) {
        call->number = static_cast<int>(number);
        call->open_flags = open_flags;
        std::strcpy(place->mount, "/data");
        place->read_only = place->exists = true;
    }
    unsigned flags(int error) const { return flags_of(call.get(), place.get(), error); }
};

TEST(PtraceFlags, ARefusalOnAReadOnlyMountIsPlain) {
    EXPECT_EQ(Case(ROW_OPENAT, O_WRONLY).flags(EROFS), 0U);
    EXPECT_EQ(Case(ROW_UNLINK).flags(EROFS), 0U);
}

TEST(PtraceFlags, ARefusalElsewhereIsDoubtful) {
    Case each(ROW_OPENAT, O_WRONLY);
    each.place->read_only = false;
    EXPECT_EQ(each.flags(EROFS), unsigned{ATTEMPT_DOUBTFUL});
    EXPECT_EQ(each.flags(EACCES), 0U);
    EXPECT_EQ(each.flags(ok), 0U);
    each.place->read_only = true;
    each.place->mount[0] = 0;
    EXPECT_EQ(each.flags(EROFS), unsigned{ATTEMPT_DOUBTFUL}) << "its mount is not known";
}

TEST(PtraceFlags, WhatIsSoAlreadyIsANoOpOnlyIfRefused) {
    Case each(ROW_CHMOD);
    each.place->same = true;
    EXPECT_EQ(each.flags(EROFS), unsigned{ATTEMPT_NO_OP});
    EXPECT_EQ(each.flags(ok), 0U) << "it may have changed the time";
    EXPECT_EQ(each.flags(EPERM), 0U);
}

TEST(PtraceFlags, CreatingWhatIsThereChangesNothing) {
    EXPECT_EQ(Case(ROW_OPEN, O_RDONLY | O_CREAT).flags(ok), unsigned{ATTEMPT_NO_OP});
    EXPECT_EQ(Case(ROW_OPEN, O_RDONLY | O_CREAT | O_TRUNC).flags(ok), 0U);
    EXPECT_EQ(Case(ROW_OPEN, O_WRONLY | O_CREAT).flags(ok), 0U);
    EXPECT_EQ(Case(ROW_OPEN, O_RDONLY | O_CREAT).flags(EROFS), 0U);
    EXPECT_EQ(Case(ROW_MKDIR).flags(ok), 0U);
    Case made(ROW_OPEN, O_RDONLY | O_CREAT);
    made.place->exists = false;
    EXPECT_EQ(made.flags(ok), unsigned{ATTEMPT_CREATES});
    EXPECT_EQ(made.flags(EROFS), unsigned{ATTEMPT_CREATES});
}

TEST(PtraceFlags, AnOpenForNeitherReadingNorWritingChangesNothing) {
    EXPECT_EQ(Case(ROW_OPENAT, O_ACCMODE).flags(ok), unsigned{ATTEMPT_NO_OP});
    EXPECT_EQ(Case(ROW_OPENAT, O_ACCMODE).flags(EROFS), unsigned{ATTEMPT_NO_OP});
    EXPECT_EQ(Case(ROW_OPENAT, O_ACCMODE | O_TRUNC).flags(ok), 0U);
    Case made(ROW_OPEN, O_ACCMODE | O_CREAT);
    made.place->exists = false;
    EXPECT_EQ(made.flags(ok), unsigned{ATTEMPT_CREATES});
    EXPECT_EQ(made.flags(EROFS), unsigned{ATTEMPT_CREATES});
}

TEST(PtraceFlags, DevicesAndFifosAreNoFiles) {
    Case each(ROW_OPENAT, O_RDWR);
    each.place->special = true;
    EXPECT_EQ(each.flags(ok), unsigned{ATTEMPT_NO_OP});
    EXPECT_EQ(each.flags(EROFS), 0U);
}

TEST(PtraceFlags, HowItWasFoundIsSaid) {
    Case each(ROW_FCHMOD);
    each.place->by_fd = each.place->lexical = true;
    EXPECT_EQ(each.flags(EROFS), unsigned{ATTEMPT_BY_FD | ATTEMPT_LEXICAL});
}

struct stat file_of(mode_t mode, uid_t owner, gid_t group) {
    struct stat made {};
    made.st_mode = mode;
    made.st_uid = owner;
    made.st_gid = group;
    return made;
}

bool keeps(long number, std::initializer_list<unsigned long long> args, const struct stat& now) {
    const auto call = std::make_unique<event>();
    call->number = static_cast<int>(number);
    std::copy(args.begin(), args.end(), call->args);
    return call_keeps(call.get(), &now);
}

TEST(AgentCalls, SettingTheModeThatIsThereKeepsIt) {
    const auto file = file_of(S_IFREG | 0640, 33, 33);
    EXPECT_TRUE(keeps(ROW_CHMOD, {0, 0640}, file));
    EXPECT_FALSE(keeps(ROW_CHMOD, {0, 0600}, file));
    EXPECT_FALSE(keeps(ROW_CHMOD, {0, 04640}, file));
    EXPECT_TRUE(keeps(ROW_FCHMOD, {7, 0640}, file));
    EXPECT_TRUE(keeps(ROW_FCHMODAT, {0, 0, 0640}, file));
    EXPECT_FALSE(keeps(ROW_FCHMODAT, {0, 0640, 0600}, file));
}

TEST(AgentCalls, SettingTheOwnerThatIsThereKeepsIt) {
    const auto file = file_of(S_IFREG | 0640, 33, 34);
    EXPECT_TRUE(keeps(ROW_CHOWN, {0, 33, 34}, file));
    EXPECT_TRUE(keeps(ROW_LCHOWN, {0, 0xffffffff, 34}, file));
    EXPECT_TRUE(keeps(ROW_FCHOWN, {7, 33, static_cast<unsigned long long>(-1)}, file));
    EXPECT_TRUE(keeps(ROW_FCHOWNAT, {0, 0, 33, 34}, file));
    EXPECT_FALSE(keeps(ROW_CHOWN, {0, 34, 34}, file));
    EXPECT_FALSE(keeps(ROW_FCHOWNAT, {0, 0, 33, 33}, file));
    EXPECT_FALSE(keeps(ROW_CHOWN, {0, 33, 34}, file_of(S_IFREG | 04755, 33, 34))) << "chown clears setuid";
    EXPECT_TRUE(keeps(ROW_CHOWN, {0, 33, 34}, file_of(S_IFDIR | 02755, 33, 34))) << "but not of a directory";
}

TEST(AgentCalls, NoOtherCallKeepsWhatIsThere) {
    const auto file = file_of(S_IFREG | 0640, 33, 34);
    for (const long number :
         {ROW_TRUNCATE, ROW_UTIMENSAT, ROW_SETXATTR, ROW_REMOVEXATTR, ROW_UNLINK, ROW_OPENAT})
        EXPECT_FALSE(keeps(number, {}, file)) << number;
}

bool on_link(long number, std::initializer_list<unsigned long long> args, unsigned open_flags = 0) {
    const auto call = std::make_unique<event>();
    call->number = static_cast<int>(number);
    call->open_flags = open_flags;
    std::copy(args.begin(), args.end(), call->args);
    return call_acts_on_link(call.get());
}

TEST(AgentCalls, ASymlinkIsFollowedOrNotAsTheCallSays) {
    EXPECT_FALSE(on_link(ROW_CHMOD, {}));
    EXPECT_FALSE(on_link(ROW_CHOWN, {}));
    EXPECT_TRUE(on_link(ROW_LCHOWN, {}));
    EXPECT_TRUE(on_link(ROW_UNLINK, {}));
    EXPECT_TRUE(on_link(ROW_RENAME, {}));
    EXPECT_TRUE(on_link(ROW_FCHOWNAT, {0, 0, 0, 0, AT_SYMLINK_NOFOLLOW}));
    EXPECT_FALSE(on_link(ROW_FCHOWNAT, {0, 0, 0, AT_SYMLINK_NOFOLLOW, 0}));
    EXPECT_TRUE(on_link(ROW_UTIMENSAT, {0, 0, 0, AT_SYMLINK_NOFOLLOW}));
    EXPECT_TRUE(on_link(ROW_OPENAT, {}, O_NOFOLLOW | O_WRONLY));
    EXPECT_FALSE(on_link(ROW_OPENAT, {}, O_WRONLY));
    EXPECT_TRUE(on_link(ROW_MKDIR, {}));
}

}  // namespace
