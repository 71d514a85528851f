#include "spec/scenario_list.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>

namespace rogate::spec {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view shared_by_documents[] = {"subject",  "candidates", "ready", "shutdown", "vars",
                                                    "fixtures", "states",     "data",  "harden"};

const Value* value_of(const Value& mapping, std::string_view key) {
    for (const auto& [name, value] : mapping.pairs)
        if (name->text == key) return value.get();
    return nullptr;
}

// `own`, with what `shared` has and it does not, as far as `takes` allows.
template <class Takes>
ValuePtr with_shared(const Value& own, const Value& shared, const Takes& takes) {
    auto made = std::make_shared<Value>(own);
    for (const auto& pair : shared.pairs)
        if (takes(pair.first->text) && value_of(own, pair.first->text) == nullptr)
            made->pairs.push_back(pair);
    return made;
}

// The mappings of all scenarios in one document.
std::vector<ValuePtr> entries_of(const ValuePtr& document, const Context& context) {
    const Value* list = value_of(*document, "scenarios");
    if (list == nullptr) return {document};
    if (list->kind != Value::Kind::sequence || list->items.empty()) {
        context.problem(
            *list, "'scenarios' is not a list of scenarios; write for example - {name: upload, steps: […]}");
        return {};
    }
    std::vector<ValuePtr> entries;
    for (const ValuePtr& item : list->items) {
        if (item->kind != Value::Kind::mapping) {
            context.problem(*item,
                            fmt::format("an entry of 'scenarios' is {}; write a mapping", kind_name(*item)));
            continue;
        }
        if (value_of(*item, "scenarios") != nullptr)
            context.problem(*item, "an entry of 'scenarios' holds 'scenarios' itself; write one list");
        entries.push_back(with_shared(*item, *document, [](const std::string& key) {
            return key != "scenarios" && key != "name" && key != "description";
        }));
    }
    return entries;
}

std::vector<ValuePtr> all_entries(const std::vector<ValuePtr>& documents, const Context& context) {
    std::vector<ValuePtr> all;
    for (std::size_t i = 0; i < documents.size(); ++i) {
        if (documents[i]->kind != Value::Kind::mapping) {
            context.problem(*documents[i],
                            fmt::format("a document is {}; write a mapping", kind_name(*documents[i])));
            continue;
        }
        const ValuePtr whole =
            i == 0 ? documents[i] : with_shared(*documents[i], *documents[0], [](const std::string& key) {
                return std::ranges::find(shared_by_documents, key) != std::end(shared_by_documents);
            });
        for (ValuePtr& entry : entries_of(whole, context)) all.push_back(std::move(entry));
    }
    return all;
}

void check_names(const std::vector<ValuePtr>& entries, const Context& context) {
    std::map<std::string, int> taken;
    for (const ValuePtr& entry : entries) {
        const Value* name = value_of(*entry, "name");
        if (name == nullptr) {
            context.problem(*entry,
                            "this scenario is one of several in the file and has no 'name'; give it one");
            continue;
        }
        const auto [earlier, fresh] = taken.emplace(name->text, name->place.line);
        if (!fresh)
            context.problem(*name,
                            fmt::format("two scenarios are named {}: at line {} and here; name them apart",
                                        in_quotes(name->text), earlier->second));
    }
}

}  // namespace

std::optional<Result<std::vector<Scenario>>> parse_scenario_list(std::string_view text,
                                                                 const std::string& file_name,
                                                                 const Surroundings& surroundings) {
    Problems problems(file_name);
    const std::vector<ValuePtr> documents = read_yaml_documents(text, problems);
    const bool list = std::ranges::any_of(
        documents, [](const ValuePtr& document) { return value_of(*document, "scenarios") != nullptr; });
    if (documents.empty() || (documents.size() == 1 && !list)) return std::nullopt;
    try {
        const Context context{problems, surroundings, file_name, folder_of(file_name, surroundings)};
        const std::vector<ValuePtr> entries = all_entries(documents, context);
        check_names(entries, context);
        std::vector<Scenario> scenarios;
        for (const ValuePtr& entry : entries) scenarios.push_back(read_scenario_root(*entry, context));
        if (!problems.empty()) return fail(problems.error());
        // Told once, whichever of them it is about: most share their subject.
        std::vector<std::string>& notes = scenarios.front().notes;
        notes.insert(notes.end(), problems.notes().begin(), problems.notes().end());
        return scenarios;
    } catch (const std::exception& error) {
        return fail(ErrorKind::internal,
                    fmt::format("{}: while reading the scenarios: {}", file_name, error.what()));
    }
}

Result<std::vector<Scenario>> load_scenarios(const std::string& path, const Surroundings& surroundings,
                                             const ComposeOptions& compose) {
    std::error_code failure;
    std::string file = path;
    for (const char* name : {"scenario.yml", "scenario.yaml"})
        if (fs::is_directory(path, failure) && fs::exists(fs::path(path) / name, failure))
            file = (fs::path(path) / name).string();
    if (path != "-" && !fs::is_directory(file, failure))
        if (const auto text = surroundings.read_file(file))
            if (auto list = parse_scenario_list(*text, file, surroundings)) return std::move(*list);
    auto one = load_scenario(path, surroundings, compose);
    if (!one) return fail(std::move(one.error()));
    std::vector<Scenario> scenarios;
    scenarios.push_back(std::move(*one));
    return scenarios;
}

}  // namespace rogate::spec
