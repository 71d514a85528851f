#include "spec/scenario_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <span>
#include <system_error>

#include "spec/candidates.hpp"
#include "spec/compose_files.hpp"
#include "spec/compose_project.hpp"
#include "spec/docker_run.hpp"
#include "spec/env_file.hpp"
#include "spec/fields.hpp"
#include "spec/kube_text.hpp"
#include "spec/kubernetes.hpp"
#include "spec/live_container.hpp"
#include "spec/loads.hpp"
#include "spec/nearest_name.hpp"
#include "spec/scenario_list.hpp"
#include "spec/steps.hpp"
#include "spec/subject_reader.hpp"
#include "spec/variables.hpp"

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

// The subject alone has mounts that are tried.
void read_candidates(const Value& value, Scenario& scenario, const Context& context) {
    scenario.candidates.emplace();
    for (const AskedCandidate& each : read_asked_candidates(value, context)) {
        if (auto why = not_of_subject(scenario, each.container); !why.empty())
            context.problems.add({each.at.line, each.at.column}, std::move(why));
        else if (!scenario.named_candidates.emplace(each.target, NamedCandidate{each.at}).second)
            context.problems.add(
                {each.at.line, each.at.column},
                fmt::format("candidate {} is listed twice; keep one of the two", in_quotes(each.target)));
        else
            scenario.candidates->push_back(each.target);
    }
}

constexpr std::pair<std::string_view, DataState> state_names[] = {{"current", DataState::current},
                                                                  {"fresh", DataState::fresh},
                                                                  {"used", DataState::used},
                                                                  {"restart", DataState::restart},
                                                                  {"crash", DataState::crash}};

constexpr std::pair<std::string_view, DataMode> data_names[] = {
    {"overlay", DataMode::overlay}, {"copy", DataMode::copy}, {"live", DataMode::live}};

DataMode read_data(const Value& value, const Context& context) {
    const auto name = read_text(value, "'data'", context);
    if (!name) return DataMode::overlay;
    const auto found = std::ranges::find(data_names, *name, &std::pair<std::string_view, DataMode>::first);
    if (found != std::end(data_names)) return found->second;
    context.problem(
        value,
        fmt::format("unknown way to give the runs their data {}; write overlay (the default), copy or live",
                    in_quotes(*name)));
    return DataMode::overlay;
}

constexpr std::string_view hardened_names[] = {"mounts", "root", "capabilities", "no-new-privileges"};

// What is tried beside the mounts, or in their place.
void read_harden(const Value& value, Scenario& scenario, const Context& context) {
    std::vector<std::string> wanted;
    if (value.kind != Value::Kind::sequence || value.items.empty())
        context.problem(
            value,
            "'harden' is not a list; write for example [mounts, root, capabilities, no-new-privileges]");
    for (const ValuePtr& item : value.items) {
        const auto name = read_text(*item, "an entry of 'harden'", context);
        if (!name) continue;
        if (std::ranges::find(hardened_names, *name) == std::end(hardened_names))
            context.problem(*item, fmt::format("unknown entry {} of 'harden'; {}", in_quotes(*name),
                                               suggestion(*name, hardened_names)));
        wanted.push_back(*name);
    }
    const auto wants = [&](const char* name) { return std::ranges::find(wanted, name) != wanted.end(); };
    scenario.rootfs = wants("root");
    scenario.tries_capabilities = wants("capabilities");
    scenario.tries_no_new_privileges = wants("no-new-privileges");
    if (wants("mounts")) return;
    if (scenario.candidates)
        context.problem(value,
                        "'candidates' names mounts to be tried, and 'harden' does not; add 'mounts' to it");
    scenario.candidates.emplace();
}

// The real data are only as they are.
void check_live(const Scenario& scenario, const Value& data, const Context& context) {
    if (scenario.data != DataMode::live) return;
    if (!scenario.fixtures.empty())
        context.problem(data,
                        "'data: live' gives the runs the real data, so it cannot have 'fixtures'; leave out "
                        "one of the two");
    if (std::ranges::any_of(scenario.states, [](DataState state) { return state != DataState::current; }))
        context.problem(data,
                        "'data: live' gives the runs the real data as they are, so it cannot have other "
                        "'states'; leave out one of the two");
    if (scenario.subject.origin.kind == Origin::Kind::kubernetes)
        context.problem(data,
                        "'data: live' is not for a Kubernetes subject, whose volumes are made for the runs; "
                        "leave it out");
}

