#include "cli/watchdog.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <thread>

#include "campaign/campaign.hpp"
#include "cli/session.hpp"

namespace rogate::cli {

namespace {

using Clock = std::chrono::steady_clock;

constexpr char done = 'd';
// An engine that is away for longer than this is not waited for: `rogate clean` is there.
constexpr std::chrono::minutes patience(10);

void close_above(int fd) {
    // close_range(2) is older than the oldest kernel that the observer runs on (5.9).
    close_range(static_cast<unsigned>(fd), ~0U, 0);
}

// Keeps nothing of the parent's but the pipe: whoever reads the parent's output until its end would wait for
// this process too, and a terminal's signals are for the parent.
int detach(int pipe) {
    setsid();
    prctl(PR_SET_NAME, "rogate-watchdog");
    for (const int number : {SIGHUP, SIGPIPE, SIGINT, SIGQUIT}) std::signal(number, SIG_IGN);
    const int null = open("/dev/null", O_RDWR);
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(null, fd);
    constexpr int kept = STDERR_FILENO + 1;
    if (pipe != kept) dup2(pipe, kept);
    close_above(kept + 1);
    return kept;
}

// False: the pipe ended without the word, so the parent did not end by itself.
bool wait_for_the_word(int pipe) {
    for (;;) {
        char byte = 0;
        const ssize_t size = read(pipe, &byte, 1);
        if (size < 0 && errno == EINTR) continue;
        return size == 1 && byte == done;
    }
}

void clean_until_nothing_is_left(const Global& global, const std::string& session) {
    const auto until = Clock::now() + patience;
    auto pause = std::chrono::milliseconds(300);
    while (Clock::now() < until) {
        EngineWork work;
        work.work = [&](engine::Client& client) -> engine::Task<> {
            auto left = co_await campaign::sweep_until_settled(client, session);
            if (!left) co_return fail(std::move(left.error()));
            co_return Result<>{};
        };
        const EngineOutcome outcome = with_engine(global, std::move(work));
        if (outcome.signal != 0 || outcome.result) return;
        std::this_thread::sleep_for(pause);
        pause = std::min(pause * 2, std::chrono::milliseconds(2'000));
    }
}

}  // namespace

Watchdog::Watchdog(const Global& global, const std::string& session) {
    std::array<int, 2> ends{-1, -1};
    if (pipe2(ends.data(), O_CLOEXEC) == 0) {
        std::fflush(nullptr);  // what is buffered would be written twice
        child_ = fork();
        if (child_ == 0) {
            close(ends[1]);
            const int pipe = detach(ends[0]);
            if (!wait_for_the_word(pipe)) clean_until_nothing_is_left(global, session);
            _exit(0);  // no destructors: they are the parent's
        }
    }
    if (child_ < 0)
        std::fputs(
            fmt::format("rogate: warning: no watchdog ({}): if rogate is killed, `rogate clean` removes "
                        "what it leaves\n",
                        std::strerror(errno))
                .c_str(),
            stderr);
    if (ends[0] >= 0) close(ends[0]);
    if (child_ > 0)
        pipe_ = ends[1];
    else if (ends[1] >= 0)
        close(ends[1]);
}

Watchdog::~Watchdog() {
    if (pipe_ < 0) return;
    if (keep_) return;  // the end of this process closes the pipe
    struct sigaction ignore {};
    struct sigaction before {};
    ignore.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &ignore, &before);  // somebody may have killed the watchdog
    [[maybe_unused]] const ssize_t told = write(pipe_, &done, 1);
    sigaction(SIGPIPE, &before, nullptr);
    close(pipe_);
    waitpid(child_, nullptr, 0);
}

}  // namespace rogate::cli
