// One after the other, for coroutines of one thread.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace rogate::proxy {

class Turn {
  public:
    explicit Turn(boost::asio::any_io_executor executor)
        : free_(std::move(executor), boost::asio::steady_timer::time_point::max()) {}

    // Whoever holds it has the turn.
    class Held {
      public:
        explicit Held(Turn& turn) : turn_(&turn) {}
        Held(Held&& other) noexcept : turn_(std::exchange(other.turn_, nullptr)) {}
        Held& operator=(Held&&) = delete;
        ~Held() {
            if (turn_ == nullptr) return;
            turn_->is_taken_ = false;
            turn_->free_.cancel();
        }

      private:
        Turn* turn_;
    };

    bool is_taken() const { return is_taken_; }
    boost::asio::awaitable<Held> take() {
        while (is_taken_) co_await free_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
        is_taken_ = true;
        co_return Held(*this);
    }

  private:
    boost::asio::steady_timer free_;
    bool is_taken_ = false;
};

}  // namespace rogate::proxy
