// Whole campaigns over a fake engine, one for each seed: see tests/README.md. A seed that fails says how it
// is repeated.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <rogate/names.hpp>

#include "support/simulated_campaign.hpp"

namespace rogate::test {
namespace {

// A seed takes some 50 ms where nothing is optimised, and a tenth of that elsewhere.
#ifdef __OPTIMIZE__
constexpr std::uint64_t last_seed = 2000;
#else
constexpr std::uint64_t last_seed = 400;
#endif

struct Seeds {
    std::uint64_t from = 1, to = last_seed;
};

Seeds asked_for() {
    Seeds seeds;
    const char* text = std::getenv("ROGATE_SIMULATION_SEEDS");
    if (text == nullptr) return seeds;
    unsigned long from = 0, to = 0;
    const int known = std::sscanf(text, "%lu-%lu", &from, &to);
    if (known >= 1) seeds = {from, known == 2 ? to : from};
    return seeds;
}

void hold_for(const Seeds& seeds, Simulation (*make)(std::uint64_t), const char* test) {
    const auto [from, to] = seeds;
    int results = 0, runs = 0;
    long calls = 0;
    std::map<std::string, int> verdicts;
    for (std::uint64_t seed = from; seed <= to; ++seed) {
        const Simulation simulation = make(seed);
        const Outcome outcome = simulate(simulation);
        results += outcome.result.has_value() ? 1 : 0;
        runs += outcome.runs;
        calls += outcome.calls;
        if (outcome.result)
            for (const MountResult& each : outcome.result->mounts)
                ++verdicts[std::string(to_string(each.verdict))];
        for (const std::string& wrong : outcome.wrong) ADD_FAILURE() << "seed " << seed << ": " << wrong;
        if (!outcome.wrong.empty() || from == to)
            fmt::print(stderr,
                       "seed {}; again: ROGATE_SIMULATION_SEEDS={}-{} unit_campaign "
                       "--gtest_filter=Simulation.{}\n{}",
                       seed, seed, seed, test, described(simulation, outcome));
    }
    fmt::print("{} campaigns, {} with a result, {} runs, {} calls\n", to - from + 1, results, runs, calls);
    for (const auto& [verdict, count] : verdicts) fmt::print("  {} {}\n", count, verdict);
}

TEST(Simulation, HoldsForEverySeed) {
    hold_for(asked_for(), simulation_of, "HoldsForEverySeed");
}

TEST(Simulation, HoldsForEverySystem) {
    Seeds seeds = asked_for();
    if (std::getenv("ROGATE_SIMULATION_SEEDS") == nullptr) seeds.to /= 40;  // a run starts several containers
    hold_for(seeds, system_simulation_of, "HoldsForEverySystem");
}

std::map<std::string, Verdict> verdicts_of(const Outcome& outcome) {
    std::map<std::string, Verdict> verdicts;
    if (outcome.result)
        for (const MountResult& each : outcome.result->mounts) verdicts[each.mount.target] = each.verdict;
    return verdicts;
}

// What a campaign with bounds has settled is what it would have said without them.
void compare(std::uint64_t seed, const Simulation& bounded, const Outcome& whole,
             std::map<std::string, int>* seen) {
    const Outcome outcome = simulate(bounded);
    const auto say = [&](const std::string& wrong) {
        ADD_FAILURE() << "seed " << seed << ", max_runs " << bounded.max_runs.value_or(0) << ", max_time "
                      << bounded.max_time.value_or(std::chrono::milliseconds(0)).count() << " ms: " << wrong
                      << "\nwithout bounds:\n"
                      << described(bounded, whole) << "with them:\n"
                      << described(bounded, outcome);
    };
    for (const std::string& wrong : outcome.wrong) say(wrong);
    if (!outcome.result) return say("there is no result: " + outcome.error);
    const auto expected = verdicts_of(whole);
    for (const auto& [target, verdict] : verdicts_of(outcome)) {
        ++(*seen)[std::string(to_string(verdict))];
        if (verdict == Verdict::inconclusive) continue;
        const auto found = expected.find(target);
        if (found == expected.end() || found->second != verdict)
            say(fmt::format("{} is {}", target, to_string(verdict)));
    }
    if (outcome.result->stopped.empty() && verdicts_of(outcome) != expected)
        say("it was not stopped, and differs");
}

TEST(Simulation, BoundsChangeNoVerdictThatIsKept) {
    const auto [from, to] = asked_for();
    std::map<std::string, int> seen;
    int stopped = 0;
    for (std::uint64_t seed = from; seed <= std::min(to, from + last_seed / 20 - 1); ++seed) {
        Simulation simulation = simulation_of(seed);
        simulation.trouble = {};
        const Outcome whole = simulate(simulation);
        if (!whole.result) continue;
        for (int runs = 1; runs < whole.runs; ++runs, ++stopped) {
            simulation.max_runs = runs;
            compare(seed, simulation, whole, &seen);
        }
        simulation.max_runs.reset();
        for (const int part : {0, 7, 31, 62, 97}) {
            simulation.max_time = std::chrono::milliseconds(1) + whole.took * part / 100;
            compare(seed, simulation, whole, &seen);
        }
    }
    fmt::print("{} campaigns were stopped\n", stopped);
    for (const auto& [verdict, count] : seen) fmt::print("  {} {}\n", count, verdict);
    EXPECT_GT(seen["safe"] + seen["tolerated"], 0);
}

}  // namespace
}  // namespace rogate::test
