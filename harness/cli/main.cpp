#include <fmt/format.h>
#include <nss.h>

#include <CLI/CLI.hpp>

#include "cli/about.hpp"
#include "cli/commands.hpp"
#include "cli/config.hpp"
#include "cli/session.hpp"
#include "cli/version.hpp"
#include "cmdline/plugin.hpp"
#include "report/formats.hpp"
#include "spec/notations.hpp"

namespace {

// As `docker rogate`, docker's own options come first.
rogate::Result<std::vector<std::string>> arguments_of(const std::string& program,
                                                      std::vector<std::string> words) {
    if (!rogate::cmdline::is_plugin_name(program)) return words;
    auto call = rogate::cmdline::read_plugin_call(words);
    if (!call) return rogate::fail(std::move(call.error()));
    for (const auto& [name, value] : call->environment) setenv(name.c_str(), value.c_str(), 1);
    return std::move(call->arguments);
}

// The C library looks names up by modules that it loads, and a static program has no business with those of
// another C library. These two are part of it (glibc 2.34).
void look_names_up_without_modules() {
#ifdef ROGATE_STATIC
    __nss_configure_lookup("hosts", "files dns");
#endif
}

}  // namespace

int main(int argc, char** argv) {
    using namespace rogate::cli;
    look_names_up_without_modules();
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (rogate::cmdline::is_plugin_name(argv[0]) &&
        words == std::vector<std::string>{"docker-cli-plugin-metadata"}) {
        std::fputs(rogate::cmdline::plugin_metadata(version()).c_str(), stdout);
        return 0;
    }
    auto arguments = arguments_of(argv[0], words);
    if (!arguments) return report_error(arguments.error());

    CLI::App app{"Asks an application which of its mounts it really has to write."};
    app.name("rogate");
    app.set_version_flag("--version", version_text());
    app.require_subcommand(0, 1);
    app.footer(
        "Exit codes: 0 all as asked, 1 the gate or a scenario says no, 2 usage or input error,\n"
        "3 engine or infrastructure failure, 4 inconclusive, 130/143 interrupted.");

    Global global;
    // Else the words that follow would be taken for more of them.
    const auto one_at_a_time = [](CLI::Option* option) { option->allow_extra_args(false); };
    one_at_a_time(app.add_option(
        "-H,--host", global.hosts,
        "Engine to use: unix://PATH, tcp://HOST:PORT or ssh://[USER@]HOST (default: DOCKER_HOST, "
        "the docker context); repeatable for `run`, which shares its scenarios among them"));
    app.add_option("-c,--context", global.context,
                   "Docker context whose engine to use, whatever DOCKER_HOST says");
    app.add_option("--color", global.colour, "auto, always or never (NO_COLOR is honoured)")
        ->check(CLI::IsMember({"auto", "always", "never"}));

    app.add_option(
           "--engine-timeout", global.engine_timeout_s,
           "Seconds that an ordinary call to the engine may take (default 60; longer ones get more in "
           "proportion)")
        ->check(CLI::Range(0.1, 3600.0));

    RunOptions run;
    CLI::App* run_app = app.add_subcommand(
        "run", "Settle every candidate mount of a scenario, a Compose project or Kubernetes manifests");
    run_app->add_option("PATH", run.scenarios,
                        "Scenarios, Compose files, manifests, folders with one of them, or - for the "
                        "standard input");
    run_app->add_option("--container", run.container,
                        "Clone this container as the subject, leaving it alone; without PATH: start it, see "
                        "it ready, stop it");
    run_app->add_option("--since", run.since,
                        "Settle only the mounts that files of this git repository made read-only since this "
                        "revision; they are writable in the control run, as they were");
    run_app->add_flag(
        "--open-up", run.open_up,
        "Where the control run fails and writes were refused on mounts that you have read-only: "
        "make these writable in the control run, and settle them like any other");
    one_at_a_time(run_app->add_option(
        "--settings", run.settings,
        "A file of settings that remove writes, tried beside those that rogate knows where they match "
        "what is written (repeatable)"));
    run_app->add_flag("--no-settings", run.no_settings,
                      "Try no settings of the application or its runtime: take the configuration as it is");
    one_at_a_time(
        run_app->add_option("--test", run.tests,
                            "A command of yours that tests the system, for the shell of this machine "
                            "(repeatable). ROGATE_URL and "
                            "ROGATE_<SERVICE>_<PORT> tell it where that is; its exit code decides"));
    run_app->add_option("--test-directory", run.test_directory, "Where --test runs (default: here)");
    one_at_a_time(run_app->add_option("--junit", run.junit,
                                      "JUnit files that --test writes, as a pattern ('results/*.xml'), so "
                                      "that verdicts name the tests that "
                                      "fail (repeatable)"));
    one_at_a_time(run_app->add_option(
        "--known-failures", run.known_failures,
        "FILE|NAME: tests whose failure counts for nothing, by name or by a file with one in each line "
        "(repeatable)"));
    std::string test_timeout;
    run_app->add_option("--test-timeout", test_timeout, "How long each --test may take (default 10m)")
        ->check([&run](const std::string& text) {
            const auto parsed = rogate::spec::parse_duration(text);
            if (!parsed) return parsed.error();
            if (*parsed <= 0) return std::string("must be more than nothing");
            run.test_timeout = std::chrono::milliseconds(*parsed);
            return std::string();
        });
    std::string soak;
    run_app
        ->add_option(
            "--soak", soak,
            "How long rogate's own exercise lets each container run for its timers: 60s (default 10s)")
        ->check([&run](const std::string& text) {
            const auto parsed = rogate::spec::parse_duration(text);
            if (!parsed) return parsed.error();
            run.soak = std::chrono::milliseconds(*parsed);
            return std::string();
        });
    run_app->add_flag("--capabilities", run.capabilities,
                      "Settle as well which capabilities the subject can do without, and whether it "
                      "runs with no-new-privileges");
    run_app->add_flag("--allow-commands", run.allow_commands,
                      "Let the steps of scenario files run commands on this machine");
    const auto add_reading = [&](CLI::App* to, auto& options) {
        one_at_a_time(to->add_option(
            "--service", options.services,
            "Only this service of a Compose file, or this workload or WORKLOAD/CONTAINER of manifests "
            "(repeatable; default: all)"));
        one_at_a_time(to->add_option("--profile", options.profiles,
                                     "Of a Compose file: a profile to turn on (repeatable)"));
        one_at_a_time(to->add_option(
            "--candidate", options.candidates,
            "Try only this mount: /TARGET of each container that has it, or CONTAINER:/TARGET (repeatable; "
            "default: every writable mount)"));
        to->add_option(
              "--without", options.without,
              "Leave out what the runs cannot have and would be refused: keys of Compose services (devices, "
              "pid, network_mode, …) and fields of pods (hostNetwork, …), with commas between them")
            ->delimiter(',');
        one_at_a_time(to->add_option("--set", options.variables,
                                     "NAME=VALUE: variable of the scenarios, before their own 'vars' "
                                     "(repeatable)"));
        to->add_flag(
            "--one-by-one", options.one_by_one,
            "Settle each service of a Compose project by a campaign of its own (default: one campaign "
            "settles all of them)");
        to->add_flag("--rootfs", options.rootfs,
                     "Try / of each container, too (default: only where a scenario's candidates name it)");
        to->add_flag(
            "--offline", options.offline,
            "The runs' network reaches nothing outside of it; http and tcp steps go through a relay");
    };
    add_reading(run_app, run);
    one_at_a_time(run_app->add_option("--only", run.only,
                                      "Only scenarios whose name matches this pattern (*, ?; repeatable)"));
    run_app->add_option("--shard", run.shard,
                        "I/N: of N parts of the scenarios only the I-th; `rogate merge` joins their results");
    run_app
        ->add_option("--repeat", run.repeat,
                     "Try each run this often; tries that end differently are inconclusive (default 1)")
        ->check(CLI::Range(1, 100));
    run_app
        ->add_option("--max-runs", run.max_runs,
                     "Make no more runs than this, of all scenarios together; what is not settled by then is "
                     "inconclusive (default: as many as it takes)")
        ->check(CLI::Range(1, 1'000'000));
    CLI::Option* build = run_app->add_flag("--build", run.build,
                                           "Build the images of services with 'build', also where there are "
                                           "some (default: only where the engine "
                                           "has none)");
    run_app
        ->add_flag("--no-build", run.no_build,
                   "Build nothing: what `docker compose build` made has to be there")
        ->excludes(build);
    run_app->add_flag("--pull", run.pull,
                      "Pull images, and those that builds begin with, though the engine has them");
    run_app->add_flag("--keep-images", run.keep_images,
                      "Leave the images that were built on the engine, and say their names");
    std::string max_time;
    run_app
        ->add_option("--max-time", max_time,
                     "30s, 10m, 2h: end the run that is under way when so much time has passed; what is not "
                     "settled by then is inconclusive (default: as long as it takes)")
        ->check([&run](const std::string& text) {
            const auto parsed = rogate::spec::parse_duration(text);
            if (!parsed) return parsed.error();
            if (*parsed <= 0) return std::string("must be more than nothing");
            run.max_time = std::chrono::milliseconds(*parsed);
            return std::string();
        });
    run_app->add_option("-j,--jobs", run.jobs, "Run this many scenarios at a time on each engine (default 1)")
        ->check(CLI::Range(1, 64));
    run_app->add_option(
        "-o,--out", run.out,
        "Write result.json, report.html, report.md, junit.xml, results.sarif and write-requirements.md "
        "into this folder (made if missing)");
    run_app->add_option("--summary", run.summary,
                        "Append the Markdown report to this file, for example \"$GITHUB_STEP_SUMMARY\"");
    run_app->add_flag("-q,--quiet", run.quiet, "No progress, only the result");
    const auto add_ring_size = [](CLI::App* to, std::size_t& bytes) {
        to->add_option("--ring-bytes", bytes,
                       "Size of the observer's ring buffer: a power of two, 4096 at least (default 16 MiB)")
            ->check([](const std::string& text) {
                const auto n = std::strtoull(text.c_str(), nullptr, 10);
                return n >= 4096 && n <= (1ULL << 30U) && (n & (n - 1)) == 0
                           ? std::string()
                           : "must be a power of two from 4096 to 1073741824";
            });
    };
    add_ring_size(run_app, run.ring_bytes);

    run_app
        ->add_option(
            "--observer", run.observer,
            "What watches the writes: auto (ebpf, else ptrace), ebpf, ptrace, or none (then no mount "
            "is called safe)")
        ->check(CLI::IsMember({"auto", "ebpf", "ptrace", "none"}));
    run_app
        ->add_option("--requests", run.requests,
                     "How http and tcp steps reach the subject: ports (published on the loopback of the "
                     "engine's host), relay (a container on the run's network, through the engine alone), or "
                     "auto (ports, unless the engine is on another host)")
        ->check(CLI::IsMember({"auto", "ports", "relay"}));
    run_app
        ->add_option("--engine-socket", run.engine_socket,
                     "What a container gets that mounts the engine's socket: filtered, by which it sees and "
                     "changes only what is of the runs, or real, and then none of its mounts is safe")
        ->check(CLI::IsMember({"filtered", "real"}));

    PlanOptions plan;
    CLI::App* plan_app =
        app.add_subcommand("plan", "Say what a run would do, without starting anything or asking an engine");
    plan_app
        ->add_option(
            "PATH", plan.paths,
            "Scenarios, Compose files, manifests, folders with one of them, or - for the standard input")
        ->required();
    add_reading(plan_app, plan);
    plan_app->add_option("-f,--format", plan.format, "table or json")
        ->check(CLI::IsMember({"table", "json"}));
    plan_app->add_option("-o,--output", plan.output, "Write to this file (default: standard output)");

    InitOptions init;
    CLI::App* init_app = app.add_subcommand(
        "init", "Begin a scenario for a Compose project, Kubernetes manifests or a running container");
    init_app->add_option("PATH", init.paths, "A Compose file, manifests, or a folder with one of them");
    init_app->add_option("--container", init.container, "A container on the engine, in place of PATH");
    init_app->add_option("--service", init.service,
                         "The subject: a service of a Compose file, or WORKLOAD/CONTAINER of manifests "
                         "(default: the one that is reached from outside)");
    one_at_a_time(init_app->add_option("--profile", init.profiles,
                                       "Of a Compose file: a profile to turn on (repeatable)"));
    init_app
        ->add_option("--without", init.without,
                     "Leave out what the runs cannot have and would be refused, as for `rogate run`")
        ->delimiter(',');
    init_app->add_option("-o,--output", init.output,
                         "Write to this file, which must not be there yet (default: standard output)");
    init_app->add_flag("--force", init.force, "Write over a file that is there");

    WatchCommandOptions watch;
    std::string watch_for;
    CLI::App* watch_app =
        app.add_subcommand("watch", "Tell what a container that runs writes to its mounts, leaving it alone");
    watch_app->add_option("CONTAINER", watch.container, "Name or id")->required();
    watch_app
        ->add_option("--for", watch_for,
                     "How long: 30s, 10m, 24h (default: until Ctrl-C, or until the container ends)")
        ->check([&watch](const std::string& text) {
            const auto parsed = rogate::spec::parse_duration(text);
            if (!parsed) return parsed.error();
            if (*parsed <= 0) return std::string("must be more than nothing");
            watch.duration = std::chrono::milliseconds(*parsed);
            return std::string();
        });
    watch_app->add_option("-f,--format", watch.format, "table, markdown or json")
        ->check(CLI::IsMember({"table", "markdown", "json"}));
    watch_app->add_option("-o,--output", watch.output, "Write to this file (default: standard output)");
    watch_app->add_flag("-q,--quiet", watch.quiet, "No progress, only what was seen");
    add_ring_size(watch_app, watch.ring_bytes);

    WrapOptions wrap;
    std::string wrap_timeout;
    CLI::App* wrap_app = app.add_subcommand(
        "wrap", "Settle the mounts of whatever COMMAND creates: any program that drives docker");
    wrap_app->add_option("COMMAND", wrap.command, "The program and its arguments, behind --")->required();
    wrap_app->add_option(
        "-o,--out", wrap.out,
        "Write the reports into a folder for each container in this one (made if missing), and those "
        "on all of them into this one");
    wrap_app->add_option("--summary", wrap.summary,
                         "Append the Markdown reports to this file, for example \"$GITHUB_STEP_SUMMARY\"");
    wrap_app->add_flag("-q,--quiet", wrap.quiet, "No progress; COMMAND's output is shown all the same");
    wrap_app->add_flag("--rootfs", wrap.rootfs, "Try / of each container, too");
    wrap_app
        ->add_option("--data", wrap.data,
                     "live: what COMMAND binds and its volumes are its own, and what it writes there stays")
        ->check(CLI::IsMember({"live", "overlay"}));
    one_at_a_time(
        wrap_app->add_option("--junit", wrap.junit,
                             "JUnit files that COMMAND writes, as a pattern ('results/*.xml'), so that "
                             "verdicts name the tests that fail (repeatable)"));
    one_at_a_time(wrap_app->add_option(
        "--known-failures", wrap.known_failures,
        "FILE|NAME: tests whose failure counts for nothing, by name or by a file with one in each line "
        "(repeatable)"));
    wrap_app
        ->add_option("--engine-socket", wrap.engine_socket,
                     "What a container gets that mounts the engine's socket: filtered, by which it sees and "
                     "changes only what COMMAND creates, or real, and then none of its mounts is safe")
        ->check(CLI::IsMember({"filtered", "real"}));
    wrap_app
        ->add_option(
            "--max-runs", wrap.max_runs,
            "Start COMMAND no more often than this; what is not settled by then is inconclusive (default: as "
            "often as it takes)")
        ->check(CLI::Range(1, 1'000'000));
    wrap_app
        ->add_option(
            "--timeout", wrap_timeout,
            "30s, 10m: how long COMMAND may take each time (default: the control run as long as it likes, "
            "each other run three times as long as that and a minute)")
        ->check([&wrap](const std::string& text) {
            const auto parsed = rogate::spec::parse_duration(text);
            if (!parsed) return parsed.error();
            if (*parsed <= 0) return std::string("must be more than nothing");
            wrap.timeout = std::chrono::milliseconds(*parsed);
            return std::string();
        });
    add_ring_size(wrap_app, wrap.ring_bytes);

    MergeOptions merge;
    CLI::App* merge_app =
        app.add_subcommand("merge", "Join results of several scenarios for one subject into one");
    merge_app->add_option("RESULT", merge.results, "result.json of each")->required();
    merge_app->add_option("-o,--out", merge.out, "Write the result into this file");

    CleanOptions clean;
    CLI::App* clean_app = app.add_subcommand("clean", "Remove what an interrupted run left on the engine");
    clean_app->add_flag("-n,--dry-run", clean.dry_run, "Only say what would be removed");
    clean_app->add_option("--session", clean.session,
                          "Only what this session made (default: every session's)");

    ReportOptions report;
    CLI::App* report_app = app.add_subcommand("report", "Render results again, in any format");
    report_app->add_option("RESULT", report.results, "result.json files")->required();
    report_app
        ->add_option("-f,--format", report.format,
                     "terminal, json, markdown, html, junit, sarif or requirements")
        ->check(CLI::IsMember(rogate::report::format_names));
    report_app->add_option("-o,--output", report.output, "Write to this file (default: standard output)");
    report_app->add_option(
        "--previous", report.previous,
        "requirements: an earlier write-requirements.md or result.json, to keep its dates");

    GateOptions gate;
    CLI::App* gate_app =
        app.add_subcommand("gate", "Judge results by a policy and by what was agreed before");
    gate_app->add_option("RESULT", gate.results, "result.json files, or folders that hold them");
    gate_app->add_option("--since", gate.since,
                         "Judge only the mounts that files of this git repository made read-only since this "
                         "revision, for example origin/main");
    gate_app->add_option("-p,--policy", gate.policy, "What is accepted (scenarios/policy.schema.json)");
    gate_app->add_option("-l,--lock", gate.lock, "Write requirements to compare with (a file to commit)");
    gate_app->add_flag("--update-lock", gate.update_lock, "Write the lock file as the results say");
    gate_app->add_option("-f,--format", gate.format, "terminal, json or markdown")
        ->check(CLI::IsMember({"terminal", "json", "markdown"}));
    gate_app->add_option("--today", gate.today,
                         "The day acceptances expire by, YYYY-MM-DD (default: today, UTC)");

    AuditOptions audit;
    CLI::App* audit_app = app.add_subcommand(
        "audit", "List every mount that files or running containers declare, and which to try");
    audit_app->add_option("PATH", audit.paths, "Files, or folders to look through");
    audit_app->add_flag("--running", audit.running, "The engine's running containers");
    audit_app->add_option("-f,--format", audit.format, "table, json, markdown or sarif")
        ->check(CLI::IsMember({"table", "json", "markdown", "sarif"}));
    audit_app->add_option("--init", audit.init, "Begin a scenario for each of them in this folder");
    PatchOptions patch;
    CLI::App* patch_app = app.add_subcommand(
        "patch", "The change to Compose, Kubernetes, docker run or a scenario that a result recommends");
    patch_app
        ->add_option("RESULT", patch.result_files,
                     "result.json; those of several services of one project make one change")
        ->required();
    patch_app
        ->add_option("-f,--format", patch.format, "What to change (default: what the subject was read from)")
        ->check(CLI::IsMember({"compose", "kubernetes", "docker-run", "scenario"}));
    one_at_a_time(patch_app->add_option(
        "--file", patch.files,
        "File to change, several in the order in which Compose merges them (default: the result's)"));
    patch_app->add_option("--service", patch.name,
                          "Compose: the service; Kubernetes: Kind/name (default: the result's)");
    patch_app->add_option("--container", patch.container,
                          "Kubernetes: the container (default: the result's)");
    patch_app->add_option("--command", patch.command,
                          "A \"docker run …\" command line; the changed one is printed");
    patch_app->add_flag("-i,--in-place", patch.in_place, "Change the files instead of printing a diff");
    patch_app->add_option("--root", patch.root,
                          "With --in-place: change files below this folder only (default: the current one)");
    patch_app->add_flag("--shared", patch.shared,
                        "Also change what other services or containers share by an anchor");
    patch_app->add_option("-o,--out", patch.out, "Write the diff into this file");

    CLI::App* doctor_app = app.add_subcommand("doctor", "Say whether this engine and kernel can do it");

    CLI::App* config_app = app.add_subcommand(
        "config", "Show which options the environment and the project file .rogate.yaml set");

    HelpOptions help;
    CLI::App* help_app = app.add_subcommand("help", "Explain a command or a topic");
    help_app->add_option("TOPIC", help.topic,
                         "A command, or one of: verdicts, exit-codes, environment, words");
    help_app->add_option("--man-pages", help.man_pages, "Write the manual pages into this folder");
    CompletionOptions completion;
    CLI::App* completion_app =
        app.add_subcommand("completion", "Print the completions for a shell: bash, zsh or fish");
    completion_app->add_option("SHELL", completion.shell, "bash, zsh or fish")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish"}));

    if (!arguments->empty() && arguments->front() == "__complete")
        return complete_command(app, global, {arguments->begin() + 1, arguments->end()});

    try {
        std::vector<std::string> reversed(arguments->rbegin(), arguments->rend());
        app.parse(reversed);
    } catch (const CLI::ParseError& error) {
        const int code = app.exit(error);
        return code == 0 ? 0 : 2;
    }
    if (app.get_subcommands().empty()) {
        std::fputs(app.help().c_str(), stdout);
        return 0;
    }
    if (*help_app) return help_command(app, help);
    if (*completion_app) return completion_command(completion);
    const auto settings = apply_settings(app, *run_app);
    if (!settings) return report_error(settings.error());
    if (*config_app) return config_command(*settings);
    if (!global.hosts.empty()) global.host = global.hosts.front();
    if (global.hosts.size() > 1 && !*run_app)
        return report_error({rogate::ErrorKind::usage,
                             "--host is given more than once; only `rogate run` uses "
                             "several engines"});
    if (!global.hosts.empty() && global.context)
        return report_error(
            {rogate::ErrorKind::usage, "--host and --context both name an engine; leave one of them out"});
    if (*run_app) return run_command(global, run);
    if (*plan_app) return plan_command(global, plan);
    if (*init_app) return init_command(global, init);
    if (*merge_app) return merge_command(global, merge);
    if (*watch_app) return watch_command(global, watch);
    if (*wrap_app) return wrap_command(global, wrap);
    if (*clean_app) return clean_command(global, clean);
    if (*gate_app) return gate_command(global, gate);
    if (*audit_app) return audit_command(global, audit);
    if (*patch_app) return patch_command(global, patch);
    if (*report_app) return report_command(global, report);
    if (*doctor_app) return doctor_command(global);
    return 2;
}
