// What stands behind the PATHs of a command line, told apart by content: scenarios, a Compose project,
// manifests.
#pragma once

#include <optional>
#include <rogate/pods.hpp>
#include <rogate/system.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "spec/scenario_file.hpp"

namespace rogate::spec {

enum class InputKind { scenario, compose, manifests };

// What `text` is; `scenario` if it is nothing else, whose reader then says what is wrong. Pure.
InputKind kind_of(std::string_view text);

struct Input {
    System system;                    // as it was understood
    std::vector<Scenario> scenarios;  // what is settled, one after the other; none of a refused container
    // What the subject of each of them is called; empty: it has no name.
    std::vector<std::string> containers = {};
    // All of them in one campaign: the members that are tried are the scenarios' subjects, in their order.
    // Absent: they are settled one by one, since there is only one of them, they are scenarios, or
    // System::notes say why.
    std::optional<Scenario> together = {};
    Pods pods = {};             // that members of it are in
    bool own_exercise = false;  // nobody wrote a scenario: every container is started, ready, ended
};

// For each PATH: a scenario file, or a folder with a scenario.yaml; a Compose file, or a folder with one; a
// manifest, or a folder with manifests (not those below it); "-": the standard input, which is any of the
// three. All manifests of one command line are one system. A scenario is a system of its own.
//
// What is wrong is ErrorKind::usage, "FILE:LINE:COL: what is wrong; what would be right". A folder that holds
// a Compose project and manifests is an error that names both. What is wrong with one container alone is no
// error here; it stands in System::refused.
std::vector<Result<Input>> load_inputs(const std::vector<std::string>& paths,
                                       const Surroundings& surroundings = {},
                                       const ComposeOptions& options = {});

// ErrorKind::usage, with all reasons, if something of the system is refused.
Result<> check_runnable(const System& system);

}  // namespace rogate::spec
