// The clock, and the three functions of the system that a program must ask instead. Defining them here takes
// precedence over libstdc++ and libc (ELF symbol interposition). Asio takes an engine without timerfd for an
// old kernel, and then hands the time until its next timer to epoll_wait()
// (boost/asio/detail/impl/epoll_reactor.ipp).
#include "support/virtual_time.hpp"

#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <stdexcept>

namespace rogate::test {

namespace {

VirtualTime* the_one = nullptr;  // NOLINT: what is replaced has no arguments of its own

}  // namespace

VirtualTime* VirtualTime::current() {
    return the_one;
}

VirtualTime::VirtualTime(std::chrono::nanoseconds limit)
    : start_(std::chrono::hours(1)), now_(start_), limit_(limit) {
    if (the_one != nullptr) throw std::logic_error("there is a virtual time already");
    the_one = this;
}

VirtualTime::~VirtualTime() {
    the_one = nullptr;
}

void VirtualTime::sleep(std::chrono::milliseconds how_long) {
    now_ += how_long;
    if (passed() <= limit_ || is_overdue_) return;
    is_overdue_ = true;
    if (overdue_) overdue_();
}

bool VirtualTime::run(boost::asio::io_context& context) {
    is_overdue_ = false;
    overdue_ = [&] { context.stop(); };
    context.restart();
    context.run();
    overdue_ = {};
    return !is_overdue_;
}

}  // namespace rogate::test

std::chrono::steady_clock::time_point std::chrono::steady_clock::now() noexcept {
    if (rogate::test::the_one != nullptr) return time_point(rogate::test::the_one->now());
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time_point(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
}

extern "C" int timerfd_create(int clock, int flags) noexcept {
    if (rogate::test::the_one != nullptr) {
        errno = EINVAL;
        return -1;
    }
    return static_cast<int>(syscall(SYS_timerfd_create, clock, flags));
}

extern "C" int epoll_wait(int epoll, epoll_event* events, int most, int timeout) {
    rogate::test::VirtualTime* time = rogate::test::the_one;
    const auto wait = [&](int limit) {
        return static_cast<int>(syscall(SYS_epoll_wait, epoll, events, most, limit));
    };
    if (time == nullptr) return wait(timeout);
    const int found = wait(0);
    if (found == 0 && timeout > 0) time->sleep(std::chrono::milliseconds(timeout));
    // Without a timer nothing can ever happen any more: five minutes are the longest that Asio waits for one.
    if (found == 0 && timeout < 0) time->sleep(std::chrono::minutes(5));
    return found;
}
