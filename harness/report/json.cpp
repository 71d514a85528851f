#include "report/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <rogate/names.hpp>
#include <tuple>

#include "base/escape.hpp"

namespace rogate::report {

namespace {

using nlohmann::ordered_json;

class Writer {
  public:
    explicit Writer(const Sink& sink) : sink_(sink) {}

    Result<> result(const CampaignResult& result);

  private:
    static std::string text(const std::string& raw);
    ordered_json texts(const std::vector<std::string>& list) const;
    ordered_json run(const RunRecord& run) const;
    void mount(const MountResult& mount, const Recommendation& recommendation);
    ordered_json environment(const std::map<std::string, std::string>& variables) const;
    ordered_json settings(const CampaignResult& result) const;
    ordered_json capabilities(const CampaignResult& result) const;
    void attempts(const char* key, const Attempts& list);
    void member(int depth, const char* key, const ordered_json& value);
    void quoted(std::string_view raw);
    void hand_on();
    void text_member(std::string_view key, std::string_view value);
    void kind(const Attempt& attempt);
    void attempt(const Attempt& attempt);
    ordered_json writable(const std::vector<WritablePath>& list) const;
    ordered_json subject(const CampaignResult& result) const;
    ordered_json differences(const CampaignResult& result) const;

    static constexpr std::size_t piece = 256U << 10U;

    const Sink& sink_;
    std::string out_;  // what was not handed on yet: always the last byte, which commas depend on
    Result<> done_;    // the sink's first error
    // Of the attempt before, and how it was written: most differ in their paths and in numbers only.
    std::optional<std::tuple<Word, Word, int, AttemptClass, Word, Word, Word>> kind_;
    std::string kind_text_;
};

// Text that is written as it is, byte by byte: printable ASCII but for the two that JSON and we escape.
bool is_plain(std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; });
}

std::string Writer::text(const std::string& raw) {
    return escape_text(raw);
}

ordered_json Writer::texts(const std::vector<std::string>& list) const {
    ordered_json array = ordered_json::array();
    for (const std::string& each : list) array.push_back(text(each));
    return array;
}

// Of a million attempts a tree each would take most of the time, and so would a copy of each text.
void Writer::quoted(std::string_view raw) {
    if (is_plain(raw)) {
        out_ += '"';
        out_ += raw;
        out_ += '"';
        return;
    }
    out_ += '"';
    // As escape_text() leaves it: well-formed UTF-8 without control characters.
    for (const char c : escape_text(raw)) {
        if (c == '"' || c == '\\') out_ += '\\';
        out_ += c;
    }
    out_ += '"';
}

void Writer::hand_on() {
    if (!done_ || out_.size() <= 1) return;
    done_ = sink_(std::string_view(out_).substr(0, out_.size() - 1));
    out_.erase(0, out_.size() - 1);
}

void Writer::text_member(std::string_view key, std::string_view value) {
    out_ += key;
    quoted(value);
}

void Writer::kind(const Attempt& each) {
    const auto texts = std::tuple(each.operation, each.syscall, each.error, each.cls, each.phase,
                                  each.process.comm, each.process.exe);
    if (kind_ == texts) {
        out_ += kind_text_;
        return;
    }
    const std::size_t begin = out_.size();
    text_member(",\"operation\":", each.operation);
    text_member(",\"syscall\":", each.syscall);
    text_member(",\"errno\":", errno_name(each.error));
    text_member(",\"class\":", to_string(each.cls));
    text_member(",\"phase\":", each.phase);
    text_member(",\"process\":{\"comm\":", each.process.comm);
    text_member(",\"exe\":", each.process.exe);
    kind_ = texts;
    kind_text_ = out_.substr(begin);
}

void Writer::attempt(const Attempt& each) {
    const auto number = [&](std::string_view key, auto value) {
        const fmt::format_int digits(value);
        out_.append(key).append(digits.data(), digits.size());
    };
    text_member("{\"path\":", each.path);
    kind(each);
    number(",\"pid\":", each.process.pid);
    number(",\"uid\":", each.process.uid);
    number(",\"parent\":", each.process.parent);
    number("},\"count\":", each.count);
    text_member(",\"control\":", each.control);
    out_ += ",\"first_s\":";
    out_ += each.first_s == 0 ? "0.0" : ordered_json(each.first_s).dump();
    number(",\"open_flags\":", each.open_flags);
    if (!each.state.empty()) text_member(",\"state\":", each.state);
    out_ += '}';
}

