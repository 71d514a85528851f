#include "scenario/places.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/web_ports.hpp"

namespace rogate::scenario {

std::string variable_of(const std::string& name, std::uint16_t port) {
    std::string made = "ROGATE_";
    for (const char c : name) {
        const bool is_lower = c >= 'a' && c <= 'z';
        const bool is_kept = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        made += is_lower ? static_cast<char>(c - 'a' + 'A') : is_kept ? c : '_';
    }
    return fmt::format("{}_{}", made, port);
}

namespace {

std::string name_of(const Origin& origin) {
    if (origin.kind == Origin::Kind::compose) return origin.name;
    return origin.kind == Origin::Kind::kubernetes ? origin.container : "subject";
}

}  // namespace

Place place_of_subject(const Scenario& scenario, const std::string& container,
                       const std::string& reached_by) {
    Place place{.name = name_of(scenario.subject.origin),
                .container = container,
                .ports = {},
                .is_subject = true,
                .reached_by = reached_by};
    for (const Port& port : scenario.subject.ports)
        if (port.protocol == "tcp") place.ports.push_back(port.container);
    return place;
}

bool runs_commands(const std::vector<Step>& steps) {
    return std::ranges::any_of(steps, [](const Step& step) {
        const auto* inside = steps_inside(step);
        return std::holds_alternative<CommandAction>(step.action) ||
               (inside != nullptr && runs_commands(*inside));
    });
}

namespace {

std::string where(const Reached& each) {
    return fmt::format("{}:{}", each.host, each.host_port);
}

// How likely it is the one that users reach.
int rank(const Reached& each, const std::optional<Front>& front) {
    if (front && each.port == front->port) return 3;  // of a pod, whose containers have their ports together
    return is_web_port(each.port) ? 2 : 1;
}

const Reached* url_of(const std::vector<Reached>& reached, const std::optional<Front>& front) {
    const bool any_subject = std::ranges::any_of(reached, &Reached::is_subject);
    const Reached* best = nullptr;
    for (const Reached& each : reached) {
        if (front && each.name == front->container && each.port == front->port) return &each;
        const bool may_be = each.is_subject || !any_subject;
        if (may_be && (best == nullptr || rank(each, front) > rank(*best, front))) best = &each;
    }
    return best;
}

}  // namespace

Variables command_variables(const std::vector<Reached>& reached, const std::optional<Front>& front,
                            const RunFacts& run) {
    Variables variables{{"ROGATE_RUN", std::to_string(run.id)}, {"ROGATE_RUN_KIND", run.kind}};
    for (const Reached& each : reached) {
        variables.insert_or_assign(variable_of(each.name, each.port), where(each));
        if (each.is_subject) variables.insert_or_assign(variable_of("subject", each.port), where(each));
    }
    if (const Reached* url = url_of(reached, front))
        variables.insert_or_assign("ROGATE_URL", "http://" + where(*url));
    return variables;
}

}  // namespace rogate::scenario
