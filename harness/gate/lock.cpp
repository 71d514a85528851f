#include "gate/lock.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <rogate/names.hpp>

#include "base/escape.hpp"
#include "base/name_kinds.hpp"
#include "base/name_pattern.hpp"
#include "base/yaml_text.hpp"
#include "gate/keys.hpp"
#include "gate/verdicts.hpp"
#include "spec/fields.hpp"
#include "spec/nearest_name.hpp"

namespace rogate::gate {

namespace {

using spec::Context;
using spec::in_quotes;
using spec::Mapping;
using spec::Value;

constexpr std::string_view schema = "rogate.lock/2", schema_with_stars = "rogate.lock/1";

// Of a lock file that did not tell the kinds apart.
bool is_of_stars(const LockedWrite& write) {
    const std::string varies = to_text(Placeholder{NameKind::any});
    return write.path.find(varies) != std::string::npos || write.process.find(varies) != std::string::npos;
}

LockedMount locked_mount(const MountResult& result, const LockedMount* old, const VolatileNames& names) {
    LockedMount mount;
    mount.verdict = result.verdict;
    for (const WritablePath& path : result.writable) mount.writable.insert(path.path);
    for (const Attempt& attempt : required_writes(result)) {
        if (attempt.cls != AttemptClass::write) continue;
        const std::string& target = result.mount.target;
        const LockedWrite* kept = old == nullptr ? nullptr : entry_for(*old, attempt, target, names);
        mount.writes.insert(kept != nullptr && !is_of_stars(*kept) ? *kept
                                                                   : locked_write(attempt, target, names));
    }
    return mount;
}

LockedCapabilities locked_capabilities(const CampaignResult& result, LockedCapabilities known) {
    LockedCapabilities made;
    for (const CapabilityResult& each : result.capabilities)
        if (each.verdict != CapabilityVerdict::inconclusive)
            made[each.name] = each.verdict;
        else if (const auto before = known.find(each.name); before != known.end())
            made.insert(*before);
    return made;
}

std::string scalar(const std::string& raw) {
    return yaml_scalar(escape_text(raw));
}

}  // namespace

const Attempts& required_writes(const MountResult& mount) {
    return mount.verdict == Verdict::already_ro || mount.writes.empty() ? mount.attempts : mount.writes;
}

LockedWrite locked_write(const Attempt& attempt, const std::string& mount, const VolatileNames& names) {
    return {names.pattern(attempt.path, mount), attempt.operation,
            process_pattern(program_name(attempt.process))};
}

const LockedWrite* entry_for(const LockedMount& locked, const Attempt& attempt, const std::string& mount,
                             const VolatileNames& names) {
    const LockedWrite made = locked_write(attempt, mount, names);
    if (const auto same = locked.writes.find(made); same != locked.writes.end()) return &*same;
    const auto stands_for = [&](const LockedWrite& entry) {
        return entry.operation == attempt.operation && matches(entry.path, attempt.path) &&
               (entry.process == made.process || matches(entry.process, program_name(attempt.process)));
    };
    const auto wider = std::find_if(locked.writes.begin(), locked.writes.end(), stands_for);
    return wider == locked.writes.end() ? nullptr : &*wider;
}

Lock updated(const Lock& old, const std::vector<CampaignResult>& results) {
    Lock lock = old;
    for (const CampaignResult& result : results) {
        LockedScenario scenario;
        const VolatileNames names(result.varying_names);
        const auto before = old.scenarios.find(result.scenario.name);
        for (const MountResult& mount : result.mounts) {
            const std::string& target = mount.mount.target;
            const LockedMount* known = nullptr;
            if (before != old.scenarios.end() && before->second.contains(target))
                known = &before->second.at(target);
            if (mount.verdict != Verdict::inconclusive)
                scenario[target] = locked_mount(mount, known, names);
            else if (known != nullptr)
                scenario[target] = *known;
        }
        if (!scenario.empty()) lock.scenarios[result.scenario.name] = std::move(scenario);
        if (result.capabilities.empty()) continue;
        LockedCapabilities& capabilities = lock.capabilities[result.scenario.name];
        capabilities = locked_capabilities(result, std::move(capabilities));
        lock.scenarios.try_emplace(result.scenario.name);
    }
    return lock;
}

std::string render_lock(const Lock& lock) {
    std::string out =
        "# What each mount has to be written for, as `rogate gate --update-lock` found it. Commit it: a "
        "change is\n"
        "# a change of what the application writes. {number}, {time}, {hex}, {uuid}, {random} and {word} "
        "stand for\n"
        "# what differs from run to run. An entry can be widened by hand: '*' is any name, '**' any path.\n";
    out += fmt::format("schema: {}\nscenarios:{}\n", schema, lock.scenarios.empty() ? " []" : "");
    for (const auto& [name, mounts] : lock.scenarios) {
        out += fmt::format("  - name: {}\n    mounts:{}\n", scalar(name), mounts.empty() ? " []" : "");
        for (const auto& [target, mount] : mounts) {
            out += fmt::format("      - target: {}\n        verdict: {}\n", scalar(target),
                               to_string(mount.verdict));
            if (!mount.writable.empty()) out += "        writable:\n";
            for (const std::string& path : mount.writable)
                out += fmt::format("          - {}\n", scalar(path));
            if (!mount.writes.empty()) out += "        writes:\n";
            for (const LockedWrite& write : mount.writes)
                out += fmt::format("          - {{path: {}, operation: {}, process: {}}}\n",
                                   yaml_scalar(write.path), yaml_scalar(write.operation),
                                   yaml_scalar(write.process));
        }
        const auto capabilities = lock.capabilities.find(name);
        if (capabilities == lock.capabilities.end() || capabilities->second.empty()) continue;
        out += "    capabilities:\n";
        for (const auto& [capability, verdict] : capabilities->second)
            out += fmt::format("      - {{name: {}, verdict: {}}}\n", scalar(capability), to_string(verdict));
    }
    return out;
}

namespace {

std::optional<std::string> required_line(const Mapping& mapping, std::string_view key,
                                         const Context& context) {
    if (!mapping.has(key))
        context.problem(mapping.value(), fmt::format("{} has no '{}'; make the file again with --update-lock",
                                                     mapping.where(), key));
    return mapping.line(key);
}

// Calls `read` for each item of a list that may be absent.
template <class Read>
void each_of(const Mapping& mapping, std::string_view key, const Context& context, Read read) {
    const Value* list = mapping.get(key);
    if (list == nullptr) return;
    if (list->kind != Value::Kind::sequence)
        context.problem(*list, fmt::format("'{}' is {}; write a list", key, kind_name(*list)));
    for (const spec::ValuePtr& item : list->items) read(*item);
}

// A pattern of the schema with stars: what was made a star was no word, and what somebody widened ("**", '?')
// stays.
std::string with_kinds(std::string_view pattern) {
    std::string out;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        const std::string_view rest = pattern.substr(i);
        if (rest.starts_with('\\') || rest.starts_with("**")) {
            out += rest.substr(0, 2);
            ++i;
        } else if (rest[0] == '*') {
            out += to_text(Placeholder{NameKind::any});
        } else {
            out += rest[0] == '{' ? "\\{" : std::string(1, rest[0]);
        }
    }
    return out;
}

struct LockContext {
    const Context& spec;
    bool with_stars = false;  // schema_with_stars

