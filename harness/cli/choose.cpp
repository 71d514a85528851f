#include "cli/choose.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "base/name_pattern.hpp"

namespace rogate::cli {

namespace {

struct Shard {
    std::size_t part = 1, of = 1;
};

Result<Shard> parse_shard(const std::string& text) {
    Shard shard;
    if (text.empty()) return shard;
    const char* end = text.data() + text.size();
    const auto part = std::from_chars(text.data(), end, shard.part);
    if (part.ec == std::errc{} && part.ptr != end && *part.ptr == '/') {
        const auto of = std::from_chars(part.ptr + 1, end, shard.of);
        if (of.ec == std::errc{} && of.ptr == end && shard.part >= 1 && shard.part <= shard.of) return shard;
    }
    return fail(ErrorKind::usage,
                fmt::format("--shard {}: write I/N with I from 1 to N, for example 1/4", text));
}

}  // namespace

Result<std::vector<Scenario>> choose(std::vector<Scenario> scenarios,
                                     const std::vector<std::string>& patterns, const std::string& shard) {
    const auto part = parse_shard(shard);
    if (!part) return fail(Error(part.error()));
    std::set<std::string> names;
    for (const Scenario& scenario : scenarios)
        if (!names.insert(scenario.name).second)
            return fail(ErrorKind::usage,
                        fmt::format("two scenarios are named '{}'; their results would be one; name "
                                    "them apart",
                                    scenario.name));
    for (const std::string& pattern : patterns)
        if (std::none_of(names.begin(), names.end(),
                         [&](const std::string& name) { return matches(pattern, name); }))
            return fail(ErrorKind::usage, fmt::format("--only {}: no scenario is named so; there are {}",
                                                      pattern, fmt::join(names, ", ")));
    if (!patterns.empty())
        std::erase_if(scenarios, [&](const Scenario& scenario) {
            return std::none_of(patterns.begin(), patterns.end(),
                                [&](const std::string& pattern) { return matches(pattern, scenario.name); });
        });
    std::vector<Scenario> chosen;
    for (std::size_t i = 0; i < scenarios.size(); ++i)
        if (i % part->of == part->part - 1) chosen.push_back(std::move(scenarios[i]));
    return chosen;
}

}  // namespace rogate::cli
