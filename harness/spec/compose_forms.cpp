#include "spec/compose_forms.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "spec/compose_merge.hpp"
#include "spec/nearest_name.hpp"

namespace rogate::spec {

namespace {

constexpr auto text = FormKind::text;
constexpr auto flag = FormKind::flag;
constexpr auto texts = FormKind::texts;
constexpr auto any = FormKind::any;

constexpr FormKey build_keys[] = {{"context", text},
                                  {"dockerfile", text},
                                  {"dockerfile_inline", text},
                                  {"entitlements", any},
                                  {"args", any},
                                  {"ssh", any},
                                  {"labels", any},
                                  {"cache_from", texts},
                                  {"cache_to", any},
                                  {"no_cache", flag},
                                  {"no_cache_filter", any},
                                  {"additional_contexts", any},
                                  {"network", text},
                                  {"provenance", any},
                                  {"sbom", any},
                                  {"pull", flag},
                                  {"target", text},
                                  {"shm_size", text},
                                  {"extra_hosts", texts},
                                  {"isolation", text},
                                  {"privileged", flag},
                                  {"secrets", any},
                                  {"tags", any},
                                  {"ulimits", any},
                                  {"platforms", texts}};
constexpr FormKey depends_on_keys[] = {{"condition", text}, {"required", flag}, {"restart", flag}};
constexpr FormKey extends_keys[] = {{"service", text}, {"file", text}};
constexpr FormKey env_file_keys[] = {{"path", text}, {"format", text}, {"required", flag}};
constexpr FormKey network_of_service_keys[] = {
    {"aliases", texts},     {"interface_name", text}, {"ipv4_address", text},
    {"ipv6_address", text}, {"link_local_ips", any},  {"mac_address", text},
    {"driver_opts", any},   {"priority", text},       {"gw_priority", text}};
constexpr FormKey port_keys[] = {{"name", text},        {"mode", text},      {"host_ip", text},
                                 {"target", text},      {"published", text}, {"protocol", text},
                                 {"app_protocol", text}};
constexpr FormKey ulimit_keys[] = {{"soft", text}, {"hard", text}};
constexpr FormKey grant_keys[] = {
    {"source", text}, {"target", text}, {"uid", text}, {"gid", text}, {"mode", text}};
constexpr FormKey network_keys[] = {
    {"name", text},     {"driver", text},      {"driver_opts", any},  {"ipam", any},        {"external", any},
    {"internal", flag}, {"enable_ipv4", flag}, {"enable_ipv6", flag}, {"attachable", flag}, {"labels", any}};
constexpr FormKey volume_keys[] = {
    {"name", text}, {"driver", text}, {"driver_opts", any}, {"external", any}, {"labels", any}};
constexpr FormKey secret_keys[] = {{"name", text},       {"environment", text},    {"file", text},
                                   {"external", any},    {"labels", any},          {"driver", text},
                                   {"driver_opts", any}, {"template_driver", text}};
constexpr FormKey config_keys[] = {{"name", text},           {"content", text}, {"environment", text},
                                   {"file", text},           {"external", any}, {"labels", any},
                                   {"template_driver", text}};
constexpr FormKey include_keys[] = {{"path", texts}, {"env_file", texts}, {"project_directory", text}};

// What readers of a service take as lists without asking twice.
constexpr FormKey plain_service_keys[] = {
    {"container_name", text}, {"network_mode", text},  {"profiles", texts},   {"group_add", texts},
    {"links", texts},         {"volumes_from", texts}, {"extra_hosts", texts}};

bool is_list_of_texts(const Value& value) {
    return value.kind == Value::Kind::sequence && std::ranges::all_of(value.items, [](const ValuePtr& item) {
               return item->kind == Value::Kind::scalar;
           });
}

void check_kind(const Value& value, const FormKey& key, const std::string& where, const Context& context) {
    const std::string what = fmt::format("'{}' of {}", key.name, where);
    if (key.kind == text) read_text(value, what, context);
    if (key.kind == flag) read_bool(value, what, context);
    if (key.kind == texts && value.kind != Value::Kind::scalar && !is_list_of_texts(value))
        context.problem(value,
                        fmt::format("{} is {}; write a list of single values", what,
                                    value.kind == Value::Kind::sequence ? "a list with something else in it"
                                                                        : kind_name(value)));
}

// "external: true", "external: {name: …}" (of old), and nothing else.
void check_external(const Value& value, const std::string& where, const Context& context) {
    if (value.kind == Value::Kind::mapping) return;
    read_bool(value, fmt::format("'external' of {}", where), context);
}

template <class Check>
void for_each_entry(const Value& mapping, std::string_view key, Check check) {
    const ValuePtr part = value_of(mapping, key);
    if (!part) return;
    for (const ValuePtr& item : part->items) check(std::string(), *item);
    for (const auto& [name, value] : part->pairs) check(name->text, *value);
}

}  // namespace

namespace forms {
const ComposeForm build{"/$defs/service/properties/build/oneOf/1", build_keys};
const ComposeForm depends_on{
    "/$defs/service/properties/depends_on/oneOf/1/patternProperties/^[a-zA-Z0-9._-]+$", depends_on_keys};
const ComposeForm extends{"/$defs/service/properties/extends/oneOf/1", extends_keys};
const ComposeForm env_file{"/$defs/env_file/oneOf/1/items/oneOf/1", env_file_keys};
const ComposeForm network_of_service{
    "/$defs/service/properties/networks/oneOf/1/patternProperties/^[a-zA-Z0-9._-]+$/oneOf/0",
    network_of_service_keys};
const ComposeForm port{"/$defs/service/properties/ports/items/oneOf/2", port_keys};
const ComposeForm ulimit{"/$defs/ulimits/patternProperties/^[a-z]+$/oneOf/1", ulimit_keys};
const ComposeForm grant{"/$defs/service_config_or_secret/items/oneOf/1", grant_keys};
const ComposeForm network{"/$defs/network", network_keys};
const ComposeForm volume{"/$defs/volume", volume_keys};
const ComposeForm secret{"/$defs/secret", secret_keys};
const ComposeForm config{"/$defs/config", config_keys};
const ComposeForm include{"/$defs/include/oneOf/1", include_keys};

std::span<const ComposeForm* const> all() {
    static const ComposeForm* const list[] = {&build,  &depends_on, &extends, &env_file, &network_of_service,
                                              &port,   &ulimit,     &grant,   &network,  &volume,
                                              &secret, &config,     &include};
    return list;
}
}  // namespace forms

void check_form(const Value& value, const ComposeForm& form, const std::string& where,
                const Context& context) {
    for (const auto& [key, each] : value.pairs) {
        if (key->text.starts_with("x-")) continue;
        const auto known = std::ranges::find(form.keys, key->text, &FormKey::name);
        if (known != form.keys.end()) {
            if (each->kind == Value::Kind::null) continue;
            check_kind(*each, *known, where, context);
            if (key->text == "external") check_external(*each, where, context);
            continue;
        }
        std::vector<std::string_view> names;
        for (const FormKey& one : form.keys) names.push_back(one.name);
        context.problem(*key, fmt::format("unknown key {} in {}; {}", in_quotes(key->text), where,
                                          suggestion(key->text, names)));
    }
}

void check_service_forms(const Value& service, const std::string& where, const Context& context) {
    for (const auto& [key, value] : service.pairs) {
        const auto plain = std::ranges::find(plain_service_keys, key->text, &FormKey::name);
        if (plain != std::end(plain_service_keys) && value->kind != Value::Kind::null)
            check_kind(*value, *plain, where, context);
    }
    const auto check = [&](std::string_view key, const ComposeForm& form) {
        for_each_entry(service, key, [&](const std::string& name, const Value& entry) {
            check_form(entry, form,
                       name.empty() ? fmt::format("an entry of '{}' of {}", key, where)
                                    : fmt::format("{} in '{}' of {}", in_quotes(name), key, where),
                       context);
        });
    };
    check("depends_on", forms::depends_on);
    check("env_file", forms::env_file);
    check("networks", forms::network_of_service);
    check("ports", forms::port);
    check("ulimits", forms::ulimit);
    check("configs", forms::grant);
    check("secrets", forms::grant);
    if (const ValuePtr networks = value_of(service, "networks");
        networks && networks->kind == Value::Kind::scalar)
        context.problem(*networks,
                        fmt::format("'networks' of {} is a single value; write a list (- default)", where));
}

void check_top_forms(const Value& root, const Context& context) {
    const auto check = [&](std::string_view key, std::string_view what, const ComposeForm& form) {
        for_each_entry(root, key, [&](const std::string& name, const Value& entry) {
            const std::string where = fmt::format("{} {}", what, in_quotes(name));
            if (entry.kind == Value::Kind::scalar || entry.kind == Value::Kind::sequence)
                context.problem(
                    entry, fmt::format("{} is {}; write a mapping, or nothing", where, kind_name(entry)));
            check_form(entry, form, where, context);
        });
    };
    check("networks", "network", forms::network);
    check("volumes", "volume", forms::volume);
    check("secrets", "secret", forms::secret);
    check("configs", "config", forms::config);
}

}  // namespace rogate::spec
