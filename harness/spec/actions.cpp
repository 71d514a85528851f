#include "spec/actions.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/references.hpp"
#include "spec/commands.hpp"
#include "spec/expect.hpp"
#include "spec/loads.hpp"
#include "spec/nearest_name.hpp"

namespace rogate::spec {

namespace {

constexpr std::string_view methods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"};
constexpr std::string_view restarts[] = {"graceful", "kill"};
constexpr std::string_view healthcheck_words[] = {"healthy", "true"};

class ActionReader {
  public:
    ActionReader(std::string where, std::span<const Port> ports, const Context& context)
        : where_(std::move(where)), ports_(ports), context_(context) {}

    std::optional<Action> read(std::string_view name, const Value& value) const {
        if (name == "http") return http(value);
        if (name == "exec") return exec(value);
        if (name == "signal") return signal(value);
        if (name == "restart") return restart(value);
        if (name == "wait") return wait(value);
        if (name == "log") return log(value);
        if (name == "tcp") return tcp(value);
        if (name == "copy") return CopyAction{read_load(value, in(name), context_)};
        if (name == "file") return file(value);
        if (name == "run") return run(value);
        if (name == "command") return read_host_command(value, in(name), context_);
        return healthcheck(value);
    }

  private:
    std::optional<Action> http(const Value& value) const;
    std::map<std::string, std::string> http_headers(const Value& value) const;
    std::optional<Action> exec(const Value& value) const;
    std::optional<Action> signal(const Value& value) const;
    std::optional<Action> restart(const Value& value) const;
    std::optional<Action> wait(const Value& value) const;
    std::optional<Action> log(const Value& value) const;
    std::optional<Action> tcp(const Value& value) const;
    std::optional<Action> healthcheck(const Value& value) const;
    std::optional<Action> file(const Value& value) const;
    std::optional<Action> run(const Value& value) const;
    void http_content(const Mapping& mapping, HttpAction& action) const;
    std::uint16_t port(const Mapping& mapping) const;

    std::string in(std::string_view name) const { return fmt::format("'{}' of {}", name, where_); }

