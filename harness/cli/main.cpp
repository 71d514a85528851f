#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/commands.hpp"

int main(int argc, char** argv) {
    using namespace rogate::cli;
    CLI::App app{"Asks an application which of its mounts it really has to write."};
    app.name("rogate");
    app.set_version_flag("--version", std::string("rogate " ROGATE_VERSION));
    app.require_subcommand(1);
    app.footer(
        "Exit codes: 0 all as asked, 1 a scenario says no, 2 usage or input error,\n"
        "3 engine or infrastructure failure, 4 inconclusive, 130/143 interrupted.");

    Global global;
    app.add_option(
        "-H,--host", global.host,
        "Engine to use: unix://PATH or tcp://HOST:PORT (default: DOCKER_HOST, the docker context)");
    app.add_option("--color", global.colour, "auto, always or never (NO_COLOR is honoured)")
        ->check(CLI::IsMember({"auto", "always", "never"}));

    RunOptions run;
    CLI::App* run_app = app.add_subcommand("run", "Settle every candidate mount of a scenario");
    run_app
        ->add_option("SCENARIO", run.scenarios,
                     "Scenario or Compose files, folders with one, or - for the standard input")
        ->required();
    run_app->add_option("--service", run.service, "Of a Compose file: the service under test");
    run_app->add_option("--profile", run.profiles, "Of a Compose file: a profile to turn on (repeatable)");
    run_app->add_option("-o,--out", run.out, "Write result.json into this folder (made if missing)");
    run_app->add_flag("-q,--quiet", run.quiet, "No progress, only the result");
    run_app
        ->add_option("--ring-bytes", run.ring_bytes,
                     "Size of the observer's ring buffer: a power of two, 4096 at least (default 16 MiB)")
        ->check([](const std::string& text) {
            const auto n = std::strtoull(text.c_str(), nullptr, 10);
            return n >= 4096 && n <= (1ULL << 30U) && (n & (n - 1)) == 0
                       ? std::string()
                       : "must be a power of two from 4096 to 1073741824";
        });

    CleanOptions clean;
    CLI::App* clean_app = app.add_subcommand("clean", "Remove what an interrupted run left on the engine");
    clean_app->add_flag("-n,--dry-run", clean.dry_run, "Only say what would be removed");
    clean_app->add_option("--session", clean.session,
                          "Only what this session made (default: every session's)");

    std::string result_file, format = "terminal";
    CLI::App* report_app = app.add_subcommand("report", "Render a result.json again");
    report_app->add_option("RESULT", result_file, "result.json")->required();
    report_app->add_option("-f,--format", format, "terminal or json")
        ->check(CLI::IsMember({"terminal", "json"}));

    CLI::App* doctor_app = app.add_subcommand("doctor", "Say whether this engine and kernel can do it");

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        const int code = app.exit(error);
        return code == 0 ? 0 : 2;
    }
    if (*run_app) return run_command(global, run);
    if (*clean_app) return clean_command(global, clean);
    if (*report_app) return report_command(global, result_file, format);
    if (*doctor_app) return doctor_command(global);
    return 2;
}
