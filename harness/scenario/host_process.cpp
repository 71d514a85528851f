#include "scenario/host_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "scenario/guard.hpp"

namespace rogate::scenario {

namespace asio = boost::asio;
using engine::Milliseconds;
using engine::Task;

namespace {

constexpr auto token = asio::as_tuple(asio::use_awaitable);

// An end of a pipe that is closed unless somebody takes it.
class End {
  public:
    End() = default;
    ~End() { close_now(); }
    End(const End&) = delete;
    End& operator=(const End&) = delete;
    int get() const { return fd_; }
    int take() { return std::exchange(fd_, -1); }
    void set(int fd) { fd_ = fd; }
    void close_now() {
        if (fd_ >= 0) close(fd_);
        fd_ = -1;
    }

  private:
    int fd_ = -1;
};

struct Pipe {
    End read, write;
    bool open() {
        std::array<int, 2> ends{-1, -1};
        if (pipe2(ends.data(), O_CLOEXEC) != 0) return false;
        read.set(ends[0]), write.set(ends[1]);
        return true;
    }
};

// rogate's own environment with the command's over it.
std::vector<std::string> merged_environment(const std::map<std::string, std::string>& own) {
    std::vector<std::string> all;
    for (char** each = environ; *each != nullptr; ++each) {
        const std::string_view entry(*each);
        if (!own.contains(std::string(entry.substr(0, entry.find('='))))) all.emplace_back(entry);
    }
    for (const auto& [name, value] : own) all.push_back(name + "=" + value);
    return all;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> all;
    for (std::string& each : texts) all.push_back(each.data());
    all.push_back(nullptr);
    return all;
}

int code_of(int status) {
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

Result<std::unique_ptr<HostProcess>> HostProcess::start(asio::any_io_executor executor,
                                                        const HostCommand& command) {
    Pipe control, report, output;
    std::vector<std::string> words = command.words, environment = merged_environment(command.environment);
    const std::vector<char*> word_list = pointers(words), environment_list = pointers(environment);
    pid_t guard_pid = -1;
    if (control.open() && report.open() && output.open()) {
        std::fflush(nullptr);  // what is buffered would be written twice
        guard_pid = fork();
    }
    if (guard_pid < 0)
        return fail(ErrorKind::io,
                    fmt::format("'{}' cannot be started: {}", command.words.front(), std::strerror(errno)));
    if (guard_pid == 0)
        guard({.directory = command.directory.c_str(),
               .words = word_list.data(),
               .environment = environment_list.data(),
               .control = control.read.get(),
               .report = report.write.get(),
               .output = output.write.get()});
    return std::unique_ptr<HostProcess>(
        new HostProcess(Stream(executor, output.read.take()), Stream(executor, report.read.take()),
                        control.write.take(), guard_pid, command.words.front(), command.directory));
}

void HostProcess::let_go() noexcept {
    if (control_ >= 0) close(control_);
    control_ = -1;
}

HostProcess::~HostProcess() {
    let_go();
    while (waitpid(guard_, nullptr, 0) < 0 && errno == EINTR) {
    }
}

Task<> HostProcess::read_output(const Output& output) {
    co_await asio::this_coro::throw_if_cancelled(false);
    std::array<char, 16 * 1024> bytes;  // NOLINT: filled by the read
    for (;;) {
        auto [error, size] = co_await output_.async_read_some(asio::buffer(bytes), token);
        if (size > 0) output(std::string_view(bytes.data(), size));
        if (error) co_return Result<>{};
    }
}

Task<std::optional<int>> HostProcess::read_report(Milliseconds patience) {
    using namespace asio::experimental::awaitable_operators;
    co_await asio::this_coro::throw_if_cancelled(false);
    const auto executor = co_await asio::this_coro::executor;
    GuardReport told;
    bool late = false;
    asio::steady_timer timer(executor, patience);
    const auto limit = [&]() -> asio::awaitable<void> {
        co_await asio::this_coro::throw_if_cancelled(false);
        auto [error] = co_await timer.async_wait(token);
        if (error) co_return;
        late = true;
        let_go();  // the guard reports when all is gone
    };
    boost::system::error_code failed;
    const auto report = [&]() -> asio::awaitable<void> {
        co_await asio::this_coro::throw_if_cancelled(false);
        auto [error, size] = co_await asio::async_read(report_, asio::buffer(&told, sizeof told), token);
        failed = error;
        timer.cancel();
    };
    auto limiting = limit();
    auto reporting = report();
    co_await (std::move(limiting) && std::move(reporting));
    if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none)
        co_return fail(ErrorKind::cancelled, "interrupted");
    if (failed)
        co_return fail(ErrorKind::io, fmt::format("'{}': the process that guards it has ended", program_));
    if (told.what == GuardReport::What::no_directory)
        co_return fail(ErrorKind::scenario, fmt::format("'{}' cannot be run in {}: {}", program_, directory_,
                                                        std::strerror(told.value)));
    if (told.what == GuardReport::What::not_executable)
        co_return fail(ErrorKind::scenario,
                       fmt::format("'{}' cannot be run: {}", program_, std::strerror(told.value)));
    if (late) co_return std::optional<int>();
    co_return code_of(told.value);
}

Task<std::optional<int>> HostProcess::wait(Milliseconds patience, Output output) {
    using namespace asio::experimental::awaitable_operators;
    auto reading = read_output(output);
    auto reporting = read_report(patience);
    // Nobody has the other end of its output once all are gone.
    auto [read, code] = co_await (std::move(reading) && std::move(reporting));
    co_return code;
}

}  // namespace rogate::scenario
