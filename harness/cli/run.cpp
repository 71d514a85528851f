#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/references.hpp"
#include "campaign/campaign.hpp"
#include "cli/choose.hpp"
#include "cli/commands.hpp"
#include "cli/files.hpp"
#include "cli/progress.hpp"
#include "cli/reports.hpp"
#include "cli/session.hpp"
#include "cli/since.hpp"
#include "cli/watchdog.hpp"
#include "report/markdown.hpp"
#include "report/secrets.hpp"
#include "report/terminal.hpp"
#include "spec/live_container.hpp"
#include "spec/scenario_list.hpp"

namespace rogate::cli {

namespace {

// The worst of them decides: a required mount is an answer, no failure; one that is inconclusive is none.
int verdict_code(const CampaignResult& result) {
    const bool open = std::any_of(result.mounts.begin(), result.mounts.end(),
                                  [](const MountResult& m) { return m.verdict == Verdict::inconclusive; });
    // A state in which every control run fails; one that fails now and then is no answer of the scenario's.
    std::map<DataState, bool> ever_passed;
    for (const RunRecord& run : result.runs)
        if (run.plan.kind == RunKind::control) {
            const auto [at, fresh] = ever_passed.try_emplace(run.plan.state, run.passed);
            at->second = at->second || run.passed;
        }
    if (std::any_of(ever_passed.begin(), ever_passed.end(), [](const auto& each) { return !each.second; }))
        return exit_code(ErrorKind::scenario);
    return open ? exit_code(ErrorKind::inconclusive) : 0;
}

campaign::ObserverChoice observer_choice(const std::string& name) {
    using Choice = campaign::ObserverChoice;
    if (name == "ebpf") return Choice::ebpf;
    if (name == "ptrace") return Choice::ptrace;
    return name == "none" ? Choice::none : Choice::automatic;
}

std::string folder_for(const RunOptions& options, const Scenario& scenario, bool several) {
    return several ? options.out + "/" + scenario.name : options.out;
}

// Asks the engine for the container that the subject is to be like.
engine::Task<Scenario> with_live_container(engine::Client& client, Scenario scenario) {
    if (scenario.subject.origin.kind != Origin::Kind::container) co_return std::move(scenario);
    auto inspect = co_await client.container_inspect_raw(scenario.subject.origin.name);
    if (!inspect)
        co_return fail(
            std::move(inspect.error())
                .with_context(fmt::format("cloning container '{}'", scenario.subject.origin.name)));
    co_return spec::with_container(std::move(scenario), inspect->dump());
}

int run_one(const Global& global, const RunOptions& options, const Scenario& scenario, bool several) {
    Progress progress(look_at(STDERR_FILENO, global.colour), options.quiet);
    const std::string session = campaign::new_session();
    Watchdog watchdog(global, session);
    std::optional<CampaignResult> result;
    std::set<std::string> secrets = report::secrets_of(scenario);
    EngineWork work;
    work.work = [&](engine::Client& client) -> engine::Task<> {
        campaign::Options campaign_options;
        campaign_options.ring_bytes = options.ring_bytes;
        campaign_options.repeat = options.repeat;
        campaign_options.observer = observer_choice(options.observer);
        campaign_options.observer_timeout = std::chrono::milliseconds(
            static_cast<std::int64_t>(std::min(30.0, global.engine_timeout_s) * 1000));
        auto whole = co_await with_live_container(client, scenario);
        if (!whole) co_return fail(std::move(whole.error()));
        secrets = report::secrets_of(*whole);
        auto done =
            co_await campaign::run_campaign(client, std::move(*whole), session, campaign_options, progress);
        if (!done) co_return fail(std::move(done.error()));
        result = std::move(*done);
        co_return Result<>{};
    };
    work.clean_up = [&](engine::Client& client) -> engine::Task<> {
        auto left = co_await campaign::sweep_until_settled(client, session, result ? 1 : 2);
        if (!left) {
            watchdog.keep();
            co_return fail(std::move(left.error()));
        }
        co_return Result<>{};
    };
    work.tick = [&] { progress.tick(); };
    EngineOutcome outcome = with_engine(global, std::move(work));
    progress.clear();
    // What the engine repeated of the user's secrets in its refusal is not repeated here.
    if (!outcome.result) report::Masker(secrets).mask(outcome.result.error().message);
    if (!result) return report_outcome(outcome);

    // From here on nothing holds a secret, whatever it is written to.
    for (const RunRecord& run : result->runs) secrets.insert(run.secrets.begin(), run.secrets.end());
    report::hide_secrets(*result, secrets);
    const report::FormatOptions format = format_options(global);
    Result<> written;
    if (!options.out.empty())
        written = write_reports(*result, folder_for(options, scenario, several), format);
    if (written && !options.summary.empty())
        written = append_file(options.summary, report::render_markdown(*result) + "\n");
    std::fputs(report::render_terminal(*result, format.terminal).c_str(), stdout);
    if (!written) return report_error(written.error());
    if (const int code = report_outcome(outcome); code != 0) return code;
    return verdict_code(*result);
}

// Leaves the scenarios that have mounts which were made read-only, with just those as candidates.
Result<> keep_what_changed(const RunOptions& options, std::vector<Scenario>& scenarios) {
    auto since = changes_since(options.since);
    if (!since) return fail(std::move(since.error()));
    for (const std::string& why : since->not_compared)
        std::fputs(fmt::format("rogate: note: not compared with {}: {}\n", options.since, why).c_str(),
                   stderr);
    std::vector<Scenario> kept;
    for (Scenario& scenario : scenarios) {
        const std::vector<std::string> targets = gate::made_read_only(*since, scenario);
        if (!targets.empty())
            kept.push_back(gate::before_the_change(std::move(scenario), targets));
        else if (!options.quiet)
            std::fputs(
                fmt::format("rogate: note: {}: none of its mounts was made read-only since {}; it is not "
                            "run\n",
                            scenario.name, options.since)
                    .c_str(),
                stderr);
    }
    scenarios = std::move(kept);
    return {};
}

Result<std::map<std::string, std::string>> given_variables(const std::vector<std::string>& settings) {
    std::map<std::string, std::string> variables;
    for (const std::string& setting : settings) {
        const std::size_t equals = setting.find('=');
        if (equals == std::string::npos || !is_variable_name(setting.substr(0, equals)))
            return fail(
                ErrorKind::usage,
                fmt::format("--set {}: write NAME=VALUE, the name of letters, digits and _", setting));
        variables.insert_or_assign(setting.substr(0, equals), setting.substr(equals + 1));
    }
    return variables;
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

}  // namespace

int run_command(const Global& global, const RunOptions& options) {
    // Every file is read before anything runs: a typing error in the last one must not show after an hour.
    std::vector<Scenario> scenarios;
    int worst = 0;
    if (options.scenarios.empty()) {
        if (options.container.empty())
            return report_error(
                {ErrorKind::usage, "nothing to run; name a scenario file, or --container NAME"});
        scenarios.push_back(spec::scenario_of_container(options.container));
    }
    spec::Surroundings surroundings;
    surroundings.container = options.container;
    auto variables = given_variables(options.variables);
    if (!variables) return report_error(variables.error());
    surroundings.variables = std::move(*variables);
    for (const std::string& path : options.scenarios) {
        auto loaded = spec::load_scenarios(path, surroundings, {options.service, options.profiles});
        if (!loaded) {
            worst = report_error(loaded.error());
            continue;
        }
        for (Scenario& scenario : *loaded) {
            for (const std::string& note : scenario.notes)
                if (!options.quiet) std::fputs(fmt::format("rogate: note: {}\n", note).c_str(), stderr);
            scenarios.push_back(std::move(scenario));
        }
    }
    if (worst != 0) return worst;
    // By all of them, so that the shards of one campaign lay out their results alike.
    const bool several = scenarios.size() > 1;
    if (auto used = check_variables(surroundings.variables, scenarios); !used)
        return report_error(used.error());
    if (!options.since.empty())
        if (const auto kept = keep_what_changed(options, scenarios); !kept) return report_error(kept.error());
    auto chosen = choose(std::move(scenarios), options.only, options.shard);
    if (!chosen) return report_error(chosen.error());
    if (chosen->empty()) std::fputs("rogate: no scenario falls into this shard\n", stderr);
    for (const Scenario& scenario : *chosen) {
        const int code = run_one(global, options, scenario, several);
        if (code >= 128) return code;
        // Failures of the engine come first, then input, scenario and inconclusive ones.
        const auto rank = [](int c) { return c == 3 ? 4 : c == 2 ? 3 : c == 1 ? 2 : c == 4 ? 1 : 0; };
        if (rank(code) > rank(worst)) worst = code;
    }
    return worst;
}

}  // namespace rogate::cli
