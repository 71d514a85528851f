#include "cli/since.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>

#include "audit/since.hpp"
#include "base/text.hpp"
#include "cli/audit_files.hpp"

namespace rogate::cli {

namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

struct Answer {
    int code = 0;
    std::string out;
};

// Its standard error is the user's.
Result<Answer> git(Words words) {
    words.insert(words.begin(), "git");
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) return fail(ErrorKind::io, "no pipe could be made");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    pid_t child = 0;
    const int error = posix_spawnp(&child, "git", &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    Answer answer;
    std::array<char, 65536> buffer{};
    for (ssize_t size = 0; error == 0;) {
        size = read(ends[0], buffer.data(), buffer.size());
        if (size < 0 && errno == EINTR) continue;
        if (size <= 0) break;
        answer.out.append(buffer.data(), static_cast<std::size_t>(size));
    }
    close(ends[0]);
    if (error != 0)
        return fail(ErrorKind::usage,
                    fmt::format("--since asks git, which cannot be run: {}", std::strerror(error)));
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    answer.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
    return answer;
}

std::string line_of(std::string text) {
    while (text.ends_with('\n')) text.pop_back();
    return text;
}

// One line of its answer, or what to tell the user when it has none.
Result<std::string> ask(Words words, const std::string& otherwise) {
    auto answer = git(std::move(words));
    if (!answer) return fail(std::move(answer.error()));
    std::string line = line_of(std::move(answer->out));
    if (answer->code != 0 || line.empty()) return fail(ErrorKind::usage, otherwise);
    return line;
}

Words parted_by_null(const std::string& text) {
    Words parts;
    for (std::size_t from = 0; from < text.size();) {
        const std::size_t end = std::min(text.find('\0', from), text.size());
        parts.push_back(text.substr(from, end - from));
        from = end + 1;
    }
    return parts;
}

Result<> read_before(const std::string& top, const std::string& base, const std::string& file,
                     audit::Audit& before) {
    auto there = git({"-C", top, "ls-tree", "-z", base, "--", file});
    if (!there) return fail(std::move(there.error()));
    if (there->out.empty()) return {};
    auto text = git({"-C", top, "cat-file", "blob", base + ":" + file});
    if (!text) return fail(std::move(text.error()));
    if (text->code == 0) audit::read_text(text->out, file, before);
    return {};
}

void read_from(const std::string& top, const std::string& file, audit::Audit& audit) {
    const fs::path path = fs::path(top) / file;
    std::error_code error;
    if (fs::is_regular_file(fs::symlink_status(path, error))) read_file_as(path.string(), file, audit);
}

// Files that did not change: a Compose file that did may be merged over one of them. That is one in its own
// folder, or, where it leaves the rest of a service to another file, any.
Result<audit::Audit> read_beside(const std::string& top, const Words& changed, const audit::Audit& now) {
    std::set<std::string_view> folders;
    bool anywhere = false;
    for (const audit::Found& found : now.mounts) {
        if (found.kind != "compose") continue;
        folders.insert(folder_of(found.mount.declared.file));
        anywhere = anywhere || (found.partial && found.mount.read_only);
    }
    audit::Audit beside;
    if (folders.empty()) return beside;
    auto tracked = git({"-C", top, "ls-files", "-z"});
    if (!tracked) return fail(std::move(tracked.error()));
    const std::set<std::string> differ(changed.begin(), changed.end());
    for (const std::string& file : parted_by_null(tracked->out))
        if (audit::may_declare(file) && !differ.contains(file) &&
            (anywhere || folders.contains(folder_of(file))))
            read_from(top, file, beside);
    std::erase_if(beside.mounts, [](const audit::Found& found) { return found.kind != "compose"; });
    return beside;
}

}  // namespace

Result<gate::Since> changes_since(const std::string& revision) {
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

    gate::Since since{
        .revision = revision, .folder = fs::current_path().string(), .changes = {}, .not_compared = {}};
    audit::Audit before, now;
    for (const std::string& file : parted_by_null(changed->out)) {
        if (!audit::may_declare(file)) continue;
        if (auto read = read_before(*top, *base, file, before); !read) return fail(std::move(read.error()));
        read_from(*top, file, now);
    }
    auto beside = read_beside(*top, parted_by_null(changed->out), now);
    if (!beside) return fail(std::move(beside.error()));
    for (audit::Audit* each : {&before, &now})
        each->mounts.insert(each->mounts.end(), beside->mounts.begin(), beside->mounts.end());
    for (audit::Trouble& trouble : now.troubles) since.not_compared.push_back(std::move(trouble.message));
    since.changes = audit::made_read_only(before, now);
    for (gate::Change& change : since.changes)
        change.path = (fs::path(*top) / change.declared.file).lexically_normal().string();
    return since;
}

}  // namespace rogate::cli
