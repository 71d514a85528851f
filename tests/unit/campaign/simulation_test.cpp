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

TEST(Simulation, HoldsForEverySeed) {
    const auto [from, to] = asked_for();
    int results = 0, runs = 0;
    long calls = 0;
    std::map<std::string, int> verdicts;
    for (std::uint64_t seed = from; seed <= to; ++seed) {
        const Simulation simulation = simulation_of(seed);
        const Outcome outcome = simulate(simulation);
        results += outcome.result.has_value() ? 1 : 0;
        runs += outcome.runs;
        calls += outcome.calls;
        if (outcome.result)
            for (const MountResult& each : outcome.result->mounts)
                ++verdicts[std::string(to_string(each.verdict))];
        for (const std::string& wrong : outcome.wrong) ADD_FAILURE() << "seed " << seed << ": " << wrong;
        if (!outcome.wrong.empty() || from == to)
            fmt::print(
                stderr,
                "seed {}; again: ROGATE_SIMULATION_SEEDS={}-{} unit_campaign --gtest_filter=Simulation.*\n{}",
                seed, seed, seed, described(simulation, outcome));
    }
    fmt::print("{} campaigns, {} with a result, {} runs, {} calls\n", to - from + 1, results, runs, calls);
    for (const auto& [verdict, count] : verdicts) fmt::print("  {} {}\n", count, verdict);
}

}  // namespace
}  // namespace rogate::test
