#include "engine/child.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <thread>

namespace rogate::engine {

namespace asio = boost::asio;

namespace {

constexpr std::size_t errors_limit = 64 * 1024;

// Standard error goes to memory: a pipe that nobody reads would block who fills it. Its size is sealed, so
// that the other side of an ssh connection cannot make it grow.
int error_memory() {
    const int memory = memfd_create("rogate-stderr", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (memory < 0) return -1;
    if (ftruncate(memory, errors_limit) == 0 && fcntl(memory, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK) == 0)
        return memory;
    close(memory);
    return -1;
}

struct Attributes {
    Attributes() {
        posix_spawn_file_actions_init(&actions);
        posix_spawnattr_init(&flags);
    }
    ~Attributes() {
        posix_spawn_file_actions_destroy(&actions);
        posix_spawnattr_destroy(&flags);
    }
    Attributes(const Attributes&) = delete;
    Attributes& operator=(const Attributes&) = delete;
    posix_spawn_file_actions_t actions{};
    posix_spawnattr_t flags{};
};

int spawn(pid_t& child, std::vector<std::string>& arguments, int pipe, int errors) {
    Attributes how;
    posix_spawn_file_actions_adddup2(&how.actions, pipe, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&how.actions, pipe, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&how.actions, errors, STDERR_FILENO);
    sigset_t broken_pipe;
    sigemptyset(&broken_pipe);
    sigaddset(&broken_pipe, SIGPIPE);
    posix_spawnattr_setsigdefault(&how.flags, &broken_pipe);
    posix_spawnattr_setflags(&how.flags, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF);
    std::vector<char*> words;
    for (std::string& each : arguments) words.push_back(each.data());
    words.push_back(nullptr);
    return posix_spawnp(&child, words.front(), &how.actions, &how.flags, words.data(), environ);
}

std::optional<int> code_of(pid_t pid, int options) {
    int status = 0;
    pid_t found = 0;
    while ((found = waitpid(pid, &status, options)) < 0 && errno == EINTR) {
    }
    if (found == 0) return std::nullopt;
    if (found < 0) return 255;  // somebody else has reaped it
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

Result<std::unique_ptr<Child>> Child::start(asio::any_io_executor executor,
                                            std::vector<std::string> arguments) {
    const std::string program = arguments.front();
    const auto could_not = [&](int error) {
        return fail(error == ENOENT ? ErrorKind::not_found : ErrorKind::io,
                    fmt::format("'{}' cannot be run: {}", program, std::strerror(error)));
    };
    std::array<int, 2> ends{-1, -1};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return could_not(errno);
    Pipe pipe(std::move(executor), asio::local::stream_protocol(), ends[0]);
    const int errors = error_memory();
    if (errors < 0) {
        const int why = errno;
        close(ends[1]);
        return could_not(why);
    }
    pid_t pid = 0;
    const int error = spawn(pid, arguments, ends[1], errors);
    close(ends[1]);
    if (error != 0) {
        close(errors);
        return could_not(error);
    }
    return std::unique_ptr<Child>(new Child(std::move(pipe), errors, pid));
}

Child::~Child() {
    end();
    close(errors_);
}

std::string Child::said() const {
    std::string text(errors_limit, '\0');
    const ssize_t size = pread(errors_, text.data(), text.size(), 0);
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    text.resize(std::strlen(text.c_str()));
    std::string line;
    for (const char c : text)
        if (c == '\n')
            line += line.ends_with("; ") ? "" : "; ";
        else if (static_cast<unsigned char>(c) >= ' ' && c != '\x7f')
            line += c;
    while (line.ends_with(' ') || line.ends_with(';')) line.pop_back();
    constexpr std::size_t longest = 1000;
    if (line.size() > longest) line = "…" + line.substr(line.size() - longest);
    return line;
}

std::optional<int> Child::ended() {
    if (!code_) code_ = code_of(pid_, WNOHANG);
    return code_;
}

asio::awaitable<std::optional<int>> Child::wait(Milliseconds patience) {
    asio::steady_timer timer(pipe_.get_executor());
    const auto until = std::chrono::steady_clock::now() + patience;
    while (!ended() && std::chrono::steady_clock::now() < until) {
        timer.expires_after(Milliseconds(5));
        auto [error] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
        if (error) break;
    }
    co_return ended();
}

void Child::end() noexcept {
    boost::system::error_code ignored;
    pipe_.close(ignored);
    if (ended()) return;
    // ssh ends its proxy command when it is asked to, not when it is killed.
    kill(pid_, SIGTERM);
    for (int i = 0; i < 50 && !ended(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    if (ended()) return;
    kill(pid_, SIGKILL);
    code_ = code_of(pid_, 0);
}

}  // namespace rogate::engine
