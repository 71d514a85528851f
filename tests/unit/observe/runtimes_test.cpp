#include "observe/runtimes.hpp"

#include <gtest/gtest.h>

namespace {

using rogate::observe::shares_kernel;

TEST(Runtimes, OfTheEnginesKernelAreKnownByTheirProgram) {
    EXPECT_TRUE(shares_kernel("runc", "runc"));
    EXPECT_TRUE(shares_kernel("runc", "/usr/sbin/runc"));
    EXPECT_TRUE(shares_kernel("crun", "/usr/bin/crun"));
    EXPECT_TRUE(shares_kernel("gpu", "/usr/bin/nvidia-container-runtime"));
    EXPECT_TRUE(shares_kernel("io.containerd.runc.v2", ""));
}

TEST(Runtimes, WithAKernelOfTheirOwnAreNotTakenForThose) {
    EXPECT_FALSE(shares_kernel("runsc", "/usr/bin/runsc"));
    EXPECT_FALSE(shares_kernel("io.containerd.runsc.v1", ""));
    EXPECT_FALSE(shares_kernel("io.containerd.kata.v2", ""));
    EXPECT_FALSE(shares_kernel("runc", "/usr/local/bin/runsc")) << "a name can stand for anything";
    EXPECT_FALSE(shares_kernel("unknown", ""));
    EXPECT_FALSE(shares_kernel("", ""));
    EXPECT_FALSE(shares_kernel("runc", "/opt/runc/"));
}

}  // namespace
