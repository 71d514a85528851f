#include "spec/compose_loader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "spec/compose_forms.hpp"
#include "spec/compose_merge.hpp"
#include "spec/nearest_name.hpp"

namespace rogate::spec {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t most_included =
    500;                             // files that include two each are soon more than a machine can read
constexpr std::size_t deepest = 40;  // of what includes, and of what extends, one the other

constexpr std::string_view top_keys[] = {"version",  "name",    "include", "services",
                                         "networks", "volumes", "secrets", "configs"};

// As docker compose makes the name of a project of a folder's name.
std::string as_project_name(std::string_view text) {
    std::string name;
    for (const char c : text) {
        const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        const bool word = (lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9');
        if (word || ((lower == '_' || lower == '-') && !name.empty())) name += lower;
    }
    return name;
}

}  // namespace

std::string path_in(const std::string& folder, const std::string& path) {
    return (fs::path(folder) / path).lexically_normal().string();
}

ComposeLoader::ComposeLoader(const Context& context, std::string project_folder)
    : context_(context), project_folder_(std::move(project_folder)) {
    project_name_ = as_project_name(fs::path(project_folder_).filename().string());
    folders_[0] = project_folder_;
}

bool ComposeLoader::is_left_out(std::string_view key) const {
    const auto& asked = context_.surroundings.without;
    return std::ranges::find(left_out_, key) != left_out_.end() ||
           std::ranges::find(asked, key) != asked.end();
}

std::optional<std::string> ComposeLoader::variable(const std::string& name) const {
    if (auto set = context_.surroundings.environment(name)) return set;
    if (const auto found = variables_.find(name); found != variables_.end()) return found->second;
    if (name == "COMPOSE_PROJECT_NAME") return project_name_;
    return std::nullopt;
}

Context ComposeLoader::context_of(Place place) const {
    Context own = context_;
    own.folder = folders_.at(place.file);
    return own;
}

std::optional<std::string> ComposeLoader::read(const std::string& path, std::string_view what,
                                               const Value& at) const {
    auto text = context_.surroundings.read_file(path);
    if (text) return std::move(*text);
    context_.problem(at, fmt::format("{} cannot be read: {}", what, text.error().message));
    return std::nullopt;
}

void ComposeLoader::read_env_files(const std::vector<std::string>& paths, Place place) {
    const Lookup outside = [this](const std::string& name) { return variable(name); };
    const auto take = [&](const std::string& name, const std::string& text) {
        for (auto& [variable, value] :
             parse_env_file(text, outside, context_.problems.add_file(name), context_.problems))
            variables_[variable] = value;
    };
    if (paths.empty()) {
        const std::string standard = path_in(project_folder_, ".env");
        const auto text = context_.surroundings.read_file(standard);
        if (text)
            take(standard, *text);
        else if (text.error().kind != ErrorKind::not_found)
            context_.problems.add(place, fmt::format("{}: {}", standard, text.error().message));
    }
    for (const std::string& path : paths) {
        Value at;
        at.place = place;
        if (const auto text =
                read(path_in(context_.folder, path), fmt::format("env file {}", in_quotes(path)), at))
            take(path, *text);
        if (including_.empty()) env_files_.push_back(path_in(context_.folder, path));
    }
    if (const auto name = variable("COMPOSE_PROJECT_NAME"); name && !name->empty()) project_name_ = *name;
}

ValuePtr ComposeLoader::interpolated(const ValuePtr& value) {
    auto made = std::make_shared<Value>(*value);
    if (value->kind == Value::Kind::scalar && value->text.find('$') != std::string::npos) {
        std::vector<std::string> unset;
        auto text = interpolate(
            value->text, [this](const std::string& name) { return variable(name); }, unset);
        if (text)
            made->text = std::move(*text);
        else
            context_.problem(*value, std::move(text.error()));
        for (const std::string& name : unset)
            if (unset_.insert(name).second) {
                const SourcePlace at = context_.declared(value->place);
                notes_.push_back(
                    fmt::format("{}:{}:{}: variable '{}' is not set; it is read as an empty text", at.file,
                                at.line, at.column, name));
            }
    }
    for (ValuePtr& item : made->items) item = interpolated(item);
    for (auto& [key, each] : made->pairs) each = interpolated(each);
    return made;
}

ValuePtr ComposeLoader::path_of(const ValuePtr& value) {
    return as_written_ && value && value->kind == Value::Kind::scalar ? interpolated(value) : value;
}

std::string ComposeLoader::shown(const Value& path) const {
    return (fs::path(context_.problems.file(path.place.file)).parent_path() / path.text)
        .lexically_normal()
        .string();
}

void ComposeLoader::check_top(const Value& root) const {
    for (const auto& [key, value] : root.pairs) {
        if (key->text.starts_with("x-") || std::ranges::find(top_keys, key->text) != std::end(top_keys))
            continue;
        if (key->text == "models" && is_left_out("models")) continue;
        context_.problem(
            *key, key->text == "models"
                      ? std::string("'models' is not supported; leave it out with --without models, or "
                                    "in a second file (!reset)")
                      : fmt::format("unknown key {} in the Compose file; {}", in_quotes(key->text),
                                    suggestion(key->text, top_keys)));
    }
    for (const std::string_view key : {"services", "networks", "volumes", "secrets", "configs"}) {
        const ValuePtr part = value_of(root, key);
        if (part && part->kind != Value::Kind::mapping)
            context_.problem(*part,
                             fmt::format("'{}' is {}; write a mapping (name: …)", key, kind_name(*part)));
    }
    check_top_forms(root, context_);
}

ValuePtr ComposeLoader::parse(const ComposeFile& file, const std::string& folder, const std::string* text,
                              Place named) {
    std::optional<std::string> own;
    YamlLimits limits;
    limits.what = "Compose file";
    limits.merge_tags = true;
    if (text == nullptr) {
        Value at;
        at.place = named;
        own = read(file.path, fmt::format("Compose file {}", in_quotes(file.name)), at);
        if (!own) return nullptr;
        text = &*own;
        limits.file = context_.problems.add_file(file.name);
    }
    folders_[limits.file] = folder;
    const ValuePtr root = read_yaml(*text, context_.problems, limits);
    if (!root) return nullptr;
    if (root->kind != Value::Kind::mapping) {
        context_.problem(
            *root, fmt::format("a Compose file is {}; write a mapping (services: …)", kind_name(*root)));
        return nullptr;
    }
    // Before the rest: ${COMPOSE_PROJECT_NAME} may follow from it.
    if (const ValuePtr name = value_of(*root, "name");
        name && !context_.surroundings.environment("COMPOSE_PROJECT_NAME") &&
        !variables_.contains("COMPOSE_PROJECT_NAME"))
        if (std::string given = as_project_name(interpolated(name)->text); !given.empty())
            project_name_ = std::move(given);
    if (as_written_) return in_mergeable_form(root);
    ValuePtr whole = in_mergeable_form(interpolated(root));
    check_top(*whole);
    return whole;
}

ValuePtr ComposeLoader::extended(const std::string& name, const ValuePtr& service, const ValuePtr& services,
                                 const ValuePtr& earlier, const ComposeFile& file) {
    if (service->kind != Value::Kind::mapping) return service;
    const ValuePtr extends = value_of(*service, "extends");
    if (!extends) return service;
    if (!as_written_)
        check_form(*extends, forms::extends, fmt::format("'extends' of service {}", in_quotes(name)),
                   context_);
    auto rest = std::make_shared<Value>(*service);
    std::erase_if(rest->pairs, [](const auto& pair) { return pair.first->text == "extends"; });
    const ValuePtr base_name =
        extends->kind == Value::Kind::mapping ? value_of(*extends, "service") : extends;
    if (!base_name || base_name->kind != Value::Kind::scalar) {
        context_.problem(*extends, "'extends' names no service; write extends: {service: NAME}");
        return rest;
    }
    const std::string step = file.path + "\n" + name;
    if (std::ranges::find(extending_, step) != extending_.end()) {
        context_.problem(*extends,
                         fmt::format("service {} extends itself; break the circle", in_quotes(name)));
        return rest;
    }
    if (extending_.size() >= deepest) {
        context_.problem(*extends, fmt::format("services are extended more than {} deep", deepest));
        return rest;
    }
    ComposeFile base_file = file;
    ValuePtr base_services = services;
    const ValuePtr other =
        extends->kind == Value::Kind::mapping ? path_of(value_of(*extends, "file")) : nullptr;
    if (other) {
        base_file = {shown(*other), path_in(folders_.at(other->place.file), other->text)};
        auto [known, fresh] = extended_files_.try_emplace(base_file.path);
        if (fresh) {
            const std::string folder = fs::path(base_file.path).parent_path().string();
            known->second = parse(base_file, folder, nullptr, other->place);
        }
        if (!known->second) return rest;
        base_services = value_of(*known->second, "services");
    }
    ValuePtr base = base_services ? value_of(*base_services, base_name->text) : nullptr;
    if (!base && !other && earlier) {
        const ValuePtr before = value_of(*earlier, "services");
        base = before ? value_of(*before, base_name->text) : nullptr;
    }
    if (!base) {
        context_.problem(*base_name,
                         fmt::format("service {} extends {}, which {} does not have", in_quotes(name),
                                     in_quotes(base_name->text), base_file.name));
        return rest;
    }
    extending_.push_back(step);
    base = extended(base_name->text, base, base_services, other ? nullptr : earlier, base_file);
    extending_.pop_back();
    return merge_services(merge_services(nullptr, base), rest);
}

ValuePtr ComposeLoader::with_extends(const ValuePtr& root, const ComposeFile& file, const ValuePtr& earlier) {
    const ValuePtr services = value_of(*root, "services");
    if (!services || services->kind != Value::Kind::mapping) return root;
    auto all = std::make_shared<Value>(*services);
    for (auto& [name, service] : all->pairs) service = extended(name->text, service, services, earlier, file);
    auto made = std::make_shared<Value>(*root);
    for (auto& [key, value] : made->pairs)
        if (key->text == "services") value = all;
    return made;
}

// The folder by value: the project folder, which it may be, changes meanwhile.
ValuePtr ComposeLoader::include(const Value& entry, const std::string folder) {
    std::vector<ValuePtr> paths;
    ValuePtr env_files, project;
    if (entry.kind == Value::Kind::scalar) {
        paths.push_back(std::make_shared<Value>(entry));
    } else if (entry.kind == Value::Kind::mapping) {
        if (!as_written_) check_form(entry, forms::include, "an entry of 'include'", context_);
        const ValuePtr path = value_of(entry, "path");
        if (path && path->kind == Value::Kind::sequence) paths = path->items;
        if (path && path->kind == Value::Kind::scalar) paths = {path};
        env_files = value_of(entry, "env_file");
        project = value_of(entry, "project_directory");
    }
    for (ValuePtr& path : paths) path = path_of(path);
    project = path_of(project);
    if (paths.empty()) {
        context_.problem(entry, "an entry of 'include' names no file; write its path");
        return nullptr;
    }
    const std::string first = path_in(folder, paths.front()->text);
    if (std::ranges::find(including_, first) != including_.end()) {
        context_.problem(entry,
                         fmt::format("{} includes itself; break the circle", in_quotes(paths.front()->text)));
        return nullptr;
    }
    // By links, or in a file that is everywhere, a circle can have another path each time.
    if (including_.size() >= deepest) {
        context_.problem(entry, fmt::format("files are included more than {} deep", deepest));
        return nullptr;
    }
    if (++included_ > most_included) {
        if (included_ == most_included + 1)
            context_.problem(entry, fmt::format("more than {} files are included", most_included));
        return nullptr;
    }
    const std::string own_folder =
        project ? path_in(folder, project->text) : fs::path(first).parent_path().string();
    // Variables of the included project are defaults: those that are set already win.
    const Variables outer = variables_;
    std::vector<std::string> env;
    if (env_files && env_files->kind == Value::Kind::scalar) env.push_back(path_in(folder, env_files->text));
    if (env_files && env_files->kind == Value::Kind::sequence)
        for (const ValuePtr& each : env_files->items) env.push_back(path_in(folder, each->text));
    const std::string name = project_name_;
    const std::string outer_folder = std::exchange(project_folder_, own_folder);
    read_env_files(env, entry.place);
    for (const auto& [variable, value] : outer) variables_[variable] = value;
    including_.push_back(first);
    ValuePtr model;
    for (const ValuePtr& path : paths) {
        const ComposeFile file{shown(*path), path_in(folder, path->text)};
        model = load_file(file, own_folder, nullptr, path->place, model);
        if (!model) break;
    }
    including_.pop_back();
    variables_ = outer;
    project_folder_ = outer_folder;
    project_name_ = name;
    return model;
}

ValuePtr ComposeLoader::with_includes(const ValuePtr& root, const std::string folder) {
    const ValuePtr list = value_of(*root, "include");
    auto rest = std::make_shared<Value>(*root);
    std::erase_if(rest->pairs, [](const auto& pair) { return pair.first->text == "include"; });
    ValuePtr whole = rest;
    if (!list) return whole;
    if (list->kind != Value::Kind::sequence) {
        context_.problem(*list, fmt::format("'include' is {}; write a list of files", kind_name(*list)));
        return whole;
    }
    ValuePtr included;
    for (const ValuePtr& entry : list->items) {
        const ValuePtr model = include(*entry, folder);
        if (!model) continue;
        const ValuePtr services = value_of(*model, "services");
        for (const ValuePtr& other : {included, ValuePtr(rest)}) {
            const ValuePtr known = other ? value_of(*other, "services") : nullptr;
            if (!known || !services) continue;
            for (const auto& [name, unused] : services->pairs)
                if (value_of(*known, name->text))
                    context_.problem(*entry,
                                     fmt::format("service {} of the included file is there already; an "
                                                 "included service cannot be changed here",
                                                 in_quotes(name->text)));
        }
        included = merge_models(included, model);
    }
    return included ? merge_models(included, whole) : whole;
}

ValuePtr ComposeLoader::load_file(const ComposeFile& file, const std::string& folder, const std::string* text,
                                  Place named, const ValuePtr& earlier) {
    ValuePtr root = parse(file, folder, text, named);
    if (!root) return nullptr;
    root = with_extends(root, file, earlier);
    root = with_includes(root, folder);
    return merge_models(earlier, root);
}

ValuePtr ComposeLoader::load(const std::vector<ComposeFile>& files, Place named, const std::string* text) {
    ValuePtr model;
    for (const ComposeFile& file : files)
        if (text == nullptr || file.name != "<stdin>") files_.push_back(file.path);
    for (const ComposeFile& file : files) {
        including_.push_back(file.path);
        const ValuePtr merged = load_file(file, project_folder_, text, named, model);
        including_.pop_back();
        if (!merged) return nullptr;
        model = merged;
    }
    return model;
}

}  // namespace rogate::spec
