#include "engine/ssh.hpp"

#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <deque>
#include <map>

#include "base/text.hpp"

namespace rogate::engine {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr auto token = asio::as_tuple(asio::use_awaitable);
constexpr int ssh_failed = 255;  // ssh's own failures; everything else is the remote command's exit code
constexpr Milliseconds to_end(2'000);

// sshd refuses connections at random when ten or more have not logged in yet (MaxStartups, 10:30:100 unless
// configured), so only few are begun at a time.
constexpr std::size_t begun_at_a_time = 4;
// Whether one has logged in shows when the engine answers; after this long it is taken for granted, since an
// answer may take as long as the call does.
constexpr Milliseconds to_log_in(5'000);

// Lets few through that have not answered yet.
class Door : public std::enable_shared_from_this<Door> {
  public:
    // Held by a connection that has not answered yet.
    class Place {
      public:
        Place(std::shared_ptr<Door> door, const asio::any_io_executor& executor)
            : door_(std::move(door)), limit_(executor, to_log_in) {}
        ~Place() { leave(); }
        Place(const Place&) = delete;
        Place& operator=(const Place&) = delete;
        void leave() noexcept {
            if (const auto door = std::exchange(door_, nullptr)) door->leave();
        }
        static void leave_in_time(const std::shared_ptr<Place>& place) {
            place->limit_.async_wait([held = std::weak_ptr(place)](const error_code& error) {
                if (const auto still = held.lock(); still && !error) still->leave();
            });
        }

      private:
        std::shared_ptr<Door> door_;
        asio::steady_timer limit_;
    };

    Task<std::shared_ptr<Place>> enter() {
        const asio::any_io_executor executor = co_await asio::this_coro::executor;
        while (within_ >= begun_at_a_time) {
            const auto turn =
                std::make_shared<asio::steady_timer>(executor, asio::steady_timer::time_point::max());
            waiting_.push_back(turn);
            co_await turn->async_wait(token);
            // Whoever wakes it has taken it out of the list.
            if (std::erase(waiting_, turn) > 0) co_return fail(ErrorKind::cancelled, "interrupted");
        }
        ++within_;
        auto place = std::make_shared<Place>(shared_from_this(), executor);
        Place::leave_in_time(place);
        co_return place;
    }

  private:
    void leave() noexcept {
        --within_;
        if (waiting_.empty()) return;
        const auto next = waiting_.front();
        waiting_.pop_front();
        next->cancel();
    }

    std::size_t within_ = 0;
    std::deque<std::shared_ptr<asio::steady_timer>> waiting_;
};

std::vector<std::string> ssh(const Endpoint& endpoint) {
    std::vector<std::string> words{"ssh"};
    if (!endpoint.user.empty()) words.insert(words.end(), {"-l", endpoint.user});
    if (endpoint.port != 0) words.insert(words.end(), {"-p", std::to_string(endpoint.port)});
    words.insert(words.end(), {"-o", "ConnectTimeout=30", "-T"});
    return words;
}

std::string way_out(const Endpoint& endpoint, int code) {
    const std::string there = endpoint.user.empty() ? endpoint.host : endpoint.user + "@" + endpoint.host;
    if (code == ssh_failed)
        return fmt::format(
            "`ssh {}{}` must work from here without a question: it is not asked on the terminal",
            endpoint.port == 0 ? "" : fmt::format("-p {} ", endpoint.port), there);
    if (code == 127)
        return fmt::format(
            "the docker client must be installed on {}, and in the PATH that `ssh {} env` shows",
            endpoint.host, there);
    return fmt::format("`ssh {} docker version` must work", there);
}

// One for each server, however many transports lead to it (--jobs).
std::shared_ptr<Door> door_of(const Endpoint& endpoint) {
    static std::map<std::string, std::weak_ptr<Door>> doors;
    std::weak_ptr<Door>& known = doors[endpoint.authority()];
    std::shared_ptr<Door> door = known.lock();
    if (!door) known = door = std::make_shared<Door>();
    return door;
}

class SshStream : public Stream {
  public:
    SshStream(std::unique_ptr<Child> child, const Endpoint& endpoint, std::shared_ptr<Door::Place> place)
        : child_(std::move(child)), endpoint_(endpoint), place_(std::move(place)) {}

    Task<std::size_t> read_some(asio::mutable_buffer buffer) override {
        auto [error, size] = co_await child_->pipe().async_read_some(buffer, token);
        if (error == asio::error::operation_aborted) co_return fail(ErrorKind::cancelled, "interrupted");
        if (!error) {
            answered_ = true;
            place_.reset();
            co_return size;
        }
        auto end = co_await how_it_ended();
        if (!end) co_return fail(std::move(end.error()));
        co_return std::size_t{0};
    }
    Task<> write_all(asio::const_buffer buffer) override {
        auto [error, size] = co_await asio::async_write(child_->pipe(), buffer, token);
        if (error == asio::error::operation_aborted) co_return fail(ErrorKind::cancelled, "interrupted");
        if (!error) co_return Result<>{};
        auto end = co_await how_it_ended();
        if (!end) co_return fail(std::move(end.error()));
        co_return fail(ErrorKind::engine, fmt::format("writing to the engine: {}", error.message()));
    }
    Task<> close_write() override {
        error_code error;
        child_->pipe().shutdown(Child::Pipe::shutdown_send, error);
        if (error)
            co_return fail(ErrorKind::engine,
                           fmt::format("closing the way to the engine: {}", error.message()));
        co_return Result<>{};
    }
    void close() noexcept override { child_->end(); }

  private:
    // The engine's end of stream and ssh's failure look the same but for the exit code.
    Task<> how_it_ended() {
        const std::optional<int> code = co_await child_->wait(to_end);
        if (!code || (answered_ && *code != ssh_failed && *code < 128)) co_return Result<>{};
        if (*code == 0 && child_->said().empty()) co_return Result<>{};
        const std::string origin = endpoint_.origin.empty() || endpoint_.origin == "default"
                                       ? ""
                                       : fmt::format(" (from {})", endpoint_.origin);
        const std::string said = child_->said();
        co_return fail(ErrorKind::engine,
                       fmt::format("{} the engine at {}{}: ssh ended with exit code {}{}; {}",
                                   answered_ ? "lost" : "cannot reach", endpoint_.to_string(), origin, *code,
                                   said.empty() ? "" : fmt::format(": {}", said), way_out(endpoint_, *code)));
    }

    std::unique_ptr<Child> child_;
    const Endpoint& endpoint_;  // the transport's, which outlives its connections
    bool answered_ = false;
    std::shared_ptr<Door::Place> place_;
};

class SshTransport : public Transport {
  public:
    SshTransport(asio::any_io_executor executor, Endpoint endpoint)
        : executor_(std::move(executor)), endpoint_(std::move(endpoint)) {}

    Task<std::unique_ptr<Stream>> connect() override {
        auto place = co_await door_->enter();
        if (!place) co_return fail(std::move(place.error()));
        auto child = Child::start(executor_, ssh_to_engine(endpoint_));
        if (!child)
            co_return fail(ErrorKind::engine,
                           fmt::format("cannot reach the engine at {}: {}; install an ssh client (Debian: "
                                       "openssh-client)",
                                       endpoint_.to_string(), child.error().message));
        std::unique_ptr<Stream> stream =
            std::make_unique<SshStream>(std::move(*child), endpoint_, std::move(*place));
        co_return stream;
    }

  private:
    asio::any_io_executor executor_;
    Endpoint endpoint_;
    std::shared_ptr<Door> door_ = door_of(endpoint_);
};

}  // namespace

std::vector<std::string> ssh_to_engine(const Endpoint& endpoint) {
    std::vector<std::string> words = ssh(endpoint);
    words.insert(words.end(), {"--", endpoint.host, "docker"});
    if (!endpoint.path.empty())
        words.insert(words.end(), {"--host", in_single_quotes("unix://" + endpoint.path)});
    words.insert(words.end(), {"system", "dial-stdio"});
    return words;
}

std::unique_ptr<Transport> make_ssh_transport(asio::any_io_executor executor, const Endpoint& endpoint) {
    return std::make_unique<SshTransport>(std::move(executor), endpoint);
}

}  // namespace rogate::engine
