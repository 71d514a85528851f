#include "cli/campaigns.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/masker.hpp"
#include "campaign/campaign.hpp"
#include "campaign/exercise.hpp"
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
#include "verdict/by_container.hpp"

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

// One of those that are settled together.
struct Part {
    std::string member;
    const Scenario* scenario = nullptr;
};

// One campaign, of a scenario or of several together.
class Job {
  public:
    Job(const Global& global, const RunOptions& options, const Scenario& scenario, std::vector<Part> parts,
        Pods pods, std::shared_ptr<campaign::Budget> budget, std::shared_ptr<campaign::Images> images,
        Board& board, std::size_t place, bool one_of_several)
        : options_(options),
          scenario_(scenario),
          parts_(std::move(parts)),
          pods_(std::move(pods)),
          alone_(!one_of_several),
          budget_(std::move(budget)),
          images_(std::move(images)),
          session_(campaign::new_session()),
          progress_(board, place, one_of_several ? scenario.name : std::string()),
          watchdog_(global, session_),
          timeout_s_(global.engine_timeout_s),
          secrets_(secrets::of_scenario(scenario)) {
        add_secrets(secrets_, secrets::of_pods(pods_, scenario));
        progress_.hide(Masker(secrets_));
    }

    engine::Task<> run(engine::Client& client);
    engine::Task<> clean_up(engine::Client& client);
    // Whether these mounts, which are read-only and fail, are made writable.
    engine::Task<bool> opens_up(const std::vector<std::string>& refused);
    // What may be shown of it: nothing holds a secret any more, whatever it is written to.
    void mask(EngineOutcome& outcome);
    // One for each scenario; none: there was no answer.
    const std::vector<CampaignResult>& results() const { return results_; }
    // Why its scenarios cannot be settled together; empty: they were, or there is one alone.
    const std::string& not_together() const { return not_together_; }

  private:
    engine::Task<> run_together(engine::Client& client, campaign::Options campaign_options);
    engine::Task<> run_alone(engine::Client& client, campaign::Options campaign_options);

    const RunOptions& options_;
    const Scenario& scenario_;
    std::vector<Part> parts_;  // of what is settled together
    Pods pods_;
    bool alone_;  // no other one is run meanwhile
    std::shared_ptr<campaign::Budget> budget_;
    std::shared_ptr<campaign::Images> images_;
    std::string session_;
    Progress progress_;
    Watchdog watchdog_;
    double timeout_s_;
    Secrets secrets_;
    std::vector<CampaignResult> results_;
    std::string not_together_;
    bool stopped_ = false;
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
    campaign_options.pods = pods_;
    campaign_options.real_engine_socket = options_.engine_socket == "real";
    auto known = settings_of(options_);
    if (!known) co_return fail(std::move(known.error()));
    campaign_options.settings = std::move(*known);
    campaign_options.observer_timeout =
        std::chrono::milliseconds(static_cast<std::int64_t>(std::min(30.0, timeout_s_) * 1000));
    // Not with `?:` around co_await: g++ 12 destroys its answer twice.
    if (parts_.empty()) co_return co_await run_alone(client, std::move(campaign_options));
    co_return co_await run_together(client, std::move(campaign_options));
}

engine::Task<> Job::run_together(engine::Client& client, campaign::Options campaign_options) {
    Scenario tried = scenario_;
    auto done = co_await campaign::run_campaign(client, std::move(tried), session_,
                                                std::move(campaign_options), progress_);
    if (!done) co_return fail(std::move(done.error()));
    not_together_ = done->not_together;
    if (!not_together_.empty()) {
        progress_.note(fmt::format("{}, so that each {} is settled by a campaign of its own", not_together_,
                                   pods_.pods.empty() ? "service" : "container"));
        co_return Result<>{};
    }
    stopped_ = !done->stopped.empty();
    for (const RunRecord& run : done->runs) add_secrets(secrets_, run.secrets);
    std::vector<verdict::ContainerScenario> scenarios;
    for (const Part& each : parts_) {
        scenarios.push_back({each.member, *each.scenario});
        scenarios.back().scenario.steps = campaign::steps_of(*done, each.member);
    }
    results_ = verdict::by_container(*done, std::move(scenarios));
    for (CampaignResult& each : results_) campaign::tell_exercise(each);
    for (CampaignResult& each : results_)
        if (const auto refused = change::refused_as_configured(each); !refused.empty())
            change::tell_refused(each, refused);
    co_return Result<>{};
}

