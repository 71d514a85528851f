#include "campaign/watch.hpp"

#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "audit/audit.hpp"
#include "base/masker.hpp"
#include "campaign/campaign.hpp"
#include "cli/commands.hpp"
#include "cli/files.hpp"
#include "cli/progress.hpp"
#include "cli/session.hpp"
#include "cli/terminal.hpp"
#include "cli/watchdog.hpp"
#include "report/secrets.hpp"
#include "report/watch.hpp"
#include "secrets/collect.hpp"

namespace rogate::cli {

namespace {

using nlohmann::json;

struct Inspected {
    campaign::WatchSubject subject;
    Secrets secrets;
};

// The engine's reply, which other rooms read too; what is missing in it is empty.
Inspected read(const json& reply) {
    Inspected made;
    audit::Audit audit;
    audit::read_container(reply, audit);
    Scenario scenario;
    for (audit::Found& found : audit.mounts) {
        made.subject.name = found.name;
        made.subject.image = found.image;
        made.subject.mounts.push_back(found.mount);
        scenario.subject.mounts.push_back(std::move(found.mount));
    }
    scenario.subject.image = made.subject.image;
    const json config = reply.value("Config", json::object());
    if (config.contains("Env") && config.at("Env").is_array())
        for (const json& each : config.at("Env")) {
            const auto text = each.get<std::string>();
            if (const std::size_t equals = text.find('='); equals != std::string::npos)
                scenario.subject.environment.insert_or_assign(text.substr(0, equals),
                                                              text.substr(equals + 1));
        }
    made.subject.id = reply.value("Id", "");
    made.subject.runtime = reply.value("HostConfig", json::object()).value("Runtime", "");
    if (made.subject.runtime == "oci") made.subject.runtime.clear();  // podman's word for its default
    const json check = config.contains("Healthcheck") ? config.at("Healthcheck") : json();
    made.subject.has_healthcheck = check.is_object() && !check.value("Test", json::array()).empty();
    if (config.contains("Cmd") && config.at("Cmd").is_array())
        scenario.subject.command = config.at("Cmd").get<std::vector<std::string>>();
    if (config.contains("Entrypoint") && config.at("Entrypoint").is_array())
        scenario.subject.entrypoint = config.at("Entrypoint").get<std::vector<std::string>>();
    made.secrets = secrets::of_scenario(scenario);
    return made;
}

std::string rendered(const WatchResult& watch, const std::string& format) {
    return format == "json"       ? report::render_watch_json(watch)
           : format == "markdown" ? report::render_watch_markdown(watch)
                                  : report::render_watch_table(watch);
}

}  // namespace

int watch_command(const Global& global, const WatchCommandOptions& options) {
    const std::string session = campaign::new_session();
    Watchdog watchdog(global, session);
    Board board(look_at(STDERR_FILENO, global.colour), options.quiet);
    Progress progress(board, 0, "");
    campaign::WatchControl control;
    std::optional<WatchResult> result;
    Masker masker;
    EngineWork work;
    work.work = [&](engine::Client& client) -> engine::Task<> {
        auto reply = co_await client.container_inspect_raw(options.container);
        if (!reply)
            co_return fail(std::move(reply.error()).with_context("watching container " + options.container));
        Inspected inspected = read(*reply);
        campaign::WatchOptions how;
        how.ring_bytes = options.ring_bytes;
        how.duration = options.duration;
        masker = Masker(inspected.secrets);
        progress.hide(masker);
        auto done =
            co_await campaign::watch(client, std::move(inspected.subject), session, how, control, progress);
        if (!done) co_return fail(std::move(done.error()));
        report::hide_secrets(*done, inspected.secrets);
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
    // Whoever ends a watch wants to know what was seen.
    work.on_signal = [&] { return !std::exchange(control.stop, true); };
    EngineOutcome outcome = with_engine(global, std::move(work));
    if (!outcome.result) masker.mask(outcome.result.error().message);
    if (const int code = report_outcome(outcome); code != 0) return code;
    const std::string text = rendered(*result, options.format);
    if (options.output.empty()) {
        std::fputs(text.c_str(), stdout);
    } else if (auto written = write_file(options.output, text); !written) {
        return report_error(written.error());
    }
    return result->whole() ? 0 : exit_code(ErrorKind::inconclusive);
}

}  // namespace rogate::cli
