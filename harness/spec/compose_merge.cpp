#include "spec/compose_merge.hpp"

#include <algorithm>
#include <iterator>

namespace rogate::spec {

namespace {

enum class Part { model, services, service, healthcheck, other };

Part part_of(Part parent, std::string_view key) {
    if (parent == Part::model && key == "services") return Part::services;
    if (parent == Part::services) return Part::service;
    if (parent == Part::service && key == "healthcheck") return Part::healthcheck;
    return Part::other;
}

bool is_replaced(Part parent, std::string_view key) {
    return (parent == Part::service && (key == "command" || key == "entrypoint")) ||
           (parent == Part::healthcheck && key == "test");
}

std::shared_ptr<Value> empty_like(const Value& value) {
    auto made = std::make_shared<Value>();
    made->kind = value.kind;
    made->place = value.place;
    return made;
}

ValuePtr scalar_at(Place place, std::string text) {
    auto made = std::make_shared<Value>();
    made->kind = Value::Kind::scalar;
    made->place = place;
    made->text = std::move(text);
    return made;
}

bool same(const Value& a, const Value& b) {
    const auto same_pair = [](const auto& x, const auto& y) {
        return x.first->text == y.first->text && same(*x.second, *y.second);
    };
    return a.kind == b.kind && a.text == b.text &&
           std::ranges::equal(a.items, b.items,
                              [](const ValuePtr& x, const ValuePtr& y) { return same(*x, *y); }) &&
           std::ranges::equal(a.pairs, b.pairs, same_pair);
}

// "SOURCE:TARGET:OPTIONS", "TARGET" or a mapping: what two entries of `volumes` are one by.
std::string target_of(const Value& volume) {
    if (volume.kind == Value::Kind::mapping) {
        const ValuePtr target = value_of(volume, "target");
        return target ? target->text : "";
    }
    const std::size_t first = volume.text.find(':');
    if (first == std::string::npos) return volume.text;
    return volume.text.substr(first + 1, volume.text.find(':', first + 1) - first - 1);
}

// configs and secrets go by where they are put, which is their name unless they say it.
std::string grant_of(const Value& grant) {
    if (grant.kind != Value::Kind::mapping) return grant.text;
    for (const std::string_view key : {"target", "source"})
        if (const ValuePtr text = value_of(grant, key)) return text->text;
    return "";
}

bool are_one(std::string_view key, const Value& a, const Value& b) {
    if (key == "volumes") return target_of(a) == target_of(b) && !target_of(a).empty();
    if (key == "configs" || key == "secrets") return grant_of(a) == grant_of(b);
    return same(a, b);
}

ValuePtr append(std::string_view key, const Value& base, const Value& over) {
    auto merged = empty_like(over);
    merged->items = base.items;
    for (const ValuePtr& item : over.items) {
        const auto twin = std::ranges::find_if(
            merged->items, [&](const ValuePtr& each) { return are_one(key, *each, *item); });
        if (twin == merged->items.end())
            merged->items.push_back(item);
        else
            *twin = item;
    }
    return merged;
}

ValuePtr merge(const ValuePtr& base, const ValuePtr& over, Part part);

ValuePtr merge_value(const ValuePtr& base, const ValuePtr& over, Part parent, std::string_view key) {
    if (!base || over->tag == "!override" || is_replaced(parent, key))
        return merge(nullptr, over, part_of(parent, key));
    if (over->kind == Value::Kind::null) return base;
    if (over->kind == Value::Kind::sequence && base->kind == Value::Kind::sequence)
        return append(key, *base, *over);
    return merge(base, over, part_of(parent, key));
}

// Without a base: `over` without what is reset in it.
ValuePtr merge(const ValuePtr& base, const ValuePtr& over, Part part) {
    if (over->kind != Value::Kind::mapping) return over;
    auto merged = empty_like(*over);
    if (base && base->kind == Value::Kind::mapping) merged->pairs = base->pairs;
    for (const auto& [key, value] : over->pairs) {
        const std::string& name = key->text;
        const auto old =
            std::ranges::find_if(merged->pairs, [&](const auto& pair) { return pair.first->text == name; });
        const bool is_new = old == merged->pairs.end();
        if (value->tag == "!reset") {
            if (!is_new) merged->pairs.erase(old);
        } else if (is_new) {
            merged->pairs.emplace_back(key, merge_value(nullptr, value, part, name));
        } else {
            const ValuePtr result = merge_value(old->second, value, part, name);
            *old = {key, result};
        }
    }
    return merged;
}

constexpr std::string_view settings[] = {"environment", "sysctls"};
constexpr std::string_view names[] = {"depends_on", "networks"};
constexpr std::string_view one_or_more[] = {"tmpfs", "env_file", "dns", "dns_search", "profiles"};

template <std::size_t n>
bool is_one_of(std::string_view word, const std::string_view (&words)[n]) {
    return std::ranges::find(words, word) != std::end(words);
}

// [A=b, C] -> {A: b, C: null}
ValuePtr settings_as_mapping(const Value& list) {
    auto mapping = std::make_shared<Value>();
    mapping->kind = Value::Kind::mapping;
    mapping->place = list.place;
    mapping->tag = list.tag;
    for (const ValuePtr& item : list.items) {
        const std::size_t equals = item->text.find('=');
        const ValuePtr key = scalar_at(item->place, item->text.substr(0, equals));
        ValuePtr value;
        if (equals == std::string::npos) {
            auto none = std::make_shared<Value>();
            none->place = item->place;
            value = none;
        } else {
            value = scalar_at(item->place, item->text.substr(equals + 1));
        }
        const auto old = std::ranges::find_if(
            mapping->pairs, [&](const auto& pair) { return pair.first->text == key->text; });
        if (old == mapping->pairs.end())
            mapping->pairs.emplace_back(key, value);
        else
            *old = {key, value};
    }
    return mapping;
}

// {name: address} -> [name:address], as the engine takes it
ValuePtr hosts_as_list(const Value& mapping) {
    auto list = empty_like(mapping);
    list->kind = Value::Kind::sequence;
    list->tag = mapping.tag;
    for (const auto& [key, value] : mapping.pairs) {
        if (value->kind == Value::Kind::sequence)
            for (const ValuePtr& each : value->items)
                list->items.push_back(scalar_at(each->place, key->text + ":" + each->text));
        else
            list->items.push_back(scalar_at(value->place, key->text + ":" + value->text));
    }
    return list;
}

bool is_list_of_scalars(const Value& value) {
    return value.kind == Value::Kind::sequence && std::ranges::all_of(value.items, [](const ValuePtr& item) {
               return item->kind == Value::Kind::scalar;
           });
}

// "./web" -> {context: ./web}, and what is in it as elsewhere.
ValuePtr mergeable_build(const ValuePtr& value) {
    auto made = std::make_shared<Value>(*value);
    if (value->kind == Value::Kind::scalar) {
        if (value->text.empty()) return value;
        auto context = std::make_shared<Value>(*value);
        context->tag.clear();
        made->kind = Value::Kind::mapping;
        made->text.clear();
        made->pairs = {{scalar_at(value->place, "context"), context}};
    }
    for (auto& [key, each] : made->pairs) {
        if ((key->text == "args" || key->text == "labels") && is_list_of_scalars(*each))
            each = settings_as_mapping(*each);
        if (key->text == "extra_hosts" && each->kind == Value::Kind::mapping) each = hosts_as_list(*each);
    }
    return made;
}

ValuePtr mergeable_value(const std::string& key, const ValuePtr& value) {
    // Something of another kind stays as it is, for the reader of the service to name.
    const bool scalars = is_list_of_scalars(*value);
    if (scalars && (is_one_of(key, settings) || is_one_of(key, names))) return settings_as_mapping(*value);
    if (value->kind == Value::Kind::scalar && is_one_of(key, one_or_more)) {
        auto list = empty_like(*value);
        list->kind = Value::Kind::sequence;
        auto item = std::make_shared<Value>(*value);
        item->tag.clear();
        list->tag = value->tag;
        list->items.push_back(item);
        return list;
    }
    if (value->kind == Value::Kind::mapping && key == "extra_hosts") return hosts_as_list(*value);
    return key == "build" ? mergeable_build(value) : value;
}

// compose-go takes these words for truth values too (interpolation: toBoolean), in any case.
constexpr std::string_view flags[] = {
    "init",     "privileged",       "read_only",      "tty",  "stdin_open", "disable", "required", "nocopy",
    "external", "create_host_path", "use_api_socket", "pull", "no_cache"};
constexpr std::string_view yes[] = {"true", "y", "yes", "on"};
constexpr std::string_view no[] = {"false", "n", "no", "off"};
// What is in them is the user's, whatever its name.
constexpr std::string_view free_keys[] = {"environment", "labels",      "sysctls",     "annotations",
                                          "args",        "driver_opts", "extra_hosts", "logging"};

ValuePtr with_plain_flags(const ValuePtr& value) {
    if (value->kind == Value::Kind::scalar || value->kind == Value::Kind::null) return value;
    auto made = std::make_shared<Value>(*value);
    for (ValuePtr& item : made->items) item = with_plain_flags(item);
    for (auto& [key, each] : made->pairs) {
        if (is_one_of(key->text, free_keys) || key->text.starts_with("x-")) continue;
        if (each->kind != Value::Kind::scalar || !is_one_of(key->text, flags)) {
            each = with_plain_flags(each);
            continue;
        }
        std::string word = each->text;
        std::ranges::transform(word, word.begin(), [](char c) {
            return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        });
        if (!is_one_of(word, yes) && !is_one_of(word, no)) continue;
        auto plain = std::make_shared<Value>(*each);
        plain->text = is_one_of(word, yes) ? "true" : "false";
        each = plain;
    }
    return made;
}

ValuePtr mergeable_service(const ValuePtr& service) {
    if (service->kind != Value::Kind::mapping) return service;
    auto made = std::make_shared<Value>(*with_plain_flags(service));
    for (auto& [key, value] : made->pairs) value = mergeable_value(key->text, value);
    return made;
}

}  // namespace

ValuePtr value_of(const Value& mapping, std::string_view key) {
    for (const auto& [name, value] : mapping.pairs)
        if (name->text == key) return value->kind == Value::Kind::null ? nullptr : value;
    return nullptr;
}

ValuePtr in_mergeable_form(const ValuePtr& model) {
    auto made = std::make_shared<Value>(*model);
    for (auto& [key, value] : made->pairs) {
        if (key->text.starts_with("x-")) continue;
        if (key->text != "services" || value->kind != Value::Kind::mapping) {
            value = with_plain_flags(value);
            continue;
        }
        auto services = std::make_shared<Value>(*value);
        for (auto& [name, service] : services->pairs) service = mergeable_service(service);
        value = services;
    }
    return made;
}

ValuePtr merge_models(const ValuePtr& base, const ValuePtr& over) {
    return merge(base, over, Part::model);
}

ValuePtr merge_services(const ValuePtr& base, const ValuePtr& over) {
    return merge(base, over, Part::service);
}

}  // namespace rogate::spec
