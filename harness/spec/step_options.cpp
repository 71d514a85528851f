#include "spec/step_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/references.hpp"
#include "spec/actions.hpp"

namespace rogate::spec {

namespace {

using nlohmann::json;

constexpr int most_repeats = 100'000;

bool holds_text(const Step& step) {
    return std::holds_alternative<HttpAction>(step.action) ||
           std::holds_alternative<ExecAction>(step.action) ||
           std::holds_alternative<RunContainerAction>(step.action) ||
           std::holds_alternative<CommandAction>(step.action) ||
           std::holds_alternative<FileAction>(step.action) || std::holds_alternative<LogAction>(step.action);
}

bool is_json_pointer(const std::string& text) {
    try {
        const json::json_pointer pointer(text);
        return true;
    } catch (const json::exception&) {
        return false;
    }
}

bool check_pointer(const Value& at, const std::string& text, const Context& context) {
    if (is_json_pointer(text)) return true;
    context.problem(
        at, fmt::format("{} is no JSON pointer; write for example /items/0/name, or \"\" for the whole "
                        "document",
                        in_quotes(text)));
    return false;
}

json to_json(const Value& value) {
    if (value.kind == Value::Kind::null) return nullptr;
    if (value.kind == Value::Kind::sequence) {
        json list = json::array();
        for (const ValuePtr& item : value.items) list.push_back(to_json(*item));
        return list;
    }
    if (value.kind == Value::Kind::mapping) {
        json object = json::object();
        for (const auto& [name, inside] : value.pairs) object[name->text] = to_json(*inside);
        return object;
    }
    // What is written without quotes and looks like a number or a truth value is one, as in YAML.
    if (value.plain) {
        json parsed = json::parse(value.text, nullptr, false);
        if (parsed.is_number() || parsed.is_boolean() || parsed.is_null()) return parsed;
    }
    return value.text;
}

void read_captures(const Mapping& mapping, Step& step, const Context& context) {
    const Value* value = mapping.get("capture");
    if (value == nullptr) return;
    if (!holds_text(step)) {
        context.problems.add(
            mapping.place_of("capture"),
            "'capture' fits http, exec, run, command, file and log, which have something to keep");
        return;
    }
    if (value->kind != Value::Kind::mapping)
        context.problem(
            *value, fmt::format("'capture' is {}; write a mapping (id: {{json: /id}})", kind_name(*value)));
    for (const auto& [name, how] : value->pairs) {
        if (!is_variable_name(name->text) || name->text == "repetition")
            context.problem(
                *name, fmt::format("{} cannot name a variable; letters, digits and _ can, beginning with a "
                                   "letter",
                                   in_quotes(name->text)));
        const Mapping what(*how, fmt::format("capture {}", in_quotes(name->text)), keys::capture, context);
        std::vector<std::string_view> given;
        for (const std::string_view key : keys::capture.names())
            if (what.has(key)) given.push_back(key);
        if (given.size() != 1) {
            if (how->kind == Value::Kind::mapping)
                context.problem(*how, fmt::format("{} has {} of json, header and regex; write one",
                                                  what.where(), given.empty() ? "none" : "more than one"));
            continue;
        }
        Capture capture{.variable = name->text, .from = Capture::From::regex, .what = {}};
        if (given.front() == "regex") {
            capture.what = what.regex("regex").value_or("");
        } else if (given.front() == "json") {
            capture.from = Capture::From::json;
            capture.what = what.text("json").value_or("");
            check_pointer(*what.get("json"), capture.what, context);
        } else {
            capture.from = Capture::From::header;
            capture.what = what.line("header").value_or("");
            if (!std::holds_alternative<HttpAction>(step.action))
                context.problems.add(what.place_of("header"),
                                     "only the answer of 'http' has headers; use json or regex");
        }
        step.captures.push_back(std::move(capture));
    }
}

void read_skip_if(const Mapping& mapping, Step& step, const Context& context) {
    const Value* value = mapping.get("skip_if");
    if (value == nullptr) return;
    const Mapping skip(*value, fmt::format("'skip_if' of {}", mapping.where()), keys::skip_if, context);
    SkipIf made;
    if (const Value* command = skip.get("exec"))
        made.command = read_command(*command, context).value_or(made.command);
    if (const Value* variables = skip.get("vars"))
        made.variables = read_settings(*variables, "'vars'", context);
    if (value->kind == Value::Kind::mapping && value->pairs.empty())
        context.problem(*value, fmt::format("{} is empty; write exec or vars", skip.where()));
    step.skip_if = std::move(made);
}

void read_repeat(const Mapping& mapping, Step& step, const Context& context) {
    const auto times = mapping.integer("repeat", 1, most_repeats);
    if (!times) return;
    step.repeat = *times;
    if (std::holds_alternative<RestartAction>(step.action) ||
        std::holds_alternative<SignalAction>(step.action) ||
        std::holds_alternative<BackgroundAction>(step.action))
        context.problems.add(
            mapping.place_of("repeat"),
            "'repeat' does not fit 'restart', 'signal' or 'background'; write the step again");
}

void read_same_as_control(const Mapping& mapping, Step& step, const Context& context) {
    const Value* value = mapping.get("same_as_control");
    if (value == nullptr) return;
    if (!holds_text(step))
        context.problems.add(
            mapping.place_of("same_as_control"),
            "'same_as_control' fits http, exec, run, command, file and log, which observe something");
    if (value->kind != Value::Kind::mapping) {
        step.same_as_control = read_bool(*value, "'same_as_control'", context).value_or(false);
        return;
    }
    step.same_as_control = true;
    const Mapping same(*value, fmt::format("'same_as_control' of {}", mapping.where()), keys::same_as_control,
                       context);
    const Value* ignore = same.get("ignore");
    if (ignore == nullptr) return;
    if (ignore->kind == Value::Kind::scalar) {
        if (const auto regex = read_regex(*ignore, "'ignore'", context)) step.ignore.push_back(*regex);
        return;
    }
    if (ignore->kind != Value::Kind::sequence)
        context.problem(*ignore, "'ignore' is a mapping; write one regular expression, or a list of them");
    for (const ValuePtr& item : ignore->items)
        if (const auto regex = read_regex(*item, "an entry of 'ignore'", context))
            step.ignore.push_back(*regex);
}

}  // namespace

void read_step_options(const Mapping& mapping, Step& step, const Context& context) {
    read_captures(mapping, step, context);
    read_skip_if(mapping, step, context);
    read_repeat(mapping, step, context);
    read_same_as_control(mapping, step, context);
}

std::map<std::string, std::string> read_json_expectations(const Value& value, const Context& context) {
    std::map<std::string, std::string> wanted;
    if (value.kind != Value::Kind::mapping)
        context.problem(value, fmt::format("'json' is {}; write a mapping (/id: 3)", kind_name(value)));
    for (const auto& [pointer, expected] : value.pairs)
        if (check_pointer(*pointer, pointer->text, context))
            wanted.emplace(pointer->text,
                           to_json(*expected).dump(-1, ' ', false, json::error_handler_t::replace));
    return wanted;
}

}  // namespace rogate::spec