std::vector<DataState> read_states(const Value& value, const Context& context) {
    std::vector<DataState> states;
    if (value.kind != Value::Kind::sequence || value.items.empty())
        context.problem(value,
                        "'states' is not a list of states; write for example [fresh, used, restart, crash]");
    for (const ValuePtr& item : value.items) {
        const auto name = read_text(*item, "a state", context);
        if (!name) continue;
        const auto found =
            std::ranges::find(state_names, *name, &std::pair<std::string_view, DataState>::first);
        if (found == std::end(state_names)) {
            std::vector<std::string_view> known;
            for (const auto& each : state_names) known.push_back(each.first);
            context.problem(*item,
                            fmt::format("unknown state {}; {}", in_quotes(*name), suggestion(*name, known)));
        } else if (std::ranges::find(states, found->second) != states.end()) {
            context.problem(*item,
                            fmt::format("state {} is listed twice; keep one of the two", in_quotes(*name)));
        } else {
            states.push_back(found->second);
        }
    }
    return states;
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

// `subject` in the scenario's own words, or as what the user has already.
void read_any_subject(const Value& value, bool has_ready, Scenario& scenario, const Context& context) {
    scenario.subject = read_subject(value, context);
    const std::vector<Port> beside = scenario.subject.ports;
    for (const auto& [key, whole] : value.pairs) {
        if (whole->kind == Value::Kind::null) continue;
        if (key->text == "container") read_container(*whole, scenario, context);
        if (key->text == "kubernetes") read_kubernetes(*whole, has_ready, scenario, context);
        if (key->text == "compose")
            read_compose_project(read_compose_choice(*whole, context), nullptr, context, scenario);
        if (key->text == "docker_run") scenario.subject = read_docker_run(*whole, context, scenario.notes);
    }
    for (const Port& port : beside)
        if (std::ranges::find(scenario.subject.ports, port) == scenario.subject.ports.end())
            scenario.subject.ports.push_back(port);
}

bool is_compose_file(const Value& root) {
    const auto has = [&](std::string_view key) {
        return std::ranges::any_of(root.pairs, [&](const auto& pair) { return pair.first->text == key; });
    };
    return root.kind == Value::Kind::mapping && !has("subject") && (has("services") || has("include"));
}

// Of a text that cannot be read, for its problems to be told in the right words.
bool looks_like_compose(std::string_view text) {
    const auto has = [&](std::string_view key) {
        return text.starts_with(key) || text.find(fmt::format("\n{}", key)) != std::string_view::npos;
    };
    return has("services:") && !has("subject:");
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
        read_any_subject(*subject, mapping.has("ready"), scenario, context);
    else if (!mapping.has("subject") && root.kind == Value::Kind::mapping)
        context.problem(root, "the scenario has no 'subject'; write what to start, at least its 'image'");
    if (const Value* candidates = mapping.get("candidates")) read_candidates(*candidates, scenario, context);
    if (const Value* harden = mapping.get("harden")) read_harden(*harden, scenario, context);
    const std::vector<Port> declared = scenario.subject.ports;
    if (const Value* ready = mapping.get("ready"))
        scenario.readiness = read_readiness(*ready, declared, context);
    else if (scenario.subject.origin.kind == Origin::Kind::compose ||
             scenario.subject.origin.kind == Origin::Kind::docker_run)
        scenario.readiness = default_readiness(scenario.subject);
    else if (scenario.subject.origin.kind == Origin::Kind::container)
        scenario.readiness.derived = true;
    if (const Value* steps = mapping.get("steps")) {
        // A pod's hooks stand around the scenario's own steps.
        auto own = read_steps(*steps, declared, context);
        const auto behind_start = std::ranges::find(scenario.steps, pre_stop_name, &Step::name);
        scenario.steps.insert(behind_start, std::make_move_iterator(own.begin()),
                              std::make_move_iterator(own.end()));
    }
    if (const Value* shutdown = mapping.get("shutdown"))
        scenario.shutdown = read_shutdown(*shutdown, scenario.shutdown, context);
    if (const Value* fixtures = mapping.get("fixtures"))
        scenario.fixtures = read_fixtures(*fixtures, scenario.subject.mounts, context);
    if (const Value* states = mapping.get("states")) scenario.states = read_states(*states, context);
    if (const Value* data = mapping.get("data")) {
        scenario.data = read_data(*data, context);
        check_live(scenario, *data, context);
    }
    check_looked_at(scenario.steps, scenario.subject.mounts, context);
    add_ports_asked(scenario);
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

namespace {

// Never the whole of a large file.
Result<std::string> read_whole(const std::string& path, std::size_t most) {
    std::error_code failure;
    if (fs::is_directory(path, failure)) return fail(ErrorKind::usage, "is a folder");
    errno = 0;
    std::ifstream file(path, std::ios::binary);
    if (!file)
        return fail(errno == ENOENT ? ErrorKind::not_found : ErrorKind::usage,
                    errno == 0 ? "cannot be opened" : std::string(std::strerror(errno)));
    std::string text, piece(std::size_t{1} << 20U, '\0');
    while (text.size() <= most && file) {
        file.read(piece.data(), static_cast<std::streamsize>(piece.size()));
        text.append(piece, 0, static_cast<std::size_t>(file.gcount()));
    }
    if (file.bad()) return fail(ErrorKind::usage, "cannot be read");
    if (text.size() > most) return fail(ErrorKind::usage, fmt::format("larger than {} bytes", most));
    return text;
}

}  // namespace

Result<std::string> read_input_file(const std::string& path) {
    return read_whole(path, largest_manifest);  // what is read of it has limits of its own
}

Result<std::string> read_data_file(const std::string& path) {
    return read_whole(path, std::size_t{64} << 20U);
}

namespace {

Scenario scenario_of_compose(const ComposeChoice& choice, const std::string* text, const Context& context) {
    Scenario scenario;
    scenario.file = context.file;
    read_compose_project(choice, text, context, scenario);
    scenario.name = scenario.subject.origin.name.empty() ? "compose" : scenario.subject.origin.name;
    scenario.readiness = default_readiness(scenario.subject);
    return scenario;
}

Result<Scenario> checked(const std::string& file_name, const Problems& problems,
                         const std::function<Scenario()>& read) {
    try {
        Scenario scenario = read();
        if (!problems.empty()) return fail(problems.error());
        scenario.notes.insert(scenario.notes.end(), problems.notes().begin(), problems.notes().end());
        return scenario;
    } catch (const std::exception& error) {
        return fail(ErrorKind::internal,
                    fmt::format("{}: while reading the scenario: {}", file_name, error.what()));
    }
}

}  // namespace

Scenario read_scenario_root(const Value& root, const Context& context) {
    Substituted substituted = with_variables(*without_extensions(root), context);
    Scenario scenario = read_scenario(*substituted.root, context);
    scenario.variables = std::move(substituted.variables);
    return scenario;
}

std::string folder_of(const std::string& file_name, const Surroundings& surroundings) {
    return surroundings.folder.empty() ? absolute(file_name).parent_path().string()
                                       : absolute(surroundings.folder).string();
}

Result<Scenario> parse_scenario(std::string_view text, std::string file_name,
                                const Surroundings& surroundings, const ComposeOptions& compose) {
    Problems problems(file_name);
    const Context context{problems, surroundings, file_name, folder_of(file_name, surroundings)};
    // What kind of file it is shows only when it was read; a Compose file may say more in YAML.
    Problems ignored(file_name);
    YamlLimits limits;
    limits.merge_tags = true;
    const ValuePtr glance = read_yaml(text, ignored, limits);
    if (glance ? is_compose_file(*glance) : looks_like_compose(text)) {
        ComposeChoice choice;
        choice.files = {file_name};
        choice.services = compose.services;
        choice.profiles = compose.profiles;
        const std::string whole(text);
        return checked(file_name, problems, [&] { return scenario_of_compose(choice, &whole, context); });
    }
    return checked(file_name, problems, [&] {
        const ValuePtr root = read_yaml(text, problems);
        if (root && (!compose.services.empty() || !compose.profiles.empty()))
            context.problem(
                *root, "--service and --profile are for Compose files; write subject.compose.service here");
        return root ? read_scenario_root(*root, context) : Scenario{};
    });
}

Result<Scenario> load_scenario(const std::string& path, const Surroundings& surroundings,
                               const ComposeOptions& compose) {
    std::error_code failure;
    std::string file_name = path;
    if (path == "-") {
        std::string text(YamlLimits{}.bytes + 1, '\0');
        std::cin.read(text.data(), static_cast<std::streamsize>(text.size()));
        text.resize(static_cast<std::size_t>(std::cin.gcount()));
        return parse_scenario(text, "<stdin>", surroundings, compose);
    }
    if (fs::is_directory(path, failure)) {
        const fs::path folder(path);
        const bool has_yaml = fs::exists(folder / "scenario.yaml", failure);
        const bool has_yml = !has_yaml && fs::exists(folder / "scenario.yml", failure);
        const ComposeFiles found = compose_files_in(path, surroundings);
        if (!has_yaml && !has_yml && !found.files.empty()) {
            Problems problems((folder / found.files.front()).string());
            const Context context{problems, surroundings, (folder / found.files.front()).string(),
                                  absolute(path + "/.").string()};
            for (const std::string& note : found.notes) problems.note(note);
            ComposeChoice choice;
            choice.files = found.files;
            choice.services = compose.services;
            choice.profiles = compose.profiles;
            return checked(context.file, problems,
                           [&] { return scenario_of_compose(choice, nullptr, context); });
        }
        file_name = (folder / (has_yml ? "scenario.yml" : "scenario.yaml")).string();
    }
    auto text = surroundings.read_file(file_name);
    if (!text) return cannot_read(file_name, text.error().message);
    return parse_scenario(*text, std::move(file_name), surroundings, compose);
}

}  // namespace rogate::spec
