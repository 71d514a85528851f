#include "spec/inputs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <set>

#include "spec/candidates.hpp"
#include "spec/compose_files.hpp"
#include "spec/compose_loader.hpp"
#include "spec/compose_project.hpp"
#include "spec/kube_fields.hpp"
#include "spec/kube_text.hpp"
#include "spec/kubernetes.hpp"
#include "spec/nearest_name.hpp"
#include "spec/scenario_list.hpp"
#include "spec/system.hpp"
#include "spec/system_scenario.hpp"

namespace rogate::spec {

namespace fs = std::filesystem;

namespace {

constexpr const char* standard_input = "<stdin>";

bool has_key(const Value& mapping, std::string_view key) {
    return std::ranges::any_of(mapping.pairs, [&](const auto& pair) { return pair.first->text == key; });
}

bool is_object(const Value& document) {
    return has_key(document, "kind") &&
           (has_key(document, "apiVersion") || has_key(document, "metadata") || has_key(document, "items"));
}

// Of a text that is no YAML, for its problems to be told in the right words: keys that begin a line.
InputKind looks_like(std::string_view text) {
    const auto has = [&](std::string_view key) {
        return text.starts_with(key) || text.find(fmt::format("\n{}", key)) != std::string_view::npos;
    };
    if (has("subject:") || has("scenarios:")) return InputKind::scenario;
    if (has("apiVersion:") && has("kind:")) return InputKind::manifests;
    return has("services:") ? InputKind::compose : InputKind::scenario;
}

struct Choice {
    const Surroundings& surroundings;
    const ComposeOptions& options;
};

tl::unexpected<Error> usage(std::string text) {
    return fail(ErrorKind::usage, std::move(text));
}

bool is_no_yaml(const fs::path& file) {
    const std::string extension = file.extension().string();
    return extension != ".yaml" && extension != ".yml" && extension != ".json";
}

// Large data files of other kinds are not worth to be parsed.
bool may_be_manifest(std::string_view text) {
    return text.find("apiVersion") != std::string_view::npos && text.find("kind") != std::string_view::npos;
}

struct Folder {
    ComposeFiles compose;
    std::vector<std::string> manifests, passed_over;
    std::string rendered_by;  // the command that makes manifests of what is here; empty: they are manifests
};

Folder look_into(const fs::path& folder, const Surroundings& surroundings) {
    Folder found;
    found.compose = compose_files_in(folder.string(), surroundings);
    std::error_code failure;
    for (const char* name : {"kustomization.yaml", "kustomization.yml", "Kustomization"})
        if (fs::exists(folder / name, failure))
            found.rendered_by = fmt::format("kustomize build {}", folder.string());
    if (fs::exists(folder / "Chart.yaml", failure))
        found.rendered_by = fmt::format("helm template {}", folder.string());
    std::vector<fs::path> files;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, failure))
        if (entry.is_regular_file(failure) && !is_no_yaml(entry.path())) files.push_back(entry.path());
    std::ranges::sort(files);
    for (const fs::path& file : files) {
        const auto text = surroundings.read_file(file.string());
        if (!text)
            found.passed_over.push_back(fmt::format("{}: {}", file.string(), text.error().message));
        else if (may_be_manifest(*text) && kind_of(*text) == InputKind::manifests)
            found.manifests.push_back(file.string());
        else
            found.passed_over.push_back(fmt::format("{}: it is no manifest", file.string()));
    }
    return found;
}

std::string choices(const std::string& path, const Folder& folder) {
    std::vector<std::string> named;
    for (const std::string& file : folder.compose.files) named.push_back((fs::path(path) / file).string());
    const std::string manifests = folder.rendered_by.empty()
                                      ? fmt::format("{}", fmt::join(folder.manifests, " "))
                                      : fmt::format("- (of: {})", folder.rendered_by);
    return fmt::format(
        "{}: the folder holds a Compose project and Kubernetes manifests; say which of them is meant, by its "
        "files: {}, or {}",
        path, named.front(), manifests);
}

