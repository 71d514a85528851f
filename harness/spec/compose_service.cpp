#include "spec/compose_service.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <rogate/host_network.hpp>

#include "spec/compose_build.hpp"
#include "spec/compose_forms.hpp"
#include "spec/compose_keys.hpp"
#include "spec/compose_merge.hpp"
#include "spec/compose_mounts.hpp"
#include "spec/nearest_name.hpp"
#include "spec/subject_reader.hpp"

namespace rogate::spec {

namespace {

// What a scenario's subject spells and means the same way.
constexpr std::string_view same_as_subject[] = {
    "image",   "command",    "entrypoint", "user",     "working_dir", "hostname", "stop_signal",  "init",
    "runtime", "privileged", "read_only",  "shm_size", "cap_add",     "cap_drop", "security_opt", "sysctls"};
// An empty text says as little as nothing at all (it is what a variable leaves that is not set).
constexpr std::string_view empty_is_absent[] = {"image",    "user",        "working_dir",
                                                "hostname", "stop_signal", "runtime"};
// A longer range is that of a media server: nobody waits for its ports, and each would be published.
constexpr std::int64_t longest_range = 100;

template <std::size_t n>
bool is_one_of(std::string_view word, const std::string_view (&words)[n]) {
    return std::ranges::find(words, word) != std::end(words);
}

bool says_nothing(const Value& value) {
    return value.kind == Value::Kind::null || value.text == "false" ||
           (value.text.empty() && value.items.empty() && value.pairs.empty());
}

// What is refused in general, and harmless with this value.
bool is_as_usual(std::string_view key, const Value& value) {
    return says_nothing(value) || (key == "ipc" && (value.text == "private" || value.text == "shareable"));
}

// Stands for an image that the reader of a subject would miss.
constexpr const char* built_later = "built-later";

ValuePtr scalar_at(Place place, std::string text) {
    auto made = std::make_shared<Value>();
    made->kind = Value::Kind::scalar;
    made->place = place;
    made->text = std::move(text);
    return made;
}

class ServiceReader {
  public:
    ServiceReader(std::string name, const Value& service, const ComposeLoader& loader, const Context& context)
        : where_(fmt::format("service {}", in_quotes(name))),
          name_(std::move(name)),
          service_(service),
          loader_(loader),
          context_(context) {}

    ComposeService read(const Value& model);

  private:
    void check_keys();
    void network_mode(const std::string& mode, const Value& at);
    void image();
    ValuePtr as_subject();
    ValuePtr healthcheck(const Value& value) const;
    ValuePtr ulimits(const Value& value);
    ValuePtr ports() const;
    void add_ports(std::string_view key, Value& list) const;
    void environment();
    void env_file(const Value& entry);
    void dependencies();
    void depends_on(const std::string& service, const Value& options);
    void links();
    void volumes_from();
    void networks();
    void restart(const Value& value);
    const ValuePtr get(std::string_view key) const { return value_of(service_, key); }
    std::vector<ValuePtr> items(std::string_view key) const;

