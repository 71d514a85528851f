#include "spec/steps.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "spec/actions.hpp"
#include "spec/commands.hpp"
#include "spec/step_options.hpp"

namespace rogate::spec {

namespace {

constexpr std::string_view step_actions[] = {"http", "exec",        "signal", "restart", "wait", "log",
                                             "tcp",  "healthcheck", "copy",   "file",    "run",  "command"};
constexpr std::string_view groups[] = {"parallel", "background"};
constexpr std::string_view check_actions[] = {"http", "tcp", "log", "exec", "healthcheck"};

// "step 'upload'" if it has a name that can be shown, else "step 3".
std::string where_of(const Value& value, std::string_view kind, std::size_t index) {
    for (const auto& [key, name] : value.pairs)
        if (key->text == "name" && name->kind == Value::Kind::scalar && !name->text.empty())
            return fmt::format("{} {}", kind, in_quotes(name->text));
    return fmt::format("{} {}", kind, index + 1);
}

void read_retry(const Mapping& mapping, Step& step, const Context& context) {
    const Value* value = mapping.get("retry");
    if (value == nullptr) return;
    const bool repeatable =
        std::holds_alternative<HttpAction>(step.action) || std::holds_alternative<ExecAction>(step.action) ||
        std::holds_alternative<LogAction>(step.action) || std::holds_alternative<TcpAction>(step.action) ||
        std::holds_alternative<HealthAction>(step.action) ||
        std::holds_alternative<FileAction>(step.action) ||
        std::holds_alternative<RunContainerAction>(step.action);
    if (!repeatable)
        context.problems.add(
            mapping.place_of("retry"),
            "'retry' does not fit 'signal', 'restart', 'wait', 'copy', 'command' or a group; retry the "
            "step that checks the effect");
    const Mapping retry(*value, fmt::format("'retry' of {}", mapping.where()), keys::retry, context);
    step.retry_until_ms = retry.duration("until", Zero::refused);
    if (!retry.has("until") && value->kind == Value::Kind::mapping)
        context.problem(
            *value,
            fmt::format("{} has no 'until'; write how long to go on, for example until: 30s", retry.where()));
    step.retry_interval_ms = retry.duration("interval", Zero::refused).value_or(step.retry_interval_ms);
}

void settle_names(std::vector<Step>& steps, const Value& list, const Context& context);
std::optional<Step> read_step(const Value& value, std::size_t index, std::span<const Port> ports,
                              const Context& context);

// What several steps at once cannot do: the whole run waits for a restart, and groups are not nested.
void check_inside(const std::vector<Step>& steps, const std::string& where, const Context& context) {
    for (const Step& step : steps) {
        const bool fits = !std::holds_alternative<RestartAction>(step.action) &&
                          !std::holds_alternative<SignalAction>(step.action) && steps_inside(step) == nullptr;
        const Place place{step.declared.line, step.declared.column};
        if (!fits)
            context.problems.add(place,
                                 fmt::format("{} holds a restart, a signal or a group; write it as a step of "
                                             "its own",
                                             where));
    }
}

std::vector<Step> read_inside(const Value& list, const std::string& where, std::span<const Port> ports,
                              const Context& context) {
    std::vector<Step> steps;
    if (list.kind != Value::Kind::sequence || list.items.empty())
        context.problem(
            list, fmt::format("{} is not a list of steps; write for example - http: {{path: /}}", where));
    for (const ValuePtr& item : list.items) {
        auto step = read_step(*item, steps.size(), ports, context);
        if (!step) step.emplace();
        step->declared = context.declared(item->place);
        steps.push_back(std::move(*step));
    }
    settle_names(steps, list, context);
    check_inside(steps, where, context);
    return steps;
}

// A step that is a group; nothing if `mapping` is none.
std::optional<Step> read_group(const Mapping& mapping, std::span<const Port> ports, const Context& context) {
    const bool parallel = mapping.has("parallel");
    const std::string_view kind = parallel ? "parallel" : "background";
    for (const std::string_view other : keys::step.names()) {
        const bool allowed =
            other == kind || other == "name" || other == "skip_if" || (parallel && other == "repeat");
        if (mapping.has(other) && !allowed)
            context.problems.add(
                mapping.place_of(other),
                fmt::format("'{}' does not fit '{}'; write it in the steps inside", other, kind));
    }
    const Value* value = mapping.get(kind);
    if (value == nullptr) return std::nullopt;
    const std::string where = fmt::format("'{}' of {}", kind, mapping.where());
    Step step;
    if (parallel) {
        step.action = ParallelAction{read_inside(*value, where, ports, context)};
        return step;
    }
    BackgroundAction background;
    if (value->kind == Value::Kind::mapping) {
        const Mapping inside(*value, where, keys::background, context);
        background.interval_ms = inside.duration("interval", Zero::allowed).value_or(background.interval_ms);
        if (const Value* list = inside.get("steps"))
            background.steps = read_inside(*list, where, ports, context);
        else if (!inside.has("steps"))
            context.problem(*value, fmt::format("{} has no 'steps'", where));
    } else {
        background.steps = read_inside(*value, where, ports, context);
    }
    for (const Step& each : background.steps)
        if (each.same_as_control || each.skip_if)
            context.problems.add(
                {each.declared.line, each.declared.column},
                fmt::format("{} is done as often as time allows, so no round has its equal in the "
                            "control run; leave out same_as_control and skip_if",
                            where));
    step.action = std::move(background);
    return step;
}

std::optional<Step> read_step(const Value& value, std::size_t index, std::span<const Port> ports,
                              const Context& context) {
    const Mapping mapping(value, where_of(value, "step", index), keys::step, context);
    const bool group = std::ranges::any_of(groups, [&](auto name) { return mapping.has(name); });
    auto step =
        group ? read_group(mapping, ports, context) : read_action(mapping, step_actions, ports, context);
    const auto name = mapping.line("name");
    const auto timeout = mapping.duration("timeout", Zero::refused);
    if (!step) return std::nullopt;
    step->name = name.value_or("");
    step->declared = context.declared(value.place);
    if (std::holds_alternative<CommandAction>(step->action)) step->timeout_ms = command_timeout_ms;
    if (timeout) step->timeout_ms = *timeout;
    if (timeout && std::holds_alternative<WaitAction>(step->action))
        context.problems.add(mapping.place_of("timeout"), "'timeout' does not fit 'wait'; leave it out");
    if (!group) read_retry(mapping, *step, context);
    read_step_options(mapping, *step, context);
    return step;
}

Step read_check(const Mapping& mapping, std::span<const Port> ports, const Context& context) {
    Step check = read_action(mapping, check_actions, ports, context).value_or(Step{});
    check.declared = context.declared(mapping.value().place);
    if (check.name.empty()) check.name = default_name(check);
    return check;
}

std::vector<Step> read_checks(const Value& list, std::span<const Port> ports, const Context& context) {
    std::vector<Step> checks;
    for (const ValuePtr& item : list.items) {
        const Mapping mapping(*item, where_of(*item, "readiness check", checks.size()), keys::check, context);
        Step check = read_check(mapping, ports, context);
        check.name = mapping.line("name").value_or(check.name);
        check.timeout_ms = mapping.duration("timeout", Zero::refused).value_or(check.timeout_ms);
        checks.push_back(std::move(check));
    }
    return checks;
}

// Results and events name a phase after its step, so names are unique: given ones are checked, made ones are
// numbered.
void settle_names(std::vector<Step>& steps, const Value& list, const Context& context) {
    std::map<std::string, int> taken;  // name -> line
    std::size_t index = 0;
    for (const ValuePtr& item : list.items) {
        if (index >= steps.size()) break;
        Step& step = steps[index++];
        if (step.name.empty()) continue;
        const auto [earlier, fresh] = taken.emplace(step.name, step.declared.line);
        if (!fresh)
            context.problem(*item,
                            fmt::format("two steps are named {}: at line {} and at line {}; name them apart",
                                        in_quotes(step.name), earlier->second, step.declared.line));
    }
    for (Step& step : steps) {
        if (!step.name.empty()) continue;
        const std::string name = default_name(step);
        step.name = name;
        for (int count = 2; !taken.emplace(step.name, step.declared.line).second; ++count)
            step.name = fmt::format("{} ({})", name, count);
    }
}

void add_port_of(const Step& step, std::vector<Port>& ports) {
    Port port;
    if (const auto* http = std::get_if<HttpAction>(&step.action)) port.container = http->port;
    if (const auto* tcp = std::get_if<TcpAction>(&step.action)) port.container = tcp->port;
    if (const auto* inside = steps_inside(step))
        for (const Step& each : *inside) add_port_of(each, ports);
    if (port.container != 0 && std::ranges::find(ports, port) == ports.end()) ports.push_back(port);
}

}  // namespace

Readiness read_readiness(const Value& value, std::span<const Port> ports, const Context& context) {
    Readiness readiness;
    if (value.kind == Value::Kind::sequence) {
        readiness.checks = read_checks(value, ports, context);
        return readiness;
    }
    const Mapping mapping(value, "'ready'", keys::ready, context);
    readiness.timeout_ms = mapping.duration("timeout", Zero::refused).value_or(readiness.timeout_ms);
    const bool direct = std::ranges::any_of(check_actions, [&](auto name) { return mapping.has(name); });
    if (const Value* checks = mapping.get("checks")) {
        if (checks->kind != Value::Kind::sequence)
            context.problem(*checks,
                            fmt::format("'checks' is {}; write a list (- tcp: 6379)", kind_name(*checks)));
        readiness.checks = read_checks(*checks, ports, context);
        if (direct || mapping.has("expect"))
            context.problems.add(mapping.place_of("checks"),
                                 "'ready' has 'checks' and a check of its own; move that "
                                 "one into 'checks'");
    } else if (direct) {
        readiness.checks.push_back(read_check(mapping, ports, context));
    } else if (value.kind == Value::Kind::mapping && !mapping.has("checks")) {
        context.problem(
            value, fmt::format("'ready' checks nothing; write one of {}", fmt::join(check_actions, ", ")));
    }
    return readiness;
}

void check_looked_at(const std::vector<Step>& steps, const std::vector<Mount>& mounts,
                     const Context& context) {
    for (const Step& step : steps) {
        if (const auto* inside = steps_inside(step)) check_looked_at(*inside, mounts, context);
        const auto* file = std::get_if<FileAction>(&step.action);
        if (file == nullptr) continue;
        for (const Mount& mount : mounts)
            if (mount.type == MountType::tmpfs && (file->path + "/").starts_with(mount.target + "/"))
                context.problems.add(
                    {step.declared.line, step.declared.column},
                    fmt::format("{} lies on the tmpfs {}, which cannot be looked at from outside; use "
                                "exec",
                                in_quotes(file->path), mount.target));
    }
}

std::vector<Step> read_steps(const Value& value, std::span<const Port> ports, const Context& context) {
    std::vector<Step> steps;
    if (value.kind != Value::Kind::sequence)
        context.problem(value,
                        fmt::format("'steps' is {}; write a list (- http: {{path: /}})", kind_name(value)));
    for (std::size_t i = 0; i < value.items.size(); ++i) {
        // A step that could not be read still takes its place, so that names and places stay together.
        auto step = read_step(*value.items[i], i, ports, context);
        if (!step) {
            step.emplace();
            step->declared = context.declared(value.items[i]->place);
        }
        steps.push_back(std::move(*step));
    }
    settle_names(steps, value, context);
    return steps;
}

Shutdown read_shutdown(const Value& value, Shutdown otherwise, const Context& context) {
    const Mapping mapping(value, "'shutdown'", keys::shutdown, context);
    Shutdown shutdown = std::move(otherwise);
    shutdown.signal = mapping.signal("signal");
    shutdown.timeout_ms = mapping.duration("timeout", Zero::refused).value_or(shutdown.timeout_ms);
    shutdown.exit_code = mapping.integer("exit_code", 0, 255);
    return shutdown;
}

void add_ports_asked(Scenario& scenario) {
    std::vector<Port>& ports = scenario.subject.ports;
    for (const Step& check : scenario.readiness.checks) add_port_of(check, ports);
    for (const auto& [name, probes] : scenario.probes_beside)
        for (const auto* probe : {&probes.startup, &probes.readiness})
            if (*probe) add_port_of(**probe, ports);
    for (const Step& step : scenario.steps) add_port_of(step, ports);
}

}  // namespace rogate::spec
