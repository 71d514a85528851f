#include "report/junit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <rogate/names.hpp>

#include "base/escape.hpp"
#include "report/advice.hpp"
#include "report/markup.hpp"
#include "report/when.hpp"

namespace rogate::report {

namespace {

constexpr std::size_t attempts_shown = 50;

struct Counts {
    std::size_t tests = 0, failures = 0, errors = 0, skipped = 0;
    void operator+=(const Counts& other) {
        tests += other.tests, failures += other.failures;
        errors += other.errors, skipped += other.skipped;
    }
};

// The test cases of a suite while they are being written, and how they came out.
class Suite {
  public:
    explicit Suite(std::string classname) : classname_(std::move(classname)) {}

    // `outcome`: "", "skipped", "error" or "failure".
    void add(std::string name, double time, std::string_view outcome, const std::string& message,
             const std::string& output) {
        if (const int again = ++names_[name]; again > 1) name += fmt::format(" ({})", again);
        ++counts_.tests;
        counts_.skipped += outcome == "skipped" ? 1 : 0;
        counts_.errors += outcome == "error" ? 1 : 0;
        counts_.failures += outcome == "failure" ? 1 : 0;
        time_ += time;
        out_ += fmt::format("    <testcase name=\"{}\" classname=\"{}\" time=\"{:.3f}\"", xml_text(name),
                            xml_text(classname_), time);
        if (outcome.empty() && output.empty()) {
            out_ += "/>\n";
            return;
        }
        out_ += ">\n";
        if (!outcome.empty()) out_ += fmt::format("      <{} message=\"{}\"/>\n", outcome, xml_text(message));
        if (!output.empty()) out_ += fmt::format("      <system-out>{}</system-out>\n", output);
        out_ += "    </testcase>\n";
    }

    std::string finish(const std::string& name, const std::string& timestamp, const std::string& head,
                       std::string_view log) const {
        // xs:dateTime without a zone is what readers of the format expect.
        const std::string stamp =
            timestamp.ends_with('Z') ? timestamp.substr(0, timestamp.size() - 1) : timestamp;
        return fmt::format(
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" "
            "time=\"{:.3f}\" "
            "timestamp=\"{}\">\n{}{}{}  </testsuite>\n",
            xml_text(name), counts_.tests, counts_.failures, counts_.errors, counts_.skipped, time_,
            xml_text(stamp), head, out_,
            log.empty() ? "" : fmt::format("    <system-out>{}</system-out>\n", log));
    }
    const Counts& counts() const { return counts_; }
    double time() const { return time_; }