    std::string where_, name_;
    const Value& service_;
    const ComposeLoader& loader_;
    const Context& context_;
    ComposeService made_;
    std::map<std::string, std::int64_t> hard_ulimits_;
};

std::vector<ValuePtr> ServiceReader::items(std::string_view key) const {
    const ValuePtr list = get(key);
    if (!list) return {};
    if (list->kind == Value::Kind::sequence) return list->items;
    context_.problem(*list, fmt::format("'{}' of {} is {}; write a list", key, where_, kind_name(*list)));
    return {};
}

void ServiceReader::check_keys() {
    std::vector<std::string_view> known;
    for (const ComposeKey& key : compose_service_keys) known.push_back(key.name);
    for (const auto& [key, value] : service_.pairs) {
        if (key->text.starts_with("x-") || value->kind == Value::Kind::null) continue;
        const auto found = std::ranges::find(compose_service_keys, key->text, &ComposeKey::name);
        if (found == compose_service_keys.end())
            context_.problem(*key, fmt::format("unknown key {} in {}; {}", in_quotes(key->text), where_,
                                               suggestion(key->text, known)));
        else if (found->fate == refused && loader_.is_left_out(key->text))
            context_.note(*key, fmt::format("'{}' of {} is left out, as asked", key->text, where_));
        else if (found->fate == refused && !is_as_usual(key->text, *value))
            context_.problem(*key, fmt::format("'{}' of {} is not supported: {}; leave it out with --without "
                                               "{}, or in a second file (!reset)",
                                               key->text, where_, found->why, key->text));
        else if (found->fate == no_effect && !(key->text == "pull_policy" && value->text == "build"))
            made_.without_effect.push_back(key->text);
    }
}

void ServiceReader::network_mode(const std::string& mode, const Value& at) {
    if (mode.empty() || mode == "bridge" || mode == "default") return;
    if (mode == "host") ask_for_ports_as_on_hosts(made_.subject);
    if (loader_.is_left_out(network_mode_key))
        return context_.note(at, fmt::format("'network_mode' of {} is left out, as asked", where_));
    if (mode == "none" || mode.starts_with("service:")) {
        made_.subject.network_mode = mode;
        const std::string service = mode == "none" ? std::string() : mode.substr(8);
        if (!service.empty() &&
            std::ranges::find(made_.after, service, &Dependency::service) == made_.after.end())
            made_.after.push_back({service, Dependency::Condition::started});
        return;
    }
    context_.note(at, fmt::format("network_mode {} of {}: it is on the run's own network instead, so that a "
                                  "test answers on no port of the host and reaches nothing that is real; "
                                  "what it looks for on localhost is not there",
                                  in_quotes(mode), where_));
}

// `docker compose build` names the image when the file does not; the second name is of docker-compose 1.
void ServiceReader::image() {
    const ValuePtr build = get("build");
    if (!build || says_nothing(*build)) return;
    if (build->kind != Value::Kind::mapping)
        return context_.problem(*build,
                                fmt::format("'build' of {} is {}; write the path of its context, or a "
                                            "mapping (context: …)",
                                            where_, kind_name(*build)));
    BuiltImage built{
        name_, {}, context_.declared(build->place), read_compose_build(*build, where_, loader_, context_)};
    if (const ValuePtr platform = get("platform"); platform && !platform->text.empty())
        built.build.platform = platform->text;
    if (const ValuePtr policy = get("pull_policy")) built.build.always = policy->text == "build";
    if (made_.subject.image.empty()) {
        made_.subject.image = loader_.project_name() + "-" + name_;
        built.other_name = loader_.project_name() + "_" + name_;
    }
    made_.subject.built = std::move(built);
    // They are in the image, which may show them.
    made_.subject.build_args = read_build_args(*build, loader_);
}

ValuePtr ServiceReader::healthcheck(const Value& value) const {
    if (value.kind != Value::Kind::mapping) return std::make_shared<Value>(value);
    auto made = std::make_shared<Value>(value);
    const ValuePtr disable = value_of(value, "disable");
    const bool disabled = disable && disable->text == "true";
    std::erase_if(made->pairs, [&](const auto& pair) {
        const std::string& key = pair.first->text;
        const Value& said = *pair.second;
        // Zero, as with docker compose, is the image's or the default.
        const bool zero = key != "start_period" && (said.text == "0" || said.text == "0s");
        const bool empty = key == "test" && said.text.empty() && said.items.empty();
        return key.starts_with("x-") || said.kind == Value::Kind::null || key == "start_interval" || zero ||
               empty || (disabled && key != "disable");
    });
    return made;
}

ValuePtr ServiceReader::ulimits(const Value& value) {
    auto made = std::make_shared<Value>(value);
    for (auto& [key, limit] : made->pairs) {
        if (limit->kind != Value::Kind::mapping) continue;
        const ValuePtr soft = value_of(*limit, "soft"), hard = value_of(*limit, "hard");
        if (!soft || !hard) {
            context_.problem(*limit,
                             fmt::format("ulimit {} needs both 'soft' and 'hard'", in_quotes(key->text)));
            continue;
        }
        const auto number =
            read_integer(*hard, "'hard'", context_, -1, std::numeric_limits<std::int64_t>::max());
        if (number && hard->text != soft->text) hard_ulimits_[key->text] = *number;
        limit = soft;
    }
    return made;
}

void ServiceReader::add_ports(std::string_view key, Value& list) const {
    for (const ValuePtr& item : items(key)) {
        std::string text = item->text;
        if (item->kind == Value::Kind::mapping) {
            const ValuePtr target = value_of(*item, "target"), protocol = value_of(*item, "protocol");
            if (!target) {
                context_.problem(
                    *item, fmt::format("a port of {} has no 'target'; write the container's port", where_));
                continue;
            }
            text = target->text + (protocol ? "/" + protocol->text : "");
        }
        if (text.empty() && key == "expose") continue;
        std::ranges::transform(text, text.begin(), [](char c) {
            return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        });
        // The container's part, which may be a range: "8000-8002:9000-9002/udp".
        const std::size_t slash = std::min(text.find('/'), text.size());
        const std::size_t colon = text.rfind(':', slash);
        const std::string inner = text.substr(colon == std::string::npos ? 0 : colon + 1,
                                              slash - (colon == std::string::npos ? 0 : colon + 1));
        const std::size_t dash = inner.find('-');
        if (dash == std::string::npos) {
            list.items.push_back(
                scalar_at(item->place, colon == std::string::npos ? text : inner + text.substr(slash)));
            continue;
        }
        const auto first = parse_integer(inner.substr(0, dash), 1, 65535);
        const auto last = parse_integer(inner.substr(dash + 1), 1, 65535);
        if (!first || !last || *first > *last) {
            context_.problem(*item, fmt::format("{} is not a range of ports", in_quotes(inner)));
            continue;
        }
        if (*last - *first > longest_range) {
            context_.note(*item,
                          fmt::format("the ports {} are not published, nor waited for", in_quotes(inner)));
            continue;
        }
        for (std::int64_t port = *first; port <= *last; ++port)
            list.items.push_back(scalar_at(item->place, std::to_string(port) + text.substr(slash)));
    }
}

ValuePtr ServiceReader::ports() const {
    auto list = std::make_shared<Value>();
    list->kind = Value::Kind::sequence;
    list->place = service_.place;
    add_ports("ports", *list);
    if (list->items.empty()) add_ports("expose", *list);
    return list;
}

ValuePtr ServiceReader::as_subject() {
    auto made = std::make_shared<Value>();
    made->kind = Value::Kind::mapping;
    made->place = service_.place;
    for (const auto& [key, value] : service_.pairs) {
        if (value->kind == Value::Kind::null) continue;
        if (is_one_of(key->text, empty_is_absent) && value->kind == Value::Kind::scalar &&
            value->text.empty())
            continue;
        if (is_one_of(key->text, same_as_subject)) made->pairs.emplace_back(key, value);
        if (key->text == "healthcheck") made->pairs.emplace_back(key, healthcheck(*value));
        if (key->text == "ulimits") made->pairs.emplace_back(key, ulimits(*value));
    }
    made->pairs.emplace_back(scalar_at(service_.place, "ports"), ports());
    const ValuePtr image = get("image");
    if (get("build") && (!image || image->text.empty()))
        made->pairs.emplace_back(scalar_at(service_.place, "image"), scalar_at(service_.place, built_later));
    return made;
}

void ServiceReader::env_file(const Value& entry) {
    const ValuePtr path =
        entry.kind == Value::Kind::mapping ? value_of(entry, "path") : std::make_shared<Value>(entry);
    if (!path || path->kind != Value::Kind::scalar)
        return context_.problem(entry, fmt::format("an entry of 'env_file' of {} has no path", where_));
    const std::string absolute = path_in(loader_.context_of(path->place).folder, path->text);
    const ValuePtr required = entry.kind == Value::Kind::mapping ? value_of(entry, "required") : nullptr;
    const ValuePtr format = entry.kind == Value::Kind::mapping ? value_of(entry, "format") : nullptr;
    if (format && format->text != "raw")
        return context_.problem(*format,
                                fmt::format("unknown format {} of an env file; write raw, or leave it out",
                                            in_quotes(format->text)));
    if (required && required->text == "false") {
        const auto there = context_.surroundings.read_file(absolute);
        if (!there && there.error().kind == ErrorKind::not_found) return;
    }
    const auto text = loader_.read(absolute, fmt::format("env file {}", in_quotes(path->text)), *path);
    if (!text) return;
    const Lookup lookup = [this](const std::string& name) { return loader_.variable(name); };
    const int file = context_.problems.add_file(path->text);
    const Variables found = format ? parse_raw_env_file(*text, lookup, file, context_.problems)
                                   : parse_env_file(*text, lookup, file, context_.problems);
    for (const auto& [variable, value] : found) made_.subject.environment[variable] = value;
}

void ServiceReader::environment() {
    for (const ValuePtr& entry : items("env_file")) env_file(*entry);
    const ValuePtr settings = get("environment");
    if (!settings) return;
    if (settings->kind != Value::Kind::mapping)
        return context_.problem(*settings,
                                fmt::format("'environment' of {} is {}; write a mapping (NAME: value) or a "
                                            "list (- NAME=value)",
                                            where_, kind_name(*settings)));
    for (const auto& [key, value] : settings->pairs) {
        if (value->kind == Value::Kind::null) {
            // A name alone: the value of the environment; if there is none, the variable is not set.
            made_.subject.environment.erase(key->text);
            if (auto set = loader_.variable(key->text))
                made_.subject.environment[key->text] = std::move(*set);
            else
                made_.subject.unset_environment.push_back(key->text);
        } else if (const auto text = read_text(*value, in_quotes(key->text), context_)) {
            made_.subject.environment[key->text] = *text;
        }
    }
}

void ServiceReader::depends_on(const std::string& service, const Value& options) {
    Dependency dependency{service, Dependency::Condition::started};
    if (options.kind == Value::Kind::mapping) {
        if (const ValuePtr condition = value_of(options, "condition")) {
            if (condition->text == "service_healthy")
                dependency.condition = Dependency::Condition::healthy;
            else if (condition->text == "service_completed_successfully")
                dependency.condition = Dependency::Condition::completed;
            else if (condition->text != "service_started")
                context_.problem(*condition,
                                 fmt::format("unknown condition {}; write service_started, service_healthy "
                                             "or service_completed_successfully",
                                             in_quotes(condition->text)));
        }
        if (const ValuePtr required = value_of(options, "required"))
            dependency.required = required->text != "false";
    } else if (options.kind != Value::Kind::null) {
        context_.problem(options,
                         fmt::format("'depends_on' of {}: {} is {}; write condition: service_started", where_,
                                     in_quotes(service), kind_name(options)));
    }
    made_.after.push_back(std::move(dependency));
}

void ServiceReader::links() {
    for (const ValuePtr& item : items("links")) {
        const std::size_t colon = item->text.find(':');
        const std::string service = item->text.substr(0, colon);
        if (std::ranges::find(made_.after, service, &Dependency::service) == made_.after.end())
            made_.after.push_back({service, Dependency::Condition::started});
        if (colon != std::string::npos)
            made_.link_aliases.emplace_back(service, item->text.substr(colon + 1));
    }
}

void ServiceReader::volumes_from() {
    for (const ValuePtr& item : items("volumes_from")) {
        const std::string& text = item->text;
        if (text.starts_with("container:")) {
            context_.problem(
                *item, "the volumes of a container outside of the project are not taken; name a service");
            continue;
        }
        const std::size_t colon = text.find(':');
        const std::string service = text.substr(0, colon);
        const std::string mode = colon == std::string::npos ? "rw" : text.substr(colon + 1);
        if (mode != "rw" && mode != "ro") {
            context_.problem(
                *item, fmt::format("{} is not a mode; write SERVICE:ro or SERVICE:rw", in_quotes(mode)));
            continue;
        }
        made_.volumes_from.emplace_back(service, mode == "ro");
        if (std::ranges::find(made_.after, service, &Dependency::service) == made_.after.end())
            made_.after.push_back({service, Dependency::Condition::started});
    }
}

void ServiceReader::networks() {
    const ValuePtr all = get("networks");
    made_.subject.aliases = {name_};
    const auto add = [&](const std::string& alias) {
        if (std::ranges::find(made_.subject.aliases, alias) == made_.subject.aliases.end())
            made_.subject.aliases.push_back(alias);
    };
    if (const ValuePtr name = get("container_name"); name && !name->text.empty()) add(name->text);
    const ValuePtr mode = get("network_mode");
    if (!all || all->kind != Value::Kind::mapping || all->pairs.empty()) {
        if (!mode || mode->text.empty()) made_.networks = {"default"};
        return;
    }
    for (const auto& [network, options] : all->pairs) {
        made_.networks.push_back(network->text);
        if (options->kind != Value::Kind::mapping) continue;
        for (const std::string_view key : {"ipv4_address", "ipv6_address"})
            if (const ValuePtr address = value_of(*options, key))
                context_.note(
                    *address,
                    fmt::format(
                        "'{}' {} of {} is left out: the run's network has addresses of its own, since "
                        "those may be taken; who looks for this one does not find the service",
                        key, address->text, where_));
        if (const ValuePtr aliases = value_of(*options, "aliases"))
            for (const ValuePtr& alias : aliases->items) add(alias->text);
    }
}

void ServiceReader::restart(const Value& value) {
    const std::size_t colon = value.text.find(':');
    const std::string name = value.text.substr(0, colon);
    const bool known =
        name.empty() || name == "no" || name == "always" || name == "on-failure" || name == "unless-stopped";
    if (value.kind != Value::Kind::scalar || !known || (colon != std::string::npos && name != "on-failure"))
        return context_.problem(
            value, fmt::format("'restart' of {} is {}; write \"no\", always, on-failure, "
                               "on-failure:TRIES or unless-stopped",
                               where_,
                               value.kind == Value::Kind::scalar ? in_quotes(value.text) : kind_name(value)));
    if (name == "no" || name.empty()) return;
    made_.restart.name = name;
    if (colon == std::string::npos) return;
    const auto tries = parse_integer(value.text.substr(colon + 1), 0, 1'000'000);
    if (!tries) return context_.problem(value, fmt::format("'restart' of {}: {}", where_, tries.error()));
    made_.restart.tries = static_cast<int>(*tries);
}

ComposeService ServiceReader::read(const Value& model) {
    if (service_.kind != Value::Kind::mapping) {
        context_.problem(service_,
                         fmt::format("{} is {}; write a mapping (image: …)", where_, kind_name(service_)));
        return {};
    }
    check_keys();
    check_service_forms(service_, where_, context_);
    Context of_project = context_;
    of_project.folder = loader_.project_folder();  // whichever file names a seccomp profile
    made_.subject = read_subject(*as_subject(), of_project, where_);
    if (made_.subject.image == built_later) made_.subject.image.clear();
    image();
    made_.subject.ulimits_hard = std::move(hard_ulimits_);
    if (const ValuePtr open = get("stdin_open"))
        made_.subject.open_stdin = read_bool(*open, "'stdin_open'", context_).value_or(false);
    if (const ValuePtr tty = get("tty"))
        made_.subject.tty = read_bool(*tty, "'tty'", context_).value_or(false);
    for (const ValuePtr& host : items("extra_hosts")) {
        std::string text = host->text;
        const std::size_t separator = text.find_first_of("=:");
        if (separator == std::string::npos)
            context_.problem(*host, fmt::format("{} is not NAME:ADDRESS", in_quotes(text)));
        else
            made_.subject.extra_hosts.push_back(text.replace(separator, 1, ":"));
    }
    for (const ValuePtr& group : items("group_add")) made_.subject.group_add.push_back(group->text);
    if (const ValuePtr grace = get("stop_grace_period"))
        made_.grace_ms = read_duration(*grace, "'stop_grace_period'", context_, Zero::allowed);
    if (const ValuePtr policy = get("restart")) restart(*policy);
    environment();
    if (const ValuePtr all = get("depends_on")) {
        if (all->kind == Value::Kind::mapping)
            for (const auto& [service, options] : all->pairs) depends_on(service->text, *options);
        else
            context_.problem(*all, fmt::format("'depends_on' of {} is {}; write a list of services", where_,
                                               kind_name(*all)));
    }
    links();
    volumes_from();
    networks();
    if (const ValuePtr mode = get("network_mode")) network_mode(mode->text, *mode);
    read_compose_mounts(service_, model, loader_, context_, made_.subject);
    return std::move(made_);
}

}  // namespace

ComposeService read_compose_service(const std::string& name, const Value& service, const Value& model,
                                    const ComposeLoader& loader, const Context& context) {
    return ServiceReader(name, service, loader, context).read(model);
}

}  // namespace rogate::spec
