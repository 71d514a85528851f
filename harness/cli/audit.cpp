#include "audit/audit.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <rogate/labels.hpp>

#include "audit/render.hpp"
#include "cli/audit_files.hpp"
#include "cli/commands.hpp"
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

Result<> write_skeletons(const std::string& folder, const audit::Audit& audit) {
    const auto files = audit::skeletons(audit, folder);
    std::error_code unused;
    for (const auto& [name, text] : files)
        if (std::filesystem::exists(folder + "/" + name, unused))
            return fail(
                ErrorKind::usage,
                fmt::format("{}/{} is there already, and would be lost; name another folder", folder, name));
    if (Result<> made = make_folder(folder); !made) return made;
    for (const auto& [name, text] : files)
        if (Result<> written = write_file(folder + "/" + name, text); !written) return written;
    std::fputs(fmt::format("rogate: {} {} begun in {}\n", files.size(),
                           files.size() == 1 ? "scenario" : "scenarios", folder)
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
        if (const Result<> written = write_skeletons(options.init, audit); !written)
            return report_error(written.error());
    return audit.mounts.empty() && !audit.troubles.empty() ? exit_code(ErrorKind::usage) : 0;
}

}  // namespace rogate::cli
