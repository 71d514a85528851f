#include "spec/compose_project.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "spec/actions.hpp"
#include "spec/compose_loader.hpp"
#include "spec/compose_merge.hpp"
#include "spec/compose_service.hpp"
#include "spec/nearest_name.hpp"
#include "spec/system.hpp"
#include "spec/without.hpp"

namespace rogate::spec {

namespace fs = std::filesystem;

namespace {

class Project {
  public:
    Project(const ComposeChoice& choice, const Value& model, const ComposeLoader& loader,
            const Context& context)
        : choice_(choice), model_(model), loader_(loader), context_(context) {}

    System read();

  private:
    bool choose();
    std::set<std::string> profiles() const;
    bool is_active(const Value& service) const;
    std::string profiles_of(const Value& service) const;
    const Value* find(const std::string& name) const;
    // Reads the service and, before it, all that it needs.
    void visit(const std::string& name, const Value& service);
    void settle_dependencies(const std::string& name, const Value& at, ComposeService& service);
    void take_volumes(const std::string& name, ComposeService& service);
    void note_networks(std::vector<std::string>& notes) const;
    void add_networks(System& system) const;
    void add_container(const std::string& name, System& system);
    void list_profiles(System& system) const;

    const ComposeChoice& choice_;
    const Value& model_;
    const ComposeLoader& loader_;
    const Context& context_;
    ValuePtr services_;
    std::set<std::string> profiles_;
    std::map<std::string, ComposeService> read_;
    std::map<std::string, SourcePlace> declared_;
    std::vector<NotRun> refused_;
    std::vector<std::string> under_test_, order_, on_the_way_;
};

std::set<std::string> Project::profiles() const {
    std::set<std::string> all(choice_.profiles.begin(), choice_.profiles.end());
    if (!all.empty()) return all;
    std::string list = loader_.variable("COMPOSE_PROFILES").value_or("");
    for (std::size_t start = 0; start < list.size();) {
        const std::size_t end = std::min(list.find(',', start), list.size());
        if (end > start) all.insert(list.substr(start, end - start));
        start = end + 1;
    }
    return all;
}

std::string Project::profiles_of(const Value& service) const {
    std::string text;
    if (const ValuePtr list = value_of(service, "profiles"))
        for (const ValuePtr& each : list->items) text += (text.empty() ? "" : ", ") + each->text;
    return text;
}

bool Project::is_active(const Value& service) const {
    const ValuePtr list = value_of(service, "profiles");
    if (!list || list->items.empty() || profiles_.contains("*")) return true;
    return std::ranges::any_of(list->items,
                               [&](const ValuePtr& each) { return profiles_.contains(each->text); });
}

const Value* Project::find(const std::string& name) const {
    for (const auto& [key, value] : services_->pairs)
        if (key->text == name) return value.get();
    return nullptr;
}

// Of those that are named, whose profiles are on then (as with `docker compose up NAME`), else of all.
bool Project::choose() {
    std::vector<std::string_view> names;
    for (const auto& [key, value] : services_->pairs) {
        const bool active = value->kind != Value::Kind::mapping || is_active(*value);
        if (active) names.push_back(key->text);
        if (active && choice_.services.empty()) under_test_.push_back(key->text);
    }
    for (const std::string& name : choice_.services) {
        const Value* service = find(name);
        if (service == nullptr) {
            context_.problems.add(choice_.service_at, fmt::format("the project has no service {}; {}",
                                                                  in_quotes(name), suggestion(name, names)));
            return false;
        }
        if (const ValuePtr list = value_of(*service, "profiles"))
            for (const ValuePtr& each : list->items) profiles_.insert(each->text);
        under_test_.push_back(name);
    }
    return true;
}

void Project::settle_dependencies(const std::string& name, const Value& at, ComposeService& service) {
    std::erase_if(service.after, [&](const Dependency& each) {
        const Value* other = find(each.service);
        const bool optional = !each.required;
        if (other == nullptr && !optional)
            context_.problem(at, fmt::format("service {} needs {}, which the project does not have",
                                             in_quotes(name), in_quotes(each.service)));
        if (other != nullptr && !is_active(*other) && !optional)
            context_.problem(
                at, fmt::format("service {} needs {}, which is in the profiles {}; add one of them to "
                                "'profiles' (--profile NAME)",
                                in_quotes(name), in_quotes(each.service), profiles_of(*other)));
        return other == nullptr || !is_active(*other);
    });
}

void Project::visit(const std::string& name, const Value& value) {
    if (read_.contains(name)) return;
    if (std::ranges::find(on_the_way_, name) != on_the_way_.end())
        return context_.problem(value, fmt::format("service {} needs itself ({} → {}); break the circle",
                                                   in_quotes(name), fmt::join(on_the_way_, " → "), name));
    on_the_way_.push_back(name);
    const std::size_t before = context_.problems.size();
    ComposeService service = read_compose_service(name, value, model_, loader_, context_);
    service.subject.origin.kind = Origin::Kind::compose;
    service.subject.origin.files = choice_.files;
    service.subject.origin.name = name;
    settle_dependencies(name, value, service);
    if (auto why = context_.problems.lines(before); !why.empty()) refused_.push_back({name, std::move(why)});
    for (const Dependency& each : service.after) visit(each.service, *find(each.service));
    take_volumes(name, service);
    on_the_way_.pop_back();
    read_.emplace(name, std::move(service));
    order_.push_back(name);
}

void Project::take_volumes(const std::string& name, ComposeService& service) {
    for (const auto& [from, read_only] : service.volumes_from) {
        const auto source = read_.find(from);
        if (source == read_.end()) continue;
        for (Mount& shared : source->second.subject.mounts) {
            // Both have to see the same one, so it needs a name.
            if (shared.type == MountType::anonymous) {
                shared.type = MountType::volume;
                shared.source =
                    fmt::format("{}_{}_line{}", loader_.project_name(), from, shared.declared.line);
            }
            if (shared.type == MountType::tmpfs) continue;
            Mount mount = shared;
            mount.read_only = mount.read_only || read_only;
            if (std::ranges::find(service.subject.mounts, mount.target, &Mount::target) ==
                service.subject.mounts.end())
                service.subject.mounts.push_back(std::move(mount));
        }
    }
    for (const auto& [other, alias] : service.link_aliases)
        if (const auto found = read_.find(other); found != read_.end())
            found->second.subject.aliases.push_back(alias);
    static_cast<void>(name);
}

// Every service is on the run's own network, so that nothing of a test reaches what is real.
void Project::note_networks(std::vector<std::string>& notes) const {
    const ValuePtr networks = value_of(model_, "networks");
    if (!networks) return;
    for (const auto& [name, network] : networks->pairs) {
        std::vector<std::string_view> options;
        bool external = false;
        for (const auto& [key, value] : network->pairs) {
            if (key->text == "external") external = value->text != "false";
            if (key->text != "external" && key->text != "name" && !key->text.starts_with("x-"))
                options.push_back(key->text);
        }
        const std::string where =
            fmt::format("network {}: the services are on the run's own network", in_quotes(name->text));
        if (external)
            notes.push_back(where + "; what else is on the external one is not reached");
        else if (!options.empty())
            notes.push_back(
                fmt::format("{}; without effect on the test: {}", where, fmt::join(options, ", ")));
    }
}

// As docker compose would make them; a service that says nothing of networks is on the default one.
void Project::add_networks(System& system) const {
    const ValuePtr declared = value_of(model_, "networks");
    std::set<std::string> used;
    for (const SystemContainer& each : system.containers)
        used.insert(each.networks.begin(), each.networks.end());
    for (const std::string& name : used) {
        SystemNetwork network;
        network.name = name;
        network.engine_name = loader_.project_name() + "_" + name;
        const ValuePtr options =
            declared && declared->kind == Value::Kind::mapping ? value_of(*declared, name) : nullptr;
        if (options && options->kind == Value::Kind::mapping) {
            network.declared = context_.declared(options->place);
            const ValuePtr external = value_of(*options, "external"),
                           internal = value_of(*options, "internal");
            network.external = external && external->text != "false";
            network.internal = internal && internal->text == "true";
            if (network.external) network.engine_name = name;
            if (external && external->kind == Value::Kind::mapping)
                if (const ValuePtr old_name = value_of(*external, "name"))
                    network.engine_name = old_name->text;
            if (const ValuePtr given = value_of(*options, "name")) network.engine_name = given->text;
        }
        system.networks.push_back(std::move(network));
    }
}

void Project::add_container(const std::string& name, System& system) {
    ComposeService& service = read_.at(name);
    SystemContainer made;
    made.name = name;
    made.readiness = default_readiness(service.subject);
    made.subject = std::move(service.subject);
    made.after = std::move(service.after);
    made.restart = service.restart;
    made.grace_ms = service.grace_ms.value_or(made.grace_ms);
    made.without_effect = std::move(service.without_effect);
    made.networks = std::move(service.networks);
    made.declared = declared_.at(name);
    system.containers.push_back(std::move(made));
}

void Project::list_profiles(System& system) const {
    if (!choice_.services.empty()) return;
    for (const auto& [key, value] : services_->pairs)
        if (value->kind == Value::Kind::mapping && !is_active(*value) && !read_.contains(key->text)) {
            const SourcePlace at = context_.declared(key->place);
            system.left_out.push_back(
                {key->text,
                 {fmt::format("{}:{}:{}: service {} is in the profiles {}, none of which is on; turn one on "
                              "with --profile",
                              at.file, at.line, at.column, in_quotes(key->text), profiles_of(*value))}});
        }
}

System Project::read() {
    System system;
    system.kind = Origin::Kind::compose;
    system.name = loader_.project_name();
    system.files = choice_.files;
    services_ = value_of(model_, "services");
    if (!services_ || services_->kind != Value::Kind::mapping) {
        context_.problem(model_, "the Compose file has no 'services'");
        return system;
    }
    profiles_ = profiles();
    if (!choose()) return system;
    for (const auto& [key, value] : services_->pairs) declared_[key->text] = context_.declared(key->place);
    for (const std::string& name : under_test_) visit(name, *find(name));
    for (const std::string& name : order_) add_container(name, system);
    for (const SystemContainer& each : system.containers)
        for (const Dependency& other : each.after)
            if (other.condition == Dependency::Condition::completed)
                for (SystemContainer& waited_for : system.containers)
                    if (waited_for.name == other.service) waited_for.ends = true;
    system.refused = std::move(refused_);
    list_profiles(system);
    add_networks(system);
    system.data = data_of(system);
    system.notes = loader_.notes();
    note_networks(system.notes);
    return system;
}

std::vector<std::string> one_or_more(const Mapping& mapping, std::string_view key, const Context& context) {
    const Value* value = mapping.get(key);
    if (value == nullptr) return {};
    if (value->kind == Value::Kind::scalar) return {value->text};
    return read_texts(*value, fmt::format("'{}'", key), context).value_or(std::vector<std::string>{});
}

}  // namespace

ComposeChoice read_compose_choice(const Value& value, const Context& context) {
    ComposeChoice choice;
    choice.files_at = choice.service_at = value.place;
    if (value.kind == Value::Kind::scalar) {
        choice.files = {value.text};
        return choice;
    }
    const Mapping mapping(value, "'compose' of 'subject'", keys::compose, context);
    if (mapping.has("file") && mapping.has("files"))
        context.problems.add(mapping.place_of("files"),
                             "'file' and 'files' mean the same; keep one of the two");
    choice.files = one_or_more(mapping, mapping.has("files") ? "files" : "file", context);
    if (choice.files.empty() && value.kind == Value::Kind::mapping && !mapping.has("file") &&
        !mapping.has("files"))
        context.problem(value, "'compose' of 'subject' has no 'file'; write for example compose.yaml");
    if (const auto service = mapping.line("service")) choice.services = {*service};
    if (mapping.has("service"))
        choice.service_at = mapping.get("service") ? mapping.get("service")->place : value.place;
    choice.profiles = one_or_more(mapping, "profiles", context);
    choice.env_files = one_or_more(mapping, "env_file", context);
    choice.without = one_or_more(mapping, "without", context);
    for (const std::string& key : choice.without)
        if (!can_be_left_out(key))
            context.problem(*mapping.get("without"), fmt::format("{} {}", in_quotes(key), not_left_out));
    if (const Value* files = mapping.get(mapping.has("files") ? "files" : "file"))
        choice.files_at = files->place;
    return choice;
}

System read_compose_system(const ComposeChoice& choice, const std::string* text, const Context& context) {
    if (choice.files.empty()) return {};
    std::vector<ComposeFile> files;
    // The first one's folder is the project's. Text from stdin lies in the folder where rogate was started.
    const fs::path shown = fs::path(context.file).parent_path();
    for (const std::string& file : choice.files)
        files.push_back(
            {text != nullptr ? file : (shown / file).lexically_normal().string(),
             path_in(context.folder, text != nullptr ? fs::path(file).filename().string() : file)});
    const std::string folder =
        text != nullptr ? context.folder : fs::path(files.front().path).parent_path().string();
    ComposeLoader loader(context, folder);
    loader.leave_out(choice.without);
    loader.read_env_files(choice.env_files, choice.files_at);
    const ValuePtr model = loader.load(files, choice.files_at, text);
    if (!model) return {};
    ComposeChoice named = choice;
    named.files.clear();
    for (const ComposeFile& file : files) named.files.push_back(file.name);
    return Project(named, *model, loader, context).read();
}

void read_compose_project(const ComposeChoice& choice, const std::string* text, const Context& context,
                          Scenario& scenario) {
    const System system = read_compose_system(choice, text, context);
    if (system.containers.empty()) return;
    if (choice.services.empty() && system.containers.size() > 1) {
        std::vector<std::string_view> names;
        for (const SystemContainer& each : system.containers) names.push_back(each.name);
        return context.problems.add(
            choice.service_at,
            fmt::format("the project has {} services; say which one is under test with 'service' "
                        "(--service NAME): {}",
                        names.size(), fmt::join(names, ", ")));
    }
    Scenario made = scenario_of(
        system, choice.services.empty() ? system.containers.front().name : choice.services.front());
    scenario.subject = std::move(made.subject);
    scenario.companions = std::move(made.companions);
    scenario.after = std::move(made.after);
    scenario.readiness = std::move(made.readiness);
    scenario.shutdown.timeout_ms = made.shutdown.timeout_ms;
    scenario.notes = std::move(made.notes);
}

Readiness default_readiness(const Subject& subject) {
    Readiness readiness;
    readiness.derived = true;
    const auto add = [&](Action action) {
        Step check;
        check.action = std::move(action);
        check.name = default_name(check);
        readiness.checks.push_back(std::move(check));
    };
    const auto& health = subject.healthcheck;
    if (health && !health->test.empty() && health->test.front() != "NONE") {
        add(HealthAction{});
    } else {
        for (const Port& port : subject.ports)
            if (port.protocol == "tcp" && subject.network_mode != "none") add(TcpAction{port.container});
    }
    return readiness;
}

}  // namespace rogate::spec