// Of several containers that are asked for by name, in the order of the system.
Result<std::vector<std::string>> chosen_names(const System& system, const std::vector<std::string>& wanted) {
    std::vector<std::string> chosen;
    std::vector<bool> found(wanted.size(), false);
    std::vector<std::string_view> known;
    for (const SystemContainer& each : system.containers) {
        known.push_back(each.name);
        bool takes = wanted.empty();
        for (std::size_t i = 0; i < wanted.size(); ++i) {
            const std::string& name = wanted[i];
            const bool of_pod = !each.pod.empty() && (name == each.pod || each.name.starts_with(name + "/") ||
                                                      name == each.subject.origin.container);
            if (name != each.name && !of_pod) continue;
            found[i] = takes = true;
        }
        if (takes) chosen.push_back(each.name);
    }
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        const bool refused = std::ranges::any_of(
            system.refused, [&](const NotRun& each) { return each.container == wanted[i]; });
        if (!found[i] && !refused)
            return usage(fmt::format("{}: there is no {}; {}", fmt::join(system.files, ", "),
                                     in_quotes(wanted[i]), suggestion(wanted[i], known)));
    }
    return chosen;
}

// What cannot be run, and what needs it.
std::set<std::string> not_runnable(const System& system) {
    std::set<std::string> names;
    for (const NotRun& each : system.refused) names.insert(each.container);
    for (const SystemContainer& each : system.containers)  // each behind those that it needs
        if (std::ranges::any_of(each.after,
                                [&](const Dependency& other) { return names.contains(other.service); }))
            names.insert(each.name);
    for (const SystemContainer& each : system.containers)
        if (!each.pod.empty() && names.contains(each.name.substr(0, each.name.rfind('/'))))
            names.insert(each.name);
    return names;
}

// Nobody said what is done to it. What ends by itself is let run to its end.
Scenario with_own_exercise(const System& system, const std::string& name) {
    Scenario scenario = scenario_of(system, name);
    const SystemContainer& container = *find_container(system, name);
    scenario.self_made = !container.ends && container.role != SystemContainer::Role::init;
    scenario.goes_on = goes_on(system, container);
    return scenario;
}

// The system with what is asked for, unless what is wrong with it is not one container's alone.
Result<Input> finished(System system, const Problems& problems, const std::vector<std::string>& wanted) {
    std::set<std::string> told;
    for (const NotRun& each : system.refused) told.insert(each.why.begin(), each.why.end());
    for (const std::string& line : problems.lines(0))
        if (!told.contains(line)) return fail(problems.error());
    system.notes.insert(system.notes.end(), problems.notes().begin(), problems.notes().end());
    auto names = chosen_names(system, wanted);
    if (!names) return fail(std::move(names.error()));
    Input input;
    const std::set<std::string> left = not_runnable(system);
    std::erase_if(*names, [&](const std::string& name) { return left.contains(name); });
    for (const std::string& name : *names) input.scenarios.push_back(with_own_exercise(system, name));
    if (names->size() > 1) {
        if (const std::string why = why_not_together(system); !why.empty()) {
            system.notes.push_back(
                fmt::format("{}, so that each container is settled by a campaign of its own", why));
        } else {
            input.together = together_of(system, *names);
            input.together->self_made = true;
            input.pods = pods_of(system, *input.together);
        }
    }
    input.containers = std::move(*names);
    input.system = std::move(system);
    input.own_exercise = true;
    return input;
}

Result<Input> guarded(const std::string& file, const std::function<Result<Input>()>& read) {
    try {
        return read();
    } catch (const std::exception& error) {
        return fail(ErrorKind::internal, fmt::format("{}: while reading it: {}", file, error.what()));
    }
}

Result<Input> load_compose(const std::vector<std::string>& files, const std::string* text,
                           const std::string& shown, const std::string& folder,
                           const std::vector<std::string>& notes, const Choice& choice) {
    Problems problems(shown);
    const Context context{problems, choice.surroundings, shown, folder};
    for (const std::string& note : notes) problems.note(note);
    ComposeChoice asked;
    asked.files = files;
    asked.services = choice.options.services;
    asked.profiles = choice.options.profiles;
    return guarded(shown, [&] {
        System system = read_compose_system(asked, text, context);
        return finished(std::move(system), problems, asked.services);
    });
}

Result<Input> load_manifests(std::vector<ManifestFile> files, const std::vector<std::string>& passed_over,
                             const Choice& choice) {
    const std::string shown = files.front().name;
    Problems problems(shown);
    const Context context{problems, choice.surroundings, shown, folder_of(shown, choice.surroundings)};
    if (!choice.options.profiles.empty()) problems.add({}, "--profile is for Compose files; leave it out");
    for (const std::string& note : passed_over) problems.note("passed over: " + note);
    return guarded(shown, [&] {
        System system = read_kubernetes_system(files, context);
        return finished(std::move(system), problems, choice.options.services);
    });
}

