// A clock that stands still while there is work and jumps to the next timer when there is none, so that a
// test of minutes takes milliseconds and comes out alike each time.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>

namespace rogate::test {

// While one exists, std::chrono::steady_clock is its time in this program, and Asio waits by it: an
// io_context that is made meanwhile never sleeps. One at a time, and one thread.
class VirtualTime {
  public:
    // `limit`: when that much time has passed, `overdue` is called, once.
    explicit VirtualTime(std::chrono::nanoseconds limit = std::chrono::hours(24));
    ~VirtualTime();
    VirtualTime(const VirtualTime&) = delete;
    VirtualTime& operator=(const VirtualTime&) = delete;

    // Runs all work there is. False: some was left when the limit was over, which means that it has no end.
    bool run(boost::asio::io_context& context);
    std::chrono::nanoseconds passed() const { return now_ - start_; }

    // For the functions of the system that are replaced.
    std::chrono::nanoseconds now() const { return now_; }
    void sleep(std::chrono::milliseconds how_long);
    static VirtualTime* current();

  private:
    std::chrono::nanoseconds start_, now_, limit_;
    std::function<void()> overdue_;
    bool is_overdue_ = false;
};

}  // namespace rogate::test
