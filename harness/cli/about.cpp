#include "cli/about.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <rogate/labels.hpp>

#include "audit/audit.hpp"
#include "cli/audit_files.hpp"
#include "cli/files.hpp"
#include "cli/session.hpp"
#include "cli/version.hpp"
#include "cmdline/complete.hpp"
#include "cmdline/manual_page.hpp"
#include "cmdline/topics.hpp"

namespace rogate::cli {

namespace {

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
    return app.get_subcommands([](const CLI::App* each) { return !each->get_group().empty(); });
}

// Whoever presses the tabulator does not wait for an engine that is away.
constexpr double patience_s = 2;

std::vector<std::string> running_containers(Global global) {
    std::vector<std::string> names;
    global.engine_timeout_s = patience_s;
    EngineWork work;
    work.work = [&](engine::Client& client) -> engine::Task<> {
        auto containers = co_await client.container_list("");
        if (!containers) co_return fail(std::move(containers.error()));
        for (const engine::ContainerSummary& each : *containers)
            // The engine's names begin with a slash.
            if (each.state == "running" && !each.labels.contains(session_label))
                names.push_back(each.name.substr(each.name.starts_with('/') ? 1 : 0));
        co_return Result<>{};
    };
    const EngineOutcome outcome = with_engine(global, std::move(work));
    return outcome.result ? names : std::vector<std::string>{};
}

std::vector<std::string> services_in(std::vector<std::string> files) {
    std::error_code unused;
    if (files.empty())
        for (const char* name : {"compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"})
            if (std::filesystem::exists(name, unused)) files = {name};
    audit::Audit audit;
    for (const std::string& file : files)
        if (!std::filesystem::is_directory(file, unused)) read_tree(file, audit);
    std::vector<std::string> names;
    for (const audit::Found& each : audit.mounts)
        if (each.kind == "compose" && std::find(names.begin(), names.end(), each.name) == names.end())
            names.push_back(each.name);
    return names;
}

std::vector<std::string> help_topics(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::App* each : commands_of(app)) names.push_back(each->get_name());
    for (const cmdline::Topic& each : cmdline::topics()) names.emplace_back(each.name);
    return names;
}

int write_pages(const CLI::App& app, const std::string& folder) {
    const cmdline::PageFacts facts{version(), version_date()};
    const auto write = [&](const std::string& name, const CLI::App* command) {
        return write_file(folder + "/" + name, cmdline::manual_page(app, command, facts));
    };
    if (auto made = make_folder(folder); !made) return report_error(made.error());
    if (auto written = write("rogate.1", nullptr); !written) return report_error(written.error());
    for (const CLI::App* each : commands_of(app))
        if (auto written = write(fmt::format("rogate-{}.1", each->get_name()), each); !written)
            return report_error(written.error());
    return 0;
}

}  // namespace

int help_command(const CLI::App& app, const HelpOptions& options) {
    if (!options.man_pages.empty()) return write_pages(app, options.man_pages);
    if (options.topic.empty()) {
        // App::help() would give the help of the command that was parsed, which is this one.
        std::string text = app.get_formatter()->make_help(&app, app.get_name(), CLI::AppFormatMode::Normal) +
                           "\nTopics for `rogate help TOPIC`: a command, or";
        for (const cmdline::Topic& each : cmdline::topics())
            text += fmt::format("{} {}", &each == cmdline::topics().data() ? "" : ",", each.name);
        std::puts(text.c_str());
        return 0;
    }
    for (const CLI::App* each : commands_of(app))
        if (each->get_name() == options.topic) {
            std::fputs(each->help().c_str(), stdout);
            return 0;
        }
    if (const cmdline::Topic* topic = cmdline::find_topic(options.topic)) {
        std::fputs(cmdline::topic_text(*topic).c_str(), stdout);
        return 0;
    }
    std::string there;
    for (const std::string& each : help_topics(app)) there += (there.empty() ? "" : ", ") + each;
    return report_error(
        {ErrorKind::usage, fmt::format("there is no help on '{}'; there is on: {}", options.topic, there)});
}

int completion_command(const CompletionOptions& options) {
    std::fputs(cmdline::completion_script(options.shell).c_str(), stdout);
    return 0;
}

int complete_command(const CLI::App& app, const Global& global, const std::vector<std::string>& words) {
    const cmdline::Completion found = cmdline::complete(
        app, words,
        {.containers = [&] { return running_containers(global); },
         .services = [](const std::vector<std::string>& files) { return services_in(files); },
         .topics = [&] { return help_topics(app); }});
    for (const std::string& each : found.words) std::puts(each.c_str());
    if (found.files) std::puts(":files");
    return 0;
}

}  // namespace rogate::cli
