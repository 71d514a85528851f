#include "audit/audit.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <rogate/labels.hpp>

#include "audit/render.hpp"
#include "cli/audit_files.hpp"
#include "cli/commands.hpp"
#include "cli/draft.hpp"
#include "cli/files.hpp"
#include "cli/session.hpp"

namespace rogate::cli {

namespace {

// Every running container but rogate's own.
engine::Task<> read_running(engine::Client& client, audit::Audit& audit) {
    auto containers = co_await client.container_list("");
    if (!containers) co_return fail(std::move(containers.error()));
    for (const engine::ContainerSummary& each : *containers) {
        if (each.state != "running" || each.labels.contains(session_label)) continue;
        auto inspected = co_await client.container_inspect_raw(each.id);
        ++audit.files;
        if (!inspected && inspected.error().kind == ErrorKind::not_found) continue;  // it has ended meanwhile
        if (!inspected)
            audit.troubles.push_back({each.name, inspected.error().message});
        else
            audit::read_container(*inspected, audit);
    }
    co_return Result<>{};
}

// One for each service and container, as `rogate init` writes it. What no scenario can be made of is told,
// and the others go on.
Result<> write_scenarios(const Global& global, const std::string& folder, const audit::Audit& audit) {
    const auto files = audit::startable(audit);
    std::error_code unused;
    for (const auto& [name, about] : files)
        if (std::filesystem::exists(folder + "/" + name, unused))
            return fail(
                ErrorKind::usage,
                fmt::format("{}/{} is there already, and would be lost; name another folder", folder, name));
    if (Result<> made = make_folder(folder); !made) return made;
    std::size_t written = 0;
    for (const auto& [name, about] : files) {
        InitOptions options;
        options.output = folder + "/" + name;
        if (about.file.empty()) {
            options.container = about.name;
        } else {
            options.paths = {about.file};
            options.service = about.name;
        }
        auto text = draft_scenario(global, options);
        if (!text) {
            std::fputs(
                fmt::format("rogate: no scenario for {}: {}\n", about.name, text.error().message).c_str(),
                stderr);
            continue;
        }
        if (Result<> done = write_file(options.output, *text); !done) return done;
        ++written;
    }
    std::fputs(
        fmt::format("rogate: {} {} begun in {}\n", written, written == 1 ? "scenario" : "scenarios", folder)
            .c_str(),
        stderr);
    return {};
}

}  // namespace

int audit_command(const Global& global, const AuditOptions& options) {
    if (options.paths.empty() && !options.running)
        return report_error(
            {ErrorKind::usage, "nothing to audit; name files or folders, or write --running"});
    audit::Audit audit;
    for (const std::string& path : options.paths) read_tree(path, audit);
    if (options.running) {
        EngineWork work;
        work.work = [&](engine::Client& client) { return read_running(client, audit); };
        if (const int code = report_outcome(with_engine(global, std::move(work))); code != 0) return code;
    }
    audit::classify(audit);
    for (const audit::Trouble& trouble : audit.troubles)
        std::fputs(fmt::format("rogate: {}\n", trouble.message).c_str(), stderr);
    const std::string text = options.format == "json"       ? audit::render_json(audit)
                             : options.format == "markdown" ? audit::render_markdown(audit)
                             : options.format == "sarif"    ? audit::render_sarif(audit)
                                                            : audit::render_table(audit);
    std::fputs(text.c_str(), stdout);
    if (!options.init.empty())
        if (const Result<> written = write_scenarios(global, options.init, audit); !written)
            return report_error(written.error());
    return audit.mounts.empty() && !audit.troubles.empty() ? exit_code(ErrorKind::usage) : 0;
}

}  // namespace rogate::cli
