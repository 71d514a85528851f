#include "scenario/variables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/references.hpp"

namespace rogate::scenario {

namespace {

using nlohmann::json;

std::string quoted_for_regex(const std::string& value) {
    std::string quoted;
    for (const char c : value) {
        if (std::string_view(R"(\^$.|?*+()[]{}/)").find(c) != std::string_view::npos) quoted += '\\';
        quoted += c;
    }
    return quoted;
}

class Resolver {
  public:
    explicit Resolver(const Variables& variables) : variables_(variables) {}

    void in(std::string& text) const {
        if (text.find("${{") == std::string::npos) return;
        text = replace_references(
            text, [&](const std::string& name) { return value(name); }, Escapes::resolve);
    }
    void in(std::optional<std::string>& text) const {
        if (text) in(*text);
    }
    void in(std::vector<std::string>& texts) const {
        for (std::string& text : texts) in(text);
    }
    void in(std::optional<std::vector<std::string>>& texts) const {
        if (texts) in(*texts);
    }
    void in(std::map<std::string, std::string>& map) const {
        for (auto& [name, text] : map) in(text);
    }
    void in_regex(std::string& pattern) const {
        if (pattern.find("${{") == std::string::npos) return;
        pattern = replace_references(
            pattern,
            [&](const std::string& name) -> std::optional<std::string> {
                const auto found = value(name);
                return found ? std::optional(quoted_for_regex(*found)) : found;
            },
            Escapes::resolve);
    }
    // The strings inside, so that a value with quotes in it stays one.
    void in_json(std::string& text) const {
        if (text.find("${{") == std::string::npos) return;
        json parsed = json::parse(text, nullptr, false);
        in_json(parsed);
        text = parsed.dump(-1, ' ', false, json::error_handler_t::replace);
    }
    void in(Load& load) const { in(load.to), in(load.text); }

    void operator()(HttpAction& action) const {
        in(action.path), in(action.headers), in(action.body);
        for (FormField& field : action.form) in(field.content), in(field.file_name);
        // Of a captured Location that names the host as well, the path is meant.
        const std::size_t scheme = action.path.find("://");
        if (scheme != std::string::npos && !action.path.starts_with('/')) {
            const std::size_t path = action.path.find('/', scheme + 3);
            action.path = path == std::string::npos ? "/" : action.path.substr(path);
        }
    }
    void operator()(ExecAction& action) const {
        in(action.command), in(action.environment), in(action.stdin_text);
    }
    void operator()(CopyAction& action) const { in(action.load); }
    void operator()(FileAction& action) const { in(action.path); }
    void operator()(RunContainerAction& action) const {
        in(action.image), in(action.command), in(action.entrypoint), in(action.environment);
        for (Load& load : action.files) in(load);
    }
    void operator()(CommandAction& action) const { in(action.command), in(action.environment); }
    template <class T>
    void operator()(T&) const {}

    void in(Expect& expect) const {
        in(expect.contains), in(expect.not_contains), in(expect.equals);
        if (expect.matches) in_regex(*expect.matches);
        for (auto& [name, pattern] : expect.headers) in_regex(pattern);
        for (auto& [pointer, wanted] : expect.json) in_json(wanted);
    }

  private:
    std::optional<std::string> value(const std::string& name) const {
        const auto found = variables_.find(name);
        return found == variables_.end() ? std::nullopt : std::optional(found->second);
    }
    void in_json(json& node) const {
        if (node.is_string()) {
            // A whole reference takes the type that the value has: "${{ id }}" may be a number.
            const std::string written = node.get<std::string>();
            std::string text = written;
            in(text);
            const json parsed = is_one_reference(written) ? json::parse(text, nullptr, false) : json();
            node = parsed.is_number() || parsed.is_boolean() ? parsed : json(text);
        } else if (node.is_structured()) {
            for (json& inside : node) in_json(inside);
        }
    }

    const Variables& variables_;
};

Result<std::string> captured(const Capture& capture, const Observed& observed, const Masker& masker) {
    const auto missing = [&](std::string why) {
        return fail(ErrorKind::scenario,
                    fmt::format("variable '{}' cannot be captured: {}", capture.variable, why));
    };
    if (capture.from == Capture::From::header) {
        std::string name = capture.what;
        for (char& c : name)
            if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        const auto found = observed.headers.find(name);
        if (found == observed.headers.end())
            return missing(fmt::format("the answer has no header '{}'", capture.what));
        return found->second;
    }
    if (capture.from == Capture::From::json) {
        const json parsed = json::parse(observed.text, nullptr, false);
        if (parsed.is_discarded())
            return missing(fmt::format("\"{}\" is not JSON", excerpt(observed.text, masker)));
        const json::json_pointer pointer(capture.what);
        if (!parsed.contains(pointer))
            return missing(fmt::format("there is nothing at {} in \"{}\"", capture.what,
                                       excerpt(observed.text, masker)));
        const json& value = parsed[pointer];
        return value.is_string() ? value.get<std::string>()
                                 : value.dump(-1, ' ', false, json::error_handler_t::replace);
    }
    auto found = first_match(capture.what, observed.text);
    if (!found)
        return missing(
            fmt::format("/{}/ matches nothing in \"{}\"", capture.what, excerpt(observed.text, masker)));
    return std::move(*found);
}

}  // namespace

Step resolved(const Step& step, const Variables& variables) {
    Step result = step;
    const Resolver resolver(variables);
    std::visit(resolver, result.action);
    resolver.in(result.expect);
    for (Capture& capture : result.captures)
        if (capture.from == Capture::From::regex) resolver.in_regex(capture.what);
    if (result.skip_if) {
        resolver.in(result.skip_if->command);
        resolver.in(result.skip_if->variables);
    }
    return result;
}

Result<> capture(const Step& step, const Observed& observed, Variables& variables, const Masker& masker) {
    for (const Capture& each : step.captures) {
        auto value = captured(each, observed, masker);
        if (!value) return fail(std::move(value.error()));
        variables.insert_or_assign(each.variable, std::move(*value));
    }
    return {};
}

}  // namespace rogate::scenario
