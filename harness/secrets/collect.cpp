#include "secrets/collect.hpp"

#include <algorithm>

#include "secrets/forms.hpp"
#include "secrets/names.hpp"
#include "secrets/text.hpp"

namespace rogate::secrets {

namespace {

using Variables = std::map<std::string, std::string>;

class Collector {
  public:
    explicit Collector(const Scenario& scenario) : scenario_(scenario) {}

    void environment(const Variables& variables) {
        for (const auto& [name, value] : variables) find_in_value(name, value, found_);
    }
    void named(const Variables& variables) {
        Secrets all;
        for (const auto& [name, value] : variables) find_in_value(name, value, all);
        std::erase_if(all, [](const auto& each) { return each.second != SecretKind::secret; });
        add_secrets(found_, all);
    }
    void command(const std::vector<std::string>& words) { find_in_command(words, found_); }
    void command(const std::optional<std::vector<std::string>>& words) {
        if (words) command(*words);
    }
    void text(const std::string& text) { find_in_text(text, found_); }
    void secret(const std::string& content) { find_in_secret(content, found_); }
    void step(const Step& step);
    void subject(const Subject& subject);
    void scenario();

    Secrets take();

  private:
    void headers(const Variables& headers) {
        for (const auto& [name, value] : headers) {
            if (is_credential_name(name) || name == "Cookie" || name == "cookie")
                find_in_header(value, found_);
            text(value);
        }
    }
    bool in_the_open(const std::string& value) const;

    const Scenario& scenario_;
    Secrets found_;
};

void Collector::step(const Step& step) {
    if (const auto* exec = std::get_if<ExecAction>(&step.action)) {
        environment(exec->environment);
        command(exec->command);
        text(exec->stdin_text);
    }
    if (const auto* driver = std::get_if<RunContainerAction>(&step.action)) {
        environment(driver->environment);
        command(driver->command);
        command(driver->entrypoint);
        for (const Load& load : driver->files) text(load.text);
    }
    if (const auto* host = std::get_if<CommandAction>(&step.action)) {
        environment(host->environment);
        command(host->command);
    }
    if (const auto* copy = std::get_if<CopyAction>(&step.action)) text(copy->load.text);
    if (const auto* http = std::get_if<HttpAction>(&step.action)) {
        headers(http->headers);
        text(http->path);
        text(http->body);
        for (const FormField& field : http->form) {
            if (is_credential_name(field.name)) find_in_value(field.name, field.content, found_);
            text(field.content);
        }
    }
    if (step.skip_if) {
        command(step.skip_if->command);
        named(step.skip_if->variables);
    }
    if (const auto* inside = steps_inside(step))
        for (const Step& each : *inside) this->step(each);
}

void Collector::subject(const Subject& subject) {
    environment(subject.environment);
    for (const std::string& content : subject.secrets) secret(content);
    environment(subject.build_args);
    for (const SeedFile& file : subject.files) {
        add_secret(found_, file.content, SecretKind::environment);
        text(file.content);
    }
    command(subject.entrypoint);
    command(subject.command);
    // As one: the program may be in the entrypoint and its arguments in the command.
    if (subject.entrypoint && subject.command) {
        std::vector<std::string> whole = *subject.entrypoint;
        whole.insert(whole.end(), subject.command->begin(), subject.command->end());
        command(whole);
    }
    if (subject.healthcheck) command(subject.healthcheck->test);
}

void Collector::scenario() {
    for (const std::string& content : scenario_.pod.secrets) secret(content);
    subject(scenario_.subject);
    for (const Companion& companion : scenario_.companions) subject(companion.subject);
    for (const Member& member : scenario_.members) {
        subject(member.subject);
        for (const Step& each : member.readiness.checks) step(each);
    }
    for (const PodContainer& container : scenario_.pod.containers) subject(container.subject);
    for (const PodVolume& volume : scenario_.pod.volumes)
        for (const PodFile& file : volume.files) text(file.content);
    for (const auto& [name, probes] : scenario_.probes_beside)
        for (const std::optional<Step>& probe : {probes.startup, probes.readiness})
            if (probe) step(*probe);
    for (const Step& each : scenario_.readiness.checks) step(each);
    for (const Step& each : scenario_.steps) step(each);
    named(scenario_.variables);
}

bool holds(const Subject& subject, const std::string& value) {
    const auto holds = [&](const std::string& text) { return text.find(value) != std::string::npos; };
    // A path on a mount is where the application's data lie, no secret:
    // PGDATA=/var/lib/postgresql/data/pgdata.
    const auto on_mount = [&](const Mount& mount) {
        return holds(mount.target) || holds(mount.source) ||
               (mount.target.size() > 1 && value.starts_with(mount.target + "/"));
    };
    return holds(subject.image) || std::ranges::any_of(subject.mounts, on_mount);
}

bool Collector::in_the_open(const std::string& value) const {
    if (scenario_.name.find(value) != std::string::npos || holds(scenario_.subject, value)) return true;
    return std::ranges::any_of(scenario_.companions,
                               [&](const Companion& each) { return holds(each.subject, value); }) ||
           std::ranges::any_of(scenario_.members,
                               [&](const Member& each) { return holds(each.subject, value); }) ||
           std::ranges::any_of(scenario_.pod.containers,
                               [&](const PodContainer& each) { return holds(each.subject, value); });
}

// Passwords that are directories of every system: to hide them would hide where anything lies.
bool is_a_well_known_folder(std::string_view text) {
    constexpr std::string_view folders[] = {"root",   "home",   "data",   "config",      "cache", "logs",
                                            "local",  "share",  "proc",   "media",       "boot",  "sbin",
                                            "backup", "public", "upload", "uploads",     "lock",  "spool",
                                            "conf",   "init",   "server", "application", "usr",   "html"};
    return std::ranges::find(folders, text) != std::end(folders);
}

Secrets Collector::take() {
    std::erase_if(found_, [&](const auto& each) { return in_the_open(each.first); });
    for (auto& [text, kind] : found_)
        if (is_a_well_known_folder(text)) kind = SecretKind::environment;
    Secrets all = with_forms(found_);
    std::erase_if(all, [&](const auto& each) { return in_the_open(each.first); });
    return all;
}

}  // namespace

Secrets of_scenario(const Scenario& scenario) {
    Collector collector(scenario);
    collector.scenario();
    return collector.take();
}

Secrets of_pods(const Pods& pods, const Scenario& scenario) {
    Collector collector(scenario);
    for (const SystemPod& pod : pods.pods) {
        for (const std::string& content : pod.secrets) collector.secret(content);
        for (const PodVolume& volume : pod.volumes)
            for (const PodFile& file : volume.files) collector.text(file.content);
    }
    for (const auto& [name, member] : pods.members)
        if (member.started_up) collector.step(*member.started_up);
    return collector.take();
}

Secrets of_step(const Step& step, const Scenario& scenario) {
    Collector collector(scenario);
    collector.step(step);
    return collector.take();
}

Secrets of_variables(const std::map<std::string, std::string>& variables, const Scenario& scenario) {
    Collector collector(scenario);
    collector.named(variables);
    return collector.take();
}

Secrets of_image(const std::vector<std::string>& environment, const Scenario& scenario) {
    Variables variables;
    for (const std::string& each : environment)
        if (const std::size_t equals = each.find('='); equals != std::string::npos)
            variables.insert_or_assign(each.substr(0, equals), each.substr(equals + 1));
    Collector collector(scenario);
    collector.named(variables);
    return collector.take();
}

}  // namespace rogate::secrets
