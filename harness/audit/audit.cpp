#include "audit/audit.hpp"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "audit/merged.hpp"
#include "audit/readers.hpp"
#include "spec/kube_text.hpp"

namespace rogate::audit {

namespace {

using nlohmann::json;

std::string folded(std::string_view name) {
    std::string out(name.substr(name.rfind('/') + 1));
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
}

bool is_dockerfile(std::string_view file) {
    const std::string name = folded(file);
    return name == "dockerfile" || name.starts_with("dockerfile.") || name.ends_with(".dockerfile") ||
           name == "containerfile" || name.starts_with("containerfile.");
}

bool is_yaml(std::string_view file) {
    const std::string name = folded(file);
    return name.ends_with(".yaml") || name.ends_with(".yml") || name.ends_with(".json");
}

bool has_line(std::string_view text, std::string_view beginning) {
    return text.starts_with(beginning) || text.find("\n" + std::string(beginning)) != std::string_view::npos;
}

// A glance before the parser, which is some hundred times slower: most YAML files are neither.
bool may_hold(std::string_view text, bool is_json) {
    if (is_json)
        return (text.find("\"apiVersion\"") != std::string_view::npos &&
                text.find("\"containers\"") != std::string_view::npos) ||
               text.find("\"services\"") != std::string_view::npos;
    return has_line(text, "services:") || has_line(text, "subject:") || has_line(text, "include:") ||
           (text.find("apiVersion:") != std::string_view::npos &&
            text.find("containers:") != std::string_view::npos);
}

struct Document {
    std::string_view text;
    int line_offset = 0;
};

// "---" at the beginning of a line parts documents, and can stand there for nothing else (YAML 1.2, 9.1.2).
std::vector<Document> documents_of(std::string_view text) {
    std::vector<Document> documents;
    int line = 0, first = 0;
    std::size_t begin = 0;
    const auto take = [&](std::size_t end) {
        const std::string_view part = text.substr(begin, end - begin);
        if (part.find_first_not_of(" \t\r\n") != std::string_view::npos) documents.push_back({part, first});
    };
    for (std::size_t at = 0; at < text.size(); ++line) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        const std::string_view whole = text.substr(at, end - at);
        const bool marks =
            whole.starts_with("---") && (whole.size() == 3 || whole[3] == ' ' || whole[3] == '\r');
        if (marks && at > begin) {
            take(at);
            begin = at;
            first = line;
        }
        at = end + 1;
    }
    take(text.size());
    return documents;
}

// A document that only has comments is none.
bool is_blank(std::string_view text) {
    bool comment = false;
    for (const char c : text) {
        if (c == '\n')
            comment = false;
        else if (c == '#')
            comment = true;
        else if (!comment && c != ' ' && c != '\t' && c != '\r' && c != '-')
            return false;
    }
    return true;
}

// Of two files that only have 'include' it is the name that tells which is docker compose's.
bool is_compose(const spec::Value& root, const std::string& file) {
    return member(&root, "services") != nullptr ||
           (member(&root, "include") != nullptr && folded(file).find("compose") != std::string::npos);
}

void read_yaml_file(std::string_view whole, const std::string& file, Audit& audit, const OtherFiles& others) {
    const std::string text = spec::without_definitions(whole);
    spec::YamlLimits limits;
    limits.bytes = spec::largest_manifest;
    limits.expanded_nodes = 2'000'000;
    limits.expanded_bytes = 4 * spec::largest_manifest;
    limits.merge_tags = true;
    for (const Document& document : documents_of(text)) {
        if (!may_hold(document.text, folded(file).ends_with(".json")) || is_blank(document.text)) continue;
        spec::Problems problems(file);
        const spec::ValuePtr root = spec::read_yaml(document.text, problems, limits);
        if (!root) {
            std::string message = problems.error().message;
            if (document.line_offset > 0)
                message += " (counted from line " + std::to_string(document.line_offset + 1) +
                           ", where the document begins)";
            audit.troubles.push_back({file, std::move(message)});
            continue;
        }
        const Source source{file, document.line_offset};
        if (is_compose(*root, file))
            read_compose(std::string(static_cast<std::size_t>(document.line_offset), '\n') +
                             std::string(document.text),
                         file, others, audit);
        else if (member(root.get(), "apiVersion") != nullptr && member(root.get(), "kind") != nullptr)
            read_kubernetes(*root, source, audit);
        else if (member(root.get(), "subject") != nullptr)
            read_scenario(*root, source, audit);
    }
}

// By the mount that each is merged over.
std::map<const Found*, const Found*> made_read_only_by_others(const Audit& audit) {
    std::map<const Found*, const Found*> by;
    const MergedOver merged(audit.mounts);
    for (const Found& over : audit.mounts)
        if (over.mount.read_only)
            if (const Found* base = merged.base_of(over); base != nullptr && !base->mount.read_only)
                by.emplace(base, &over);
    return by;
}

Mount mount_of(const json& point) {
    Mount mount;
    const std::string type = point.value("Type", "bind");
    const std::string name = point.value("Name", "");
    // The engine names an anonymous volume by 64 hexadecimal digits.
    const bool anonymous =
        name.size() == 64 && name.find_first_not_of("0123456789abcdef") == std::string::npos;
    mount.type = type == "tmpfs"    ? MountType::tmpfs
                 : type != "volume" ? MountType::bind
                 : anonymous        ? MountType::anonymous
                                    : MountType::volume;
    mount.source = type == "bind" ? point.value("Source", "") : anonymous ? "" : name;
    mount.target = point.value("Destination", "");
    mount.read_only = !point.value("RW", true);
    return mount;
}

}  // namespace

