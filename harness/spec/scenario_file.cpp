#include "spec/scenario_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "spec/fields.hpp"
#include "spec/kubernetes.hpp"
#include "spec/live_container.hpp"
#include "spec/steps.hpp"
#include "spec/subject_reader.hpp"

namespace rogate::spec {

namespace {

namespace fs = std::filesystem;

fs::path absolute(const std::string& file_name) {
    std::error_code failure;
    const fs::path path = fs::absolute(file_name, failure);
    return (failure ? fs::path("/") / file_name : path).lexically_normal();
}

// "scenarios/nginx/scenario.yaml" -> "nginx", "shop.yaml" -> "shop".
std::string default_scenario_name(const std::string& file_name) {
    const fs::path path = absolute(file_name);
    if (path.stem() != "scenario") return path.stem().string();
    const std::string folder = path.parent_path().filename().string();
    return folder.empty() ? "scenario" : folder;
}

std::vector<std::string> read_candidates(const Value& value, const Context& context) {
    std::vector<std::string> targets;
    if (value.kind != Value::Kind::sequence || value.items.empty()) {
        context.problem(
            value,
            "'candidates' is not a list of targets; write for example [/data, /], or leave it out "
            "for every writable mount");
        return targets;
    }
    for (const ValuePtr& item : value.items) {
        // It may be declared by the image's VOLUME, so whether it is a mount shows only once the image is
        // known.
        const auto target = read_notation(*item, "a candidate", context, parse_container_path);
        if (!target) continue;
        if (std::ranges::find(targets, *target) != targets.end())
            context.problem(
                *item, fmt::format("candidate {} is listed twice; keep one of the two", in_quotes(*target)));
        else
            targets.push_back(*target);
    }
    return targets;
}

void add_port_of(const Step& step, std::vector<Port>& ports) {
    Port port;
    if (const auto* http = std::get_if<HttpAction>(&step.action)) port.container = http->port;
    if (const auto* tcp = std::get_if<TcpAction>(&step.action)) port.container = tcp->port;
    if (port.container != 0 && std::ranges::find(ports, port) == ports.end()) ports.push_back(port);
}

// Anchors need a place to stand; as in compose files, that is a key that begins with "x-".
ValuePtr without_extensions(const Value& root) {
    auto rest = std::make_shared<Value>(root);
    std::erase_if(rest->pairs, [](const auto& pair) { return pair.first->text.starts_with("x-"); });
    return rest;
}

// "container: shop" or "container: {name: shop, network: join}".
void read_container(const Value& value, Scenario& scenario, const Context& context) {
    scenario.subject.origin.kind = Origin::Kind::container;
    if (value.kind != Value::Kind::mapping) {
        scenario.subject.origin.name = read_line(value, "'container'", context).value_or("");
        return;
    }
    const Mapping mapping(value, "'container' of 'subject'", keys::container, context);
    if (!mapping.has("name"))
        context.problem(value, "'container' has no 'name'; write the name of a container on the engine");
    scenario.subject.origin.name = mapping.line("name").value_or("");
    const auto network = mapping.line("network");
    if (!network) return;
    scenario.clone_network = *network == "join" ? CloneNetwork::join : CloneNetwork::own;
    if (*network != "join" && *network != "own")
        context.problem(
            *mapping.get("network"),
            fmt::format("'network' is {}; write own (a network of the run's own, the default) or join "
                        "(the original's networks as well)",
                        in_quotes(*network)));
}

void read_whole_subject(const Value& value, bool has_ready, Scenario& scenario, const Context& context) {
    scenario.subject = read_subject(value, context);
    for (const auto& [key, whole] : value.pairs) {
        if (key->text == "container" && whole->kind != Value::Kind::null)
            read_container(*whole, scenario, context);
        if (key->text == "kubernetes" && whole->kind != Value::Kind::null)
            read_kubernetes(*whole, has_ready, scenario, context);
    }
}

Scenario read_scenario(const Value& root, const Context& context) {
    const Mapping mapping(root, "the scenario", keys::scenario, context);
    Scenario scenario;
    scenario.file = context.file;
    scenario.name = mapping.line("name").value_or(default_scenario_name(context.file));
    scenario.description = mapping.text("description").value_or("");
    const std::string& container = context.surroundings.container;
    if (!container.empty()) {
        scenario.subject.origin = scenario_of_container(container).subject.origin;
    } else if (const Value* subject = mapping.get("subject"))
        read_whole_subject(*subject, mapping.has("ready"), scenario, context);
    else if (!mapping.has("subject") && root.kind == Value::Kind::mapping)
        context.problem(root, "the scenario has no 'subject'; write what to start, at least its 'image'");
    if (const Value* candidates = mapping.get("candidates"))
        scenario.candidates = read_candidates(*candidates, context);
    const std::vector<Port> declared = scenario.subject.ports;
    if (const Value* ready = mapping.get("ready"))
        scenario.readiness = read_readiness(*ready, declared, context);
    if (const Value* steps = mapping.get("steps")) {
        // A pod's hooks stand around the scenario's own steps.
        auto own = read_steps(*steps, declared, context);
        const auto behind_start = std::ranges::find(scenario.steps, pre_stop_name, &Step::name);
        scenario.steps.insert(behind_start, std::make_move_iterator(own.begin()),
                              std::make_move_iterator(own.end()));
    }
    if (const Value* shutdown = mapping.get("shutdown")) {
        const std::int64_t grace = scenario.shutdown.timeout_ms;
        scenario.shutdown = read_shutdown(*shutdown, context);
        const bool says_timeout = std::ranges::any_of(
            shutdown->pairs, [](const auto& pair) { return pair.first->text == "timeout"; });
        if (!says_timeout) scenario.shutdown.timeout_ms = grace;
    }
    for (const Step& check : scenario.readiness.checks) add_port_of(check, scenario.subject.ports);
    for (const Step& step : scenario.steps) add_port_of(step, scenario.subject.ports);
    return scenario;
}

tl::unexpected<Error> cannot_read(const std::string& path, const std::string& why) {
    return fail(ErrorKind::usage,
                fmt::format("{}: {}; name a scenario file, or a folder with a scenario.yaml", path, why));
}

}  // namespace

std::optional<std::string> process_environment(const std::string& name) {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

Result<Scenario> parse_scenario(std::string_view text, std::string file_name,
                                const Surroundings& surroundings) {
    Problems problems(file_name);
    try {
        const ValuePtr root = read_yaml(text, problems);
        if (!root) return fail(problems.error());
        const Context context{problems, surroundings, file_name,
                              surroundings.folder.empty() ? absolute(file_name).parent_path().string()
                                                          : absolute(surroundings.folder).string()};
        Scenario scenario = read_scenario(*without_extensions(*root), context);
        if (!problems.empty()) return fail(problems.error());
        return scenario;
    } catch (const std::exception& error) {
        return fail(ErrorKind::internal,
                    fmt::format("{}: while reading the scenario: {}", file_name, error.what()));
    }
}

Result<std::string> read_input_file(const std::string& path) {
    errno = 0;
    std::ifstream file(path, std::ios::binary);
    if (!file)
        return fail(ErrorKind::usage, errno == 0 ? "cannot be opened" : std::string(std::strerror(errno)));
    // One byte more than is allowed, so that the reader sees that it is too large; never the whole of a large
    // file.
    std::string text(YamlLimits{}.bytes + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (file.bad()) return fail(ErrorKind::usage, "cannot be read");
    text.resize(static_cast<std::size_t>(file.gcount()));
    return text;
}

Result<Scenario> load_scenario(const std::string& path, const Surroundings& surroundings) {
    std::error_code failure;
    std::string file_name = path;
    if (fs::is_directory(path, failure)) {
        const fs::path folder(path);
        const bool has_yml =
            !fs::exists(folder / "scenario.yaml", failure) && fs::exists(folder / "scenario.yml", failure);
        file_name = (folder / (has_yml ? "scenario.yml" : "scenario.yaml")).string();
    }
    auto text = read_input_file(file_name);
    if (!text) return cannot_read(file_name, text.error().message);
    return parse_scenario(*text, std::move(file_name), surroundings);
}

}  // namespace rogate::spec
