#include "patch/patch.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <set>

#include "cli/commands.hpp"
#include "cli/files.hpp"
#include "cli/reports.hpp"
#include "cli/session.hpp"
#include "patch/diff.hpp"

namespace rogate::cli {

namespace {

namespace fs = std::filesystem;

std::optional<patch::Format> format_named(const std::string& name) {
    if (name == "compose") return patch::Format::compose;
    if (name == "kubernetes") return patch::Format::kubernetes;
    if (name == "docker-run") return patch::Format::docker_run;
    if (name == "scenario") return patch::Format::scenario;
    return std::nullopt;
}

Result<patch::Format> format_for(const CampaignResult& result, const PatchOptions& options) {
    if (const auto format = format_named(options.format)) return *format;
    if (!options.command.empty()) return patch::Format::docker_run;
    switch (result.scenario.subject.origin.kind) {
        case Origin::Kind::compose:
            return patch::Format::compose;
        case Origin::Kind::kubernetes:
            return patch::Format::kubernetes;
        case Origin::Kind::docker_run:
            return patch::Format::docker_run;
        case Origin::Kind::scenario:
            return patch::Format::scenario;
        case Origin::Kind::container:
            break;
    }
    return fail(
        ErrorKind::usage,
        "the result is about a running container, which no file configures; give --command \"docker run …\", "
        "or --format and --file with the file that it was started from");
}

// Files as they are after the changes of other results.
class Texts {
  public:
    Result<std::string> read(const std::string& name) const {
        const auto changed = changed_.find(name);
        return changed == changed_.end() ? read_file(name) : Result<std::string>(changed->second.after);
    }
    void change(const std::vector<patch::FileChange>& changes) {
        for (const patch::FileChange& each : changes) {
            const auto [at, fresh] = changed_.try_emplace(each.name, each);
            at->second.after = each.after;
            if (fresh) order_.push_back(each.name);
        }
    }
    std::vector<patch::FileChange> changes() const {
        std::vector<patch::FileChange> all;
        for (const std::string& name : order_) all.push_back(changed_.at(name));
        return all;
    }

