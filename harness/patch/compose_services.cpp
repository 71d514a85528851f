#include "patch/compose_services.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace rogate::patch {

namespace {

namespace fs = std::filesystem;
using Files = std::vector<std::unique_ptr<OpenFile>>;

constexpr int longest_extends = 20;

// How a file calls another one, as the user would.
std::string beside(const OpenFile& file, const std::string& other) {
    return (fs::path(file.document.file).parent_path() / other).lexically_normal().string();
}

const OpenFile* opened(const Files& files, const std::string& name) {
    const auto found = std::ranges::find_if(files, [&](const auto& each) {
        return fs::path(each->document.file).lexically_normal().string() == name;
    });
    return found == files.end() ? nullptr : found->get();
}

std::vector<std::string> texts_of(const NodePtr& value) {
    std::vector<std::string> texts;
    const NodePtr& node = resolved(value);
    if (node->kind == Node::Kind::scalar) texts.push_back(node->text);
    for (const NodePtr& item : node->items)
        if (resolved(item)->kind == Node::Kind::scalar) texts.push_back(resolved(item)->text);
    return texts;
}

// Paths of `include`, whose entries are paths or have one or several under `path`.
std::vector<std::string> included_by(const Document& document) {
    std::vector<std::string> paths;
    if (document.roots.empty()) return paths;
    const Found include = find(document.roots.front(), "include");
    if (!include || include.value()->kind != Node::Kind::sequence) return paths;
    for (const NodePtr& item : include.value()->items) {
        const Found path = find(item, "path");
        const std::vector<std::string> more = texts_of(path ? path.pair->value : item);
        paths.insert(paths.end(), more.begin(), more.end());
    }
    return paths;
}

// The files whose services are the project's own; what is only extended has others.
std::vector<const OpenFile*> project_files(const Files& files) {
    std::vector<const OpenFile*> all;
    for (const auto& file : files)
        if (file->primary) all.push_back(file.get());
    for (std::size_t i = 0; i < all.size(); ++i)
        for (const std::string& path : included_by(all[i]->document))
            if (const OpenFile* file = opened(files, beside(*all[i], path));
                file != nullptr && std::ranges::find(all, file) == all.end())
                all.push_back(file);
    return all;
}

struct Service {
    const OpenFile* file = nullptr;
    NodePtr node;
};

// Whose mounts a service takes over, by itself or by what it extends.
void sources_of(const Files& files, Service service, const std::string& name, std::set<std::string>& sources,
                std::vector<std::string>& unknown) {
    for (int i = 0; service.node && i < longest_extends; ++i) {
        if (const Found list = find(service.node, "volumes_from"))
            for (const std::string& text : texts_of(list.pair->value)) sources.insert(text);
        const Found extends = find(service.node, "extends");
        if (!extends) return;
        const Node& value = *extends.value();
        const std::string base =
            value.kind == Node::Kind::scalar ? value.text : text_of(extends.pair->value, "service");
        const std::string other = text_of(extends.pair->value, "file");
        if (!other.empty()) {
            const OpenFile* file = opened(files, beside(*service.file, other));
            if (file == nullptr) {
                unknown.push_back(fmt::format("{}: '{}' extends a service of {}, which cannot be read here",
                                              place(service.file->document, value.begin), name, other));
                return;
            }
            service.file = file;
        }
        const NodePtr services = services_of(*service.file);
        const Found found = services ? find(services, base) : Found{};
        service.node = found ? found.pair->value : nullptr;
    }
}

// "web", "web:ro", "container:NAME" and "container:NAME:ro", where NAME is what Compose calls the container.
bool is_source(std::string_view text, const std::string& service, const std::set<std::string>& containers) {
    constexpr std::string_view container = "container:";
    const bool by_container = text.starts_with(container);
    if (by_container) text.remove_prefix(container.size());
    const std::string name(text.substr(0, text.find(':')));
    if (!by_container) return name == service;
    return containers.contains(name) || name.find("-" + service + "-") != std::string::npos ||
           name.find("_" + service + "_") != std::string::npos;
}

}  // namespace

NodePtr services_of(const OpenFile& file) {
    if (file.document.roots.empty()) return nullptr;
    const Found found = find(file.document.roots.front(), "services");
    return found && found.value()->kind == Node::Kind::mapping ? resolved(found.pair->value) : nullptr;
}

Takers takers_of(const Files& files, const std::string& service) {
    Takers takers;
    std::map<std::string, std::set<std::string>> sources, containers;  // by service
    for (const OpenFile* file : project_files(files)) {
        const NodePtr services = services_of(*file);
        if (!services) continue;
        for (const auto& pair : services->pairs) {
            const std::string& name = pair.key->text;
            if (const std::string text = text_of(pair.value, "container_name"); !text.empty())
                containers[name].insert(text);
            if (name != service) sources_of(files, {file, pair.value}, name, sources[name], takers.unknown);
        }
    }
    std::vector<std::string> taken = {service};
    for (std::size_t i = 0; i < taken.size(); ++i)
        for (const auto& [name, texts] : sources) {
            const bool takes = std::ranges::any_of(texts, [&, from = taken[i]](const std::string& text) {
                return is_source(text, from, containers[from]);
            });
            if (takes && takers.names.insert(name).second) taken.push_back(name);
        }
    return takers;
}

std::vector<std::string> files_referred_to(const SourceFile& source) {
    std::vector<std::string> names;
    const auto document = read_document(source.name, source.text);
    if (!document || document->roots.empty()) return names;
    names = included_by(*document);
    const Found services = find(document->roots.front(), "services");
    if (services && services.value()->kind == Node::Kind::mapping)
        for (const auto& pair : services.value()->pairs)
            if (const Found extends = find(pair.value, "extends"))
                if (const std::string file = text_of(extends.pair->value, "file"); !file.empty())
                    names.push_back(file);
    for (std::string& name : names)
        name = (fs::path(source.name).parent_path() / name).lexically_normal().string();
    return names;
}

}  // namespace rogate::patch
