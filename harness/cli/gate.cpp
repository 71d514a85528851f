#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>

#include "change/revision.hpp"
#include "cli/audit_files.hpp"
#include "cli/commands.hpp"
#include "cli/files.hpp"
#include "cli/reports.hpp"
#include "cli/session.hpp"
#include "cli/terminal.hpp"
#include "gate/decide.hpp"
#include "gate/render.hpp"
#include "report/json.hpp"

namespace rogate::cli {

namespace {

// A folder stands for every result.json below it, as `rogate run --out` writes them.
Result<std::vector<std::string>> files_of(const std::vector<std::string>& paths) {
    std::vector<std::string> files;
    for (const std::string& path : paths) {
        std::error_code error;
        if (!std::filesystem::is_directory(path, error)) {
            files.push_back(path);
            continue;
        }
        std::vector<std::string> below;
        for (std::filesystem::recursive_directory_iterator it(path, error), end; !error && it != end;
             it.increment(error))
            if (it->path().filename() == "result.json") below.push_back(it->path().string());
        if (error)
            return fail(ErrorKind::usage,
                        fmt::format("cannot read the folder {}: {}", path, error.message()));
        if (below.empty())
            return fail(
                ErrorKind::usage,
                fmt::format("there is no result.json below {}; write one with rogate run --out", path));
        std::sort(below.begin(), below.end());
        files.insert(files.end(), below.begin(), below.end());
    }
    return files;
}

Result<std::vector<CampaignResult>> read_results(const std::vector<std::string>& paths) {
    auto found = files_of(paths);
    if (!found) return fail(std::move(found.error()));
    const std::vector<std::string>& files = *found;
    std::vector<CampaignResult> results;
    for (const std::string& file : files) {
        auto result = read_result(file);
        if (!result) return fail(std::move(result.error()));
        // Two results of one scenario would have to be compared with one entry of the lock file.
        for (std::size_t i = 0; i < results.size(); ++i)
            if (results[i].scenario.name == result->scenario.name)
                return fail(ErrorKind::usage,
                            fmt::format("{} and {} are both results of scenario '{}'; give one of them",
                                        files[i], file, result->scenario.name));
        results.push_back(std::move(*result));
    }
    return results;
}

Result<gate::Policy> read_policy(const std::string& file) {
    if (file.empty()) return gate::Policy{};
    auto text = read_file(file);
    if (!text) return fail(std::move(text.error()));
    return gate::parse_policy(*text, file);
}

Result<gate::Lock> read_lock(const std::string& file, bool may_be_missing) {
    std::error_code unused;
    if (!std::filesystem::exists(file, unused)) {
        if (may_be_missing) return gate::Lock{};
        return fail(
            ErrorKind::usage,
            fmt::format("there is no lock file {}; make it with --update-lock, look at it, and commit it",
                        file));
    }
    auto text = read_file(file);
    if (!text) return fail(std::move(text.error()));
    return gate::parse_lock(*text, file);
}

Result<> write_lock(const std::string& file, const gate::Lock& old,
                    const std::vector<CampaignResult>& results) {
    const std::string text = gate::render_lock(gate::updated(old, results));
    Result<> written = write_file(file, text);
    // It is committed and shared, unlike a result.
    if (written && chmod(file.c_str(), 0644) != 0)
        return fail(ErrorKind::io, fmt::format("cannot set the mode of {}", file));
    return written;
}

Result<gate::Day> day_of(const std::string& text) {
    if (text.empty()) return std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now());
    if (const auto day = gate::parse_day(text)) return *day;
    return fail(ErrorKind::usage,
                fmt::format("--today {} is no day of the calendar; write YYYY-MM-DD", text));
}

Result<int> judge(const Global& global, const GateOptions& options) {
    if (options.update_lock && options.lock.empty())
        return fail(ErrorKind::usage, "--update-lock needs --lock FILE: the file to write");
    if (options.update_lock && !options.since.empty())
        return fail(ErrorKind::usage,
                    "--update-lock is about all mounts, --since about some; give one of them");
    if (options.results.empty() && options.since.empty())
        return fail(ErrorKind::usage, "nothing to judge; name result.json files, or folders that hold them");
    const auto today = day_of(options.today);
    if (!today) return fail(today.error());
    std::optional<change::Since> since;
    if (!options.since.empty()) {
        auto changes = change::changes_since(options.since, read_file_as);
        if (!changes) return fail(std::move(changes.error()));
        since = std::move(*changes);
    }
    // Then `rogate run --since` had nothing to run, and there need be no results.
    const bool nothing_changed = since && since->changes.empty();
    auto results = read_results(nothing_changed ? std::vector<std::string>{} : options.results);
    if (!results) return fail(std::move(results.error()));
    auto policy = read_policy(options.policy);
    if (!policy) return fail(std::move(policy.error()));
    std::optional<gate::Lock> lock;
    if (!options.lock.empty()) {
        auto read = read_lock(options.lock, options.update_lock);
        if (!read) return fail(std::move(read.error()));
        lock = std::move(*read);
    }
    const gate::Decision decision = gate::decide({.results = *results,
                                                  .policy = *policy,
                                                  .lock = lock ? &*lock : nullptr,
                                                  .today = *today,
                                                  .since = since ? &*since : nullptr,
                                                  .updating = options.update_lock});
    if (options.update_lock) {
        const Result<> written = write_lock(options.lock, *lock, *results);
        if (!written) return fail(written.error());
    }
    const std::string text =
        options.format == "json" ? gate::render_json(decision)
        : options.format == "markdown"
            ? gate::render_markdown(decision)
            : gate::render_terminal(decision, {.colour = look_at(STDOUT_FILENO, global.colour).colour});
    std::fputs(text.c_str(), stdout);
    return decision.exit_code();
}

}  // namespace

int gate_command(const Global& global, const GateOptions& options) {
    const Result<int> code = judge(global, options);
    return code ? *code : report_error(code.error());
}

}  // namespace rogate::cli
