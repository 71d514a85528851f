// What the tests of this room share.
#pragma once

#include <gmock/gmock.h>

#include <map>
#include <string>

#include "spec/scenario_file.hpp"

namespace rogate::spec::test {

// An environment with HOME and PASSED only, and /project/app as the folder of the file.
inline Surroundings surroundings() {
    Surroundings made;
    made.folder = "/project/app";
    made.environment = [](const std::string& name) -> std::optional<std::string> {
        static const std::map<std::string, std::string> set{{"HOME", "/home/qa"}, {"PASSED", "through"}};
        const auto found = set.find(name);
        return found == set.end() ? std::nullopt : std::optional<std::string>(found->second);
    };
    return made;
}

inline Result<Scenario> parse(std::string_view text) {
    return parse_scenario(text, "app/scenario.yaml", surroundings());
}

// The scenario in `text`, which must be without problems.
inline Scenario good(std::string_view text) {
    auto scenario = parse(text);
    if (scenario) return std::move(*scenario);
    ADD_FAILURE() << text << "\n" << scenario.error().message;
    return {};
}

// "subject: {image: a, <more>}"
inline Subject subject(const std::string& more) {
    return good("subject:\n  image: a\n" + more).subject;
}

}  // namespace rogate::spec::test
