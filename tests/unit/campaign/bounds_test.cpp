// What a campaign may take, and reach.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "campaign/campaign.hpp"
#include "support/fake_observer.hpp"
#include "support/session.hpp"
#include "support/simulated_campaign.hpp"

namespace rogate::campaign {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

TEST(Budget, CountsWhatIsTakenAndNotGivenBack) {
    Budget budget(4, std::nullopt);
    EXPECT_EQ(budget.refusal(4), "");
    EXPECT_EQ(budget.refusal(5), "4 of --max-runs 4 are left, and what is next takes 5");
    budget.take(3);
    EXPECT_EQ(budget.refusal(2), "1 of --max-runs 4 is left, and what is next takes 2");
    budget.give_back(1);
    EXPECT_EQ(budget.refusal(2), "");
    budget.take(2);
    EXPECT_EQ(budget.refusal(1), "--max-runs 4 is used up");
}

TEST(Budget, HasATimeOfItsOwn) {
    test::Session session;
    const Budget budget(std::nullopt, std::chrono::minutes(90));
    EXPECT_EQ(budget.refusal(1'000'000), "");
    session.time.sleep(std::chrono::hours(1));
    EXPECT_EQ(budget.refusal(1), "");
    session.time.sleep(std::chrono::minutes(30));
    EXPECT_EQ(budget.refusal(1), "--max-time 90m is over");
    EXPECT_EQ(Budget(std::nullopt, milliseconds::max()).refusal(1), "");
    EXPECT_EQ(Budget().refusal(1'000'000), "");
}

class CampaignTest : public testing::Test {
  protected:
    CampaignTest() {
        session.fake.disk.put("/srv/data/a", test::file("a"));
        Mount data;
        data.source = "/srv/data";
        data.target = "/data";
        scenario.name = "app";
        scenario.subject.mounts = {data};
        scenario.subject.image = "app:1";
        test::Script script;
        script.at_start = {{.kind = test::Act::Kind::read, .path = "/data/a"}};
        session.fake.add_image("app:1", std::move(script));
        session.fake.fault = [this](int, const test::Call& call) -> std::optional<test::Fault> {
            if (call.name() == "POST /networks/create") networks.push_back(nlohmann::json::parse(call.body));
            return std::nullopt;
        };
        options.own_observer = [this]() -> engine::Task<std::unique_ptr<observe::Observer>> {
            std::unique_ptr<observe::Observer> observer =
                std::make_unique<test::FakeObserver>(session.fake, test::ObserverTrouble{});
            co_return observer;
        };
    }
    CampaignResult go() {
        EXPECT_TRUE(session.run(session.client.negotiate()));
        auto result = session.run(run_campaign(session.client, scenario, "5eed", options, status));
        EXPECT_TRUE(result) << result.error().message;
        EXPECT_TRUE(session.run(sweep_until_settled(session.client, "5eed")));
        return result ? std::move(*result) : CampaignResult{};
    }

    test::Session session;
    test::RecordedStatus status;
    Scenario scenario;
    Options options;
    std::vector<nlohmann::json> networks;
};

TEST_F(CampaignTest, HasANetworkThatReachesOutside) {
    EXPECT_EQ(go().mounts.at(0).verdict, Verdict::safe);
    ASSERT_EQ(networks.size(), 1U);
    EXPECT_FALSE(networks[0].value("Internal", false));
}

TEST_F(CampaignTest, OfflineReachesNothing) {
    options.offline = true;
    scenario.subject.networks = {"prod"};
    EXPECT_EQ(go().mounts.at(0).verdict, Verdict::safe);
    ASSERT_EQ(networks.size(), 1U);
    EXPECT_TRUE(networks[0].value("Internal", false));
    EXPECT_EQ(session.fake.calls_with("/connect"), 0);
    EXPECT_THAT(status.warnings, testing::Contains(HasSubstr("not joined: prod")));
}

TEST_F(CampaignTest, NeverTakesEbpfWhereARuntimeMayHideCalls) {
    options.own_observer = nullptr;
    EXPECT_TRUE(session.run(session.client.negotiate()));
    const auto message = [&](std::string by_default, std::string own, ObserverChoice choice) {
        session.fake.default_runtime = std::move(by_default);
        scenario.subject.runtime = std::move(own);
        options.observer = choice;
        status.warnings.clear();
        const auto result = session.run(run_campaign(session.client, scenario, "5eed", options, status));
        EXPECT_TRUE(session.run(sweep_until_settled(session.client, "5eed")));
        return result ? "" : result.error().message;
    };
    EXPECT_THAT(message("runsc", "", ObserverChoice::ebpf),
                HasSubstr("the runtime runsc is not known to leave"));
    EXPECT_THAT(message("runc", "io.containerd.kata.v2", ObserverChoice::ebpf),
                HasSubstr("use --observer ptrace"));
    EXPECT_THAT(message("", "", ObserverChoice::ebpf), HasSubstr("that the engine does not name"));
    EXPECT_THAT(message("runsc", "runc", ObserverChoice::ebpf), Not(HasSubstr("the runtime")));
    message("runsc", "", ObserverChoice::automatic);
    EXPECT_THAT(status.warnings, testing::Contains(HasSubstr("none of their calls: ptrace is used")));
}

TEST_F(CampaignTest, SharesItsRunsWithTheOthersOfTheCommand) {
    options.budget = std::make_shared<Budget>(3, std::nullopt);
    const CampaignResult first = go();
    EXPECT_EQ(first.mounts.at(0).verdict, Verdict::safe);
    EXPECT_EQ(first.stopped, "");
    EXPECT_EQ(first.runs.size(), 2U);
    const CampaignResult second = go();
    EXPECT_EQ(second.runs.size(), 1U);
    EXPECT_EQ(second.mounts.at(0).verdict, Verdict::inconclusive);
    EXPECT_EQ(second.mounts.at(0).reason,
              "no run that tells was made with it read-only, since --max-runs 3 is used up");
    EXPECT_EQ(second.stopped, "--max-runs 3 is used up");
    const int calls = session.fake.calls_with("/containers/create");
    const CampaignResult third = go();
    EXPECT_TRUE(third.runs.empty());
    EXPECT_EQ(third.mounts.at(0).reason, "no run was made, since --max-runs 3 is used up");
    EXPECT_EQ(session.fake.calls_with("/containers/create"), calls);
}

// Part of a plan's tries would be a weaker proof than what was asked for.
TEST_F(CampaignTest, BeginsNoPlanThatItCannotEnd) {
    options.repeat = 2;
    options.budget = std::make_shared<Budget>(3, std::nullopt);
    const CampaignResult result = go();
    EXPECT_EQ(result.runs.size(), 2U);
    EXPECT_EQ(result.mounts.at(0).verdict, Verdict::inconclusive);
    EXPECT_EQ(result.stopped, "1 of --max-runs 3 is left, and what is next takes 2");
}

TEST_F(CampaignTest, TriesTheRootOnlyIfAsked) {
    const auto targets = [](const CampaignResult& result) {
        std::vector<std::string> found;
        for (const MountResult& each : result.mounts)
            if (each.candidate) found.push_back(each.mount.target);
        return found;
    };
    EXPECT_THAT(targets(go()), testing::ElementsAre("/data"));
    scenario.rootfs = true;
    EXPECT_THAT(targets(go()), testing::ElementsAre("/", "/data"));
}

}  // namespace
}  // namespace rogate::campaign