engine::Task<> Job::run_alone(engine::Client& client, campaign::Options campaign_options) {
    std::optional<CampaignResult> result;
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
        result = std::move(*done);
        images_->name_as_in_files(result->scenario);
        const auto refused = change::refused_as_configured(*result);
        if (refused.empty()) break;
        auto wanted = opens_up(refused);
        auto opens = co_await std::move(wanted);
        if (!opens) co_return fail(std::move(opens.error()));
        if (!*opens) {
            change::tell_refused(*result, refused);
            break;
        }
        progress_.note(
            fmt::format("the control run failed, and writes were refused on {}; it is made again with "
                        "{} writable",
                        fmt::join(refused, ", "), refused.size() == 1 ? "it" : "them"));
        whole = change::opened_up(std::move(*whole), result->mounts, refused);
        opened.insert(opened.end(), refused.begin(), refused.end());
        auto left = co_await campaign::sweep_until_settled(client, session_, 1);
        if (!left) co_return fail(std::move(left.error()));
    }
    change::tell_opened(*result, opened);
    stopped_ = !result->stopped.empty();
    results_.push_back(std::move(*result));
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
        co_await campaign::sweep_until_settled(client, session_, !results_.empty() && !stopped_ ? 1 : 2);
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
    for (const CampaignResult& result : results_)
        for (const RunRecord& run : result.runs) add_secrets(secrets_, run.secrets);
    for (CampaignResult& result : results_) report::hide_secrets(result, secrets_);
}

class Campaigns {
  public:
    Campaigns(const Global& global, const RunOptions& options, const std::vector<Scenario>& scenarios,
              std::vector<Together> together, bool several)
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
        for (std::size_t i = 0; i < scenarios.size(); ++i) {
            const auto whole = std::ranges::find_if(
                together, [&](const Together& each) { return std::ranges::count(each.parts, i) > 0; });
            if (whole == together.end())
                works_.push_back({{i}, {}, {}, {}});
            else if (whole->parts.front() == i)
                works_.push_back({whole->parts, std::move(whole->names), std::move(whole->pods),
                                  std::move(whole->campaign)});
        }
        std::vector<EngineQueue::Host> hosts(global.hosts.begin(), global.hosts.end());
        if (hosts.empty()) hosts.emplace_back();
        // Turn by turn, so that few scenarios are spread over all engines.
        for (int time = 0; time < options.jobs; ++time)
            lanes_.insert(lanes_.end(), hosts.begin(), hosts.end());
        if (lanes_.size() > works_.size()) lanes_.resize(std::max(hosts.size(), works_.size()));
    }

    int go();

  private:
    struct Work {
        std::vector<std::size_t> scenarios;
        std::vector<std::string> members;  // one for each of them, if they are settled together
        Pods pods;
        std::optional<Scenario> together;  // absent: there is one scenario
    };

    std::optional<EngineWork> next(std::size_t lane);
    void ended(const Work& work, EngineOutcome outcome, Job& job);
    void show(const Work& work, const Job& job, Result<>& written);
    void settle_apart(const Work& work);
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
    std::deque<Work> works_;  // a job refers to its own
    std::size_t taken_ = 0, printed_ = 0;
    std::vector<std::optional<std::string>> texts_;  // what is printed of each that has ended
    std::vector<report::OverviewLine> overview_;     // of those that have ended
    std::vector<std::optional<CampaignResult>>
        results_;  // for the reports on all of them, if files are written
    int worst_ = 0;
};

