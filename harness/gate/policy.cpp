#include "gate/policy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <rogate/names.hpp>

#include "base/capabilities.hpp"
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

// As in rogate/attempt.hpp.
constexpr std::array<std::string_view, 18> operations = {
    "create", "open-write", "truncate", "mkdir", "rmdir",    "unlink",      "rename", "link", "symlink",
    "mknod",  "chmod",      "chown",    "utime", "setxattr", "removexattr", "access", "bind", "ioctl"};

// A list, or one word alone.
std::vector<const Value*> one_or_more(const Value& value) {
    std::vector<const Value*> list;
    if (value.kind != Value::Kind::sequence) return {&value};
    for (const spec::ValuePtr& item : value.items) list.push_back(item.get());
    return list;
}

std::vector<Verdict> read_accept(const Value& value, const Context& context) {
    std::vector<Verdict> accepted;
    for (const Value* item : one_or_more(value)) {
        const auto name = spec::read_text(*item, "a verdict", context);
        if (!name) continue;
        if (const auto verdict = verdict_from(*name))
            accepted.push_back(*verdict);
        else
            context.problem(*item, fmt::format("unknown verdict {}; {}", in_quotes(*name),
                                               spec::suggestion(*name, verdict_names())));
    }
    return accepted;
}

std::vector<std::string> read_operations(const Value& value, const Context& context) {
    std::vector<std::string> list;
    for (const Value* item : one_or_more(value)) {
        const auto name = spec::read_text(*item, "an operation", context);
        if (!name) continue;
        if (std::find(operations.begin(), operations.end(), *name) == operations.end())
            context.problem(*item, fmt::format("unknown operation {}; {}", in_quotes(*name),
                                               spec::suggestion(*name, operations)));
        list.push_back(*name);
    }
    return list;
}

Grounds read_grounds(const Mapping& mapping, const Context& context) {
    Grounds grounds;
    grounds.declared = context.declared(mapping.value().place);
    grounds.reason = mapping.line("reason").value_or("");
    grounds.by = mapping.line("by").value_or("");
    if (const Value* until = mapping.get("until")) {
        const auto text = spec::read_text(*until, "'until'", context);
        grounds.until = text ? parse_day(*text) : std::nullopt;
        if (text && !grounds.until)
            context.problem(*until,
                            fmt::format("'until' is {}, which is not a day of the calendar; write the last "
                                        "day on which it holds, as in 2026-12-31",
                                        in_quotes(*text)));
    }
    return grounds;
}

std::string read_pattern(const Mapping& mapping, std::string_view key, const Context& context) {
    if (!mapping.has(key)) {
        context.problem(mapping.value(),
                        fmt::format("{} has no '{}'; write the path as the application sees it, with "
                                    "* and ** where any name will do",
                                    mapping.where(), key));
        return {};
    }
    std::string pattern = mapping.line(key).value_or("");
    if (!pattern.empty() && !pattern.starts_with('/') && !pattern.starts_with("**"))
        context.problem(
            *mapping.get(key),
            fmt::format("{} can match no path, since every path begins with '/'; write '/{}' or '**/{}'",
                        in_quotes(pattern), pattern, pattern));
    if (pattern.size() > 1 && pattern.ends_with('/')) pattern.pop_back();
    return pattern;
}

MountRule read_mount_rule(const Value& value, const Context& context) {
    const Mapping mapping(value, "an entry of 'mounts'", keys::policy_mount, context);
    MountRule rule;
    if (value.kind != Value::Kind::mapping) return rule;
    rule.target = read_pattern(mapping, "target", context);
    rule.scenario = mapping.line("scenario").value_or("");
    if (const Value* accept = mapping.get("accept")) rule.accept = read_accept(*accept, context);
    rule.must_be_read_only = mapping.flag("must_be_read_only", false);
    rule.grounds = read_grounds(mapping, context);
    if (!mapping.has("accept") && !rule.must_be_read_only)
        context.problem(value,
                        "an entry of 'mounts' says nothing about the mount; write 'accept' with verdicts, or "
                        "'must_be_read_only: true'");
    if (rule.grounds.until && !mapping.has("accept"))
        context.problem(*mapping.get("until"),
                        "only what is accepted can expire; write 'accept', or leave 'until' out");
    return rule;
}

