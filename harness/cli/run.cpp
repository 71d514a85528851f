#include <fmt/format.h>

#include <algorithm>

#include "change/revision.hpp"
#include "cli/audit_files.hpp"
#include "cli/campaigns.hpp"
#include "cli/choose.hpp"
#include "cli/commands.hpp"
#include "cli/given.hpp"
#include "cli/given_tests.hpp"
#include "cli/session.hpp"
#include "cli/settings.hpp"
#include "spec/inputs.hpp"
#include "spec/live_container.hpp"
#include "spec/system.hpp"

namespace rogate::cli {

namespace {

// Leaves the scenarios that have mounts which were made read-only, with just those as candidates.
// ErrorKind::inconclusive: there is nothing to run, and whether there should be is not known.
Result<> keep_what_changed(const RunOptions& options, std::vector<Scenario>& scenarios) {
    auto since = change::changes_since(options.since, read_file_as);
    if (!since) return fail(std::move(since.error()));
    for (const std::string& why : since->not_compared)
        std::fputs(fmt::format("rogate: note: not compared with {}: {}\n", options.since, why).c_str(),
                   stderr);
    std::vector<Scenario> kept;
    for (Scenario& scenario : scenarios) {
        const std::vector<std::string> targets = change::made_read_only(*since, scenario);
        if (!targets.empty())
            kept.push_back(change::before_the_change(std::move(scenario), targets));
        else if (!options.quiet)
            std::fputs(
                fmt::format("rogate: note: {}: none of its mounts was made read-only since {}; it is not "
                            "run\n",
                            scenario.name, options.since)
                    .c_str(),
                stderr);
    }
    scenarios = std::move(kept);
    std::string not_known;
    for (const std::string& what : since->not_known)
        not_known += fmt::format("{}whether it was made read-only since {} cannot be told: {}",
                                 not_known.empty() ? "" : "\n", options.since, what);
    if (scenarios.empty() && !not_known.empty()) return fail(ErrorKind::inconclusive, std::move(not_known));
    if (!not_known.empty()) std::fputs(fmt::format("rogate: note: {}\n", not_known).c_str(), stderr);
    return {};
}

// A misspelt variable would leave the scenario as it is without a word.
Result<> check_variables(const std::map<std::string, std::string>& given,
                         const std::vector<Scenario>& scenarios) {
    for (const auto& [name, value] : given) {
        const bool used = std::any_of(
            scenarios.begin(), scenarios.end(),
            [&, wanted = name](const Scenario& scenario) { return scenario.variables.contains(wanted); });
        if (!used)
            return fail(ErrorKind::usage,
                        fmt::format("--set {}=…: no scenario has a variable '{}'", name, name));
    }
    return {};
}

// Two that write to the same real data would be each other's noise, and worse.
Result<> check_jobs(int jobs, const std::vector<Scenario>& scenarios) {
    if (jobs == 1 || scenarios.size() < 2) return {};
    for (const Scenario& scenario : scenarios)
        if (scenario.data == DataMode::live)
            return fail(ErrorKind::usage,
                        fmt::format("--jobs {}: scenario '{}' has 'data: live', and others must not "
                                    "run beside it; leave out --jobs",
                                    jobs, scenario.name));
    return {};
}

// What the user made read-only must not be written to.
Result<> check_open_up(bool open_up, const std::vector<Scenario>& scenarios) {
    if (!open_up) return {};
    for (const Scenario& scenario : scenarios)
        if (scenario.data == DataMode::live)
            return fail(
                ErrorKind::usage,
                fmt::format("--open-up: scenario '{}' has 'data: live', so that the control run would "
                            "write to real data that you made read-only; leave one of the two out",
                            scenario.name));
    return {};
}

// Of an input whose scenarios are one system.
struct Whole {
    Scenario campaign;
    Pods pods;
    std::vector<std::string> names;  // of its scenarios: one for each member that is tried, in their order
};

std::string member_of(const Whole& whole, const std::string& scenario) {
    std::vector<std::string> tried;
    for (const Member& each : whole.campaign.members)
        if (each.tried) tried.push_back(each.name);
    const auto at = std::ranges::find(whole.names, scenario) - whole.names.begin();
    return tried.at(static_cast<std::size_t>(at));
}

std::string kind_of_members(const Pods& pods) {
    return pods.pods.empty() ? "service" : "container";
}

// Why services are settled by a campaign each, though nobody asked for that; empty: they are not.
std::string why_apart(const RunOptions& options) {
    if (options.observer == "ptrace" || options.observer == "none")
        return fmt::format("--observer {} watches one container at a time", options.observer);
    if (options.open_up) return "--open-up makes mounts of one service writable";
    if (options.capabilities) return "--capabilities are those of one container";
    if (!options.since.empty()) return "--since tries mounts of some services";
    return {};
}

// Those of which all scenarios are asked for, as they are.
std::vector<Together> settled_together(const RunOptions& options, std::vector<Whole> wholes,
                                       const std::vector<Scenario>& chosen) {
    std::vector<Together> found;
    if (options.one_by_one) return found;
    for (Whole& whole : wholes) {
        Together together;
        for (std::size_t i = 0; i < chosen.size(); ++i)
            if (std::ranges::find(whole.names, chosen[i].name) != whole.names.end())
                together.parts.push_back(i);
        std::string why = why_apart(options);
        if (why.empty() && together.parts.size() != whole.names.size())
            why = fmt::format("a part of its {}s is asked for", kind_of_members(whole.pods));
        if (!why.empty() && together.parts.size() > 1 && !options.quiet)
            std::fputs(fmt::format("rogate: note: {} '{}': {}, so that each {} is settled by a "
                                   "campaign of its own\n",
                                   whole.pods.pods.empty() ? "project" : "manifests", whole.campaign.name,
                                   why, kind_of_members(whole.pods))
                           .c_str(),
                       stderr);
        if (!why.empty()) continue;
        for (const std::size_t part : together.parts)
            together.names.push_back(member_of(whole, chosen[part].name));
        together.pods = std::move(whole.pods);
        together.campaign = std::move(whole.campaign);
        together.campaign.rootfs = options.rootfs;
        found.push_back(std::move(together));
    }
    return found;
}

}  // namespace

int run_command(const Global& global, const RunOptions& options) {
    // Every file is read before anything runs: a typing error in the last one must not show after an hour.
    std::vector<Scenario> scenarios;
    std::vector<Whole> wholes;
    int worst = 0;
    if (options.offline && options.requests == "ports")
        return report_error(
            {ErrorKind::usage,
             "--offline and --requests ports exclude each other: an engine publishes no port of "
             "a network that reaches nothing outside; leave --requests out, which takes a "
             "relay, or leave out --offline"});
    if (options.rootfs && !options.since.empty())
        return report_error({ErrorKind::usage,
                             "--rootfs and --since exclude each other: --since tries what was made read-only "
                             "since then, and nothing else; leave one of them out"});
    if (!options.candidates.empty() && !options.since.empty())
        return report_error({ErrorKind::usage,
                             "--candidate and --since exclude each other: --since tries what was made "
                             "read-only since then; leave one of them out"});
    if (options.scenarios.empty()) {
        if (options.container.empty())
            return report_error(
                {ErrorKind::usage, "nothing to run; name a scenario file, or --container NAME"});
        spec::Input input;
        input.scenarios.push_back(spec::scenario_of_container(options.container));
        input.scenarios.front().self_made = input.scenarios.front().goes_on = true;
        if (auto tests = give_tests(options, input); !tests) return report_error(tests.error());
        scenarios.push_back(std::move(input.scenarios.front()));
    }
    auto surroundings = given_surroundings(options.without, options.variables);
    if (!surroundings) return report_error(surroundings.error());
    surroundings->container = options.container;
    auto inputs = spec::load_inputs(options.scenarios, *surroundings, {options.services, options.profiles});
    if (options.scenarios.empty() && !options.candidates.empty()) {
        std::vector<Result<spec::Input>> clone;
        spec::Input input;
        input.containers.push_back(options.container);
        input.scenarios = std::move(scenarios);
        clone.push_back(std::move(input));
        if (auto known = give_candidates(options.candidates, clone); !known)
            return report_error(known.error());
        scenarios = std::move(clone.front()->scenarios);
    } else if (auto known = give_candidates(options.candidates, inputs); !known) {
        return report_error(known.error());
    }
    for (auto& input : inputs) {
        if (!input) {
            worst = report_error(input.error());
            continue;
        }
        if (auto runnable = spec::check_runnable(input->system); !runnable)
            worst = report_error(runnable.error());
        if (auto tests = give_tests(options, *input); !tests) return report_error(tests.error());
        const auto tell = [&](const std::vector<std::string>& notes) {
            for (const std::string& note : notes)
                if (!options.quiet) std::fputs(fmt::format("rogate: note: {}\n", note).c_str(), stderr);
        };
        // Restart policies of those that are settled together are followed, as those of services beside a
        // subject.
        if (input->own_exercise)
            tell(spec::notes_of(input->system, input->together && !options.one_by_one
                                                   ? std::vector<Scenario>{}
                                                   : input->scenarios));
        if (input->together) wholes.push_back({std::move(*input->together), std::move(input->pods), {}});
        for (Scenario& scenario : input->scenarios) {
            if (!input->own_exercise) tell(scenario.notes);
            if (input->together) wholes.back().names.push_back(scenario.name);
            scenarios.push_back(std::move(scenario));
        }
    }
    if (worst != 0) return worst;
    for (Scenario& scenario : scenarios) {
        scenario.rootfs = scenario.rootfs || options.rootfs;
        scenario.tries_capabilities = scenario.tries_capabilities || options.capabilities;
        scenario.tries_no_new_privileges = scenario.tries_no_new_privileges || options.capabilities;
    }
    // By all of them, so that the shards of one campaign lay out their results alike.
    const bool several = scenarios.size() > 1;
    if (auto used = check_variables(surroundings->variables, scenarios); !used)
        return report_error(used.error());
    if (!options.since.empty())
        if (const auto kept = keep_what_changed(options, scenarios); !kept) return report_error(kept.error());
    auto chosen = choose(std::move(scenarios), options.only, options.shard);
    if (!chosen) return report_error(chosen.error());
    if (chosen->empty()) std::fputs("rogate: no scenario falls into this shard\n", stderr);
    if (auto allowed = check_consent(options.allow_commands, *chosen); !allowed)
        return report_error(allowed.error());
    if (auto fits = check_jobs(options.jobs, *chosen); !fits) return report_error(fits.error());
    if (auto known = settings_of(options); !known) return report_error(known.error());
    if (auto fits = check_open_up(options.open_up, *chosen); !fits) return report_error(fits.error());
    return run_scenarios(global, options, *chosen, settled_together(options, std::move(wholes), *chosen),
                         several);
}

}  // namespace rogate::cli