// A scenario about all containers of what it names; nothing: it is about one.
std::optional<Result<Input>> load_system_scenario(const std::string& file, std::string_view text,
                                                  const Choice& choice) {
    // Which containers are meant is for the file to say; whoever reads it as a scenario tells that.
    if (!choice.options.services.empty() || !choice.options.profiles.empty()) return std::nullopt;
    if (!choice.surroundings.container.empty()) return std::nullopt;
    Problems problems(file);
    const Context context{problems, choice.surroundings, file, folder_of(file, choice.surroundings)};
    std::optional<SystemScenario> found;
    const auto read = [&]() -> Result<Input> {
        found = read_system_scenario(text, context);
        if (!found) return Input{};
        if (!found->name.empty()) found->system.name = found->name;
        auto input = finished(std::move(found->system), problems, {});
        if (!input) return input;
        std::vector<Scenario*> all;
        for (Scenario& each : input->scenarios) all.push_back(&each);
        if (input->together) all.push_back(&*input->together);
        for (Scenario* each : all) {
            each->description = found->description;
            each->variables = found->variables;
        }
        std::vector<Result<Input>> one;
        one.push_back(std::move(*input));
        if (auto known = try_only(one, found->candidates); !known) return fail(std::move(known.error()));
        return std::move(one.front());
    };
    auto input = guarded(file, read);
    if (input && !found) return std::nullopt;
    return input;
}

std::vector<Result<Input>> load_scenario_file(const std::string& path, const std::string* text,
                                              const Choice& choice) {
    std::vector<Result<Input>> inputs;
    const auto add = [&](Result<std::vector<Scenario>> scenarios) {
        if (!scenarios) {
            inputs.push_back(fail(std::move(scenarios.error())));
            return;
        }
        for (Scenario& each : *scenarios) {
            Input input;
            input.system = system_of(each);
            input.containers.push_back(name_of_subject(each));
            input.scenarios.push_back(std::move(each));
            inputs.push_back(std::move(input));
        }
    };
    std::string file = path;
    std::optional<std::string> own_text;
    if (text == nullptr) {
        std::error_code failure;
        file = (fs::path(path) / "scenario.yaml").string();
        if (!fs::exists(file, failure)) file = (fs::path(path) / "scenario.yml").string();
        if (auto read = choice.surroundings.read_file(file)) own_text = std::move(*read);
    }
    if (text != nullptr || own_text)
        if (auto system = load_system_scenario(file, text == nullptr ? *own_text : *text, choice)) {
            inputs.push_back(std::move(*system));
            return inputs;
        }
    if (text == nullptr) {
        add(load_scenarios(path, choice.surroundings, choice.options));
    } else if (auto list = parse_scenario_list(*text, path, choice.surroundings)) {
        add(std::move(*list));
    } else {
        add(parse_scenario(*text, path, choice.surroundings, choice.options).map([](Scenario&& one) {
            return std::vector<Scenario>{std::move(one)};
        }));
    }
    return inputs;
}

std::string whole_standard_input() {
    std::string text, piece(std::size_t{1} << 16U, '\0');
    while (text.size() <= largest_manifest && std::cin) {
        std::cin.read(piece.data(), static_cast<std::streamsize>(piece.size()));
        text.append(piece, 0, static_cast<std::size_t>(std::cin.gcount()));
    }
    return text;
}

class Inputs {
  public:
    explicit Inputs(Choice choice) : choice_(choice) {}

    void add(const std::string& path);
    std::vector<Result<Input>> go();

  private:
    void add_text(const std::string& path, const std::string& text, bool is_standard_input);
    void add_folder(const std::string& path);
    void add_all(std::vector<Result<Input>> more) {
        for (auto& each : more) inputs_.push_back(std::move(each));
    }

    Choice choice_;
    std::vector<Result<Input>> inputs_;
    std::vector<ManifestFile> manifests_;
    std::vector<std::string> passed_over_;
};

void Inputs::add_text(const std::string& path, const std::string& text, bool is_standard_input) {
    const std::string folder = folder_of(path, choice_.surroundings);
    switch (kind_of(text)) {
        case InputKind::compose:
            inputs_.push_back(load_compose({path}, &text, path, folder, {}, choice_));
            return;
        case InputKind::manifests:
            manifests_.push_back(
                {path, is_standard_input ? path : path_in(folder, fs::path(path).filename().string()),
                 nullptr, text});
            return;
        case InputKind::scenario:
            add_all(load_scenario_file(path, &text, choice_));
    }
}

