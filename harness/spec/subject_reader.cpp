#include "spec/subject_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "spec/mounts.hpp"
#include "spec/nearest_name.hpp"
#include "spec/security_opts.hpp"

namespace rogate::spec {

namespace {

constexpr std::string_view ulimit_names[] = {"core",    "cpu",      "data",   "fsize",      "locks",
                                             "memlock", "msgqueue", "nice",   "nofile",     "nproc",
                                             "rss",     "rtprio",   "rttime", "sigpending", "stack"};
constexpr std::string_view wholes[] = {"container", "kubernetes", "compose", "docker_run"};
constexpr std::string_view protocols[] = {"tcp", "udp", "sctp"};
constexpr std::string_view test_kinds[] = {"CMD", "CMD-SHELL", "NONE"};

std::vector<Port> read_ports(const Mapping& subject, const Context& context) {
    std::vector<Port> ports;
    const Value* list = subject.get("ports");
    if (list == nullptr) return ports;
    if (list->kind != Value::Kind::sequence)
        context.problem(*list, fmt::format("'ports' is {}; write a list (- 80)", kind_name(*list)));
    for (const ValuePtr& item : list->items) {
        const auto port = read_notation(*item, "a port", context, parse_port);
        // "80:80" and "8080:80" are two ports of the host, but one of the container.
        if (port && std::ranges::find(ports, *port) == ports.end()) ports.push_back(*port);
    }
    return ports;
}

std::map<std::string, std::int64_t> read_ulimits(const Value& value, const Context& context) {
    std::map<std::string, std::int64_t> ulimits;
    if (value.kind != Value::Kind::mapping)
        context.problem(value,
                        fmt::format("'ulimits' is {}; write a mapping (nofile: 1024)", kind_name(value)));
    for (const auto& [key, limit] : value.pairs) {
        if (std::ranges::find(ulimit_names, key->text) == std::end(ulimit_names)) {
            context.problem(*key, fmt::format("unknown ulimit {}; {}", in_quotes(key->text),
                                              suggestion(key->text, ulimit_names)));
            continue;
        }
        if (limit->kind == Value::Kind::mapping) {
            context.problem(*limit,
                            "separate soft and hard limits are not supported; write one number for both");
            continue;
        }
        const auto number =
            read_integer(*limit, in_quotes(key->text), context, -1, std::numeric_limits<std::int64_t>::max());
        if (number) ulimits.emplace(key->text, *number);
    }
    return ulimits;
}

std::vector<std::string> read_test(const Value& value, const Context& context) {
    if (value.kind == Value::Kind::scalar) return {"CMD-SHELL", value.text};
    auto test = read_texts(value, "'test'", context);
    if (!test) return {};
    const bool known = !test->empty() && std::ranges::find(test_kinds, test->front()) != std::end(test_kinds);
    if (!known)
        context.problem(value,
                        "a 'test' list begins with CMD, CMD-SHELL or NONE; write [CMD, …], or one string for "
                        "the shell");
    else if ((test->front() == "NONE") != (test->size() == 1))
        context.problem(value, test->size() == 1 ? "the 'test' has no command; write it behind the first word"
                                                 : "nothing can follow NONE; leave the rest out");
    return std::move(*test);
}

Healthcheck read_healthcheck(const Value& value, const std::string& where, const Context& context) {
    const Mapping mapping(value, "'healthcheck' of " + where, keys::subject_healthcheck, context);
    Healthcheck healthcheck;
    if (const Value* test = mapping.get("test")) healthcheck.test = read_test(*test, context);
    healthcheck.interval_ms = mapping.duration("interval", Zero::refused);
    healthcheck.timeout_ms = mapping.duration("timeout", Zero::refused);
    healthcheck.start_period_ms = mapping.duration("start_period", Zero::allowed);
    healthcheck.retries = mapping.integer("retries", 1, 1'000'000);
    if (mapping.flag("disable", false)) {
        if (mapping.has("test"))
            context.problems.add(mapping.place_of("disable"),
                                 "a health check has a 'test' and 'disable: true'; keep "
                                 "one of the two");
        healthcheck.test = {"NONE"};
    }
    return healthcheck;
}

void read_identity(const Mapping& mapping, Subject& subject, const Context& context) {
    if (const auto image = mapping.line("image")) {
        subject.image = *image;
        if (image->find_first_of(" \t") != std::string::npos || image->front() == '-')
            context.problem(*mapping.get("image"),
                            fmt::format("{} is not the name of an image; write for example nginx:1.27",
                                        in_quotes(*image)));
    } else if (!mapping.has("image") &&
               std::ranges::none_of(wholes, [&](std::string_view whole) { return mapping.has(whole); })) {
        context.problem(mapping.value(),
                        fmt::format("{} has no 'image'; write the image to start, for example nginx:1.27",
                                    mapping.where()));
    }
    subject.user = mapping.line("user");
    subject.working_dir = mapping.path("working_dir");
    subject.hostname = mapping.line("hostname");
    subject.stop_signal = mapping.signal("stop_signal");
}

// What is cloned, or read from files of another kind, is the whole application.
void refuse_beside_a_whole(const Mapping& mapping, const Context& context) {
    for (const std::string_view whole : wholes) {
        if (!mapping.has(whole)) continue;
        for (const auto& [key, unused] : mapping.value().pairs)
            if (key->text != whole && key->text != "ports")
                context.problem(*key,
                                fmt::format("{} does not fit '{}', which is the whole application; leave one "
                                            "of the two out",
                                            in_quotes(key->text), whole));
    }
}

}  // namespace

Parsed<Port> parse_port(std::string_view text) {
    const auto not_one = [&](std::string_view right) {
        return tl::unexpected<std::string>(fmt::format("{} is not a port; {}", in_quotes(text), right));
    };
    const std::string_view examples = "write for example 80, 53/udp or 8080:80";
    Port port;
    std::string_view number = text;
    if (const std::size_t slash = text.find('/'); slash != std::string_view::npos) {
        port.protocol = text.substr(slash + 1);
        number = text.substr(0, slash);
        if (std::ranges::find(protocols, port.protocol) == std::end(protocols))
            return not_one("the protocol is tcp, udp or sctp");
    }
    // Whatever stands before the last colon is about the host: rogate publishes on a free port of its own
    // choice.
    if (const std::size_t colon = number.rfind(':'); colon != std::string_view::npos) {
        const std::string_view host = number.substr(0, colon);
        const std::string_view allowed =
            host.starts_with('[') ? "0123456789.:-[]abcdefABCDEF" : "0123456789.:-";
        if (host.find_first_not_of(allowed) != std::string_view::npos) return not_one(examples);
        number = number.substr(colon + 1);
    }
    if (number.find('-') != std::string_view::npos &&
        number.find_first_not_of("0123456789-") == std::string_view::npos)
        return not_one("a range is not supported, write each port that the steps use");
    const auto parsed = parse_integer(number, 1, std::numeric_limits<std::uint16_t>::max());
    if (!parsed) return not_one(examples);
    port.container = static_cast<std::uint16_t>(*parsed);
    return port;
}

Subject read_subject(const Value& value, const Context& context, const std::string& where) {
    const Mapping mapping(value, where, keys::subject, context);
    Subject subject;
    if (value.kind != Value::Kind::mapping) return subject;
    refuse_beside_a_whole(mapping, context);
    read_identity(mapping, subject, context);
    subject.command = read_words(mapping, "command", context);
    subject.entrypoint = read_words(mapping, "entrypoint", context);
    subject.init = mapping.flag("init", false);
    subject.runtime = mapping.line("runtime").value_or("");
    subject.privileged = mapping.flag("privileged", false);
    subject.read_only_rootfs = mapping.flag("read_only", false);
    subject.shm_size = mapping.size("shm_size");
    if (const Value* environment = mapping.get("environment"))
        subject.environment = read_environment(*environment, context);
    subject.mounts = read_mounts(mapping, context);
    subject.ports = read_ports(mapping, context);
    subject.cap_add = mapping.texts("cap_add");
    subject.cap_drop = mapping.texts("cap_drop");
    read_security_opts(mapping, subject, context);
    if (const Value* ulimits = mapping.get("ulimits")) subject.ulimits = read_ulimits(*ulimits, context);
    if (const Value* sysctls = mapping.get("sysctls"))
        subject.sysctls = read_settings(*sysctls, "'sysctls'", context);
    if (const Value* healthcheck = mapping.get("healthcheck"))
        subject.healthcheck = read_healthcheck(*healthcheck, where, context);
    return subject;
}

}  // namespace rogate::spec
