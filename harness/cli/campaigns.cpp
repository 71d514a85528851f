#include "cli/campaigns.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/masker.hpp"
#include "campaign/campaign.hpp"
#include "change/open_up.hpp"
#include "cli/ask.hpp"
#include "cli/built_images.hpp"
#include "cli/files.hpp"
#include "cli/progress.hpp"
#include "cli/reports.hpp"
#include "cli/session.hpp"
#include "cli/settings.hpp"
#include "cli/verdict_code.hpp"
#include "cli/watchdog.hpp"
#include "report/markdown.hpp"
#include "report/overview.hpp"
#include "report/secrets.hpp"
#include "report/terminal.hpp"
#include "secrets/collect.hpp"
#include "spec/live_container.hpp"

namespace rogate::cli {

namespace {

campaign::ObserverChoice observer_choice(const std::string& name) {
    using Choice = campaign::ObserverChoice;
    if (name == "ebpf") return Choice::ebpf;
    if (name == "ptrace") return Choice::ptrace;
    return name == "none" ? Choice::none : Choice::automatic;
}

campaign::Requests requests_choice(const std::string& name) {
    using campaign::Requests;
    return name == "relay" ? Requests::relay : name == "ports" ? Requests::ports : Requests::automatic;
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

// One scenario's campaign.
class Job {
  public:
    Job(const Global& global, const RunOptions& options, const Scenario& scenario,
        std::shared_ptr<campaign::Budget> budget, std::shared_ptr<campaign::Images> images, Board& board,
        std::size_t place, bool one_of_several)
        : options_(options),
          scenario_(scenario),
          alone_(!one_of_several),
          budget_(std::move(budget)),
          images_(std::move(images)),
          session_(campaign::new_session()),
          progress_(board, place, one_of_several ? scenario.name : std::string()),
          watchdog_(global, session_),
          timeout_s_(global.engine_timeout_s),
          secrets_(secrets::of_scenario(scenario)) {
        progress_.hide(Masker(secrets_));
    }

    engine::Task<> run(engine::Client& client);
    engine::Task<> clean_up(engine::Client& client);
    // Whether these mounts, which are read-only and fail, are made writable.
    engine::Task<bool> opens_up(const std::vector<std::string>& refused);
    // What may be shown of it: nothing holds a secret any more, whatever it is written to.
    void mask(EngineOutcome& outcome);
    const std::optional<CampaignResult>& result() const { return result_; }

  private:
    const RunOptions& options_;
    const Scenario& scenario_;
    bool alone_;  // no other one is run meanwhile
    std::shared_ptr<campaign::Budget> budget_;
    std::shared_ptr<campaign::Images> images_;
    std::string session_;
    Progress progress_;
    Watchdog watchdog_;
    double timeout_s_;
    Secrets secrets_;
    std::optional<CampaignResult> result_;
};

engine::Task<> Job::run(engine::Client& client) {
    campaign::Options campaign_options;
    campaign_options.ring_bytes = options_.ring_bytes;
    campaign_options.repeat = options_.repeat;
    campaign_options.budget = budget_;
    campaign_options.images = images_;
    campaign_options.observer = observer_choice(options_.observer);
    campaign_options.requests = requests_choice(options_.requests);
    campaign_options.offline = options_.offline;
    auto known = settings_of(options_);
    if (!known) co_return fail(std::move(known.error()));
    campaign_options.settings = std::move(*known);
    campaign_options.observer_timeout =
        std::chrono::milliseconds(static_cast<std::int64_t>(std::min(30.0, timeout_s_) * 1000));
    auto whole = co_await with_live_container(client, scenario_);
    if (!whole) co_return fail(std::move(whole.error()));
    secrets_ = secrets::of_scenario(*whole);
    progress_.hide(Masker(secrets_));
    if (scenario_.subject.origin.kind ==
        Origin::Kind::container)  // others' notes were shown when they were read
        for (const std::string& note : whole->notes) progress_.note(note);
    std::vector<std::string> opened;
    for (;;) {
        Scenario tried = *whole;
        auto done =
            co_await campaign::run_campaign(client, std::move(tried), session_, campaign_options, progress_);
        if (!done) co_return fail(std::move(done.error()));
        result_ = std::move(*done);
        images_->name_as_in_files(result_->scenario);
        const auto refused = change::refused_as_configured(*result_);
        if (refused.empty()) break;
        auto wanted = opens_up(refused);
        auto opens = co_await std::move(wanted);
        if (!opens) co_return fail(std::move(opens.error()));
        if (!*opens) {
            change::tell_refused(*result_, refused);
            break;
        }
        progress_.note(
            fmt::format("the control run failed, and writes were refused on {}; it is made again with "
                        "{} writable",
                        fmt::join(refused, ", "), refused.size() == 1 ? "it" : "them"));
        whole = change::opened_up(std::move(*whole), result_->mounts, refused);
        opened.insert(opened.end(), refused.begin(), refused.end());
        auto left = co_await campaign::sweep_until_settled(client, session_, 1);
        if (!left) co_return fail(std::move(left.error()));
    }
    change::tell_opened(*result_, opened);
    co_return Result<>{};
}

engine::Task<bool> Job::opens_up(const std::vector<std::string>& refused) {
    if (options_.open_up) co_return true;
    // Others would be held up, or the real data be written to where they must not.
    const bool may_ask = alone_ && !options_.quiet && scenario_.data != DataMode::live && somebody_is_there();
    if (!may_ask) co_return false;
    progress_.preparing("the control run failed");
    co_return co_await ask(fmt::format(
        "writes were refused on {}, which {} read-only; make {} writable for the control run, and "
        "settle what has to be writable?",
        fmt::join(refused, ", "), refused.size() == 1 ? "is" : "are", refused.size() == 1 ? "it" : "them"));
}

engine::Task<> Job::clean_up(engine::Client& client) {
    auto left =
        co_await campaign::sweep_until_settled(client, session_, result_ && result_->stopped.empty() ? 1 : 2);
    if (!left) {
        watchdog_.keep();
        co_return fail(std::move(left.error()));
    }
    co_return Result<>{};
}

void Job::mask(EngineOutcome& outcome) {
    // What the engine repeated of the user's secrets in its refusal is not repeated here.
    constexpr std::size_t longest_message = 4000;
    if (!outcome.result) {
        std::string& message = outcome.result.error().message;
        message = masked_beginning(Masker(secrets_), message, longest_message);
    }
    if (!result_) return;
    for (const RunRecord& run : result_->runs) add_secrets(secrets_, run.secrets);
    report::hide_secrets(*result_, secrets_);
}

class Campaigns {
  public:
    Campaigns(const Global& global, const RunOptions& options, const std::vector<Scenario>& scenarios,
              bool several)
        : global_(global),
          options_(options),
          scenarios_(scenarios),
          several_(several),
          budget_(std::make_shared<campaign::Budget>(options.max_runs, options.max_time)),
          images_(std::make_shared<campaign::Images>(
              campaign::ImageOptions{options.build, options.no_build, options.pull, options.keep_images},
              campaign::new_session())),
          built_(global, images_, scenarios),
          board_(look_at(STDERR_FILENO, global.colour), options.quiet),
          texts_(scenarios.size()),
          overview_(scenarios.size()),
          results_(scenarios.size()) {
        std::vector<EngineQueue::Host> hosts(global.hosts.begin(), global.hosts.end());
        if (hosts.empty()) hosts.emplace_back();
        // Turn by turn, so that few scenarios are spread over all engines.
        for (int time = 0; time < options.jobs; ++time)
            lanes_.insert(lanes_.end(), hosts.begin(), hosts.end());
        if (lanes_.size() > scenarios.size()) lanes_.resize(std::max(hosts.size(), scenarios.size()));
    }

    int go();

  private:
    std::optional<EngineWork> next(std::size_t lane);
    void ended(std::size_t index, EngineOutcome outcome, Job& job);
    Result<> write(const CampaignResult& result, const Scenario& scenario);
    void print_in_order();
    void report_on_all();

    const Global& global_;
    const RunOptions& options_;
    const std::vector<Scenario>& scenarios_;
    bool several_;
    std::shared_ptr<campaign::Budget> budget_;
    std::shared_ptr<campaign::Images> images_;
    BuiltImages built_;
    Board board_;
    std::vector<EngineQueue::Host> lanes_;
    std::size_t taken_ = 0, printed_ = 0;
    std::vector<std::optional<std::string>> texts_;  // what is printed of each that has ended
    std::vector<report::OverviewLine> overview_;     // of those that have ended
    std::vector<std::optional<CampaignResult>>
        results_;  // for the reports on all of them, if files are written
    int worst_ = 0;
};

std::optional<EngineWork> Campaigns::next(std::size_t lane) {
    if (taken_ == scenarios_.size()) return std::nullopt;
    const std::size_t index = taken_++;
    Global global = global_;
    global.host = lanes_[lane];  // for its watchdog
    auto job = std::make_shared<Job>(global, options_, scenarios_[index], budget_, images_, board_, lane,
                                     lanes_.size() > 1);
    EngineWork work;
    work.work = [job](engine::Client& client) { return job->run(client); };
    work.clean_up = [job](engine::Client& client) { return job->clean_up(client); };
    work.ended = [this, index, job](EngineOutcome outcome) { ended(index, std::move(outcome), *job); };
    return work;
}

Result<> Campaigns::write(const CampaignResult& result, const Scenario& scenario) {
    const std::string folder = several_ ? options_.out + "/" + scenario.name : options_.out;
    if (!options_.out.empty())
        if (auto written = write_reports(result, folder, format_options(global_)); !written) return written;
    if (options_.summary.empty()) return {};
    return append_file(options_.summary, report::render_markdown(result) + "\n");
}

void Campaigns::ended(std::size_t index, EngineOutcome outcome, Job& job) {
    const Scenario& scenario = scenarios_[index];
    job.mask(outcome);
    texts_[index].emplace();
    Result<> written;
    if (job.result()) {
        texts_[index] = report::render_terminal(*job.result(), format_options(global_).terminal);
        written = write(*job.result(), scenario);
        overview_[index] = report::overview_of(*job.result());
        if (several_ && !options_.out.empty()) results_[index] = *job.result();
    }
    if (!outcome.result) overview_[index].trouble = outcome.result.error().message;
    print_in_order();
    if (outcome.signal != 0) return;
    const auto named = [&](Error error) {
        return scenarios_.size() > 1
                   ? std::move(error).with_context(fmt::format("scenario '{}'", scenario.name))
                   : error;
    };
    int code = 0;
    if (!written)
        code = report_error(named(written.error()));
    else if (!outcome.result)
        code = report_error(named(outcome.result.error()));
    else if (job.result())
        code = verdict_code(*job.result());
    worst_ = worse(worst_, code);
}

void Campaigns::print_in_order() {
    board_.clear();
    for (; printed_ < texts_.size() && texts_[printed_]; ++printed_)
        std::fputs(texts_[printed_]->c_str(), stdout);
    std::fflush(stdout);
}

// What came of each on a line, and all of them in one document of each kind.
void Campaigns::report_on_all() {
    std::vector<report::OverviewLine> ended;
    std::vector<CampaignResult> results;
    for (std::size_t i = 0; i < texts_.size(); ++i) {
        if (texts_[i]) {
            overview_[i].name = scenarios_[i].name;
            ended.push_back(overview_[i]);
        }
        if (results_[i]) results.push_back(std::move(*results_[i]));
    }
    if (ended.size() > 1) std::fputs((report::render_overview(ended) + "\n").c_str(), stdout);
    if (results.size() < 2) return;
    if (auto written = write_reports_on_all(results, options_.out, format_options(global_)); !written)
        worst_ = worse(worst_, report_error(written.error()));
}

int Campaigns::go() {
    EngineQueue queue;
    queue.lanes = lanes_;
    queue.next = [this](std::size_t lane) { return next(lane); };
    queue.tick = [this] { board_.tick(); };
    const EngineOutcome outcome = with_engines(global_, std::move(queue));
    board_.clear();
    // After an interruption there are gaps before what has ended.
    for (; printed_ < texts_.size(); ++printed_)
        if (texts_[printed_]) std::fputs(texts_[printed_]->c_str(), stdout);
    if (several_) report_on_all();
    if (const auto cleaned = built_.end(); !cleaned) worst_ = worse(worst_, report_error(cleaned.error()));
    if (const int code = report_outcome(outcome); code != 0) return code >= 128 ? code : worse(worst_, code);
    return worst_;
}

}  // namespace

int run_scenarios(const Global& global, const RunOptions& options, const std::vector<Scenario>& scenarios,
                  bool several) {
    return Campaigns(global, options, scenarios, several).go();
}

}  // namespace rogate::cli