void Inputs::add_folder(const std::string& path) {
    std::error_code failure;
    const fs::path folder(path);
    for (const char* name : {"scenario.yaml", "scenario.yml"})
        if (fs::exists(folder / name, failure)) {
            add_all(load_scenario_file(path, nullptr, choice_));
            return;
        }
    Folder found = look_into(folder, choice_.surroundings);
    const bool has_manifests = !found.manifests.empty() || !found.rendered_by.empty();
    if (!found.compose.files.empty() && has_manifests) {
        inputs_.push_back(usage(choices(path, found)));
    } else if (!found.compose.files.empty()) {
        const std::string shown = (folder / found.compose.files.front()).string();
        inputs_.push_back(load_compose(found.compose.files, nullptr, shown,
                                       folder_of(path + "/.", choice_.surroundings), found.compose.notes,
                                       choice_));
    } else if (!found.rendered_by.empty()) {
        inputs_.push_back(
            usage(fmt::format("{}: what is in this folder becomes manifests first; run: {} | rogate "
                              "run -",
                              path, found.rendered_by)));
    } else if (!found.manifests.empty()) {
        for (const std::string& file : found.manifests)
            manifests_.push_back(
                {file,
                 folder_of(file, choice_.surroundings) + "/" + fs::path(file).filename().string(),
                 nullptr,
                 {}});
        passed_over_.insert(passed_over_.end(), found.passed_over.begin(), found.passed_over.end());
    } else {
        inputs_.push_back(
            usage(fmt::format("{}: there is no scenario.yaml, no Compose file and no manifest in this "
                              "folder; name one, or a folder with one (folders below it are not "
                              "looked into)",
                              path)));
    }
}

void Inputs::add(const std::string& path) {
    std::error_code failure;
    if (path == "-") {
        const std::string text = whole_standard_input();
        return add_text(standard_input, text, true);
    }
    if (fs::is_directory(path, failure)) return add_folder(path);
    const auto text = choice_.surroundings.read_file(path);
    if (!text) {
        inputs_.push_back(
            usage(fmt::format("{}: {}; name a scenario, a Compose file or a manifest, or a folder "
                              "with one",
                              path, text.error().message)));
        return;
    }
    add_text(path, *text, false);
}

std::vector<Result<Input>> Inputs::go() {
    if (!manifests_.empty()) inputs_.push_back(load_manifests(std::move(manifests_), passed_over_, choice_));
    return std::move(inputs_);
}

// Services of two projects can have one name; results are kept by it.
void name_apart(std::vector<Result<Input>>& inputs) {
    std::map<std::string, int> taken;
    for (const auto& input : inputs)
        if (input)
            for (const Scenario& each : input->scenarios) ++taken[each.name];
    for (auto& input : inputs)
        if (input && input->own_exercise)
            for (Scenario& each : input->scenarios)
                if (taken[each.name] > 1) each.name = input->system.name + "." + each.name;
}

}  // namespace

InputKind kind_of(std::string_view text) {
    Problems ignored("");
    YamlLimits limits;
    limits.bytes = largest_manifest;
    limits.expanded_nodes = 2'000'000;
    limits.expanded_bytes = 4 * largest_manifest;
    limits.merge_tags = true;
    const auto documents = read_yaml_documents(without_definitions(text), ignored, limits);
    if (documents.empty()) return looks_like(text);
    for (const ValuePtr& document : documents)
        if (has_key(*document, "subject") || has_key(*document, "scenarios")) return InputKind::scenario;
    for (const ValuePtr& document : documents)
        if (is_object(*document)) return InputKind::manifests;
    for (const ValuePtr& document : documents)
        if (has_key(*document, "services") || has_key(*document, "include")) return InputKind::compose;
    return InputKind::scenario;
}

std::vector<Result<Input>> load_inputs(const std::vector<std::string>& paths,
                                       const Surroundings& surroundings, const ComposeOptions& options) {
    Inputs inputs({surroundings, options});
    for (const std::string& path : paths) inputs.add(path);
    auto loaded = inputs.go();
    name_apart(loaded);
    return loaded;
}

Result<> check_runnable(const System& system) {
    constexpr std::size_t shown = 20;
    std::vector<std::string> lines;
    for (const NotRun& each : system.refused) lines.insert(lines.end(), each.why.begin(), each.why.end());
    if (lines.empty()) return {};
    std::string text;
    for (std::size_t i = 0; i < std::min(shown, lines.size()); ++i) text += (i == 0 ? "" : "\n") + lines[i];
    if (lines.size() > shown)
        text += fmt::format("\nand {} more problems; mend these first", lines.size() - shown);
    return fail(ErrorKind::usage, std::move(text));
}

}  // namespace rogate::spec