std::optional<EngineWork> Campaigns::next(std::size_t lane) {
    if (taken_ == works_.size()) return std::nullopt;
    const Work& work = works_[taken_++];
    Global global = global_;
    global.host = lanes_[lane];  // for its watchdog
    std::vector<Part> parts;
    for (std::size_t i = 0; i < work.members.size(); ++i)
        parts.push_back({work.members[i], &scenarios_[work.scenarios[i]]});
    const Scenario& scenario = work.together ? *work.together : scenarios_[work.scenarios.front()];
    auto job = std::make_shared<Job>(global, options_, scenario, std::move(parts), work.pods, budget_,
                                     images_, board_, lane, lanes_.size() > 1);
    EngineWork engine_work;
    engine_work.work = [job](engine::Client& client) { return job->run(client); };
    engine_work.clean_up = [job](engine::Client& client) { return job->clean_up(client); };
    engine_work.ended = [this, &work, job](EngineOutcome outcome) { ended(work, std::move(outcome), *job); };
    return engine_work;
}

Result<> Campaigns::write(const CampaignResult& result, const Scenario& scenario) {
    const std::string folder = several_ ? options_.out + "/" + scenario.name : options_.out;
    if (!options_.out.empty())
        if (auto written = write_reports(result, folder, format_options(global_)); !written) return written;
    if (options_.summary.empty()) return {};
    return append_file(options_.summary, report::render_markdown(result) + "\n");
}

// What is told of each scenario; of several together how all of them stand comes first.
void Campaigns::show(const Work& work, const Job& job, Result<>& written) {
    std::vector<report::OverviewLine> lines;
    for (std::size_t i = 0; i < work.scenarios.size(); ++i) {
        const std::size_t index = work.scenarios[i];
        texts_[index].emplace();
        if (i >= job.results().size()) continue;
        const CampaignResult& result = job.results()[i];
        texts_[index] = report::render_terminal(result, format_options(global_).terminal);
        if (written) written = write(result, scenarios_[index]);
        overview_[index] = report::overview_of(result);
        overview_[index].name = scenarios_[index].name;
        lines.push_back(overview_[index]);
        if (several_ && !options_.out.empty()) results_[index] = result;
    }
    if (work.together && !lines.empty()) {
        std::string& first = *texts_[work.scenarios.front()];
        const int runs = lines.front().runs;
        first.insert(0, fmt::format("{}\nOne campaign of {} {} settled all of them.\n\n",
                                    report::render_overview(lines), runs, runs == 1 ? "run" : "runs"));
    }
}

void Campaigns::settle_apart(const Work& work) {
    const std::vector<std::size_t> scenarios = work.scenarios;
    for (const std::size_t each : scenarios) works_.push_back({{each}, {}, {}, {}});
}

void Campaigns::ended(const Work& work, EngineOutcome outcome, Job& job) {
    if (outcome.result && !job.not_together().empty()) return settle_apart(work);
    job.mask(outcome);
    Result<> written;
    show(work, job, written);
    if (!outcome.result)
        for (const std::size_t each : work.scenarios)
            overview_[each].trouble = outcome.result.error().message;
    print_in_order();
    if (outcome.signal != 0) return;
    const std::string name =
        work.together
            ? fmt::format("{} '{}'", work.pods.pods.empty() ? "project" : "manifests", work.together->name)
            : fmt::format("scenario '{}'", scenarios_[work.scenarios.front()].name);
    const auto named = [&](Error error) {
        return scenarios_.size() > 1 ? std::move(error).with_context(name) : error;
    };
    int code = 0;
    if (!written)
        code = report_error(named(written.error()));
    else if (!outcome.result)
        code = report_error(named(outcome.result.error()));
    for (const CampaignResult& result : job.results())
        if (code == 0 || code == exit_code(ErrorKind::scenario) || code == exit_code(ErrorKind::inconclusive))
            code = worse(code, verdict_code(result));
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
    // Of one system it stands above what is told of each.
    if (ended.size() > 1 && !(works_.size() == 1 && works_.front().together))
        std::fputs((report::render_overview(ended) + "\n").c_str(), stdout);
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
                  std::vector<Together> together, bool several) {
    return Campaigns(global, options, scenarios, std::move(together), several).go();
}

}  // namespace rogate::cli
