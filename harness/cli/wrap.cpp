#include "wrap/wrap.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <boost/asio/this_coro.hpp>
#include <csignal>
#include <cstdio>

#include "base/masker.hpp"
#include "campaign/campaign.hpp"
#include "cli/commands.hpp"
#include "cli/files.hpp"
#include "cli/given_tests.hpp"
#include "cli/progress.hpp"
#include "cli/reports.hpp"
#include "cli/session.hpp"
#include "cli/terminal.hpp"
#include "cli/verdict_code.hpp"
#include "cli/watchdog.hpp"
#include "proxy/local_stream.hpp"
#include "report/markdown.hpp"
#include "report/overview.hpp"
#include "report/secrets.hpp"
#include "report/terminal.hpp"

namespace rogate::cli {

namespace {

Result<> write(const std::vector<CampaignResult>& results, const Global& global, const WrapOptions& options) {
    for (const CampaignResult& result : results) {
        if (!options.out.empty()) {
            const std::string folder = options.out + "/" + result.scenario.name;
            if (auto written = write_reports(result, folder, format_options(global)); !written)
                return written;
        }
        if (!options.summary.empty())
            if (auto added = append_file(options.summary, report::render_markdown(result) + "\n"); !added)
                return added;
    }
    if (options.out.empty() || results.size() < 2) return {};
    return write_reports_on_all(results, options.out, format_options(global));
}

int tell(std::vector<CampaignResult> results, const Global& global, const WrapOptions& options) {
    int worst = 0;
    std::vector<report::OverviewLine> lines;
    for (const CampaignResult& result : results) {
        std::fputs(report::render_terminal(result, format_options(global).terminal).c_str(), stdout);
        lines.push_back(report::overview_of(result));
        lines.back().name = result.scenario.name;
        worst = worse(worst, verdict_code(result));
    }
    if (lines.size() > 1) std::fputs((report::render_overview(lines) + "\n").c_str(), stdout);
    if (const auto written = write(results, global, options); !written)
        worst = worse(worst, report_error(written.error()));
    return worst;
}

wrap::Options options_of(const WrapOptions& given, const Global& global, Board& board, Progress& progress) {
    wrap::Options options;
    options.command = given.command;
    options.real_engine_socket = given.engine_socket == "real";
    options.junit = given.junit;
    options.rootfs = given.rootfs;
    options.timeout = given.timeout;
    options.ring_bytes = given.ring_bytes;
    options.observer_timeout =
        std::chrono::milliseconds(static_cast<std::int64_t>(std::min(30.0, global.engine_timeout_s) * 1000));
    options.budget = std::make_shared<campaign::Budget>(given.max_runs, std::nullopt);
    // The standard output is the answer's.
    options.output = [&board](std::string_view text) {
        board.clear();
        std::fwrite(text.data(), 1, text.size(), stderr);
        std::fflush(stderr);
    };
    options.note = [&progress, quiet = given.quiet](const std::string& text) {
        if (!quiet) progress.note(text);
    };
    return options;
}

}  // namespace

int wrap_command(const Global& global, const WrapOptions& options) {
    if (options.data == "overlay")
        return report_error(
            {ErrorKind::usage,
             "--data overlay is not there yet for `rogate wrap`: what COMMAND binds is its own; leave "
             "the option out, and let COMMAND bind copies where its writes must not stay"});
    if (!options.known_failures.empty() && options.junit.empty())
        return report_error({ErrorKind::usage,
                             "--known-failures is about tests that --junit names; give it as "
                             "well, or leave --known-failures out"});
    auto known = names_of_known_failures(options.known_failures);
    if (!known) return report_error(known.error());
    std::signal(SIGPIPE, SIG_IGN);  // of connections that the other side has closed
    const std::string session = campaign::new_session();
    Watchdog watchdog(global, session);
    Board board(look_at(STDERR_FILENO, global.colour), options.quiet);
    Progress progress(board, 0, "");
    std::optional<wrap::Answer> answer;
    std::unique_ptr<engine::Transport> transport;
    std::unique_ptr<wrap::Wrap> wrapped;
    EngineWork work;
    work.work = [&](engine::Client& client) -> engine::Task<> {
        const auto executor = co_await boost::asio::this_coro::executor;
        if (client.endpoint().kind == engine::Endpoint::Kind::unix_socket) {
            transport = proxy::make_local_transport(executor, client.endpoint().path);
        } else {
            auto made = engine::make_transport(executor, client.endpoint());
            if (!made) co_return fail(std::move(made.error()));
            transport = std::move(*made);
        }
        wrap::Options wrapping = options_of(options, global, board, progress);
        wrapping.known_failures = *known;
        wrapped = std::make_unique<wrap::Wrap>(client, *transport, session, std::move(wrapping), progress);
        auto done = co_await wrapped->go();
        if (!done) co_return fail(std::move(done.error()));
        answer = std::move(*done);
        co_return Result<>{};
    };
    work.clean_up = [&](engine::Client& client) -> engine::Task<> {
        Result<> ended;
        if (wrapped) ended = co_await wrapped->end();
        wrapped.reset();
        auto left = co_await campaign::sweep_until_settled(client, session, answer ? 1 : 2);
        if (!left) {
            watchdog.keep();
            co_return fail(std::move(left.error()));
        }
        co_return ended;
    };
    const EngineOutcome outcome = with_engine(global, std::move(work));
    board.clear();
    if (const int code = report_outcome(outcome); code != 0) return code;
    for (CampaignResult& result : answer->results) report::hide_secrets(result, answer->secrets);
    return tell(std::move(answer->results), global, options);
}

}  // namespace rogate::cli
