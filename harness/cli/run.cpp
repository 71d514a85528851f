#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "campaign/campaign.hpp"
#include "cli/commands.hpp"
#include "cli/files.hpp"
#include "cli/progress.hpp"
#include "cli/session.hpp"
#include "cli/watchdog.hpp"
#include "report/json.hpp"
#include "report/terminal.hpp"
#include "spec/scenario_file.hpp"

namespace rogate::cli {

namespace {

// The worst of them decides: a required mount is an answer, no failure; one that is inconclusive is none.
int verdict_code(const CampaignResult& result) {
    const bool open = std::any_of(result.mounts.begin(), result.mounts.end(),
                                  [](const MountResult& m) { return m.verdict == Verdict::inconclusive; });
    if (!result.runs.empty() && !result.runs.front().passed) return exit_code(ErrorKind::scenario);
    return open ? exit_code(ErrorKind::inconclusive) : 0;
}

std::string folder_for(const RunOptions& options, const Scenario& scenario) {
    return options.scenarios.size() == 1 ? options.out : options.out + "/" + scenario.name;
}

int run_one(const Global& global, const RunOptions& options, const Scenario& scenario) {
    Progress progress(look_at(STDERR_FILENO, global.colour), options.quiet);
    const std::string session = campaign::new_session();
    Watchdog watchdog(global, session);
    std::optional<CampaignResult> result;
    EngineWork work;
    work.work = [&](engine::Client& client) -> engine::Task<> {
        campaign::Options campaign_options;
        campaign_options.ring_bytes = options.ring_bytes;
        campaign_options.observer_timeout = std::chrono::milliseconds(
            static_cast<std::int64_t>(std::min(30.0, global.engine_timeout_s) * 1000));
        auto done = co_await campaign::run_campaign(client, scenario, session, campaign_options, progress);
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
    // What the application or the engine repeated of them is blotted out, in all that is written.
    std::set<std::string> secrets;
    for (const auto& [name, value] : scenario.subject.environment) secrets.insert(value);
    if (!outcome.result)
        outcome.result.error().message = report::blot_out(outcome.result.error().message, secrets);
    if (!result) return report_outcome(outcome);
    const std::string json = report::render_json(*result, secrets);

    // A full disk does not take the answer away that is shown below.
    Result<> written;
    if (!options.out.empty()) {
        const std::string folder = folder_for(options, scenario);
        written = make_folder(folder);
        if (written) written = write_file(folder + "/result.json", json);
    }
    const Terminal terminal = look_at(STDOUT_FILENO, global.colour);
    report::TerminalStyle style;
    style.colour = terminal.colour;
    style.width = terminal.width;
    style.unicode = terminal.unicode;
    // From the blotted result: the same as `rogate report` shows.
    const auto shown = report::parse_json(json);
    if (!shown) return report_error(shown.error());
    std::fputs(report::render_terminal(*shown, style).c_str(), stdout);
    const int code = report_outcome(outcome);
    if (!written) return report_error(written.error());
    if (code != 0) return code;
    return verdict_code(*result);
}

}  // namespace

int run_command(const Global& global, const RunOptions& options) {
    // Every file is read before anything runs: a typing error in the last one must not show after an hour.
    std::vector<Scenario> scenarios;
    int worst = 0;
    for (const std::string& path : options.scenarios) {
        auto scenario = spec::load_scenario(path);
        if (scenario)
            scenarios.push_back(std::move(*scenario));
        else
            worst = report_error(scenario.error());
    }
    if (worst != 0) return worst;
    for (const Scenario& scenario : scenarios) {
        const int code = run_one(global, options, scenario);
        if (code >= 128) return code;
        // Failures of the engine come first, then input, scenario and inconclusive ones.
        const auto rank = [](int c) { return c == 3 ? 4 : c == 2 ? 3 : c == 1 ? 2 : c == 4 ? 1 : 0; };
        if (rank(code) > rank(worst)) worst = code;
    }
    return worst;
}

}  // namespace rogate::cli
