// COMMAND: a program of the user's on this machine, with all that it starts.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/client.hpp"

namespace rogate::wrap {

struct CommandSpec {
    std::vector<std::string> words;  // the program first, which is looked for in PATH
    std::map<std::string, std::optional<std::string>> environment;  // changes; nullopt: unset
    // Removed with what is in it if rogate does not end by itself. Of rogate's own, and flat.
    std::string folder;
};

// A supervisor of a process of its own holds it: whatever becomes of rogate, SIGTERM and after five seconds
// SIGKILL end COMMAND's process group. COMMAND's standard input is empty, and it has no terminal.
class Command {
  public:
    // What it says on its standard output and error, as it comes.
    using Output = std::function<void(std::string_view)>;

    // ErrorKind::usage: there is no such program; ErrorKind::io: it could not be started.
    static Result<std::unique_ptr<Command>> start(boost::asio::any_io_executor executor, CommandSpec spec,
                                                  Output output);
    // Its process group ends with it.
    ~Command();
    Command(const Command&) = delete;
    Command& operator=(const Command&) = delete;

    // Its exit code, 128 and more for a signal; nullopt: it had not ended in `patience` (absent: it is waited
    // for as long as it takes).
    engine::Task<std::optional<int>> wait(std::optional<std::chrono::milliseconds> patience);
    // Ends what is left of its process group, and waits for that.
    engine::Task<> end();

  private:
    struct Impl;
    explicit Command(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
    std::shared_ptr<Impl> impl_;
};

}  // namespace rogate::wrap
