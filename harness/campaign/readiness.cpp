#include "campaign/readiness.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace rogate::campaign {

namespace {

Step check_of(Action action, std::string name) {
    Step check;
    check.action = std::move(action);
    check.name = std::move(name);
    return check;
}

}  // namespace

std::optional<std::uint16_t> tcp_port(const std::string& exposed) {
    const std::size_t slash = std::min(exposed.find('/'), exposed.size());
    if (slash != exposed.size() && exposed.substr(slash) != "/tcp") return std::nullopt;
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(exposed.data(), exposed.data() + slash, port);
    return error == std::errc() && end == exposed.data() + slash && port > 0 ? std::optional(port)
                                                                             : std::nullopt;
}

void derive_readiness(Subject& subject, Readiness& readiness, const engine::ImageInfo& image) {
    if (!readiness.derived) return;
    auto& checks = readiness.checks;
    const bool says_itself = subject.healthcheck && !subject.healthcheck->test.empty();
    const bool checked = says_itself ? subject.healthcheck->test.front() != "NONE" : image.has_healthcheck;
    // A cluster passes over the image's.
    if (checked && subject.origin.kind != Origin::Kind::kubernetes) {
        checks = {check_of(HealthAction{}, "healthcheck")};
        return;
    }
    if (!checks.empty() || subject.network_mode == "none") return;
    for (const std::string& exposed : image.exposed_ports)
        if (const auto number = tcp_port(exposed))
            checks.push_back(check_of(TcpAction{*number}, fmt::format("tcp {}", *number)));
    add_exposed_ports(subject, image);
}

void add_exposed_ports(Subject& subject, const engine::ImageInfo& image) {
    if (subject.network_mode == "none") return;
    for (const std::string& exposed : image.exposed_ports) {
        const auto number = tcp_port(exposed);
        if (!number) continue;
        const Port port{*number, "tcp"};
        if (std::ranges::find(subject.ports, port) == subject.ports.end()) subject.ports.push_back(port);
    }
}

namespace {

bool asks_for_health(const std::vector<Step>& steps) {
    return std::ranges::any_of(steps, [](const Step& step) {
        const std::vector<Step>* inside = steps_inside(step);
        return std::holds_alternative<HealthAction>(step.action) ||
               (inside != nullptr && asks_for_health(*inside));
    });
}

}  // namespace

std::vector<std::string> health_check_that_nobody_awaits(const Scenario& scenario,
                                                         const engine::ImageInfo& image) {
    const Subject& subject = scenario.subject;
    if (subject.origin.kind == Origin::Kind::kubernetes) return {};  // a cluster passes over it
    if (asks_for_health(scenario.readiness.checks) || asks_for_health(scenario.steps)) return {};
    const bool says_itself = subject.healthcheck && !subject.healthcheck->test.empty();
    std::vector<std::string> command = says_itself ? subject.healthcheck->test : image.health_test;
    if (command.empty() || (command.front() != "CMD" && command.front() != "CMD-SHELL")) return {};
    const bool by_shell = command.front() == "CMD-SHELL";
    command.erase(command.begin());
    if (by_shell) command.insert(command.begin(), image.shell.begin(), image.shell.end());
    return command;
}

void derive_readiness(Scenario& scenario, const engine::ImageInfo& image) {
    derive_readiness(scenario.subject, scenario.readiness, image);
}

Readiness without_ports(Readiness readiness, const std::set<std::uint16_t>& silent) {
    std::erase_if(readiness.checks, [&](const Step& check) {
        const auto* tcp = std::get_if<TcpAction>(&check.action);
        return tcp != nullptr && silent.contains(tcp->port);
    });
    return readiness;
}

std::chrono::milliseconds allowed_wait(const RunRecord& control, std::chrono::milliseconds most) {
    constexpr std::chrono::milliseconds least{15'000};
    constexpr double factor = 5;
    double taken_s = 0;
    for (const PhaseRecord& phase : control.phases) {
        if (phase.name.starts_with("step ") || phase.name == "shutdown") break;
        taken_s += phase.duration_s;
    }
    const std::chrono::milliseconds allowed(static_cast<std::int64_t>(factor * taken_s * 1000));
    return std::min(most, std::max(least, allowed));
}

}  // namespace rogate::campaign
