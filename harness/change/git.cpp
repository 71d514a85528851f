#include "change/git.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace rogate::change {

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

namespace {

std::string line_of(std::string text) {
    while (text.ends_with('\n')) text.pop_back();
    return text;
}

}  // namespace

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

}  // namespace rogate::change
