#include "base/capabilities.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rogate {
namespace {

using testing::ElementsAre;

TEST(CapabilityNames, AreDockers) {
    EXPECT_EQ(capability_name(0), "CHOWN");
    EXPECT_EQ(capability_name(21), "SYS_ADMIN");
    EXPECT_EQ(capability_name(40), "CHECKPOINT_RESTORE");
    EXPECT_EQ(capability_name(63), "CAP_63");
    for (const char* same : {"cap_chown", "CAP_CHOWN", "chown", "CHOWN"})
        EXPECT_EQ(capability_named(same), "CHOWN");
    EXPECT_EQ(capability_named("all"), "ALL");
    EXPECT_EQ(capability_named("CHWON"), std::nullopt);
    EXPECT_EQ(default_capabilities(false).size(), 14U);
    EXPECT_EQ(default_capabilities(true).size(), 11U);
    for (const std::string& each : default_capabilities(false)) EXPECT_EQ(capability_named(each), each);
}

TEST(CapabilityNames, AreAddedAndDroppedAsDockerDoes) {
    const std::vector<std::string> defaults{"CHOWN", "KILL"};
    const auto with = [&](std::vector<std::string> added, std::vector<std::string> dropped) {
        return capabilities_with(defaults, added, dropped).value();
    };
    EXPECT_THAT(with({}, {}), ElementsAre("CHOWN", "KILL"));
    EXPECT_THAT(with({"cap_sys_time"}, {"KILL"}), ElementsAre("CHOWN", "SYS_TIME"));
    EXPECT_THAT(with({"NET_RAW"}, {"all"}), ElementsAre("NET_RAW"));
    EXPECT_THAT(with({"KILL"}, {"KILL"}), ElementsAre("CHOWN", "KILL"));
    EXPECT_EQ(with({"ALL"}, {"SYS_ADMIN"}).size(), 40U);
    const auto wrong = capabilities_with(defaults, {"SYS_ADMN"}, {});
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().kind, ErrorKind::usage);
}

}  // namespace
}  // namespace rogate
