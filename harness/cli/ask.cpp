#include "cli/ask.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdio>

namespace rogate::cli {

namespace asio = boost::asio;
using engine::Task;

bool somebody_is_there() {
    return isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1;
}

Task<bool> ask(std::string question) {
    std::fputs(fmt::format("{} (y/N) ", question).c_str(), stderr);
    std::fflush(stderr);
    // Waited for, and then read as the shell's own terminal is: it stays blocking.
    const int input = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
    if (input < 0) co_return false;
    asio::posix::stream_descriptor there(co_await asio::this_coro::executor, input);
    auto [failed] = co_await there.async_wait(asio::posix::descriptor_base::wait_read,
                                              asio::as_tuple(asio::use_awaitable));
    if (failed) co_return fail(ErrorKind::cancelled, "interrupted");
    std::array<char, 256> line{};
    const ssize_t size = read(STDIN_FILENO, line.data(), line.size());
    co_return size > 0 && (line[0] == 'y' || line[0] == 'Y');
}

}  // namespace rogate::cli