  private:
    std::map<std::string, patch::FileChange> changed_;
    std::vector<std::string> order_;
};

// The files to change, and those in which the result says that a mount was declared (a base of `extends`).
Result<std::vector<patch::SourceFile>> files_for(const CampaignResult& result, const PatchOptions& options,
                                                 patch::Format format, const Texts& texts) {
    const Origin& origin = result.scenario.subject.origin;
    std::vector<std::string> names = options.files;
    if (names.empty()) names = origin.files;
    if (names.empty() && format == patch::Format::scenario && !result.scenario.file.empty())
        names.push_back(result.scenario.file);
    if (names.empty() && (format == patch::Format::scenario || format == patch::Format::docker_run))
        for (const MountResult& each : result.mounts)
            if (names.empty() && each.mount.declared.line > 0) names.push_back(each.mount.declared.file);
    std::vector<patch::SourceFile> files;
    std::set<std::string> known;
    for (const std::string& name : names) {
        if (!known.insert(fs::path(name).lexically_normal().string()).second) continue;
        auto text = texts.read(name);
        if (!text)
            return fail(std::move(text.error())
                            .with_context(options.files.empty()
                                              ? "the file that the result names (--file names another)"
                                              : "--file"));
        files.push_back({name, std::move(*text), true});
    }
    for (const MountResult& each : result.mounts) {
        const std::string& name = each.mount.declared.file;
        if (each.mount.declared.line == 0 || !known.insert(fs::path(name).lexically_normal().string()).second)
            continue;
        if (auto text = texts.read(name)) files.push_back({name, std::move(*text), false});
    }
    // Who shares a mount may stand in a file that these name.
    if (format == patch::Format::compose)
        for (std::size_t i = 0; i < files.size(); ++i)
            for (const std::string& name : patch::files_referred_to(files[i]))
                if (known.insert(name).second)
                    if (auto text = texts.read(name)) files.push_back({name, std::move(*text), false});
    return files;
}

// A result is data, perhaps from somewhere else: it does not choose which files are changed. What the user
// named by --file is meant, but not what a link there leads to elsewhere.
Result<> check_places(const PatchOptions& options, const std::vector<patch::FileChange>& changes) {
    std::error_code error;
    const fs::path root = fs::canonical(options.root.empty() ? "." : options.root, error);
    if (error) return fail(ErrorKind::usage, fmt::format("--root {}: {}", options.root, error.message()));
    const auto is_below = [&](const fs::path& path) {
        const auto [end, unused] = std::mismatch(root.begin(), root.end(), path.begin(), path.end());
        return end == root.end();
    };
    for (const patch::FileChange& change : changes) {
        const fs::path real = fs::canonical(change.name, error);
        if (error)
            return fail(ErrorKind::io, fmt::format("cannot find {}: {}", change.name, error.message()));
        if (is_below(real)) continue;
        const bool named =
            std::find(options.files.begin(), options.files.end(), change.name) != options.files.end();
        const bool seems_below = is_below(fs::absolute(change.name).lexically_normal());
        if (named && !seems_below && options.root.empty()) continue;
        return fail(ErrorKind::usage,
                    fmt::format("{} is {}, outside of {}; nothing was changed. Look at the diff without "
                                "--in-place; to change it, say --root with a folder that has it",
                                change.name, real.string(), root.string()));
    }
    return {};
}

// As a diff names it: below the current folder if it is there, else from the root without its '/'.
std::string diff_path(const std::string& name, bool& outside) {
    std::error_code error;
    const fs::path here = fs::current_path(error);
    const fs::path full = (here / name).lexically_normal();
    const fs::path relative = full.lexically_relative(here);
    if (!relative.empty() && *relative.begin() != "..") return relative.string();
    outside = true;
    return full.relative_path().string();
}

tl::unexpected<Error> io_error(const std::string& what, const std::string& path) {
    return fail(ErrorKind::io, fmt::format("{} {}: {}", what, path, std::strerror(errno)));
}

// The whole file anew beside the old one, then rename(2), so that a reader sees one or the other; it keeps
// its mode and, where that is allowed, its owner. A symbolic link stays one: what it names is replaced.
Result<> replace_file(const patch::FileChange& change) {
    std::error_code failed;
    const fs::path real = fs::canonical(change.name, failed);
    if (failed) return fail(ErrorKind::io, fmt::format("cannot find {}: {}", change.name, failed.message()));
    if (fs::is_symlink(change.name, failed))
        std::fputs(
            fmt::format("rogate: {} is a symbolic link; {} is changed\n", change.name, real.string()).c_str(),
            stderr);
    auto now = read_file(real.string());
    if (!now) return fail(std::move(now.error()));
    if (*now != change.before)
        return fail(ErrorKind::usage,
                    fmt::format("{} was changed by someone else meanwhile; try again", change.name));
    struct stat old {};
    if (stat(real.c_str(), &old) != 0) return io_error("cannot look at", real.string());
    const std::string temporary = fmt::format("{}.{}.rogate", real.string(), getpid());
    if (auto written = write_file(temporary, change.after); !written) return written;
    const bool owner_kept = chown(temporary.c_str(), old.st_uid, old.st_gid) == 0;
    // Without the owner, a set-id bit would be another one's.
    const mode_t mode = old.st_mode & (owner_kept ? 07777U : 0777U);
    if (chmod(temporary.c_str(), mode) != 0 || std::rename(temporary.c_str(), real.c_str()) != 0) {
        auto error = io_error("cannot write", real.string());
        unlink(temporary.c_str());
        return error;
    }
    return {};
}

Result<> put(const PatchOptions& options, const std::string& text) {
    if (!options.out.empty()) {
        if (auto written = write_file(options.out, text); !written) return written;
        // A diff is for others too; write_file() keeps results private.
        if (chmod(options.out.c_str(), 0644) != 0) return io_error("cannot set the mode of", options.out);
        return {};
    }
    return print(text);
}

Result<> deliver(const PatchOptions& options, const patch::Patch& change) {
    for (const std::string& note : change.notes)
        std::fputs(fmt::format("rogate: note: {}\n", note).c_str(), stderr);
    if (!options.command.empty()) {
        if (change.command == options.command)
            std::fputs("rogate: nothing to change in the command line\n", stderr);
        return put(options, change.command + "\n");
    }
    if (change.changes_nothing()) {
        std::fputs("rogate: nothing to change: the files say what is recommended\n", stderr);
        return options.in_place ? Result<>{} : put(options, "");
    }
    if (options.in_place) {
        if (auto checked = check_places(options, change.files); !checked) return checked;
        for (const patch::FileChange& file : change.files) {
            if (auto replaced = replace_file(file); !replaced) return replaced;
            std::fputs(fmt::format("rogate: changed {}\n", file.name).c_str(), stderr);
        }
        return {};
    }
    std::string diff;
    bool outside = false;
    for (const patch::FileChange& file : change.files)
        diff += patch::unified_diff(diff_path(file.name, outside), file.before, file.after);
    if (outside)
        std::fputs("rogate: a file is outside of this folder; apply the diff with: patch -p1 -d /\n", stderr);
    return put(options, diff);
}

Result<patch::Patch> change_for(const PatchOptions& options, const CampaignResult& result,
                                const Texts& texts) {
    const auto format = format_for(result, options);
    if (!format) return fail(format.error());
    patch::Request request{.format = *format,
                           .files = {},
                           .name = options.name,
                           .container = options.container,
                           .command = options.command,
                           .change_shared = options.shared};
    const Origin& origin = result.scenario.subject.origin;
    if (request.name.empty() && origin.kind != Origin::Kind::container) request.name = origin.name;
    if (request.container.empty() && options.name.empty()) request.container = origin.container;
    if (options.command.empty()) {
        auto files = files_for(result, options, *format, texts);
        if (!files) return fail(std::move(files.error()));
        request.files = std::move(*files);
    }
    return patch::make_patch(result, request);
}

// What stands further down in its file is changed first: results name lines of the file as it was.
int last_line(const CampaignResult& result) {
    int line = 0;
    for (const MountResult& each : result.mounts) line = std::max(line, each.mount.declared.line);
    return line;
}

Result<> run(const PatchOptions& options) {
    std::vector<CampaignResult> results;
    for (const std::string& file : options.result_files) {
        auto result = read_result(file);
        if (!result) return fail(Error(result.error()));
        results.push_back(std::move(*result));
    }
    std::ranges::stable_sort(results, std::greater(), last_line);
    Texts texts;
    patch::Patch whole;
    for (const CampaignResult& result : results) {
        auto change = change_for(options, result, texts);
        if (!change)
            return fail(results.size() == 1 ? std::move(change.error())
                                            : std::move(change.error()).with_context(result.scenario.name));
        texts.change(change->files);
        whole.command = change->command;
        for (std::string& note : change->notes)
            if (std::ranges::find(whole.notes, note) == whole.notes.end())
                whole.notes.push_back(std::move(note));
    }
    whole.files = texts.changes();
    return deliver(options, whole);
}

}  // namespace

int patch_command(const Global&, const PatchOptions& options) {
    const bool one = options.result_files.size() == 1;
    if (!one && (!options.command.empty() || !options.name.empty() || !options.container.empty()))
        return report_error(
            {ErrorKind::usage,
             "--command, --service and --container are for one result; name one, or leave them out"});
    if (options.in_place && (!options.out.empty() || !options.command.empty()))
        return report_error(
            {ErrorKind::usage, "--in-place changes the files themselves; leave out --out and --command"});
    if (!options.root.empty() && !options.in_place)
        return report_error({ErrorKind::usage, "--root says where --in-place may change files; give both"});
    if (!options.command.empty() && !options.files.empty())
        return report_error(
            {ErrorKind::usage, "the command line is given by --command or stands in --file; leave one out"});
    const Result<> done = run(options);
    return done ? 0 : report_error(done.error());
}

}  // namespace rogate::cli
