#include "spec/system_scenario.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "spec/compose_project.hpp"
#include "spec/kubernetes.hpp"
#include "spec/variables.hpp"

namespace rogate::spec {

namespace {

const Value* value_of(const Value& mapping, std::string_view key) {
    for (const auto& [name, value] : mapping.pairs)
        if (name->text == key) return value.get();
    return nullptr;
}

bool names_one(const Value& source) {
    return value_of(source, "service") != nullptr || value_of(source, "workload") != nullptr ||
           value_of(source, "container") != nullptr;
}

// `compose` or `kubernetes`, if the subject is nothing else and names no container.
const Value* source_of(const Value& root, std::string_view key) {
    const Value* subject = value_of(root, "subject");
    if (subject == nullptr || subject->pairs.size() != 1 || value_of(root, "candidates") == nullptr)
        return nullptr;
    const Value* source = value_of(*subject, key);
    return source == nullptr || names_one(*source) ? nullptr : source;
}

constexpr std::string_view taken[] = {"name", "description", "subject", "candidates", "vars"};

}  // namespace

std::optional<SystemScenario> read_system_scenario(std::string_view text, const Context& context) {
    Problems ignored(context.file);
    const ValuePtr glance = read_yaml(text, ignored);
    if (!glance || !ignored.empty()) return std::nullopt;
    const bool of_compose = source_of(*glance, "compose") != nullptr;
    if (!of_compose && source_of(*glance, "kubernetes") == nullptr) return std::nullopt;
    // What is told while it is read goes away with a file that is about one container after all.
    Problems found(context.file);
    const Context own{found, context.surroundings, context.file, context.folder};
    Substituted substituted = with_variables(*glance, own);
    const Value& root = *substituted.root;
    SystemScenario made;
    made.variables = std::move(substituted.variables);
    if (const Value* source = source_of(root, of_compose ? "compose" : "kubernetes"))
        made.system = of_compose ? read_compose_system(read_compose_choice(*source, own), nullptr, own)
                                 : read_kubernetes_system(*source, own);
    // An init container is none that a scenario could be meant for.
    const auto services =
        std::ranges::count(made.system.containers, SystemContainer::Role::service, &SystemContainer::role);
    if (static_cast<std::size_t>(services) + made.system.refused.size() < 2) return std::nullopt;
    if (const Value* name = value_of(root, "name")) made.name = read_line(*name, "'name'", own).value_or("");
    if (const Value* description = value_of(root, "description"))
        made.description = read_text(*description, "'description'", own).value_or("");
    made.candidates = read_asked_candidates(*value_of(root, "candidates"), own);
    for (const auto& [key, value] : root.pairs)
        if (!key->text.starts_with("x-") && std::ranges::find(taken, key->text) == std::end(taken))
            own.problem(*key, fmt::format("{} is about one container, and the subject has {}; name it with "
                                          "'{}', or leave {} out",
                                          in_quotes(key->text), made.system.containers.size(),
                                          of_compose ? "service" : "workload", in_quotes(key->text)));
    context.problems = std::move(found);
    return made;
}

}  // namespace rogate::spec
