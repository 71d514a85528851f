#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "campaign/campaign.hpp"
#include "cli/commands.hpp"
#include "cli/files.hpp"
#include "cli/progress.hpp"
#include "cli/session.hpp"
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
    std::optional<CampaignResult> result;
    EngineWork work;
    work.work = [&](engine::Client& client) -> engine::Task<> {
        campaign::Options campaign_options;
        campaign_options.ring_bytes = options.ring_bytes;
        auto done = co_await campaign::run_campaign(client, scenario, session, campaign_options, progress);
        if (!done) co_return fail(std::move(done.error()));
        result = std::move(*done);
        co_return Result<>{};
    };
    work.clean_up = [&](engine::Client& client) -> engine::Task<> {
        auto left = co_await campaign::sweep(client, session);
        if (!left) co_return fail(std::move(left.error()));
        co_return Result<>{};
    };
    work.tick = [&] { progress.tick(); };
    const EngineOutcome outcome = with_engine(global, std::move(work));
    progress.clear();
    if (!result) return report_outcome(outcome);

    if (!options.out.empty()) {
        const std::string folder = folder_for(options, scenario);
        std::set<std::string> secrets;
        for (const auto& [name, value] : scenario.subject.environment) secrets.insert(value);
        for (const SeedFile& file : scenario.subject.files) secrets.insert(file.content);
        for (const Companion& companion : scenario.companions) {
            for (const auto& [name, value] : companion.subject.environment) secrets.insert(value);
            for (const SeedFile& file : companion.subject.files) secrets.insert(file.content);
        }
        Result<> written = make_folder(folder);
        if (written) written = write_file(folder + "/result.json", report::render_json(*result, secrets));
        if (!written) return report_error(written.error());
    }
    const Terminal terminal = look_at(STDOUT_FILENO, global.colour);
    report::TerminalStyle style;
    style.colour = terminal.colour;
    style.width = terminal.width;
    style.unicode = terminal.unicode;
    std::fputs(report::render_terminal(*result, style).c_str(), stdout);
    if (const int code = report_outcome(outcome); code != 0) return code;
    return verdict_code(*result);
}

}  // namespace

int run_command(const Global& global, const RunOptions& options) {
    // Every file is read before anything runs: a typing error in the last one must not show after an hour.
    std::vector<Scenario> scenarios;
    int worst = 0;
    for (const std::string& path : options.scenarios) {
        auto scenario = spec::load_scenario(path, {}, {options.service, options.profiles});
        if (scenario && !options.quiet)
            for (const std::string& note : scenario->notes)
                std::fputs(fmt::format("rogate: note: {}\n", note).c_str(), stderr);
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
