#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/commands.hpp"
#include "cli/draft.hpp"
#include "cli/files.hpp"
#include "cli/given.hpp"
#include "cli/session.hpp"
#include "init/draft.hpp"
#include "spec/inputs.hpp"
#include "spec/live_container.hpp"
#include "spec/system.hpp"

namespace rogate::cli {

namespace fs = std::filesystem;

namespace {

// Where relative names in the scenario start.
std::string folder_of_output(const InitOptions& options) {
    std::error_code unused;
    return fs::absolute(options.output.empty() ? fs::path("x") : fs::path(options.output), unused)
        .lexically_normal()
        .parent_path()
        .string();
}

std::string seen_from(const std::string& folder, const std::string& file) {
    std::error_code unused;
    const fs::path path = fs::absolute(file, unused).lexically_normal();
    const fs::path relative = path.lexically_relative(folder);
    return relative.empty() ? path.string() : relative.string();
}

Result<System> system_of_container(const Global& global, const std::string& name) {
    std::optional<Result<Scenario>> made;
    EngineWork work;
    work.work = [&](engine::Client& client) -> engine::Task<> {
        auto inspect = co_await client.container_inspect_raw(name);
        if (!inspect)
            co_return fail(
                std::move(inspect.error()).with_context(fmt::format("reading container '{}'", name)));
        made = spec::with_container(spec::scenario_of_container(name), inspect->dump());
        co_return Result<>{};
    };
    const EngineOutcome outcome = with_engine(global, std::move(work));
    if (!outcome.result) return fail(Error(outcome.result.error()));
    if (!made) return fail(ErrorKind::cancelled, "interrupted");
    if (!*made) return fail(std::move(made->error()));
    return spec::system_of(**made);
}

Result<System> system_of_files(const InitOptions& options, const spec::Surroundings& surroundings) {
    for (const std::string& path : options.paths)
        if (path == "-")
            return fail(
                ErrorKind::usage,
                "init -: a scenario names its files, and the standard input has no name; save it to a "
                "file, and name that");
    auto inputs = spec::load_inputs(options.paths, surroundings, {{}, options.profiles});
    for (auto& input : inputs)
        if (!input) return fail(std::move(input.error()));
    if (inputs.size() != 1)
        return fail(ErrorKind::usage,
                    "init: the paths are several systems; name one Compose project, or manifests");
    if (!inputs.front()->own_exercise)
        return fail(ErrorKind::usage,
                    fmt::format("{}: it is a scenario already; name what it is about: a Compose file, "
                                "manifests, or --container NAME",
                                options.paths.front()));
    return std::move(inputs.front()->system);
}

Result<> check_not_refused(const System& system, const std::string& container) {
    std::string why;
    for (const NotRun& each : system.refused) {
        const bool its_own = each.container == container || container.starts_with(each.container + "/");
        if (its_own)
            for (const std::string& reason : each.why) why += (why.empty() ? "" : "\n") + reason;
    }
    return why.empty() ? Result<>{} : fail(ErrorKind::usage, std::move(why));
}

}  // namespace

Result<std::string> draft_scenario(const Global& global, const InitOptions& options) {
    auto surroundings = given_surroundings(options.without, {});
    if (!surroundings) return fail(std::move(surroundings.error()));
    auto system = options.container.empty() ? system_of_files(options, *surroundings)
                                            : system_of_container(global, options.container);
    if (!system) return fail(std::move(system.error()));
    const SystemContainer* container = init::subject_of(*system);
    if (!options.service.empty()) {
        if (auto fine = check_not_refused(*system, options.service); !fine)
            return fail(std::move(fine.error()));
        auto chosen = init::subject_of(*system, options.service);
        if (!chosen) return fail(std::move(chosen.error()));
        container = *chosen;
    }
    if (container == nullptr) {
        if (auto runnable = spec::check_runnable(*system); !runnable)
            return fail(std::move(runnable.error()));
        return fail(ErrorKind::usage, fmt::format("{}: there is no container in it", options.paths.front()));
    }
    if (auto fine = check_not_refused(*system, container->name); !fine) return fail(std::move(fine.error()));
    const std::string folder = folder_of_output(options);
    init::Draft draft;
    draft.command = options.container.empty() ? fmt::format("rogate init {}", fmt::join(options.paths, " "))
                                              : fmt::format("rogate init --container {}", options.container);
    for (const std::string& file : system->files) draft.files.push_back(seen_from(folder, file));
    std::error_code unused;
    if (options.container.empty())
        draft.folder = fs::absolute(system->files.front(), unused).lexically_normal().parent_path().string();
    draft.profiles = options.profiles;
    draft.left_out = options.without;
    std::string text = init::text_of(*system, *container, draft);
    // What is written is what `rogate run` takes.
    surroundings->folder = folder;
    surroundings->without.clear();
    const std::string name = options.output.empty() ? "scenario.yaml" : options.output;
    if (auto read = spec::parse_scenario(text, name, *surroundings); !read)
        return fail(std::move(read.error())
                        .with_context("a scenario of it would not be read; what it says of its own lines is "
                                      "about what would have been written"));
    return text;
}

int init_command(const Global& global, const InitOptions& options) {
    if (options.paths.empty() == options.container.empty())
        return report_error(
            {ErrorKind::usage,
             options.paths.empty()
                 ? "nothing to begin with; name a Compose file, manifests, or --container NAME"
                 : "--container and a PATH both name what the scenario is about; leave one out"});
    std::error_code unused;
    if (!options.output.empty() && !options.force && fs::exists(fs::symlink_status(options.output, unused)))
        return report_error(
            {ErrorKind::usage,
             fmt::format("{} is there already, and would be lost; name another file, or write "
                         "--force",
                         options.output)});
    auto text = draft_scenario(global, options);
    if (!text) return report_error(text.error());
    const Result<> written = options.output.empty() ? print(*text) : write_file(options.output, *text);
    return written ? 0 : report_error(written.error());
}

}  // namespace rogate::cli
