#include "verdict/doubt.hpp"

#include <gtest/gtest.h>

namespace rogate::verdict {
namespace {

class Use : public ::testing::Test {
  protected:
    Use() {
        run.observer = "ebpf";
        run.passed = true;
    }
    bool is_used() {
        return with_use({{.target = "/data", .what = "a socket", .way_out = "mount it"}}, {run}).front().used;
    }
    void look(std::string mount, std::string path) {
        Attempt made;
        made.operation = "access";
        made.cls = AttemptClass::access_check;
        made.mount = std::move(mount);
        made.path = std::move(path);
        run.attempts.edit().push_back(made);
    }
    RunRecord run;
};

TEST_F(Use, IsNoneWhereNothingWasOpenedOrLookedFor) {
    EXPECT_FALSE(is_used());
    look("/other", "/other/x");
    look("", "/proc/1/stat");
    EXPECT_FALSE(is_used());
}

TEST_F(Use, IsToOpenSomething) {
    run.uses["/data"] = 1;
    EXPECT_TRUE(is_used());
}

TEST_F(Use, IsToLookForSomething) {
    look("/data", "/data/socket");
    EXPECT_TRUE(is_used());
}

TEST_F(Use, IsToLookSomewhereUnknown) {
    look("", "/gone/socket");
    EXPECT_TRUE(is_used());
}

TEST_F(Use, IsNotKnownWhereOpensAreNotCounted) {
    run.observer = "ptrace";
    EXPECT_TRUE(is_used());
}

}  // namespace
}  // namespace rogate::verdict
