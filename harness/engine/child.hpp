// A program of this machine that rogate talks to by its standard input and output: ssh, a credential helper.
#pragma once

#include <sys/types.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/client.hpp"

namespace rogate::engine {

class Child {
  public:
    using Pipe = boost::asio::local::stream_protocol::socket;
    // `arguments` begin with the program, which is looked for in PATH. It gets a session of its own, so that
    // Ctrl-C is rogate's alone and nothing is asked on the terminal. ErrorKind::not_found: there is no such
    // program; ErrorKind::io: it could not be started.
    static Result<std::unique_ptr<Child>> start(boost::asio::any_io_executor executor,
                                                std::vector<std::string> arguments);
    ~Child();
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    // Its standard input and output.
    Pipe& pipe() { return pipe_; }
    // What it wrote to its standard error, the last lines of it in one, without control characters.
    std::string said() const;
    // Its exit code, 128 and more for a signal; nullopt while it runs.
    std::optional<int> ended();
    // The same, after `patience` at most. An end of its output comes a moment before its own.
    boost::asio::awaitable<std::optional<int>> wait(Milliseconds patience);
    // Asks it to end and sees to it. It is gone afterwards.
    void end() noexcept;

  private:
    Child(Pipe pipe, int errors, pid_t pid) : pipe_(std::move(pipe)), errors_(errors), pid_(pid) {}

    Pipe pipe_;
    int errors_ = -1;
    pid_t pid_ = 0;
    std::optional<int> code_;
};

}  // namespace rogate::engine