ordered_json Writer::writable(const std::vector<WritablePath>& list) const {
    ordered_json array = ordered_json::array();
    for (const WritablePath& each : list) {
        array.push_back({{"path", text(each.path)},
                         {"as", std::string(to_string(each.as))},
                         {"mount", text(each.mount)},
                         {"tmpfs_options", text(each.tmpfs_options)},
                         {"reason", text(each.reason)},
                         {"needs_mount_point", each.needs_mount_point}});
        if (each.from_image && each.as == WritableAs::volume) array.back()["from_image"] = true;
    }
    return array;
}

ordered_json Writer::environment(const std::map<std::string, std::string>& variables) const {
    ordered_json object = ordered_json::object();
    for (const auto& [name, value] : variables) object[text(name)] = text(value);
    return object;
}

ordered_json Writer::settings(const CampaignResult& result) const {
    ordered_json array = ordered_json::array();
    for (const SettingResult& each : result.settings) {
        array.push_back({{"id", text(each.id)},
                         {"what", text(each.what)},
                         {"setting", text(each.how)},
                         {"outcome", std::string(to_string(each.outcome))},
                         {"reason", text(each.reason)},
                         {"mounts", texts(each.mounts)},
                         {"paths", texts(each.paths)},
                         {"runs", each.runs}});
        ordered_json& last = array.back();
        if (!each.environment.empty()) last["environment"] = environment(each.environment);
        if (!each.cost.empty()) last["cost"] = text(each.cost);
        if (!each.since.empty()) last["since"] = text(each.since);
        if (!each.source.empty()) last["source"] = text(each.source);
    }
    return array;
}

ordered_json Writer::capabilities(const CampaignResult& result) const {
    ordered_json array = ordered_json::array();
    for (const CapabilityResult& each : result.capabilities) {
        ordered_json checks = ordered_json::array();
        for (const CapabilityCheck& check : each.checks) {
            checks.push_back({{"call", text(check.call)},
                              {"comm", text(check.comm)},
                              {"uid", check.uid},
                              {"phase", text(check.phase)},
                              {"errno", errno_name(check.error)},
                              {"count", check.count}});
            if (!check.capability.empty()) checks.back()["capability"] = text(check.capability);
        }
        array.push_back({{"name", text(each.name)},
                         {"verdict", std::string(to_string(each.verdict))},
                         {"reason", text(each.reason)},
                         {"checks", std::move(checks)},
                         {"runs", each.runs}});
    }
    return array;
}

ordered_json Writer::run(const RunRecord& each) const {
    ordered_json canary = ordered_json::object(), phases = ordered_json::array(),
                 uses = ordered_json::object();
    for (const auto& [target, seen] : each.canary) canary[text(target)] = std::string(to_string(seen));
    for (const auto& [target, count] : each.uses) uses[text(target)] = count;
    for (const PhaseRecord& phase : each.phases) {
        phases.push_back({{"name", text(phase.name)},
                          {"passed", phase.passed},
                          {"message", text(phase.message)},
                          {"duration_s", phase.duration_s}});
        if (phase.suite)
            phases.back()["tests"] = {{"total", phase.suite->total},
                                      {"failed", texts(phase.suite->failed)},
                                      {"known_failures", texts(phase.suite->known)}};
        if (!phase.output.empty()) phases.back()["output"] = text(phase.output);
    }
    ordered_json object = {{"id", each.plan.id},
                           {"kind", std::string(to_string(each.plan.kind))},
                           {"read_only", texts(each.plan.read_only)},
                           {"writable", writable(each.plan.writable)},
                           {"passed", each.passed},
                           {"canary", std::move(canary)},
                           {"uses", std::move(uses)},
                           {"lost_events", each.lost_events},
                           {"duration_s", each.duration_s},
                           {"phases", std::move(phases)}};
    if (!each.beside.empty()) object["beside"] = texts(each.beside);
    if (each.plan.state != DataState::current) object["state"] = std::string(to_string(each.plan.state));
    if (each.plan.data_of) object["data_of"] = *each.plan.data_of;
    if (each.plan.again) object["again"] = true;
    if (each.plan.repeats) object["repeats"] = *each.plan.repeats;
    if (each.plan.blames) object["blames"] = true;
    if (each.plan.crashes) object["crashes"] = true;
    if (!each.plan.environment.empty()) object["environment"] = environment(each.plan.environment);
    if (each.plan.capabilities) object["capabilities"] = texts(*each.plan.capabilities);
    if (each.plan.no_new_privileges) object["no_new_privileges"] = true;
    if (each.exit_code) object["exit_code"] = *each.exit_code;
    if (each.exited_early) object["exited_early"] = true;
    if (each.could_not_start) object["could_not_start"] = true;
    if (!each.observer.empty()) object["observer"] = text(each.observer);
    if (!each.observer_problem.empty()) object["observer_problem"] = text(each.observer_problem);
    if (!each.services_problem.empty()) object["services_problem"] = text(each.services_problem);
    if (!each.log_tail.empty()) object["log_tail"] = text(each.log_tail);
    return object;
}

