#include "spec/loads.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/references.hpp"

namespace rogate::spec {

namespace {

namespace fs = std::filesystem;

struct Owner {
    std::uint32_t uid = 0, gid = 0;
};

Owner read_owner(const Mapping& mapping, const Context& context) {
    const Value* value = mapping.get("owner");
    if (value == nullptr) return {};
    const auto text = read_text(*value, "'owner'", context);
    if (!text) return {};
    constexpr std::int64_t most = 4294967294;
    const std::size_t colon = std::min(text->find(':'), text->size());
    const auto uid = parse_integer(std::string_view(*text).substr(0, colon), 0, most);
    const auto gid =
        colon == text->size() ? uid : parse_integer(std::string_view(*text).substr(colon + 1), 0, most);
    if (uid && gid) return {static_cast<std::uint32_t>(*uid), static_cast<std::uint32_t>(*gid)};
    context.problem(*value,
                    fmt::format("'owner' is {}; write numbers, UID or UID:GID, since names are those of "
                                "the image",
                                in_quotes(*text)));
    return {};
}

bool one_of_two(const Mapping& mapping, std::string_view one, std::string_view other,
                const Context& context) {
    if (mapping.value().kind != Value::Kind::mapping) return false;
    if (mapping.has(one) != mapping.has(other)) return true;
    if (mapping.has(one))
        context.problems.add(
            std::max(mapping.place_of(one), mapping.place_of(other)),
            fmt::format("{} has '{}' and '{}'; keep one of the two", mapping.where(), one, other));
    else
        context.problem(mapping.value(), fmt::format("{} has neither '{}' nor '{}'; write one of the two",
                                                     mapping.where(), one, other));
    return false;
}

bool is_tmpfs(const std::vector<Mount>& mounts, const std::string& target) {
    return std::ranges::any_of(
        mounts, [&](const Mount& mount) { return mount.target == target && mount.type == MountType::tmpfs; });
}

Fixture read_fixture(const Value& value, std::size_t index, const std::vector<Mount>& mounts,
                     const Context& context) {
    const Mapping mapping(value, fmt::format("fixture {}", index + 1), keys::fixture, context);
    Fixture fixture;
    if (!mapping.has("target") && value.kind == Value::Kind::mapping)
        context.problem(value,
                        fmt::format("{} has no 'target'; write the target of a mount", mapping.where()));
    if (const auto target = mapping.path("target")) {
        fixture.target = *target;
        if (is_tmpfs(mounts, *target))
            context.problem(
                *mapping.get("target"),
                fmt::format("{} is a tmpfs, which is always empty when a run begins; leave it out",
                            in_quotes(*target)));
    }
    one_of_two(mapping, "from", "empty", context);
    if (const Value* from = mapping.get("from"))
        fixture.from = read_local_path(*from, "'from'", context).value_or("");
    if (mapping.has("empty") && !mapping.flag("empty", true))
        context.problem(*mapping.get("empty"),
                        "'empty' is false; leave it out, and name a folder with 'from'");
    const Owner owner = read_owner(mapping, context);
    fixture.uid = owner.uid;
    fixture.gid = owner.gid;
    fixture.mode = read_mode_bits(mapping, "mode", context);
    return fixture;
}

}  // namespace

std::optional<std::uint32_t> read_mode_bits(const Mapping& mapping, std::string_view key,
                                            const Context& context) {
    const Value* value = mapping.get(key);
    if (value == nullptr) return std::nullopt;
    const auto digits = read_notation(*value, in_quotes(key), context, parse_mode);
    if (!digits) return std::nullopt;
    return static_cast<std::uint32_t>(std::stoul(*digits, nullptr, 8));
}

std::optional<std::string> read_local_path(const Value& value, std::string_view what,
                                           const Context& context) {
    const auto text = read_line(value, what, context);
    if (!text) return std::nullopt;
    const fs::path path = (fs::path(context.folder) / *text).lexically_normal();
    std::error_code failure;
    if (fs::exists(path, failure)) return path.string();
    context.problem(value, fmt::format("{}: there is no {}; write a path relative to the scenario file", what,
                                       in_quotes(path.string())));
    return std::nullopt;
}

std::optional<std::string> read_local_file(const Value& value, std::string_view what,
                                           const Context& context) {
    const auto path = read_local_path(value, what, context);
    if (!path) return std::nullopt;
    auto bytes = context.surroundings.read_data(*path);
    if (bytes) return std::move(*bytes);
    context.problem(value,
                    fmt::format("{}: {}: {}; name a file", what, in_quotes(*path), bytes.error().message));
    return std::nullopt;
}

std::vector<FormField> read_form(const Value& value, const std::string& where, const Context& context) {
    std::vector<FormField> form;
    if (value.kind != Value::Kind::mapping || value.pairs.empty())
        context.problem(
            value, fmt::format("{} is {}; write its fields (title: x)", where,
                               value.pairs.empty() && value.kind == Value::Kind::mapping ? "empty"
                                                                                         : kind_name(value)));
    for (const auto& [name, given] : value.pairs) {
        FormField field;
        field.name = name->text;
        if (given->kind != Value::Kind::mapping) {
            field.content = read_text(*given, in_quotes(name->text), context).value_or("");
            form.push_back(std::move(field));
            continue;
        }
        const Mapping mapping(*given, fmt::format("field {} of {}", in_quotes(name->text), where),
                              keys::form_field, context);
        one_of_two(mapping, "file", "text", context);
        field.type = mapping.line("type").value_or("");
        field.file_name = mapping.line("filename");
        field.content = mapping.text("text").value_or("");
        if (const Value* file = mapping.get("file")) {
            field.content = without_references(read_local_file(*file, "'file'", context).value_or(""));
            if (!field.file_name) field.file_name = fs::path(file->text).filename().string();
        }
        form.push_back(std::move(field));
    }
    return form;
}

Load read_load(const Value& value, const std::string& where, const Context& context) {
    const Mapping mapping(value, where, keys::copy, context);
    Load load;
    if (!mapping.has("to") && value.kind == Value::Kind::mapping)
        context.problem(value, fmt::format("{} has no 'to'; write an absolute path in the container", where));
    load.to = mapping.path("to").value_or("");
    if (load.to == "/")
        context.problem(*mapping.get("to"), "'to' is '/'; write the path that the copy is to have");
    one_of_two(mapping, "from", "text", context);
    if (const Value* from = mapping.get("from"))
        load.from = read_local_path(*from, "'from'", context).value_or("");
    load.text = mapping.text("text").value_or("");
    const Owner owner = read_owner(mapping, context);
    load.uid = owner.uid;
    load.gid = owner.gid;
    load.mode = read_mode_bits(mapping, "mode", context);
    return load;
}

std::vector<Fixture> read_fixtures(const Value& value, const std::vector<Mount>& mounts,
                                   const Context& context) {
    std::vector<Fixture> fixtures;
    if (value.kind != Value::Kind::sequence)
        context.problem(value,
                        fmt::format("'fixtures' is {}; write a list (- {{target: /data, from: ./seed}})",
                                    kind_name(value)));
    for (const ValuePtr& item : value.items) {
        Fixture fixture = read_fixture(*item, fixtures.size(), mounts, context);
        const bool twice = std::ranges::any_of(fixtures, [&](const Fixture& other) {
            return !fixture.target.empty() && other.target == fixture.target;
        });
        if (twice)
            context.problem(*item,
                            fmt::format("two fixtures are for {}; keep one", in_quotes(fixture.target)));
        fixtures.push_back(std::move(fixture));
    }
    return fixtures;
}

}  // namespace rogate::spec
