#include "report/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <rogate/names.hpp>

#include "report/escape.hpp"

namespace rogate::report {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;

class Writer {
  public:
    explicit Writer(const std::set<std::string>& secrets) : secrets_(secrets) {}

    ordered_json result(const CampaignResult& result) const;

  private:
    std::string text(std::string raw) const;
    ordered_json texts(const std::vector<std::string>& list) const;
    ordered_json run(const RunRecord& run) const;
    ordered_json mount(const MountResult& mount, const Recommendation& recommendation) const;
    ordered_json attempt(const Attempt& attempt) const;
    ordered_json writable(const std::vector<WritablePath>& list) const;
    ordered_json subject(const CampaignResult& result) const;

    const std::set<std::string>& secrets_;
};

std::string Writer::text(std::string raw) const {
    return escape_text(blot_out(std::move(raw), secrets_));
}

ordered_json Writer::texts(const std::vector<std::string>& list) const {
    ordered_json array = ordered_json::array();
    for (const std::string& each : list) array.push_back(text(each));
    return array;
}

ordered_json Writer::attempt(const Attempt& each) const {
    return {{"path", text(each.path)},
            {"operation", each.operation},
            {"syscall", each.syscall},
            {"errno", errno_name(each.error)},
            {"class", std::string(to_string(each.cls))},
            {"phase", text(each.phase)},
            {"process",
             {{"comm", text(each.process.comm)},
              {"exe", text(each.process.exe)},
              {"pid", each.process.pid},
              {"uid", each.process.uid}}},
            {"count", each.count},
            {"control", each.control},
            {"first_s", each.first_s},
            {"open_flags", each.open_flags}};
}

ordered_json Writer::writable(const std::vector<WritablePath>& list) const {
    ordered_json array = ordered_json::array();
    for (const WritablePath& each : list)
        array.push_back({{"path", text(each.path)},
                         {"as", std::string(to_string(each.as))},
                         {"mount", text(each.mount)},
                         {"tmpfs_options", text(each.tmpfs_options)},
                         {"reason", text(each.reason)},
                         {"needs_mount_point", each.needs_mount_point}});
    return array;
}

ordered_json Writer::run(const RunRecord& each) const {
    ordered_json canary = ordered_json::object(), phases = ordered_json::array(),
                 uses = ordered_json::object();
    for (const auto& [target, seen] : each.canary) canary[text(target)] = std::string(to_string(seen));
    for (const auto& [target, count] : each.uses) uses[text(target)] = count;
    for (const PhaseRecord& phase : each.phases)
        phases.push_back({{"name", text(phase.name)},
                          {"passed", phase.passed},
                          {"message", text(phase.message)},
                          {"duration_s", phase.duration_s}});
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
    if (each.exit_code) object["exit_code"] = *each.exit_code;
    if (each.exited_early) object["exited_early"] = true;
    if (each.could_not_start) object["could_not_start"] = true;
    if (!each.observer_problem.empty()) object["observer_problem"] = text(each.observer_problem);
    if (!each.log_tail.empty()) object["log_tail"] = text(each.log_tail);
    return object;
}

ordered_json Writer::mount(const MountResult& each, const Recommendation& recommendation) const {
    ordered_json attempts = ordered_json::array(), writes = ordered_json::array(),
                 costs = ordered_json::array();
    for (const Attempt& one : each.attempts) attempts.push_back(attempt(one));
    for (const Attempt& one : each.writes) writes.push_back(attempt(one));
    for (const PhaseCost& cost : each.costs)
        costs.push_back(
            {{"phase", text(cost.phase)}, {"control_s", cost.control_s}, {"read_only_s", cost.read_only_s}});
    const auto& read_only = recommendation.read_only;
    const bool advised = std::find(read_only.begin(), read_only.end(), each.mount.target) != read_only.end();
    ordered_json object = {{"target", text(each.mount.target)},
                           {"type", std::string(to_string(each.mount.type))},
                           {"source", text(each.mount.source)},
                           {"verdict", std::string(to_string(each.verdict))},
                           {"reason", text(each.reason)},
                           {"candidate", each.candidate},
                           {"runs", each.runs},
                           {"writes_in_control", each.writes_in_control},
                           {"attempts", std::move(attempts)},
                           {"writes", std::move(writes)},
                           {"writable", writable(each.writable)},
                           {"costs", std::move(costs)},
                           {"recommendation", {{"read_only", advised || each.mount.read_only}}}};
    if (each.mount.declared.line > 0)
        object["declared"] = {{"file", text(each.mount.declared.file)},
                              {"line", each.mount.declared.line},
                              {"column", each.mount.declared.column}};
    return object;
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

ordered_json Writer::result(const CampaignResult& result) const {
    ordered_json runs = ordered_json::array(), mounts = ordered_json::array();
    for (const RunRecord& each : result.runs) runs.push_back(run(each));
    for (const MountResult& each : result.mounts) mounts.push_back(mount(each, result.recommendation));
    const EngineFacts& engine = result.engine;
    ordered_json recommendation = {{"read_only", texts(result.recommendation.read_only)},
                                   {"writable", writable(result.recommendation.writable)}};
    recommendation["verified_by_run"] = result.recommendation.verified_by_run
                                            ? ordered_json(*result.recommendation.verified_by_run)
                                            : ordered_json(nullptr);
    return {{"schema", "rogate.result/1"},
            {"scenario", text(result.scenario.name)},
            {"file", text(result.scenario.file)},
            {"started_at", result.started_at},
            {"duration_s", result.duration_s},
            {"data", result.data_mode},
            {"engine",
             {{"name", engine.name},
              {"version", engine.version},
              {"api_version", engine.api_version},
              {"kernel", engine.kernel},
              {"os", engine.os},
              {"cgroup_version", engine.cgroup_version},
              {"host", engine.host}}},
            {"observer", {{"kind", result.observer.kind}, {"hooks", result.observer.hooks}}},
            {"subject", subject(result)},
            {"runs", std::move(runs)},
            {"mounts", std::move(mounts)},
            {"recommendation", std::move(recommendation)}};
}

// ---- back
// -------------------------------------------------------------------------------------------------------------

template <class Enum, std::size_t N>
Enum from_name(const json& name, const std::array<Enum, N>& all) {
    for (const Enum each : all)
        if (name.get<std::string>() == to_string(each)) return each;
    throw std::invalid_argument(fmt::format("'{}' is not known here", name.get<std::string>()));
}

constexpr std::array all_verdicts = {Verdict::safe,       Verdict::tolerated,   Verdict::split,
                                     Verdict::required,   Verdict::untested,    Verdict::ineffective,
                                     Verdict::already_ro, Verdict::inconclusive};
constexpr std::array all_types = {MountType::bind, MountType::volume, MountType::anonymous, MountType::tmpfs,
                                  MountType::rootfs};
constexpr std::array all_classes = {AttemptClass::write, AttemptClass::no_op, AttemptClass::access_check};
constexpr std::array all_kinds = {RunKind::control, RunKind::probe, RunKind::verify};
constexpr std::array all_canaries = {Canary::seen, Canary::not_seen, Canary::not_refused, Canary::failed};

constexpr std::array all_writable = {WritableAs::tmpfs, WritableAs::volume};
constexpr std::array all_origins = {Origin::Kind::scenario, Origin::Kind::compose, Origin::Kind::kubernetes,
                                    Origin::Kind::docker_run, Origin::Kind::container};

int errno_from(const std::string& name) {
    for (int error = 0; error < 134; ++error)
        if (errno_name(error) == name) return error;
    throw std::invalid_argument(fmt::format("'{}' is no errno", name));
}

std::string raw(const json& object, const char* key) {
    return unescape_text(object.at(key).get<std::string>());
}
std::string raw_or_empty(const json& object, const char* key) {
    return object.contains(key) ? raw(object, key) : std::string();
}

std::vector<std::string> raw_list(const json& array) {
    std::vector<std::string> list;
    for (const json& each : array) list.push_back(unescape_text(each.get<std::string>()));
    return list;
}

Attempt read_attempt(const json& object, const std::string& mount) {
    Attempt attempt;
    attempt.mount = mount;
    attempt.path = raw(object, "path");
    attempt.operation = object.at("operation");
    attempt.syscall = object.at("syscall");
    attempt.error = errno_from(object.at("errno"));
    attempt.cls = from_name(object.at("class"), all_classes);
    attempt.phase = raw(object, "phase");
    const json& process = object.at("process");
    attempt.process = {.pid = process.value("pid", std::int64_t{0}),
                       .comm = raw(process, "comm"),
                       .exe = raw(process, "exe"),
                       .uid = process.value("uid", 0U)};
    attempt.count = object.at("count");
    attempt.control = object.at("control");
    attempt.first_s = object.value("first_s", 0.0);
    attempt.open_flags = object.value("open_flags", 0U);
    return attempt;
}

std::vector<WritablePath> read_writable(const json& object) {
    std::vector<WritablePath> list;
    if (!object.contains("writable")) return list;
    for (const json& each : object.at("writable"))
        list.push_back({.path = raw(each, "path"),
                        .as = from_name(each.at("as"), all_writable),
                        .mount = raw_or_empty(each, "mount"),
                        .tmpfs_options = raw_or_empty(each, "tmpfs_options"),
                        .reason = raw_or_empty(each, "reason"),
                        .needs_mount_point = each.value("needs_mount_point", false)});
    return list;
}

RunRecord read_run(const json& object) {
    RunRecord run;
    run.plan.id = object.at("id");
    run.plan.kind = from_name(object.at("kind"), all_kinds);
    run.plan.read_only = raw_list(object.at("read_only"));
    run.plan.writable = read_writable(object);
    run.passed = object.at("passed");
    for (const auto& [target, canary] : object.at("canary").items())
        run.canary.emplace(unescape_text(target), from_name(canary, all_canaries));
    if (object.contains("uses"))
        for (const auto& [target, count] : object.at("uses").items())
            run.uses.emplace(unescape_text(target), count.get<std::uint64_t>());
    run.lost_events = object.at("lost_events");
    run.duration_s = object.at("duration_s");
    for (const json& phase : object.at("phases"))
        run.phases.push_back({.name = raw(phase, "name"),
                              .passed = phase.at("passed"),
                              .message = raw(phase, "message"),
                              .duration_s = phase.value("duration_s", 0.0)});
    if (object.contains("exit_code")) run.exit_code = object.at("exit_code").get<int>();
    run.exited_early = object.value("exited_early", false);
    run.could_not_start = object.value("could_not_start", false);
    run.observer_problem = raw_or_empty(object, "observer_problem");
    run.log_tail = raw_or_empty(object, "log_tail");
    return run;
}

MountResult read_mount(const json& object) {
    MountResult mount;
    mount.mount.target = raw(object, "target");
    mount.mount.type = from_name(object.at("type"), all_types);
    mount.mount.source = raw(object, "source");
    mount.verdict = from_name(object.at("verdict"), all_verdicts);
    mount.mount.read_only = mount.verdict == Verdict::already_ro;
    mount.reason = raw(object, "reason");
    mount.candidate = object.value("candidate", false);
    mount.runs = object.value("runs", std::vector<int>());
    mount.writes_in_control = object.value("writes_in_control", std::uint64_t{0});
    for (const json& attempt : object.at("attempts"))
        mount.attempts.push_back(read_attempt(attempt, mount.mount.target));
    for (const json& write : object.value("writes", json::array()))
        mount.writes.push_back(read_attempt(write, mount.mount.target));
    mount.writable = read_writable(object);
    for (const json& cost : object.value("costs", json::array()))
        mount.costs.push_back({.phase = raw(cost, "phase"),
                               .control_s = cost.value("control_s", 0.0),
                               .read_only_s = cost.value("read_only_s", 0.0)});
    if (object.contains("declared")) {
        const json& declared = object.at("declared");
        mount.mount.declared = {raw(declared, "file"), declared.value("line", 0),
                                declared.value("column", 0)};
    }
    return mount;
}

CampaignResult read_result(const json& object) {
    CampaignResult result;
    result.scenario.name = raw(object, "scenario");
    result.scenario.file = raw_or_empty(object, "file");
    result.started_at = object.value("started_at", "");
    result.duration_s = object.value("duration_s", 0.0);
    result.data_mode = object.value("data", "");
    const json& engine = object.at("engine");
    result.engine = {.name = engine.value("name", ""),
                     .version = engine.value("version", ""),
                     .api_version = engine.value("api_version", ""),
                     .kernel = engine.value("kernel", ""),
                     .os = engine.value("os", ""),
                     .cgroup_version = engine.value("cgroup_version", ""),
                     .host = engine.value("host", "")};
    const json& observer = object.at("observer");
    result.observer = {.kind = observer.value("kind", ""), .hooks = observer.value("hooks", "")};
    const json& subject = object.at("subject");
    result.scenario.subject.image = raw(subject, "image");
    result.image_id = subject.value("image_id", "");
    for (const std::string& name : raw_list(subject.value("environment", json::array())))
        result.scenario.subject.environment.emplace(name, "");
    if (subject.contains("origin")) {
        const json& origin = subject.at("origin");
        result.scenario.subject.origin = {.kind = from_name(origin.at("kind"), all_origins),
                                          .files = raw_list(origin.value("files", json::array())),
                                          .name = raw_or_empty(origin, "name"),
                                          .container = raw_or_empty(origin, "container")};
    }
    for (const json& run : object.at("runs")) result.runs.push_back(read_run(run));
    for (const json& mount : object.at("mounts")) result.mounts.push_back(read_mount(mount));
    const json& recommendation = object.at("recommendation");
    result.recommendation.read_only = raw_list(recommendation.at("read_only"));
    result.recommendation.writable = read_writable(recommendation);
    if (!recommendation.at("verified_by_run").is_null())
        result.recommendation.verified_by_run = recommendation.at("verified_by_run").get<int>();
    return result;
}

}  // namespace

std::string blot_out(std::string text, const std::set<std::string>& secrets) {
    for (const std::string& secret : secrets) {
        if (secret.size() < 4) continue;
        for (std::size_t at = 0; (at = text.find(secret, at)) != std::string::npos;)
            text.replace(at, secret.size(), "***");
    }
    return text;
}

std::string render_json(const CampaignResult& result, const std::set<std::string>& secrets) {
    return Writer(secrets).result(result).dump(2) + "\n";
}

Result<CampaignResult> parse_json(std::string_view text) {
    try {
        const json object = json::parse(text);
        if (!object.is_object() || object.value("schema", "") != "rogate.result/1")
            return fail(ErrorKind::usage,
                        "this is no result of rogate's: it has no \"schema\": \"rogate.result/1\"");
        return read_result(object);
    } catch (const std::exception& error) {
        return fail(ErrorKind::usage, fmt::format("this is no whole result of rogate's: {}", error.what()));
    }
}

}  // namespace rogate::report