WriteRule read_write_rule(const Value& value, const Context& context) {
    const Mapping mapping(value, "an entry of 'writes'", keys::policy_write, context);
    WriteRule rule;
    if (value.kind != Value::Kind::mapping) return rule;
    rule.path = read_pattern(mapping, "path", context);
    rule.process = mapping.line("process").value_or("");
    rule.scenario = mapping.line("scenario").value_or("");
    if (const Value* operation = mapping.get("operation"))
        rule.operations = read_operations(*operation, context);
    rule.grounds = read_grounds(mapping, context);
    if (!mapping.has("reason"))
        context.problem(value,
                        "an accepted write has no 'reason'; say why the application can do without it");
    return rule;
}

CapabilityRule read_capability_rule(const Value& value, const Context& context) {
    const Mapping mapping(value, "an entry of 'capabilities'", keys::policy_capability, context);
    CapabilityRule rule;
    if (value.kind != Value::Kind::mapping) return rule;
    if (!mapping.has("name"))
        context.problem(value,
                        "an entry of 'capabilities' has no 'name'; write the capability, for example CHOWN, "
                        "or no-new-privileges");
    const std::string name = mapping.line("name").value_or("");
    rule.name = capability_named(name).value_or(name);
    const bool is_pattern = name.find_first_of("*?") != std::string::npos;
    if (!name.empty() && !is_pattern && name != "no-new-privileges" && !capability_named(name))
        context.problem(*mapping.get("name"),
                        fmt::format("{} is no capability; write it as docker does, for example CHOWN, or "
                                    "no-new-privileges",
                                    in_quotes(name)));
    rule.scenario = mapping.line("scenario").value_or("");
    rule.grounds = read_grounds(mapping, context);
    if (!mapping.has("reason"))
        context.problem(value,
                        "an accepted capability has no 'reason'; say why the application can do without it");
    return rule;
}

Requirements read_require(const Value& value, const Context& context) {
    Requirements require;
    if (value.kind != Value::Kind::mapping) {
        const auto word = spec::read_text(value, "'require'", context);
        if (word && *word != "real-data" && *word != "scenario")
            context.problem(value,
                            fmt::format("{} cannot be required; write real-data or scenario, or a mapping "
                                        "with real-data, scenario, watched and steps",
                                        spec::in_quotes(*word)));
        require.real_data = word && *word == "real-data";
        require.scenario = word && *word == "scenario";
        return require;
    }
    const Mapping mapping(value, "'require'", keys::policy_require, context);
    require.real_data = mapping.flag("real-data", false);
    require.scenario = mapping.flag("scenario", false);
    if (const Value* watched = mapping.get("watched"))
        require.watched_ms = spec::read_duration(*watched, "'watched'", context, spec::Zero::refused);
    if (const Value* steps = mapping.get("steps"))
        require.steps = spec::read_integer(*steps, "'steps'", context, 1, 1'000'000);
    return require;
}

template <class Rule>
std::vector<Rule> read_rules(const Mapping& policy, std::string_view key, const Context& context,
                             Rule (*read)(const Value&, const Context&)) {
    std::vector<Rule> rules;
    const Value* list = policy.get(key);
    if (list == nullptr) return rules;
    if (list->kind != Value::Kind::sequence)
        context.problem(*list, fmt::format("'{}' is {}; write a list", key, kind_name(*list)));
    for (const spec::ValuePtr& item : list->items) rules.push_back(read(*item, context));
    return rules;
}

}  // namespace

Result<Policy> parse_policy(std::string_view text, const std::string& file_name) {
    spec::Problems problems(file_name);
    const spec::Surroundings surroundings;
    const Context context{problems, surroundings, file_name, "/"};
    Policy policy;
    policy.file = file_name;
    const spec::ValuePtr root = spec::read_yaml(text, problems);
    if (!root) return fail(problems.error());
    const Mapping mapping(*root, "the policy", keys::policy, context);
    if (const Value* accept = mapping.get("accept")) policy.accept = read_accept(*accept, context);
    policy.mounts = read_rules(mapping, "mounts", context, read_mount_rule);
    policy.writes = read_rules(mapping, "writes", context, read_write_rule);
    policy.capabilities = read_rules(mapping, "capabilities", context, read_capability_rule);
    if (const Value* require = mapping.get("require")) policy.require = read_require(*require, context);
    if (!problems.empty()) return fail(problems.error());
    return policy;
}

}  // namespace rogate::gate