// A member of the object that is being written. A result can have a million attempts, so only small parts of
// it are ever a tree: the rest is written as it is reached, an attempt on a line of its own.
void Writer::member(int depth, const char* key, const ordered_json& value) {
    const std::string indent(static_cast<std::size_t>(depth) * 2, ' ');
    if (out_.back() != '{') out_ += ',';
    out_ += "\n" + indent + '"' + key + "\": ";
    // Texts hold no line ends (they are escaped), so each of these begins a line of the layout.
    for (const char c : value.dump(2)) {
        out_ += c;
        if (c == '\n') out_ += indent;
    }
}

void Writer::attempts(const char* key, const Attempts& list) {
    member(3, key, ordered_json::array());
    if (list.empty()) return;
    out_.pop_back();
    for (const Attempt& each : list) {
        out_ += "\n        ";
        attempt(each);
        out_ += ',';
        if (out_.size() > piece) hand_on();
    }
    out_.back() = '\n';
    out_ += "      ]";
}

void Writer::mount(const MountResult& each, const Recommendation& recommendation) {
    ordered_json costs = ordered_json::array();
    for (const PhaseCost& cost : each.costs)
        costs.push_back(
            {{"phase", text(cost.phase)}, {"control_s", cost.control_s}, {"read_only_s", cost.read_only_s}});
    const auto& read_only = recommendation.read_only;
    const bool advised = std::find(read_only.begin(), read_only.end(), each.mount.target) != read_only.end();
    out_ += "\n    {";
    member(3, "target", text(each.mount.target));
    member(3, "type", std::string(to_string(each.mount.type)));
    member(3, "source", text(each.mount.source));
    if (!each.mount.sub_path.empty()) member(3, "subpath", text(each.mount.sub_path));
    member(3, "verdict", std::string(to_string(each.verdict)));
    member(3, "reason", text(each.reason));
    member(3, "candidate", each.candidate);
    member(3, "runs", each.runs);
    member(3, "writes_in_control", each.writes_in_control);
    attempts("attempts", each.attempts);
    attempts("writes", each.writes);
    if (each.still_failing) attempts("still_failing", *each.still_failing);
    if (!each.difference.left_out.empty()) attempts("left_out", each.difference.left_out);
    if (!each.difference.instead.empty()) attempts("instead", each.difference.instead);
    if (!each.difference.unused.empty()) member(3, "unused", texts(each.difference.unused));
    if (!each.difference.with.empty()) member(3, "left_out_with", texts(each.difference.with));
    if (each.watched)
        member(3, "watched", {{"steps", each.watched->steps}, {"seconds", each.watched->seconds}});
    if (!each.made_up.empty()) member(3, "made_up", text(each.made_up));
    if (each.self_made) member(3, "exercise", "self-made");
    if (each.opened_up) member(3, "opened_up", true);
    member(3, "writable", writable(each.writable));
    member(3, "costs", costs);
    member(3, "recommendation", {{"read_only", advised || each.mount.read_only}});
    if (each.mount.declared.line > 0)
        member(3, "declared",
               {{"file", text(each.mount.declared.file)},
                {"line", each.mount.declared.line},
                {"column", each.mount.declared.column}});
    out_ += "\n    }";
}