    std::string pattern(const std::string& text) const { return with_stars ? with_kinds(text) : text; }
};

void read_mount(const Value& value, LockedScenario& scenario, const LockContext& lock) {
    const Context& context = lock.spec;
    const Mapping mapping(value, "a mount", keys::lock_mount, context);
    const auto target = required_line(mapping, "target", context);
    const auto verdict_name = required_line(mapping, "verdict", context);
    if (!target || !verdict_name) return;
    LockedMount mount;
    const auto verdict = verdict_from(*verdict_name);
    if (!verdict)
        context.problem(*mapping.get("verdict"),
                        fmt::format("unknown verdict {}; {}", in_quotes(*verdict_name),
                                    spec::suggestion(*verdict_name, verdict_names())));
    else
        mount.verdict = *verdict;
    for (const std::string& path : mapping.texts("writable")) mount.writable.insert(unescape_text(path));
    each_of(mapping, "writes", context, [&](const Value& item) {
        const Mapping write(item, "a write", keys::lock_write, context);
        const auto path = required_line(write, "path", context),
                   operation = required_line(write, "operation", context),
                   process = required_line(write, "process", context);
        if (path && operation && process)
            mount.writes.insert({lock.pattern(*path), *operation, lock.pattern(*process)});
    });
    if (!scenario.emplace(unescape_text(*target), std::move(mount)).second)
        context.problem(
            value, fmt::format("mount {} is there twice (a merge of two branches?); keep one of the two, or "
                               "make the file again with --update-lock",
                               in_quotes(*target)));
}

void read_capability(const Value& value, LockedCapabilities& all, const Context& context) {
    static constexpr std::array verdicts{CapabilityVerdict::unused, CapabilityVerdict::tolerated,
                                         CapabilityVerdict::needed};
    static constexpr std::array<std::string_view, 3> names{"unused", "tolerated", "needed"};
    const Mapping mapping(value, "a capability", keys::lock_capability, context);
    const auto name = required_line(mapping, "name", context),
               verdict = required_line(mapping, "verdict", context);
    if (!name || !verdict) return;
    const auto found = std::ranges::find(names, *verdict);
    if (found == names.end())
        context.problem(*mapping.get("verdict"), fmt::format("unknown verdict {}; {}", in_quotes(*verdict),
                                                             spec::suggestion(*verdict, names)));
    else if (!all.emplace(unescape_text(*name), verdicts[static_cast<std::size_t>(found - names.begin())])
                  .second)
        context.problem(value,
                        fmt::format("capability {} is there twice; keep one of the two", in_quotes(*name)));
}

void read_scenario(const Value& value, Lock& lock, const LockContext& read) {
    const Context& context = read.spec;
    const Mapping mapping(value, "a scenario", keys::lock_scenario, context);
    const auto name = required_line(mapping, "name", context);
    if (!name) return;
    LockedScenario scenario;
    each_of(mapping, "mounts", context, [&](const Value& item) { read_mount(item, scenario, read); });
    LockedCapabilities capabilities;
    each_of(mapping, "capabilities", context,
            [&](const Value& item) { read_capability(item, capabilities, context); });
    if (!capabilities.empty()) lock.capabilities[unescape_text(*name)] = std::move(capabilities);
    if (!lock.scenarios.emplace(unescape_text(*name), std::move(scenario)).second)
        context.problem(value,
                        fmt::format("scenario {} is there twice; keep one of the two, or make the file again "
                                    "with --update-lock",
                                    in_quotes(*name)));
}

}  // namespace

Result<Lock> parse_lock(std::string_view text, const std::string& file_name) {
    spec::Problems problems(file_name);
    const spec::Surroundings surroundings;
    const Context context{problems, surroundings, file_name, "/"};
    Lock lock;
    lock.file = file_name;
    // Written by rogate, from as many writes as there are.
    const spec::YamlLimits limits{
        .bytes = 64U << 20U, .expanded_nodes = 10'000'000, .expanded_bytes = 256U << 20U, .nesting = 16};
    const spec::ValuePtr root = spec::read_yaml(text, problems, limits);
    if (!root) return fail(problems.error());
    const Mapping mapping(*root, "the lock file", keys::lock, context);
    const auto version = required_line(mapping, "schema", context);
    if (version && *version != schema && *version != schema_with_stars)
        context.problem(
            *mapping.get("schema"),
            fmt::format("{} is not known here, only {}; use the rogate that wrote it, or make the file again "
                        "with --update-lock",
                        in_quotes(*version), schema));
    const LockContext read{context, version == schema_with_stars};
    each_of(mapping, "scenarios", context, [&](const Value& item) { read_scenario(item, lock, read); });
    if (!problems.empty()) return fail(problems.error());
    return lock;
}

}  // namespace rogate::gate
