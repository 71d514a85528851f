// Scenario files: YAML -> rogate::Scenario. The format is published as scenarios/scenario.schema.json.
#pragma once

#include <rogate/error.hpp>
#include <rogate/scenario.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "spec/surroundings.hpp"

namespace rogate::spec {

// What the command line says about a Compose file that stands for a scenario.
struct ComposeOptions {
    std::vector<std::string> services;  // none: the only one, or all of them where that can be
    std::vector<std::string> profiles;
};

// Pure but for `surroundings`. `file_name` is used in messages, for the folder of relative paths and for the
// default of the scenario's name. All problems are reported in one Error of kind usage, "FILE:LINE:COL: what
// is wrong; what would be right", one per line, at most 20.
//
// The text may also be a Compose file: its service is the subject then, ready when it is healthy or its ports
// answer, and there are no steps.
//
// Every tcp port that a step or check talks to is added to subject.ports, so that it is published.
Result<Scenario> parse_scenario(std::string_view text, std::string file_name,
                                const Surroundings& surroundings = {}, const ComposeOptions& compose = {});

// Reads a file of at most 1 MiB; of a folder, its scenario.yaml (or scenario.yml), else its Compose file with
// the override file beside it; "-": the standard input.
Result<Scenario> load_scenario(const std::string& path, const Surroundings& surroundings = {},
                               const ComposeOptions& compose = {});

}  // namespace rogate::spec
