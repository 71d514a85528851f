#include "spec/expect.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "spec/loads.hpp"
#include "spec/step_options.hpp"

namespace rogate::spec {

namespace {

std::vector<std::string_view> fitting_keys(std::string_view action) {
    if (action == "http")
        return {"status", "contains", "not_contains", "matches", "equals", "headers", "json"};
    if (action == "exec" || action == "run" || action == "command")
        return {"exit_code", "contains", "not_contains", "matches", "equals", "json"};
    if (action == "file")
        return {"exists", "mode", "size", "contains", "not_contains", "matches", "equals", "json"};
    if (action == "log") return {"contains", "not_contains", "matches", "equals"};
    return {};
}

std::map<std::string, std::string> read_headers(const Value& value, const Context& context) {
    std::map<std::string, std::string> headers;
    if (value.kind != Value::Kind::mapping)
        context.problem(
            value, fmt::format("'headers' is {}; write a mapping (Content-Type: html)", kind_name(value)));
    for (const auto& [name, pattern] : value.pairs) {
        check_header_name(*name, context);
        if (const auto regex = read_regex(*pattern, in_quotes(name->text), context))
            headers.emplace(name->text, *regex);
    }
    return headers;
}

// 201, or "below 500", which is kept as -500.
std::optional<int> read_status(const Mapping& expect, const Context& context) {
    constexpr std::string_view below = "below ";
    const Value* value = expect.get("status");
    if (value == nullptr || value->kind != Value::Kind::scalar || !value->text.starts_with(below))
        return expect.integer("status", 100, 599);
    const auto limit = parse_integer(std::string_view(value->text).substr(below.size()), 101, 600);
    if (limit) return -static_cast<int>(*limit);
    context.problem(
        *value, fmt::format("{} is no status; write for example 201, or below 500", in_quotes(value->text)));
    return std::nullopt;
}

}  // namespace

void check_header_name(const Value& name, const Context& context) {
    // RFC 9110, section 5.6.2: token.
    const auto is_token = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
    };
    if (!name.text.empty() && std::ranges::all_of(name.text, is_token)) return;
    context.problem(name, fmt::format("{} is not the name of a header; write for example Content-Type",
                                      in_quotes(name.text)));
}

Expect read_expect(const Mapping& step, std::string_view action, const Context& context) {
    Expect expect;
    const Value* value = step.get("expect");
    if (value == nullptr) return expect;
    const auto fitting = fitting_keys(action);
    if (fitting.empty()) {
        context.problems.add(
            step.place_of("expect"),
            fmt::format("'expect' does not fit '{}', which has nothing to look at; leave it out, or "
                        "check in the next step",
                        action));
        return expect;
    }
    const Mapping mapping(*value, fmt::format("'expect' of {}", step.where()), keys::expect, context);
    for (const std::string_view key : keys::expect.names())
        if (mapping.has(key) && std::ranges::find(fitting, key) == fitting.end())
            context.problems.add(mapping.place_of(key), fmt::format("'{}' does not fit '{}'; what fits: {}",
                                                                    key, action, fmt::join(fitting, ", ")));
    expect.status = read_status(mapping, context);
    expect.exit_code = mapping.integer("exit_code", 0, 255);
    expect.contains = mapping.text("contains");
    expect.not_contains = mapping.text("not_contains");
    expect.matches = mapping.regex("matches");
    expect.equals = mapping.text("equals");
    if (const Value* headers = mapping.get("headers")) expect.headers = read_headers(*headers, context);
    if (const Value* json = mapping.get("json")) expect.json = read_json_expectations(*json, context);
    if (mapping.has("exists")) expect.exists = mapping.flag("exists", true);
    expect.mode = read_mode_bits(mapping, "mode", context);
    if (const Value* size = mapping.get("size"))
        if (const auto bytes =
                read_integer(*size, "'size'", context, 0, std::numeric_limits<std::int64_t>::max()))
            expect.size = static_cast<std::uint64_t>(*bytes);
    if (expect.exists == false && mapping.value().pairs.size() > 1)
        context.problem(
            *mapping.get("exists"),
            fmt::format("{} wants it missing and more; what is missing has nothing else", mapping.where()));
    return expect;
}

void complete_log_expectation(const Mapping& step, const Value& log, Expect& expect, const Context& context) {
    if (log.kind == Value::Kind::scalar) {
        if (expect.matches)
            context.problem(log, fmt::format("{} has a pattern in 'log' and in 'expect'; keep one of the two",
                                             step.where()));
        expect.matches = log.text;
    } else if (log.kind == Value::Kind::mapping && expect == Expect{} && !step.has("expect")) {
        context.problem(log, fmt::format("'log' of {} expects nothing; write log: \"regex\", or add 'expect'",
                                         step.where()));
    }
}

}  // namespace rogate::spec
