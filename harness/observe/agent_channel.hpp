// How rogate talks with an agent: commands go into the standard input of its container, and frames come from
// its standard output.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine/client.hpp"
#include "observe/decoder.hpp"
#include "observe/recorder.hpp"

namespace rogate::observe {

class AgentChannel {
  public:
    AgentChannel(engine::Client& client, boost::asio::any_io_executor executor,
                 std::chrono::milliseconds reply_timeout);
    // Closes it. A reader that is still at work keeps what it reads into.
    ~AgentChannel();
    AgentChannel(const AgentChannel&) = delete;
    AgentChannel& operator=(const AgentChannel&) = delete;

    // Attaches to `container`, starts it, and waits until the agent has said hello.
    engine::Task<> open(std::string container);
    // Which hooks it has, in its own words; after open().
    const std::string& hooks() const { return shared_->hello->hooks; }
    // Sends one command and waits for its answer. ErrorKind::engine: the agent refused, or is gone;
    // ErrorKind::timeout: it did not answer in time.
    engine::Task<Reply> ask(std::string command);
    // What comes for that slot from now on goes to `recorder`.
    void deliver(std::size_t slot, std::shared_ptr<Recorder> recorder);
    void close();

  private:
    // What the reader shares with the commands.
    struct Shared {
        Decoder decoder;
        std::optional<Hello> hello;
        std::map<std::uint32_t, Reply> replies;
        std::map<std::uint16_t, std::shared_ptr<Recorder>> recorders;  // by slot
        std::string stderr_tail;
        std::optional<Error> ended;  // the stream is over, and why
    };
    static engine::Task<> read_all(std::shared_ptr<engine::Attachment> attachment,
                                   std::shared_ptr<Shared> shared, std::function<void()> wake);
    static Result<> take_frames(Shared& shared);
    template <class Condition>
    engine::Task<> wait_until(Condition condition, std::string_view what);
    engine::Task<bool> container_is_gone();

    engine::Client& client_;
    boost::asio::any_io_executor executor_;
    std::chrono::milliseconds reply_timeout_;
    std::string container_;
    std::shared_ptr<engine::Attachment> attachment_;
    std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
    boost::asio::steady_timer wake_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
    std::uint32_t next_number_ = 1;
};

}  // namespace rogate::observe
