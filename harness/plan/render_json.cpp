#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <rogate/names.hpp>

#include "base/escape.hpp"
#include "plan/render.hpp"

namespace rogate::plan {

namespace {

using nlohmann::ordered_json;

template <class Range, class Make>
ordered_json list(const Range& range, const Make& make) {
    ordered_json made = ordered_json::array();
    for (const auto& each : range) made.push_back(make(each));
    return made;
}

ordered_json texts(const std::vector<std::string>& range) {
    return list(range, [](const std::string& each) { return escape_text(each); });
}

// null: the image's.
ordered_json optional_texts(const std::optional<std::vector<std::string>>& words) {
    return words ? texts(*words) : ordered_json(nullptr);
}

ordered_json optional_text(const std::optional<std::string>& text) {
    return text ? ordered_json(escape_text(*text)) : ordered_json(nullptr);
}

ordered_json place(const SourcePlace& at) {
    if (at.line == 0) return nullptr;
    return {{"file", escape_text(at.file)}, {"line", at.line}, {"column", at.column}};
}

ordered_json mount(const PlannedMount& each) {
    return {{"target", escape_text(each.target)},
            {"type", name_of(each.kind)},
            {"source", escape_text(each.source)},
            {"sub_path", escape_text(each.sub_path)},
            {"read_only", each.read_only},
            {"given", name_of(each.given)},
            {"empty_if_missing", each.made_if_missing},
            {"candidate", each.candidate},
            {"why_not", each.why_not},
            {"declared", place(each.declared)}};
}

// What the file does not say and the image does, so that only an engine can tell.
ordered_json of_the_image(const SystemContainer& container) {
    const Subject& subject = container.subject;
    ordered_json fields = ordered_json::array();
    if (!subject.entrypoint) fields.push_back("entrypoint");
    if (!subject.command && !subject.entrypoint) fields.push_back("command");
    if (!subject.user) fields.push_back("user");
    if (!subject.working_dir) fields.push_back("working_dir");
    if (!subject.stop_signal) fields.push_back("stop_signal");
    if (container.readiness.derived && container.readiness.checks.empty()) fields.push_back("ready");
    fields.push_back("volumes");
    return fields;
}

// Names of arguments, not their values, which may be secrets.
ordered_json built(const Subject& subject) {
    const ImageBuild& build = subject.built->build;
    ordered_json made = {{"other_name", escape_text(subject.built->other_name)},
                         {"declared", place(subject.built->declared)},
                         {"from", escape_text(build.shown)},
                         {"context", escape_text(build.context)},
                         {"remote", build.is_remote}};
    made["dockerfile"] = !build.inline_dockerfile.empty() ? ordered_json(nullptr)
                         : build.dockerfile.empty()       ? ordered_json("Dockerfile")
                                                          : ordered_json(escape_text(build.dockerfile));
    made["target"] = escape_text(build.target);
    made["platform"] = escape_text(build.platform);
    made["args"] = list(subject.build_args, [](const auto& each) { return escape_text(each.first); });
    made["always"] = build.always;
    made["needs_compose"] =
        list(build.beyond_the_api, [](const auto& each) { return escape_text(each.first); });
    return made;
}

ordered_json container_of(const Plan& plan, const SystemContainer& container) {
    const Subject& subject = container.subject;
    ordered_json made;
    made["name"] = escape_text(container.name);
    made["pod"] = container.pod.empty() ? ordered_json(nullptr) : ordered_json(escape_text(container.pod));
    made["role"] = name_of(container.role);
    made["ends"] = container.ends;
    made["declared"] = place(container.declared);
    made["image"] = escape_text(subject.image);
    made["built"] = subject.built ? built(subject) : ordered_json(nullptr);
    made["entrypoint"] = optional_texts(subject.entrypoint);
    made["command"] = optional_texts(subject.command);
    made["user"] = optional_text(subject.user);
    made["working_dir"] = optional_text(subject.working_dir);
    made["hostname"] = optional_text(subject.hostname);
    made["stop_signal"] = optional_text(subject.stop_signal);
    made["environment"] = list(subject.environment, [](const auto& each) { return escape_text(each.first); });
    made["unset_environment"] = texts(subject.unset_environment);
    made["ports"] = list(
        subject.ports, [](const Port& port) { return fmt::format("{}/{}", port.container, port.protocol); });
    made["networks"] = texts(container.networks);
    made["network_mode"] = escape_text(subject.network_mode);
    made["aliases"] = texts(subject.aliases);
    made["restart"] = {{"policy", container.restart.name.empty() ? "no" : container.restart.name},
                       {"tries", container.restart.tries}};
    made["privileged"] = subject.privileged;
    made["runtime"] = escape_text(subject.runtime);
    made["read_only"] = subject.read_only_rootfs;
    made["stop_grace_ms"] = container.grace_ms;
    made["waits_for"] = list(container.after, [](const Dependency& each) {
        return ordered_json{{"container", escape_text(each.service)},
                            {"until", name_of(each.condition)},
                            {"required", each.required}};
    });
    made["ready"] = {
        {"derived", container.readiness.derived},
        {"checks", list(container.readiness.checks, [](const Step& each) { return escape_text(each.name); })},
        {"timeout_ms", container.readiness.timeout_ms}};
    made["without_effect"] = texts(container.without_effect);
    made["mounts"] = ordered_json::array();
    for (const PlannedMount& each : plan.mounts)
        if (each.container == container.name) made["mounts"].push_back(mount(each));
    made["of_the_image"] = of_the_image(container);
    return made;
}

ordered_json data_of(const SystemData& data) {
    return {{"type", name_of(data.kind)},
            {"source", escape_text(data.source)},
            {"pod", data.pod.empty() ? ordered_json(nullptr) : ordered_json(escape_text(data.pod))},
            {"places", list(data.places, [](const DataPlace& each) {
                 return ordered_json{{"container", escape_text(each.container)},
                                     {"target", escape_text(each.target)},
                                     {"sub_path", escape_text(each.sub_path)},
                                     {"read_only", each.read_only}};
             })}};
}

ordered_json not_run(const NotRun& each) {
    return {{"container", escape_text(each.container)}, {"why", texts(each.why)}};
}

ordered_json plan_of_one(const Plan& plan) {
    const System& system = plan.system;
    ordered_json made;
    made["name"] = escape_text(system.name);
    made["from"] = rogate::to_string(system.kind);
    made["files"] = texts(system.files);
    made["containers"] =
        list(system.containers, [&](const SystemContainer& each) { return container_of(plan, each); });
    made["data"] = list(system.data, data_of);
    made["pods"] = list(system.pods, [](const SystemPod& each) {
        return ordered_json{{"name", escape_text(each.name)}, {"names", texts(each.names)}};
    });
    made["networks"] = list(system.networks, [](const SystemNetwork& each) {
        return ordered_json{{"name", escape_text(each.name)},
                            {"engine_name", escape_text(each.engine_name)},
                            {"external", each.external},
                            {"internal", each.internal}};
    });
    made["campaigns"] = list(plan.trials, [](const Trial& each) {
        return ordered_json{
            {"name", escape_text(each.name)},
            {"container", escape_text(each.container)},
            {"candidates", texts(each.candidates)},
            {"steps", each.steps},
            {"states", each.states},
            {"runs", {{"least", each.least_runs}, {"if_all_are_written", each.runs_if_all_are_written}}}};
    });
    made["reaches"] = list(plan.reach, [](const Reach& each) {
        return ordered_json{{"kind", name_of(each.kind)},
                            {"container", each.container.empty() ? ordered_json(nullptr)
                                                                 : ordered_json(escape_text(each.container))},
                            {"what", escape_text(each.what)},
                            {"through", escape_text(each.through)},
                            {"reached", each.reached},
                            {"declared", place(each.declared)}};
    });
    made["refused"] = list(system.refused, not_run);
    made["left_out"] = list(system.left_out, not_run);
    made["notes"] = texts(system.notes);
    return made;
}

}  // namespace

std::string render_json(const std::vector<Plan>& plans) {
    const ordered_json whole = {{"schema", "rogate.plan/1"}, {"plans", list(plans, plan_of_one)}};
    return whole.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace rogate::plan
