#include "change/revision.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "base/text.hpp"
#include "change/compare.hpp"
#include "change/git.hpp"
#include "change/modes.hpp"

namespace rogate::change {

namespace {

namespace fs = std::filesystem;
Result<> read_before(const std::string& top, const std::string& base, const std::string& file,
                     audit::Audit& before) {
    auto there = git({"-C", top, "ls-tree", "-z", base, "--", file});
    if (!there) return fail(std::move(there.error()));
    if (there->out.empty()) return {};
    auto text = git({"-C", top, "cat-file", "blob", base + ":" + file});
    if (!text) return fail(std::move(text.error()));
    if (text->code != 0) return {};
    audit::OtherFiles others;
    others.folder = (fs::path(top) / file).lexically_normal().parent_path().string();
    others.read = [&](const std::string& path) -> Result<std::string> {
        const std::string name = fs::path(path).lexically_relative(top).string();
        auto other = git({"-C", top, "cat-file", "blob", base + ":" + name});
        if (!other) return fail(std::move(other.error()));
        if (other->code != 0) return fail(ErrorKind::not_found, "no such file in " + base);
        return std::move(other->out);
    };
    audit::read_text(text->out, file, before, others);
    return {};
}

void read_from(const std::string& top, const std::string& file, const ReadFile& read, audit::Audit& audit) {
    const fs::path path = fs::path(top) / file;
    std::error_code error;
    if (fs::is_regular_file(fs::symlink_status(path, error))) read(path.string(), file, audit);
}

// Files that did not change: a Compose file that did may be merged over one of them. That is one in its own
// folder, or, where it leaves the rest of a service to another file, any.
Result<audit::Audit> read_beside(const std::string& top, const Words& changed, const Words& tracked,
                                 const ReadFile& read, const audit::Audit& now) {
    std::set<std::string_view> folders;
    bool anywhere = false;
    for (const audit::Found& found : now.mounts) {
        if (found.kind != "compose") continue;
        folders.insert(folder_of(found.mount.declared.file));
        anywhere = anywhere || (found.partial && found.mount.read_only);
    }
    audit::Audit beside;
    if (folders.empty()) return beside;
    const std::set<std::string> differ(changed.begin(), changed.end());
    for (const std::string& file : tracked)
        if (audit::may_declare(file) && !differ.contains(file) &&
            (anywhere || folders.contains(folder_of(file))))
            read_from(top, file, read, beside);
    std::erase_if(beside.mounts, [](const audit::Found& found) { return found.kind != "compose"; });
    return beside;
}

// A repository's files, as they are and as they were.
struct Repository {
    std::string top, base;
    std::set<std::string> changed, tracked;

    std::string name_of(const std::string& path) const {
        return fs::path(path).lexically_relative(top).string();
    }
    // What git does not know was not there; what did not change is as it is.
    Result<std::string> before(const std::string& path) const {
        const std::string name = name_of(path);
        if (name.empty() || name.starts_with("..")) return spec::read_input_file(path);
        if (!changed.contains(name))
            return tracked.contains(name) ? spec::read_input_file(path)
                                          : fail(ErrorKind::not_found, name + " is not in the repository");
        auto text = git({"-C", top, "cat-file", "blob", base + ":" + name});
        if (!text) return fail(std::move(text.error()));
        if (text->code != 0) return fail(ErrorKind::not_found, name + " was not there");
        return std::move(text->out);
    }
};

// Whether its mounts' modes can come from elsewhere than its own lines.
bool depends_on_others(std::string_view text) {
    return text.find('$') != std::string_view::npos || text.find("extends") != std::string_view::npos ||
           text.find("include") != std::string_view::npos ||
           text.find("driver_opts") != std::string_view::npos;
}

// Compose projects, read whole: with the variables of .env and all that they extend and include.
void compare_projects(const Repository& repository, Since& since) {
    for (const std::string& file : repository.tracked) {
        if (!file.ends_with(".yaml") && !file.ends_with(".yml")) continue;
        const std::string path = (fs::path(repository.top) / file).lexically_normal().string();
        std::error_code error;
        if (!fs::is_regular_file(fs::symlink_status(path, error))) continue;
        const auto text = spec::read_input_file(path);
        if (!text || text->find("services:") == std::string::npos || !depends_on_others(*text)) continue;
        const auto now = modes_of({file, path, spec::read_input_file});
        if (!now) continue;
        const auto was =
            modes_of({file, path, [&](const std::string& each) { return repository.before(each); }});
        ProjectChanges found = compare_modes(was, *now, repository.changed.contains(file));
        for (Change& change : found.changes) {
            change.path = path;
            // The line itself was found as well, where it is the line that changed.
            std::erase_if(since.changes,
                          [&](const Change& each) { return each.declared == change.declared; });
            since.changes.push_back(std::move(change));
        }
        for (std::string& what : found.not_known) since.not_known.push_back(std::move(what));
    }
}

}  // namespace

Result<Since> changes_since(const std::string& revision, const ReadFile& read) {
    if (revision.starts_with('-') || revision.empty())
        return fail(ErrorKind::usage, fmt::format("--since {} is no revision of git's", revision));
    auto top =
        ask({"rev-parse", "--show-toplevel"}, "--since needs a git repository; this folder is in none");
    if (!top) return fail(std::move(top.error()));
    auto commit = ask({"rev-parse", "--verify", "--quiet", revision + "^{commit}"},
                      fmt::format("git knows no revision {}; fetch it first (in GitHub Actions "
                                  "'fetch-depth: 0', in GitLab CI GIT_DEPTH: 0)",
                                  revision));
    if (!commit) return fail(std::move(commit.error()));
    auto base =
        ask({"merge-base", *commit, "HEAD"},
            fmt::format("{} and the work tree have no common history here; fetch all of it (in GitHub "
                        "Actions 'fetch-depth: 0', in GitLab CI GIT_DEPTH: 0)",
                        revision));
    if (!base) return fail(std::move(base.error()));
    auto changed =
        git({"-C", *top, "diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", *base, "--"});
    if (!changed) return fail(std::move(changed.error()));
    if (changed->code != 0)
        return fail(ErrorKind::usage, fmt::format("git could not compare the work tree with {}", revision));

    Since since{
        .revision = revision, .folder = fs::current_path().string(), .changes = {}, .not_compared = {}};
    audit::Audit before, now;
    for (const std::string& file : parted_by_null(changed->out)) {
        if (!audit::may_declare(file)) continue;
        if (auto done = read_before(*top, *base, file, before); !done) return fail(std::move(done.error()));
        read_from(*top, file, read, now);
    }
    auto listed = git({"-C", *top, "ls-files", "-z"});
    if (!listed) return fail(std::move(listed.error()));
    const Words differing = parted_by_null(changed->out), tracked = parted_by_null(listed->out);
    auto beside = read_beside(*top, differing, tracked, read, now);
    if (!beside) return fail(std::move(beside.error()));
    for (audit::Audit* each : {&before, &now})
        each->mounts.insert(each->mounts.end(), beside->mounts.begin(), beside->mounts.end());
    for (audit::Trouble& trouble : now.troubles) since.not_compared.push_back(std::move(trouble.message));
    since.changes = made_read_only(before, now);
    for (Change& change : since.changes)
        change.path = (fs::path(*top) / change.declared.file).lexically_normal().string();
    compare_projects({*top, *base, {differing.begin(), differing.end()}, {tracked.begin(), tracked.end()}},
                     since);
    return since;
}

}  // namespace rogate::change
