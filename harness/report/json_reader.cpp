#include <fmt/format.h>
#include <rapidjson/error/en.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <rogate/names.hpp>
#include <utility>

#include "base/escape.hpp"
#include "report/json.hpp"
#include "report/piece_stream.hpp"

namespace rogate::report {

namespace {

using nlohmann::json;

template <class Enum, std::size_t N>
Enum from_name(std::string_view name, const std::array<Enum, N>& all) {
    for (const Enum each : all)
        if (name == to_string(each)) return each;
    throw std::invalid_argument(fmt::format("'{}' is not known here", name));
}
template <class Enum, std::size_t N>
Enum from_name(const json& name, const std::array<Enum, N>& all) {
    return from_name(std::string_view(name.get_ref<const std::string&>()), all);
}

constexpr std::array all_verdicts = {Verdict::safe,       Verdict::tolerated,   Verdict::split,
                                     Verdict::required,   Verdict::untested,    Verdict::ineffective,
                                     Verdict::already_ro, Verdict::inconclusive};
constexpr std::array all_capability_verdicts = {CapabilityVerdict::unused, CapabilityVerdict::tolerated,
                                                CapabilityVerdict::needed, CapabilityVerdict::inconclusive};
constexpr std::array all_types = {MountType::bind, MountType::volume, MountType::anonymous, MountType::tmpfs,
                                  MountType::rootfs};
constexpr std::array all_classes = {AttemptClass::write, AttemptClass::no_op, AttemptClass::access_check};
constexpr std::array all_states = {DataState::current, DataState::fresh, DataState::used, DataState::restart,
                                   DataState::crash};
constexpr std::array all_kinds = {RunKind::control, RunKind::probe, RunKind::verify};
constexpr std::array all_canaries = {Canary::seen, Canary::not_seen, Canary::not_refused, Canary::failed};

constexpr std::array all_writable = {WritableAs::tmpfs, WritableAs::volume, WritableAs::subpath};
constexpr std::array all_outcomes = {SettingResult::Outcome::offered, SettingResult::Outcome::no_help,
                                     SettingResult::Outcome::breaks, SettingResult::Outcome::not_tried,
                                     SettingResult::Outcome::unsettled};
constexpr std::array all_origins = {Origin::Kind::scenario, Origin::Kind::compose, Origin::Kind::kubernetes,
                                    Origin::Kind::docker_run, Origin::Kind::container};

int errno_from(const std::string& name) {
    static const std::map<std::string, int> numbers = [] {
        std::map<std::string, int> all;
        for (int error = 0; error < 134; ++error) all.emplace(errno_name(error), error);
        return all;
    }();
    const auto found = numbers.find(name);
    if (found == numbers.end()) throw std::invalid_argument(fmt::format("'{}' is no errno", name));
    return found->second;
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

std::vector<WritablePath> read_writable(const json& object) {
    std::vector<WritablePath> list;
    if (!object.contains("writable")) return list;
    for (const json& each : object.at("writable"))
        list.push_back({.path = raw(each, "path"),
                        .as = from_name(each.at("as"), all_writable),
                        .mount = raw_or_empty(each, "mount"),
                        .tmpfs_options = raw_or_empty(each, "tmpfs_options"),
                        .reason = raw_or_empty(each, "reason"),
                        .needs_mount_point = each.value("needs_mount_point", false),
                        .from_image = each.value("from_image", false)});
    return list;
}

std::map<std::string, std::string> read_environment(const json& object) {
    std::map<std::string, std::string> variables;
    const json said = object.value("environment", json::object());
    for (const auto& [name, value] : said.items())
        variables.emplace(unescape_text(name), unescape_text(value.get<std::string>()));
    return variables;
}

SettingResult read_setting(const json& object) {
    SettingResult setting;
    setting.id = raw(object, "id");
    setting.what = raw(object, "what");
    setting.environment = read_environment(object);
    setting.how = raw(object, "setting");
    setting.cost = raw_or_empty(object, "cost");
    setting.since = raw_or_empty(object, "since");
    setting.source = raw_or_empty(object, "source");
    setting.outcome = from_name(object.at("outcome"), all_outcomes);
    setting.mounts = raw_list(object.at("mounts"));
    setting.paths = raw_list(object.at("paths"));
    setting.runs = object.at("runs").get<std::vector<int>>();
    setting.reason = raw(object, "reason");
    return setting;
}

CapabilityResult read_capability(const json& object) {
    CapabilityResult result;
    result.name = raw(object, "name");
    result.verdict = from_name(object.at("verdict"), all_capability_verdicts);
    result.reason = raw(object, "reason");
    result.runs = object.at("runs").get<std::vector<int>>();
    for (const json& each : object.at("checks"))
        result.checks.push_back({.capability = raw_or_empty(each, "capability"),
                                 .call = raw(each, "call"),
                                 .comm = raw(each, "comm"),
                                 .phase = raw(each, "phase"),
                                 .uid = each.at("uid").get<std::uint32_t>(),
                                 .error = errno_from(each.at("errno").get<std::string>()),
                                 .count = each.at("count").get<std::uint64_t>()});
    return result;
}

RunRecord read_run(const json& object) {
    RunRecord run;
    run.plan.id = object.at("id");
    run.plan.kind = from_name(object.at("kind"), all_kinds);
    if (object.contains("state")) run.plan.state = from_name(object.at("state"), all_states);
    if (object.contains("data_of")) run.plan.data_of = object.at("data_of").get<int>();
    run.plan.read_only = raw_list(object.at("read_only"));
    run.plan.writable = read_writable(object);
    run.beside = raw_list(object.value("beside", json::array()));
    run.passed = object.at("passed");
    for (const auto& [target, canary] : object.at("canary").items())
        run.canary.emplace(unescape_text(target), from_name(canary, all_canaries));
    if (object.contains("uses"))
        for (const auto& [target, count] : object.at("uses").items())
            run.uses.emplace(unescape_text(target), count.get<std::uint64_t>());
    run.lost_events = object.at("lost_events");
    run.duration_s = object.at("duration_s");
    for (const json& phase : object.at("phases")) {
        run.phases.push_back({.name = raw(phase, "name"),
                              .passed = phase.at("passed"),
                              .message = raw(phase, "message"),
                              .duration_s = phase.value("duration_s", 0.0)});
        run.phases.back().output = raw_or_empty(phase, "output");
        if (phase.contains("tests")) {
            const json& tests = phase.at("tests");
            run.phases.back().suite = SuiteRecord{.total = tests.at("total"),
                                                  .failed = raw_list(tests.at("failed")),
                                                  .known = raw_list(tests.at("known_failures"))};
        }
    }
    if (object.contains("exit_code")) run.exit_code = object.at("exit_code").get<int>();
    run.plan.again = object.value("again", false);
    if (object.contains("repeats")) run.plan.repeats = object.at("repeats").get<int>();
    run.plan.blames = object.value("blames", false);
    run.plan.crashes = object.value("crashes", false);
    run.plan.environment = read_environment(object);
    if (object.contains("capabilities")) run.plan.capabilities = raw_list(object.at("capabilities"));
    run.plan.no_new_privileges = object.value("no_new_privileges", false);
    run.exited_early = object.value("exited_early", false);
    run.could_not_start = object.value("could_not_start", false);
    run.observer = raw_or_empty(object, "observer");
    run.observer_problem = raw_or_empty(object, "observer_problem");
    run.services_problem = raw_or_empty(object, "services_problem");
    run.log_tail = raw_or_empty(object, "log_tail");
    return run;
}

MountResult read_mount(const json& object) {
    MountResult mount;
    mount.mount.target = raw(object, "target");
    mount.mount.type = from_name(object.at("type"), all_types);
    mount.mount.source = raw(object, "source");
    mount.mount.sub_path = raw_or_empty(object, "subpath");
    mount.verdict = from_name(object.at("verdict"), all_verdicts);
    mount.mount.read_only = mount.verdict == Verdict::already_ro;
    mount.reason = raw(object, "reason");
    mount.candidate = object.value("candidate", false);
    mount.runs = object.value("runs", std::vector<int>());
    mount.writes_in_control = object.value("writes_in_control", std::uint64_t{0});
    (void)object.at("attempts");  // read by ResultReader; must be there
    mount.difference.unused = raw_list(object.value("unused", json::array()));
    mount.difference.with = raw_list(object.value("left_out_with", json::array()));
    if (object.contains("watched"))
        mount.watched = {.steps = object.at("watched").value("steps", 0),
                         .seconds = object.at("watched").value("seconds", 0.0)};
    mount.made_up = raw_or_empty(object, "made_up");
    mount.self_made = raw_or_empty(object, "exercise") == "self-made";
    mount.opened_up = object.value("opened_up", false);
    mount.writable = read_writable(object);
    if (object.contains("still_failing")) mount.still_failing.emplace();
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

// One attempt after another, taken in as they are parsed.
class AttemptReader {
  public:
    void key(std::string_view name);
    void open() { ++depth_; }
    // False: this was the attempt's own end.
    bool close() { return depth_-- > 0; }
    void text(std::string_view value);
    void number(std::int64_t value);
    void number(std::uint64_t value);
    void number(double value);
    void other() const {
        if (field() != unknown) wrong("a text or a number");
    }
    Attempt take();

  private:
    enum Field : unsigned {
        path,
        operation,
        syscall,
        error,
        cls,
        phase,
        process,
        comm,
        exe,
        pid,
        uid,
        parent,
        count,
        control,
        first_s,
        open_flags,
        state,
        unknown
    };
    struct Key {
        std::string_view name;
        bool in_process;
    };
    // In the order of Field, which is the one in which they are written.
    static constexpr std::array<Key, unknown> keys = {{{"path", false},
                                                       {"operation", false},
                                                       {"syscall", false},
                                                       {"errno", false},
                                                       {"class", false},
                                                       {"phase", false},
                                                       {"process", false},
                                                       {"comm", true},
                                                       {"exe", true},
                                                       {"pid", true},
                                                       {"uid", true},
                                                       {"parent", true},
                                                       {"count", false},
                                                       {"control", false},
                                                       {"first_s", false},
                                                       {"open_flags", false},
                                                       {"state", false}}};
    static constexpr std::array required = {path,  operation, syscall, error, cls,
                                            phase, comm,      exe,     count, control};

    Field field_of(std::string_view name, bool in_process);
    // What the value that comes next belongs to.
    Field field() const {
        if (depth_ == 0) return key_;
        return depth_ == 1 && key_ == process ? inner_key_ : unknown;
    }
    Word* word_of(Field field);
    [[noreturn]] void wrong(std::string_view wanted) const {
        throw std::invalid_argument(fmt::format("'{}' of an attempt is not {}", keys[field()].name, wanted));
    }

    Attempt attempt_;  // begins with the words of the one before: nearly all of them are the same
    std::string path_;
    unsigned seen_ = 0;  // a bit for each field
    int depth_ = 0;
    Field key_ = unknown, inner_key_ = unknown;
    unsigned next_ = 0;              // where in `keys` to look first
    std::string errno_name_ = "ok";  // of attempt_.error
};

AttemptReader::Field AttemptReader::field_of(std::string_view name, bool in_process) {
    for (unsigned tried = 0; tried < unknown; ++tried) {
        const unsigned at = next_;
        next_ = at + 1 == unknown ? 0 : at + 1;
        if (keys[at].name == name && keys[at].in_process == in_process) return static_cast<Field>(at);
    }
    return unknown;
}

void AttemptReader::key(std::string_view name) {
    if (depth_ > 0) {
        inner_key_ = depth_ == 1 && key_ == process ? field_of(name, true) : unknown;
        return;
    }
    key_ = field_of(name, false);
}

Word* AttemptReader::word_of(Field field) {
    switch (field) {
        case operation:
            return &attempt_.operation;
        case syscall:
            return &attempt_.syscall;
        case phase:
            return &attempt_.phase;
        case comm:
            return &attempt_.process.comm;
        case exe:
            return &attempt_.process.exe;
        case control:
            return &attempt_.control;
        case state:
            return &attempt_.state;
        default:
            return nullptr;
    }
}

void AttemptReader::text(std::string_view value) {
    const Field now = field();
    const bool escaped = value.find('\\') != std::string_view::npos;
    if (now == path) {
        path_ = escaped ? unescape_text(value) : std::string(value);
    } else if (Word* word = word_of(now)) {
        if (escaped)
            *word = unescape_text(value);
        else if (*word != value)
            *word = value;
    } else if (now == error) {
        if (value != errno_name_) attempt_.error = errno_from(errno_name_ = value);
    } else if (now == cls) {
        attempt_.cls = from_name(value, all_classes);
    } else if (now == count || now == first_s || now == open_flags) {
        wrong("a number");
    }
    seen_ |= 1U << now;
}

void AttemptReader::number(std::int64_t value) {
    if (value < 0 && field() != unknown) wrong("a number that can be");
    number(static_cast<std::uint64_t>(value));
}

void AttemptReader::number(std::uint64_t value) {
    const Field now = field();
    if (now == path || now == error || now == cls || word_of(now) != nullptr) wrong("a text");
    if (now == pid) attempt_.process.pid = static_cast<std::uint32_t>(value);
    if (now == parent) attempt_.process.parent = static_cast<std::uint32_t>(value);
    if (now == uid) attempt_.process.uid = static_cast<std::uint32_t>(value);
    if (now == count) attempt_.count = value;
    if (now == open_flags) attempt_.open_flags = static_cast<std::uint32_t>(value);
    if (now == first_s) attempt_.first_s = static_cast<double>(value);
    seen_ |= 1U << now;
}

void AttemptReader::number(double value) {
    if (field() == first_s)
        attempt_.first_s = value;
    else if (field() == count)
        wrong("a whole number");
    else
        number(std::uint64_t{0});
}

Attempt AttemptReader::take() {
    for (const Field each : required)
        if ((seen_ & 1U << each) == 0)
            throw std::invalid_argument(fmt::format(
                "an attempt has no '{}{}'", keys[each].in_process ? "process." : "", keys[each].name));
    if ((seen_ & 1U << state) == 0) attempt_.state = {};
    Attempt whole = attempt_;
    whole.path = std::exchange(path_, {});
    attempt_.process.pid = attempt_.process.parent = attempt_.process.uid = attempt_.open_flags = 0;
    attempt_.first_s = 0;
    seen_ = 0, depth_ = 0, next_ = 0;
    return whole;
}

// A result's tree but for its attempts, which can be a million: they never are one.
class ResultReader {
  public:
    json take() { return std::move(root_); }
    void give(std::vector<MountResult>& mounts);

    // What rapidjson calls.
    bool Null() { return put(nullptr); }
    bool Bool(bool value) { return put(value); }
    bool Int(int value) { return Int64(value); }
    bool Uint(unsigned value) { return Uint64(value); }
    bool Int64(std::int64_t value) { return in_attempt_ ? (attempt_.number(value), true) : put(value); }
    bool Uint64(std::uint64_t value) { return in_attempt_ ? (attempt_.number(value), true) : put(value); }
    bool Double(double value) { return in_attempt_ ? (attempt_.number(value), true) : put(value); }
    bool RawNumber(const char*, rapidjson::SizeType, bool) { return false; }  // only if asked for
    bool String(const char* text, rapidjson::SizeType size, bool) {
        const std::string_view value(text, size);
        return in_attempt_ ? (attempt_.text(value), true) : put(value);
    }
    bool Key(const char* text, rapidjson::SizeType size, bool) {
        if (in_attempt_)
            attempt_.key({text, size});
        else
            keys_.back().assign(text, size);
        return true;
    }
    bool StartObject() { return start(json::object()); }
    bool StartArray() { return start(json::array()); }
    bool EndObject(rapidjson::SizeType) { return end(); }
    bool EndArray(rapidjson::SizeType) { return end(); }

  private:
    struct Lists {
        std::vector<Attempt> attempts, writes, still_failing, left_out, instead;
    };
    // Null: the key is of no list of attempts.
    static std::vector<Attempt> Lists::*list_of(std::string_view key) {
        if (key == "attempts") return &Lists::attempts;
        if (key == "writes") return &Lists::writes;
        if (key == "still_failing") return &Lists::still_failing;
        if (key == "left_out") return &Lists::left_out;
        if (key == "instead") return &Lists::instead;
        return nullptr;
    }
    // The parser calls itself for what is nested; a result goes down eight levels.
    static constexpr int deepest = 100;

    // { "mounts": [ { "attempts": [ here
    bool at_attempt() const {
        return open_.size() == 4 && keys_[0] == "mounts" && open_[1]->is_array() && open_[3]->is_array() &&
               list_of(keys_[2]) != nullptr;
    }
    json* place(json value);
    bool put(json value) {
        if (in_attempt_) return attempt_.other(), true;
        place(std::move(value));
        return true;
    }
    bool start(json empty);
    bool end();

    json root_;
    std::vector<json*> open_;
    std::vector<std::string> keys_;  // of each that is open, the last one read
    int depth_ = 0;
    bool in_attempt_ = false;
    AttemptReader attempt_;
    std::vector<Lists> mounts_;
};

json* ResultReader::place(json value) {
    if (open_.empty()) return &(root_ = std::move(value));
    json& within = *open_.back();
    if (within.is_array()) return &within.emplace_back(std::move(value));
    return &(within[keys_.back()] = std::move(value));
}

bool ResultReader::start(json empty) {
    if (++depth_ > deepest) throw std::invalid_argument("it is nested too deeply");
    if (in_attempt_) {
        attempt_.open();
        return true;
    }
    if (at_attempt() && empty.is_object()) {
        in_attempt_ = true;
        return true;
    }
    const bool is_mount = open_.size() == 2 && keys_[0] == "mounts" && open_[1]->is_array();
    if (is_mount) mounts_.emplace_back();
    open_.push_back(place(std::move(empty)));
    keys_.emplace_back();
    return true;
}

bool ResultReader::end() {
    --depth_;
    if (!in_attempt_) {
        open_.pop_back();
        keys_.pop_back();
        return true;
    }
    if (attempt_.close()) return true;
    in_attempt_ = false;
    (mounts_.back().*list_of(keys_[2])).push_back(attempt_.take());
    return true;
}

void ResultReader::give(std::vector<MountResult>& mounts) {
    for (std::size_t i = 0; i < std::min(mounts.size(), mounts_.size()); ++i) {
        const Word target = mounts[i].mount.target;
        for (Attempt& each : mounts_[i].attempts) each.mount = target;
        for (Attempt& each : mounts_[i].writes) each.mount = target;
        for (Attempt& each : mounts_[i].still_failing) each.mount = target;
        if (mounts[i].still_failing) mounts[i].still_failing = std::move(mounts_[i].still_failing);
        mounts[i].attempts = std::move(mounts_[i].attempts);
        mounts[i].writes = std::move(mounts_[i].writes);
        mounts[i].difference.left_out = std::move(mounts_[i].left_out);
        mounts[i].difference.instead = std::move(mounts_[i].instead);
    }
}

CampaignResult read_result(const json& object) {
    CampaignResult result;
    result.scenario.name = raw(object, "scenario");
    result.scenario.file = raw_or_empty(object, "file");
    result.started_at = object.value("started_at", "");
    result.duration_s = object.value("duration_s", 0.0);
    result.data_mode = object.value("data", "");
    result.stopped = raw_or_empty(object, "stopped");
    if (object.contains("exercised")) result.exercised = raw_list(object.at("exercised"));
    if (object.contains("unlike_cluster"))
        result.scenario.unlike_cluster = raw_list(object.at("unlike_cluster"));
    for (const json& each : object.value("data_differences", json::array()))
        result.data_differences.push_back({.target = raw(each, "target"),
                                           .what = raw(each, "what"),
                                           .way_out = raw(each, "way_out"),
                                           .used = each.value("used", true)});
    const json& engine = object.at("engine");
    result.engine = {.name = raw_or_empty(engine, "name"),
                     .version = raw_or_empty(engine, "version"),
                     .api_version = raw_or_empty(engine, "api_version"),
                     .kernel = raw_or_empty(engine, "kernel"),
                     .os = raw_or_empty(engine, "os"),
                     .cgroup_version = raw_or_empty(engine, "cgroup_version"),
                     .host = raw_or_empty(engine, "host")};
    const json& observer = object.at("observer");
    result.observer = {.kind = observer.value("kind", ""), .hooks = raw_or_empty(observer, "hooks")};
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
    result.recommendation.environment = read_environment(recommendation);
    if (recommendation.contains("capabilities"))
        result.recommendation.capabilities = raw_list(recommendation.at("capabilities"));
    result.recommendation.no_new_privileges = recommendation.value("no_new_privileges", false);
    for (const json& each : object.value("capabilities", json::array()))
        result.capabilities.push_back(read_capability(each));
    for (const json& each : object.value("settings", json::array()))
        result.settings.push_back(read_setting(each));
    for (const json& each : object.value("varying_names", json::array()))
        result.varying_names.push_back({raw(each, "pattern"), raw_list(each.at("names"))});
    if (!recommendation.at("verified_by_run").is_null())
        result.recommendation.verified_by_run = recommendation.at("verified_by_run").get<int>();
    return result;
}

std::string what_is_wrong(const rapidjson::ParseResult& parsed) {
    if (!parsed.IsError()) return "a zero byte";
    std::string text = rapidjson::GetParseError_En(parsed.Code());
    if (text.ends_with('.')) text.pop_back();
    return text;
}

}  // namespace

Result<CampaignResult> read_json(const Source& source) {
    try {
        PieceStream stream(source);
        ResultReader reader;
        rapidjson::Reader parser;
        const rapidjson::ParseResult parsed =
            parser.Parse<rapidjson::kParseFullPrecisionFlag>(stream, reader);
        if (stream.error()) return fail(Error(*stream.error()));
        if (!parsed || !stream.at_end())
            throw std::invalid_argument(
                stream.where() + ": " +
                (stream.at_wrong_byte() ? "a byte that is no UTF-8" : what_is_wrong(parsed)));
        const json object = reader.take();
        if (!object.is_object() || object.value("schema", "") != "rogate.result/1")
            return fail(ErrorKind::usage,
                        "this is no result of rogate's: it has no \"schema\": \"rogate.result/1\"");
        CampaignResult result = read_result(object);
        reader.give(result.mounts);
        return result;
    } catch (const std::exception& error) {
        return fail(ErrorKind::usage, fmt::format("this is no whole result of rogate's: {}", error.what()));
    }
}

Result<CampaignResult> parse_json(std::string_view text) {
    return read_json([&]() -> Result<std::string_view> { return std::exchange(text, {}); });
}

}  // namespace rogate::report