bool may_declare(std::string_view file_name) {
    return is_dockerfile(file_name) || is_yaml(file_name);
}

void read_text(std::string_view text, const std::string& file, Audit& audit, const OtherFiles& others) {
    if (text.substr(0, 8192).find('\0') != std::string_view::npos) return;
    const std::size_t before = audit.mounts.size();
    if (is_dockerfile(file))
        read_dockerfile(text, file, audit);
    else
        read_yaml_file(text, file, audit, others);
    if (audit.mounts.size() > before) ++audit.read;
}

void read_container(const json& inspected, Audit& audit) {
    Found about;
    about.kind = "container";
    about.name = inspected.value("Name", "");
    if (about.name.starts_with('/')) about.name.erase(0, 1);
    const json empty = json::object();
    const auto section = [&](const char* name) -> const json& {
        return inspected.contains(name) && inspected.at(name).is_object() ? inspected.at(name) : empty;
    };
    about.image = section("Config").value("Image", "");
    const auto add = [&](Mount mount) {
        Found found = about;
        found.mount = std::move(mount);
        audit.mounts.push_back(std::move(found));
    };
    if (inspected.contains("Mounts") && inspected.at("Mounts").is_array())
        for (const json& point : inspected.at("Mounts")) add(mount_of(point));
    const json& host = section("HostConfig");
    // --tmpfs is not among "Mounts".
    if (host.contains("Tmpfs") && host.at("Tmpfs").is_object())
        for (const auto& [target, options] : host.at("Tmpfs").items()) {
            Mount mount;
            mount.type = MountType::tmpfs;
            mount.target = target;
            add(std::move(mount));
        }
    Mount root;
    root.type = MountType::rootfs;
    root.target = "/";
    root.read_only = host.value("ReadonlyRootfs", false);
    add(std::move(root));
    ++audit.read;
}

void classify(Audit& audit) {
    std::vector<Found*> worth;
    const auto overridden = made_read_only_by_others(audit);
    for (Found& found : audit.mounts) {
        Guess guessed = guess(found.mount);
        found.looks = guessed.looks;
        found.why = std::move(guessed.why);
        if (const auto over = overridden.find(&found); over != overridden.end()) {
            found.why +=
                ", and read-only in " + over->second->mount.declared.file + ", which is merged over it";
            continue;
        }
        // A tmpfs is made to be written to; trying it read-only tells nothing.
        if (!found.mount.read_only && found.mount.type != MountType::tmpfs && order_of(found.looks) >= 0)
            worth.push_back(&found);
    }
    std::stable_sort(worth.begin(), worth.end(),
                     [](const Found* a, const Found* b) { return order_of(a->looks) < order_of(b->looks); });
    int order = 0;
    for (Found* found : worth) found->order = ++order;
}

}  // namespace rogate::audit