  private:
    std::string classname_, out_;
    std::map<std::string, int> names_;
    Counts counts_;
    double time_ = 0;
};

std::string property(std::string_view name, std::string_view value) {
    return fmt::format("      <property name=\"{}\" value=\"{}\"/>\n", name, xml_text(value));
}

// Escaped line by line, the line ends kept.
std::string output_text(std::string_view raw) {
    std::string out;
    while (!raw.empty()) {
        const std::size_t end = std::min(raw.find('\n'), raw.size());
        out += xml_text(raw.substr(0, end)) + "\n";
        raw.remove_prefix(std::min(end + 1, raw.size()));
    }
    return out;
}

std::string_view outcome_of(Verdict verdict) {
    switch (verdict) {
        case Verdict::inconclusive:
            return "error";
        case Verdict::untested:
        case Verdict::ineffective:
            return "skipped";
        case Verdict::safe:
        case Verdict::tolerated:
        case Verdict::split:
        case Verdict::required:
        case Verdict::already_ro:
            return "";
    }
    return "error";
}

std::string output_of(const MountResult& mount) {
    std::string out = fmt::format("{}: {}\n", to_string(mount.verdict), xml_text(mount.reason));
    const std::size_t shown = std::min(mount.attempts.size(), attempts_shown);
    for (std::size_t i = 0; i < shown; ++i) {
        const Attempt& each = mount.attempts[i];
        out +=
            fmt::format("{} {} {} x{} in {} by {}{}\n", xml_text(each.operation), xml_text(each.path),
                        errno_name(each.error), each.count, xml_text(when(each)), xml_text(each.process.comm),
                        each.cls == AttemptClass::write ? "" : fmt::format(" ({})", to_string(each.cls)));
    }
    if (mount.attempts.size() > shown)
        out += fmt::format("and {} more kinds of attempt, in result.json\n", mount.attempts.size() - shown);
    for (const WritablePath& each : mount.writable)
        out += fmt::format("keep writable: {} as {}\n", xml_text(each.path), xml_text(writable_kind(each)));
    for (const PhaseCost& cost : mount.costs)
        out += fmt::format("slower read-only: {}\n", xml_text(cost_text(cost)));
    return out;
}

void add_mounts(const CampaignResult& result, std::string& out, Counts& total) {
    Suite suite("rogate." + result.scenario.name + ".mounts");
    for (const MountResult& each : result.mounts) {
        const std::string_view outcome = outcome_of(each.verdict);
        suite.add(each.mount.target, 0, outcome, fmt::format("{}: {}", to_string(each.verdict), each.reason),
                  output_of(each));
    }
    const std::string head = "    <properties>\n" + property("image", result.scenario.subject.image) +
                             property("engine", result.engine.name + " " + result.engine.version) +
                             property("kernel", result.engine.kernel) + "    </properties>\n";
    out += suite.finish(result.scenario.name + ": mounts", result.started_at, head, {});
    total += suite.counts();
}

std::string output_of(const CapabilityResult& capability) {
    std::string out = fmt::format("{}: {}\n", to_string(capability.verdict), xml_text(capability.reason));
    const std::size_t shown = std::min(capability.checks.size(), attempts_shown);
    for (std::size_t i = 0; i < shown; ++i) {
        const CapabilityCheck& each = capability.checks[i];
        out += fmt::format("{} for {} {} x{} in {} by {}\n",
                           each.capability.empty() ? "no check" : xml_text(each.capability.str()),
                           xml_text(each.call.str()), each.error == 0 ? "allowed" : errno_name(each.error),
                           each.count, xml_text(each.phase.str()), xml_text(each.comm.str()));
    }
    if (capability.checks.size() > shown)
        out += fmt::format("and {} more kinds of check, in result.json\n", capability.checks.size() - shown);
    return out;
}

void add_capabilities(const CampaignResult& result, std::string& out, Counts& total) {
    if (result.capabilities.empty()) return;
    Suite suite("rogate." + result.scenario.name + ".capabilities");
    for (const CapabilityResult& each : result.capabilities)
        suite.add(each.name, 0, each.verdict == CapabilityVerdict::inconclusive ? "error" : "",
                  fmt::format("{}: {}", to_string(each.verdict), each.reason), output_of(each));
    const std::string kept = capabilities_text(result.recommendation);
    const std::string head =
        kept.empty() ? "" : "    <properties>\n" + property("capabilities", kept) + "    </properties>\n";
    out += suite.finish(result.scenario.name + ": capabilities", result.started_at, head, {});
    total += suite.counts();
}

double add_run(const CampaignResult& result, const RunRecord& run, std::string& out, Counts& total) {
    const std::string title = fmt::format("run {} ({})", run.plan.id, to_string(run.plan.kind));
    Suite suite(fmt::format("rogate.{}.run-{}", result.scenario.name, run.plan.id));
    const bool control = run.plan.kind == RunKind::control;
    for (const PhaseRecord& phase : run.phases)
        suite.add(phase.name, phase.duration_s,
                  phase.passed ? ""
                  : control    ? "failure"
                               : "skipped",
                  control
                      ? phase.message
                      : (run.plan.read_only.empty() ? "fails so: " : "fails with these mounts read-only: ") +
                            phase.message,
                  {});
    std::string read_only;
    for (const std::string& target : run.plan.read_only) read_only += (read_only.empty() ? "" : " ") + target;
    std::string head = "    <properties>\n" + property("read-only", read_only) +
                       property("passed", run.passed ? "true" : "false") +
                       property("lost-events", std::to_string(run.lost_events));
    if (!run.observer_problem.empty()) head += property("observer-problem", run.observer_problem);
    out += suite.finish(result.scenario.name + ": " + title, result.started_at, head + "    </properties>\n",
                        run.passed ? std::string() : output_text(run.log_tail));
    total += suite.counts();
    return suite.time();
}

}  // namespace

std::string render_junit(std::span<const CampaignResult> results) {
    std::string suites;
    Counts total;
    double time = 0;
    for (const CampaignResult& result : results) {
        add_mounts(result, suites, total);
        add_capabilities(result, suites, total);
        for (const RunRecord& run : result.runs) time += add_run(result, run, suites, total);
    }
    return fmt::format(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<testsuites name=\"rogate\" tests=\"{}\" failures=\"{}\" errors=\"{}\" "
        "time=\"{:.3f}\">\n{}</testsuites>\n",
        total.tests, total.failures, total.errors, time, suites);
}

}  // namespace rogate::report