ordered_json Writer::differences(const CampaignResult& result) const {
    ordered_json array = ordered_json::array();
    for (const DataDifference& each : result.data_differences)
        array.push_back({{"target", text(each.target)},
                         {"what", text(each.what)},
                         {"way_out", text(each.way_out)},
                         {"used", each.used}});
    return array;
}

ordered_json Writer::subject(const CampaignResult& result) const {
    ordered_json names = ordered_json::array();
    for (const auto& [name, value] : result.scenario.subject.environment) names.push_back(text(name));
    const Origin& origin = result.scenario.subject.origin;
    return {{"image", text(result.scenario.subject.image)},
            {"image_id", result.image_id},
            {"environment", std::move(names)},
            {"origin",
             {{"kind", std::string(to_string(origin.kind))},
              {"files", texts(origin.files)},
              {"name", text(origin.name)},
              {"container", text(origin.container)}}}};
}

Result<> Writer::result(const CampaignResult& result) {
    ordered_json runs = ordered_json::array();
    for (const RunRecord& each : result.runs) runs.push_back(run(each));
    const EngineFacts& engine = result.engine;
    ordered_json recommendation = {{"read_only", texts(result.recommendation.read_only)},
                                   {"writable", writable(result.recommendation.writable)}};
    recommendation["verified_by_run"] = result.recommendation.verified_by_run
                                            ? ordered_json(*result.recommendation.verified_by_run)
                                            : ordered_json(nullptr);
    if (!result.recommendation.environment.empty())
        recommendation["environment"] = environment(result.recommendation.environment);
    if (result.recommendation.capabilities)
        recommendation["capabilities"] = texts(*result.recommendation.capabilities);
    if (result.recommendation.no_new_privileges) recommendation["no_new_privileges"] = true;
    out_ = "{";
    member(1, "schema", "rogate.result/1");
    member(1, "scenario", text(result.scenario.name));
    member(1, "file", text(result.scenario.file));
    member(1, "started_at", result.started_at);
    member(1, "duration_s", result.duration_s);
    member(1, "data", result.data_mode);
    if (!result.stopped.empty()) member(1, "stopped", text(result.stopped));
    if (!result.exercised.empty()) member(1, "exercised", texts(result.exercised));
    if (!result.scenario.unlike_cluster.empty())
        member(1, "unlike_cluster", texts(result.scenario.unlike_cluster));
    if (!result.data_differences.empty()) member(1, "data_differences", differences(result));
    member(1, "engine",
           {{"name", text(engine.name)},
            {"version", text(engine.version)},
            {"api_version", text(engine.api_version)},
            {"kernel", text(engine.kernel)},
            {"os", text(engine.os)},
            {"cgroup_version", text(engine.cgroup_version)},
            {"host", text(engine.host)}});
    member(1, "observer", {{"kind", result.observer.kind}, {"hooks", text(result.observer.hooks)}});
    member(1, "subject", subject(result));
    member(1, "runs", runs);
    member(1, "mounts", ordered_json::array());
    if (!result.mounts.empty()) {
        out_.pop_back();
        for (const MountResult& each : result.mounts) {
            mount(each, result.recommendation);
            out_ += ',';
        }
        out_.back() = '\n';
        out_ += "  ]";
    }
    member(1, "recommendation", recommendation);
    if (!result.settings.empty()) member(1, "settings", settings(result));
    if (!result.capabilities.empty()) member(1, "capabilities", capabilities(result));
    ordered_json varying = ordered_json::array();
    for (const VaryingName& each : result.varying_names)
        varying.push_back({{"pattern", text(each.pattern)}, {"names", texts(each.names)}});
    if (!varying.empty()) member(1, "varying_names", varying);
    out_ += "\n}\n";
    return done_ ? sink_(out_) : done_;
}

}  // namespace

Result<> write_json(const CampaignResult& result, const Sink& sink) {
    return Writer(sink).result(result);
}

std::string render_json(const CampaignResult& result) {
    std::string text;
    (void)write_json(result, [&](std::string_view piece) -> Result<> {
        text += piece;
        return {};
    });
    return text;
}

}  // namespace rogate::report
