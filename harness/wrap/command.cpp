#include "wrap/command.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace rogate::wrap {

namespace asio = boost::asio;
using engine::Task;

namespace {

constexpr auto quietly = asio::as_tuple(asio::use_awaitable);
// From SIGTERM to SIGKILL, for what is left of the process group.
constexpr int grace_ms = 5000, between_looks_ms = 20;
constexpr char farewell = 'd';  // rogate ends by itself

// What the supervisor tells.
struct Word {
    enum Kind : int { could_not_start, ended } kind = ended;
    int value = 0;  // errno, or as a shell has it: the exit code, 128 and more for a signal
};

struct Pipe {
    int read = -1, write = -1;
    bool open() {
        std::array<int, 2> ends{-1, -1};
        if (pipe2(ends.data(), O_CLOEXEC) != 0) return false;
        read = ends[0];
        write = ends[1];
        return true;
    }
    void close_both() {
        for (int* end : {&read, &write})
            if (int fd = std::exchange(*end, -1); fd >= 0) ::close(fd);
    }
};

void tell(int to, Word word) {
    [[maybe_unused]] const ssize_t written = write(to, &word, sizeof word);
}

int code_of(int status) {
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// The child of the supervisor; it does not come back.
[[noreturn]] void become(std::vector<char*>& words, int output, int trouble, const sigset_t& mask) {
    setpgid(0, 0);
    for (const int number : {SIGHUP, SIGPIPE, SIGINT, SIGQUIT, SIGTERM}) std::signal(number, SIG_DFL);
    sigprocmask(SIG_SETMASK, &mask, nullptr);
    const int null = open("/dev/null", O_RDONLY);
    dup2(null, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    execvp(words.front(), words.data());
    tell(trouble, {Word::could_not_start, errno});
    _exit(127);
}

class Supervisor {
  public:
    Supervisor(int life, int status, pid_t child, std::string folder)
        : life_(life), status_(status), child_(child), folder_(std::move(folder)) {}

    [[noreturn]] void run(int signals) {
        bool is_farewell = false;
        for (bool alive = true; alive;) {
            std::array<pollfd, 2> ready{pollfd{life_, POLLIN, 0}, pollfd{signals, POLLIN, 0}};
            if (poll(ready.data(), ready.size(), -1) < 0 && errno != EINTR) break;
            if (ready[1].revents != 0) {
                signalfd_siginfo info{};
                [[maybe_unused]] const ssize_t size = read(signals, &info, sizeof info);
                reap();
            }
            if (ready[0].revents != 0) {
                char word = 0;
                const ssize_t size = read(life_, &word, 1);
                if (size < 0 && errno == EINTR) continue;
                is_farewell = size == 1 && word == farewell;
                alive = false;
            }
        }
        end_group();
        if (!is_farewell && !folder_.empty()) remove_folder();
        _exit(0);
    }

  private:
    void reap() {
        int status = 0;
        for (pid_t pid = 0; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
            if (pid == child_) tell(status_, {Word::ended, code_of(status)});
    }
    bool group_is_there() {
        reap();
        return kill(-child_, 0) == 0;
    }
    void end_group() {
        if (!group_is_there()) return;
        kill(-child_, SIGTERM);
        for (int waited = 0; waited < grace_ms && group_is_there(); waited += between_looks_ms)
            usleep(between_looks_ms * 1000);
        if (!group_is_there()) return;
        kill(-child_, SIGKILL);
        for (int i = 0; i < 50 && group_is_there(); ++i) usleep(between_looks_ms * 1000);
    }
    void remove_folder() {
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }

    int life_, status_;
    pid_t child_;
    std::string folder_;
};

void change_environment(const std::map<std::string, std::optional<std::string>>& changes) {
    for (const auto& [name, value] : changes)
        if (value)
            setenv(name.c_str(), value->c_str(), 1);
        else
            unsetenv(name.c_str());
}

void close_all_but(std::array<int, 4> kept) {
    std::ranges::sort(kept);
    unsigned from = STDERR_FILENO + 1;
    for (const int each : kept) {
        const auto next = static_cast<unsigned>(each);
        if (next > from) close_range(from, next - 1, 0);
        from = next + 1;
    }
    close_range(from, ~0U, 0);
}

// The supervisor's process: what is rogate's it does not keep.
[[noreturn]] void supervise(CommandSpec& spec, int life, int status, int output) {
    setsid();
    prctl(PR_SET_NAME, "rogate-command");
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    for (const int number : {SIGHUP, SIGPIPE, SIGINT, SIGQUIT, SIGTERM}) std::signal(number, SIG_IGN);
    sigset_t children, before;
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    sigprocmask(SIG_BLOCK, &children, &before);
    const int signals = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
    close_all_but({life, status, output, signals});
    change_environment(spec.environment);
    std::vector<char*> words;
    for (std::string& each : spec.words) words.push_back(each.data());
    words.push_back(nullptr);
    const pid_t child = fork();
    if (child == 0) become(words, output, status, before);
    if (child < 0) {
        tell(status, {Word::could_not_start, errno});
        _exit(1);
    }
    setpgid(child, child);
    close(output);
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(null, fd);
    Supervisor(life, status, child, spec.folder).run(signals);
}

}  // namespace

struct Command::Impl {
    Impl(asio::any_io_executor executor, Output out)
        : status(executor), output(executor), changed(executor), show(std::move(out)) {
        changed.expires_at(asio::steady_timer::time_point::max());
    }
    ~Impl() {
        let_go();
        if (supervisor > 0) waitpid(supervisor, nullptr, 0);
    }
    // The supervisor ends the group then, and itself.
    void let_go() {
        const int fd = std::exchange(life, -1);
        if (fd < 0) return;
        struct sigaction ignore {};
        struct sigaction before {};
        ignore.sa_handler = SIG_IGN;
        sigaction(SIGPIPE, &ignore, &before);  // somebody may have killed it
        [[maybe_unused]] const ssize_t told = write(fd, &farewell, 1);
        sigaction(SIGPIPE, &before, nullptr);
        ::close(fd);
    }
    bool supervisor_is_gone() {
        if (supervisor <= 0) return true;
        const pid_t found = waitpid(supervisor, nullptr, WNOHANG);
        if (found == 0 || (found < 0 && errno == EINTR)) return false;
        supervisor = -1;
        return true;
    }
    void show_what_is_there() {
        std::array<char, 16 * 1024> buffer{};
        for (;;) {
            boost::system::error_code error;
            output.non_blocking(true, error);
            const std::size_t size = output.read_some(asio::buffer(buffer), error);
            if (error || size == 0) return;
            show({buffer.data(), size});
        }
    }

    asio::posix::stream_descriptor status, output;
    asio::steady_timer changed;
    Output show;
    int life = -1;
    pid_t supervisor = -1;
    std::optional<int> code;
    bool is_over = false;  // nothing more is read of its output
};

namespace {

Task<> show_output(std::shared_ptr<Command::Output> show, asio::posix::stream_descriptor& output,
                   std::shared_ptr<void> keeper) {
    std::array<char, 16 * 1024> buffer{};
    for (;;) {
        auto [error, size] = co_await output.async_read_some(asio::buffer(buffer), quietly);
        if (error) break;
        (*show)({buffer.data(), size});
    }
    (void)keeper;
    co_return Result<>{};
}

}  // namespace

Result<std::unique_ptr<Command>> Command::start(asio::any_io_executor executor, CommandSpec spec,
                                                Output output) {
    const std::string program = spec.words.front();
    Pipe life, status, out;
    const auto could_not = [&](ErrorKind kind, int error) {
        life.close_both();
        status.close_both();
        out.close_both();
        return fail(kind, fmt::format("'{}' cannot be run: {}", program, std::strerror(error)));
    };
    if (!life.open() || !status.open() || !out.open()) return could_not(ErrorKind::io, errno);
    std::fflush(nullptr);  // what is buffered would be written twice
    auto impl = std::make_shared<Impl>(executor, std::move(output));
    const pid_t pid = fork();
    if (pid < 0) return could_not(ErrorKind::io, errno);
    if (pid == 0) {
        close(life.write);
        supervise(spec, life.read, status.write, out.write);
    }
    impl->supervisor = pid;
    impl->life = std::exchange(life.write, -1);
    impl->status.assign(std::exchange(status.read, -1));
    impl->output.assign(std::exchange(out.read, -1));
    life.close_both();
    status.close_both();
    out.close_both();
    auto show = std::make_shared<Output>([impl = std::weak_ptr<Impl>(impl)](std::string_view text) {
        if (const auto there = impl.lock()) there->show(text);
    });
    asio::co_spawn(executor, show_output(show, impl->output, impl),
                   [](const std::exception_ptr&, const Result<>&) {});
    return std::unique_ptr<Command>(new Command(std::move(impl)));
}

Command::~Command() {
    boost::system::error_code ignored;
    impl_->output.close(ignored);
    impl_->status.close(ignored);
}

Task<std::optional<int>> Command::wait(std::optional<std::chrono::milliseconds> patience) {
    using namespace asio::experimental::awaitable_operators;
    if (impl_->code) co_return impl_->code;
    Word word;
    auto reading = asio::async_read(impl_->status, asio::buffer(&word, sizeof word), quietly);
    boost::system::error_code error;
    if (patience) {
        asio::steady_timer timer(impl_->status.get_executor(), *patience);
        auto waiting = timer.async_wait(quietly);
        auto first = co_await (std::move(reading) || std::move(waiting));
        if (first.index() == 1) {
            const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
            if (state.cancelled() != asio::cancellation_type::none)
                co_return fail(ErrorKind::cancelled, "interrupted");
            co_return std::nullopt;
        }
        error = std::get<0>(std::get<0>(first));
    } else {
        auto [failed, size] = co_await std::move(reading);
        error = failed;
    }
    const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none)
        co_return fail(ErrorKind::cancelled, "interrupted");
    if (error) co_return fail(ErrorKind::io, "the process that holds COMMAND ended: " + error.message());
    if (word.kind == Word::could_not_start)
        co_return fail(word.value == ENOENT ? ErrorKind::usage : ErrorKind::io,
                       fmt::format("COMMAND cannot be run: {}", std::strerror(word.value)));
    impl_->code = word.value;
    impl_->show_what_is_there();
    co_return impl_->code;
}

Task<> Command::end() {
    impl_->let_go();
    asio::steady_timer timer(impl_->status.get_executor());
    while (!impl_->supervisor_is_gone()) {
        timer.expires_after(std::chrono::milliseconds(5));
        co_await timer.async_wait(quietly);
    }
    impl_->show_what_is_there();
    co_return Result<>{};
}

}  // namespace rogate::wrap
