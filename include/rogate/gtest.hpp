// GoogleTest: a fixture is the scenario, and its sibling asks for verdicts (harness/library/README.md).
//
//   ROGATE_SYSTEM(Shop, "compose.yaml");
//   TEST_F(Shop, SellsBooks) { … endpoint("web", 80) … }                      // in each of rogate's runs
//   TEST_F(ShopVerdicts, Conf) { EXPECT_SAFE_READ_ONLY("web", "/etc/nginx"); }  // when they are over
//
// rogate runs the test program itself as its --test; inside, ROGATE_RUN is set.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <rogate/rogate.hpp>
#include <string>
#include <vector>

namespace rogate::testing {

// What is started, and how.
struct System {
    std::string name;  // the fixture
    std::string path;  // Compose file, folder, manifest or scenario, for `rogate run`
    std::vector<std::string> options = {};
};

// What came of `rogate run`.
struct Answer {
    int exit_code = 0;
    std::string output;  // what rogate said on stderr
    std::vector<CampaignResult> results;
    std::string problem;  // why there are no results; empty: there are
};

// Whether this process was started by rogate, for one of its runs.
bool is_inside();
// Runs rogate once for each system and process; later calls return the same.
const Answer& answer_of(const System& system);
// What the control run said of a test of that fixture: empty if it passed.
std::string failure_in_control(const Answer& answer, const std::string& test);

::testing::AssertionResult has_verdict(const Answer& answer, const char* container, const char* target,
                                       const std::vector<Verdict>& wanted);

// The tests of a scenario. In the outer program they are skipped, or fail as they did in the control run.
class SystemTest : public ::testing::Test {
  protected:
    void SetUp() override;
    virtual const System& system() const = 0;

    // "127.0.0.1:32768": where a container's tcp port is reached. Fails the test where nothing has it.
    static std::string endpoint(const std::string& container, int port);
    // The port by which users reach the system, "http://127.0.0.1:32768".
    static std::string url();
};

// Tests that look at the answer. Inside they are skipped.
class VerdictTest : public ::testing::Test {
  protected:
    void SetUp() override;
    virtual const System& system() const = 0;
    const Answer& answer() const { return answer_of(system()); }
};

}  // namespace rogate::testing

// Defines the fixtures NAME and NAMEVerdicts. What follows the path are options of `rogate run`.
#define ROGATE_SYSTEM(NAME, PATH, ...)                                                                 \
    inline const ::rogate::testing::System& rogate_system_of_##NAME() {                                \
        static const ::rogate::testing::System system{#NAME, PATH, {__VA_ARGS__}};                     \
        return system;                                                                                 \
    }                                                                                                  \
    class NAME : public ::rogate::testing::SystemTest {                                                \
      protected:                                                                                       \
        const ::rogate::testing::System& system() const override { return rogate_system_of_##NAME(); } \
    };                                                                                                 \
    class NAME##Verdicts : public ::rogate::testing::VerdictTest {                                     \
      protected:                                                                                       \
        const ::rogate::testing::System& system() const override { return rogate_system_of_##NAME(); } \
    }

// Within a VerdictTest. The mount can be read-only: `safe`, or it is already.
#define EXPECT_SAFE_READ_ONLY(container, target)                            \
    EXPECT_TRUE(::rogate::testing::has_verdict(answer(), container, target, \
                                               {::rogate::Verdict::safe, ::rogate::Verdict::already_ro}))
// The mount has exactly that verdict: EXPECT_VERDICT("db", "/data", required).
#define EXPECT_VERDICT(container, target, verdict) \
    EXPECT_TRUE(::rogate::testing::has_verdict(answer(), container, target, {::rogate::Verdict::verdict}))
