#include "base/text.hpp"

#include <gtest/gtest.h>

namespace rogate {
namespace {

TEST(Text, BelowIsByWholeNames) {
    EXPECT_TRUE(is_or_below("/data", "/data"));
    EXPECT_TRUE(is_or_below("/data/a", "/data"));
    EXPECT_FALSE(is_or_below("/database", "/data"));
    EXPECT_FALSE(is_or_below("/dat", "/data"));
    EXPECT_TRUE(is_or_below("/data", "/"));
    EXPECT_FALSE(is_or_below("", "/"));
}

TEST(Text, SingleQuotesLeaveTheShellNothing) {
    EXPECT_EQ(in_single_quotes("it's $HOME"), "'it'\\''s $HOME'");
    EXPECT_EQ(in_single_quotes(""), "''");
}

}  // namespace
}  // namespace rogate
