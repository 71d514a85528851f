#include "observe/agent_program.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using rogate::ErrorKind;
using rogate::observe::AgentProgram;
using rogate::observe::program_for;
using testing::HasSubstr;

TEST(AgentProgram, IsTheOneOfTheEnginesArchitecture) {
    const AgentProgram both{"holder", "of amd64", "of arm64"};
    EXPECT_EQ(*program_for(both, "amd64"), "of amd64");
    EXPECT_EQ(*program_for(both, "arm64"), "of arm64");
}

TEST(AgentProgram, IsMissingWithAReason) {
    const AgentProgram one{"holder", "of amd64", ""};
    const auto left_out = program_for(one, "arm64"), foreign = program_for(one, "riscv64"),
               nameless = program_for(one, "");
    ASSERT_FALSE(left_out);
    EXPECT_EQ(left_out.error().kind, ErrorKind::engine);
    EXPECT_THAT(left_out.error().message, HasSubstr("built without its holder for engines on arm64"));
    ASSERT_FALSE(foreign);
    EXPECT_THAT(foreign.error().message, HasSubstr("the engine runs on riscv64"));
    ASSERT_FALSE(nameless);
    EXPECT_THAT(nameless.error().message, HasSubstr("that it does not name"));
}

}  // namespace
