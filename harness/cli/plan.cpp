#include <fmt/format.h>

#include <cstdio>

#include "cli/commands.hpp"
#include "cli/files.hpp"
#include "cli/given.hpp"
#include "cli/session.hpp"
#include "plan/render.hpp"
#include "secrets/collect.hpp"
#include "spec/inputs.hpp"
#include "spec/system.hpp"

namespace rogate::cli {

namespace {

plan::Plan plan_of_input(spec::Input input, const PlanOptions& options) {
    for (Scenario& each : input.scenarios) each.rootfs = options.rootfs;
    Secrets secrets;
    // Those that cannot be settled have theirs, too.
    for (const SystemContainer& each : input.system.containers)
        add_secrets(secrets, secrets::of_scenario(spec::scenario_of(input.system, each.name)));
    for (const Scenario& each : input.scenarios) add_secrets(secrets, secrets::of_scenario(each));
    plan::Plan made = plan::plan_of(std::move(input.system), input.scenarios, options.offline);
    made.together = !options.one_by_one && input.together.has_value();
    plan::hide_secrets(made, Masker(secrets));
    return made;
}

}  // namespace

// The exit code is that of a run which could not begin: 2 where something is refused.
int plan_command(const Global&, const PlanOptions& options) {
    auto surroundings = given_surroundings(options.without, options.variables);
    if (!surroundings) return report_error(surroundings.error());
    std::vector<plan::Plan> plans;
    int worst = 0;
    auto inputs = spec::load_inputs(options.paths, *surroundings, {options.services, options.profiles});
    if (auto known = give_candidates(options.candidates, inputs); !known) return report_error(known.error());
    for (auto& input : inputs) {
        if (!input) {
            worst = report_error(input.error());
            continue;
        }
        if (!input->system.refused.empty()) worst = exit_code(ErrorKind::usage);
        plans.push_back(plan_of_input(std::move(*input), options));
    }
    if (plans.empty()) return worst;
    const std::string text = options.format == "json" ? plan::render_json(plans) : plan::render_table(plans);
    if (options.output.empty()) {
        std::fputs(text.c_str(), stdout);
    } else if (auto written = write_file(options.output, text); !written) {
        return report_error(written.error());
    }
    return worst;
}

}  // namespace rogate::cli