    std::string where_;
    std::span<const Port> ports_;
    const Context& context_;
};

std::uint16_t ActionReader::port(const Mapping& mapping) const {
    if (const Value* value = mapping.get("port")) return read_port(*value, "'port'", context_).value_or(0);
    if (mapping.has("port") || mapping.value().kind != Value::Kind::mapping) return 0;
    const auto is_tcp = [](const Port& candidate) { return candidate.protocol == "tcp"; };
    if (std::ranges::count_if(ports_, is_tcp) == 1) return std::ranges::find_if(ports_, is_tcp)->container;
    context_.problem(mapping.value(),
                     fmt::format("{} has no 'port'; write it, or declare exactly one tcp port in 'subject'",
                                 mapping.where()));
    return 0;
}

std::optional<Action> ActionReader::http(const Value& value) const {
    const Mapping mapping(value, in("http"), keys::http, context_);
    HttpAction action;
    action.port = port(mapping);
    if (const auto method = mapping.line("method")) {
        if (std::ranges::find(methods, *method) == std::end(methods))
            context_.problem(*mapping.get("method"), fmt::format("unknown method {}; {}", in_quotes(*method),
                                                                 suggestion(*method, methods)));
        action.method = *method;
    }
    if (const auto scheme = mapping.line("scheme")) {
        constexpr std::array schemes = {std::string_view("http"), std::string_view("https")};
        if (std::ranges::find(schemes, *scheme) == schemes.end())
            context_.problem(*mapping.get("scheme"), fmt::format("unknown scheme {}; {}", in_quotes(*scheme),
                                                                 suggestion(*scheme, schemes)));
        action.tls = *scheme == "https";
    }
    if (const auto path = mapping.line("path")) {
        // A captured Location may be the whole path.
        const std::string sample = replace_references(
            *path, [](const std::string&) { return "/x"; }, Escapes::resolve);
        if (!sample.starts_with('/') || sample.find(' ') != std::string::npos)
            context_.problem(
                *mapping.get("path"),
                fmt::format("{} is not the path of a request; it starts with '/', and a space in it is "
                            "%20",
                            in_quotes(*path)));
        action.path = *path;
    }
    if (const Value* headers = mapping.get("headers")) action.headers = http_headers(*headers);
    http_content(mapping, action);
    return action;
}

void ActionReader::http_content(const Mapping& mapping, HttpAction& action) const {
    std::string_view chosen;
    for (const std::string_view key : {"body", "file", "form"}) {
        if (!mapping.has(key)) continue;
        if (!chosen.empty())
            context_.problems.add(
                std::max(mapping.place_of(chosen), mapping.place_of(key)),
                fmt::format("{} has '{}' and '{}'; keep one of the two", mapping.where(), chosen, key));
        chosen = key;
    }
    action.body = mapping.text("body").value_or("");
    if (const Value* file = mapping.get("file"))
        action.body = without_references(read_local_file(*file, "'file'", context_).value_or(""));
    if (const Value* form = mapping.get("form"))
        action.form = read_form(*form, fmt::format("'form' of {}", where_), context_);
}

std::map<std::string, std::string> ActionReader::http_headers(const Value& value) const {
    std::map<std::string, std::string> headers;
    if (value.kind != Value::Kind::mapping)
        context_.problem(
            value, fmt::format("'headers' is {}; write a mapping (Accept: text/html)", kind_name(value)));
    for (const auto& [name, set] : value.pairs) {
        check_header_name(*name, context_);
        // A line break in a value would begin another header.
        if (const auto text = read_line(*set, in_quotes(name->text), context_))
            headers.emplace(name->text, *text);
    }
    return headers;
}

std::optional<Action> ActionReader::exec(const Value& value) const {
    ExecAction action;
    if (value.kind != Value::Kind::mapping) {
        auto words = read_command(value, context_);
        if (!words) return std::nullopt;
        action.command = std::move(*words);
        return action;
    }
    const Mapping mapping(value, in("exec"), keys::exec, context_);
    if (const Value* words = mapping.get("command"))
        action.command = read_command(*words, context_).value_or(std::vector<std::string>{});
    else if (!mapping.has("command"))
        context_.problem(
            value, fmt::format("{} has no 'command'; write a list of words, or one string for the shell",
                               mapping.where()));
    action.user = mapping.line("user");
    action.working_dir = mapping.path("working_dir");
    if (const Value* environment = mapping.get("environment"))
        action.environment = read_environment(*environment, context_);
    action.stdin_text = mapping.text("stdin").value_or("");
    return action;
}

std::optional<Action> ActionReader::signal(const Value& value) const {
    auto name = read_notation(value, "'signal'", context_, parse_signal);
    if (!name) return std::nullopt;
    return SignalAction{std::move(*name)};
}

std::optional<Action> ActionReader::restart(const Value& value) const {
    if (value.kind == Value::Kind::mapping)
        return RestartAction{Mapping(value, in("restart"), keys::restart, context_).flag("kill", false)};
    const auto word = read_text(value, "'restart'", context_);
    if (!word) return std::nullopt;
    if (*word == "kill" || *word == "graceful") return RestartAction{*word == "kill"};
    context_.problem(
        value, fmt::format("unknown kind of restart {}; {}", in_quotes(*word), suggestion(*word, restarts)));
    return std::nullopt;
}

std::optional<Action> ActionReader::wait(const Value& value) const {
    const auto duration = read_duration(value, "'wait'", context_, Zero::refused);
    if (!duration) return std::nullopt;
    return WaitAction{*duration};
}

std::optional<Action> ActionReader::log(const Value& value) const {
    // The short form, log: "regex", is an expectation; read_action() has it read as one.
    if (value.kind == Value::Kind::mapping)
        const Mapping nothing(value, in("log"), keys::none, context_);
    else
        read_regex(value, "'log'", context_);
    return LogAction{};
}

std::optional<Action> ActionReader::tcp(const Value& value) const {
    if (value.kind == Value::Kind::mapping)
        return TcpAction{port(Mapping(value, in("tcp"), keys::tcp, context_))};
    const auto number = read_port(value, "'tcp'", context_);
    if (!number) return std::nullopt;
    return TcpAction{*number};
}

std::optional<Action> ActionReader::healthcheck(const Value& value) const {
    const auto word = read_text(value, "'healthcheck'", context_);
    if (!word) return std::nullopt;
    if (std::ranges::find(healthcheck_words, *word) != std::end(healthcheck_words)) return HealthAction{};
    context_.problem(value,
                     fmt::format("{} cannot be waited for; write healthcheck: healthy", in_quotes(*word)));
    return std::nullopt;
}

std::optional<Action> ActionReader::file(const Value& value) const {
    const auto path = read_notation(value, "'file'", context_, parse_container_path);
    if (!path) return std::nullopt;
    return FileAction{*path};
}

std::optional<Action> ActionReader::run(const Value& value) const {
    const Mapping mapping(value, in("run"), keys::run, context_);
    RunContainerAction action;
    if (!mapping.has("image") && value.kind == Value::Kind::mapping)
        context_.problem(value, fmt::format("{} has no 'image'; write the image to start", mapping.where()));
    action.image = mapping.line("image").value_or("");
    if (action.image.find(' ') != std::string::npos)
        context_.problem(*mapping.get("image"),
                         fmt::format("{} is not the name of an image", in_quotes(action.image)));
    action.command = read_words(mapping, "command", context_);
    action.entrypoint = read_words(mapping, "entrypoint", context_);
    action.user = mapping.line("user");
    action.working_dir = mapping.path("working_dir");
    if (const Value* environment = mapping.get("environment"))
        action.environment = read_environment(*environment, context_);
    if (const Value* files = mapping.get("files")) {
        if (files->kind != Value::Kind::sequence)
            context_.problem(*files,
                             fmt::format("'files' is {}; write a list (- {{from: ./tests, to: /tests}})",
                                         kind_name(*files)));
        for (const ValuePtr& item : files->items)
            action.files.push_back(
                read_load(*item, fmt::format("an entry of 'files' of {}", where_), context_));
    }
    return action;
}

std::string join(std::span<const std::string> words) {
    return fmt::format("{}", fmt::join(words, " "));
}

}  // namespace

std::optional<std::vector<std::string>> read_command(const Value& value, const Context& context) {
    if (value.kind == Value::Kind::scalar) {
        if (value.text.find_first_not_of(" \t\n") != std::string::npos)
            return std::vector<std::string>{"sh", "-c", value.text};
    } else if (value.kind == Value::Kind::sequence) {
        auto words = read_texts(value, "the command", context);
        if (!words || (!words->empty() && !words->front().empty())) return words;
    } else {
        context.problem(value,
                        "the command is a mapping; write a list of words, or one string for the shell");
        return std::nullopt;
    }
    context.problem(value, "the command is empty; write a list of words, or one string for the shell");
    return std::nullopt;
}

std::optional<Step> read_action(const Mapping& mapping, std::span<const std::string_view> names,
                                std::span<const Port> ports, const Context& context) {
    std::string_view chosen;
    for (const std::string_view name : names) {
        if (!mapping.has(name)) continue;
        if (!chosen.empty()) {
            context.problems.add(
                std::max(mapping.place_of(chosen), mapping.place_of(name)),
                fmt::format("{} has two actions, '{}' and '{}'; write each as an entry of its own",
                            mapping.where(), chosen, name));
            return std::nullopt;
        }
        chosen = name;
    }
    if (chosen.empty()) {
        if (mapping.value().kind == Value::Kind::mapping)
            context.problem(mapping.value(), fmt::format("{} has no action; write one of {}", mapping.where(),
                                                         fmt::join(names, ", ")));
        return std::nullopt;
    }
    const Value* value = mapping.get(chosen);
    if (value == nullptr) return std::nullopt;
    Step step;
    auto action = ActionReader(mapping.where(), ports, context).read(chosen, *value);
    if (action) step.action = std::move(*action);
    step.expect = read_expect(mapping, chosen, context);
    if (chosen == "log") complete_log_expectation(mapping, *value, step.expect, context);
    return action ? std::optional(std::move(step)) : std::nullopt;
}

std::string default_name(const Step& step) {
    struct Namer {
        const Step& step;
        std::string operator()(const HttpAction& http) const {
            return fmt::format("{} {} {}", http.tls ? "https" : "http", http.method, http.path);
        }
        std::string operator()(const ExecAction& exec) const {
            const bool is_shell =
                exec.command.size() == 3 && exec.command[0] == "sh" && exec.command[1] == "-c";
            return "exec " + (is_shell ? exec.command[2] : join(exec.command));
        }
        std::string operator()(const SignalAction& signal) const { return "signal " + signal.signal; }
        std::string operator()(const RestartAction& restart) const {
            return restart.kill ? "restart kill" : "restart graceful";
        }
        std::string operator()(const WaitAction& wait) const {
            return wait.duration_ms % 1000 == 0 ? fmt::format("wait {}s", wait.duration_ms / 1000)
                                                : fmt::format("wait {}ms", wait.duration_ms);
        }
        std::string operator()(const LogAction&) const { return "log " + step.expect.matches.value_or(""); }
        std::string operator()(const TcpAction& tcp) const { return fmt::format("tcp {}", tcp.port); }
        std::string operator()(const HealthAction&) const { return "healthcheck"; }
        std::string operator()(const CopyAction& copy) const { return "copy to " + copy.load.to; }
        std::string operator()(const FileAction& file) const { return "file " + file.path; }
        std::string operator()(const RunContainerAction& driver) const { return "run " + driver.image; }
        std::string operator()(const CommandAction& command) const {
            const bool is_shell =
                command.command.size() == 3 && command.command[0] == "sh" && command.command[1] == "-c";
            return "command " + (is_shell ? command.command[2] : join(command.command));
        }
        std::string operator()(const PagesAction&) const { return "pages"; }
        std::string operator()(const ParallelAction&) const { return "parallel"; }
        std::string operator()(const BackgroundAction&) const { return "background"; }
    };
    constexpr std::size_t longest = 60;
    std::string name = std::visit(Namer{step}, step.action);
    for (char& c : name)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
    if (name.size() > longest) {
        std::size_t end = longest;
        while ((static_cast<unsigned char>(name[end]) & 0xc0) == 0x80) --end;  // between characters
        name = name.substr(0, end) + "…";
    }
    while (name.ends_with(' ')) name.pop_back();
    return name;
}

}  // namespace rogate::spec
