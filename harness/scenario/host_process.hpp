// A command on rogate's machine. It runs in a process group of its own, and nothing that it started outlives
// it, its timeout or rogate (guard.hpp).
#pragma once

#include <sys/types.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <rogate/error.hpp>
#include <string>
#include <vector>

#include "engine/client.hpp"

namespace rogate::scenario {

struct HostCommand {
    std::vector<std::string> words;  // the program first; looked for in PATH
    std::string directory;
    std::map<std::string, std::string> environment;  // beside rogate's own, and before it
};

class HostProcess {
  public:
    // ErrorKind::io: it could not be started.
    static Result<std::unique_ptr<HostProcess>> start(boost::asio::any_io_executor executor,
                                                      const HostCommand& command);
    // Ends it and all that it has started; takes some seconds where these ignore SIGTERM.
    ~HostProcess();
    HostProcess(const HostProcess&) = delete;
    HostProcess& operator=(const HostProcess&) = delete;

    using Output = std::function<void(std::string_view)>;
    // Passes on what it writes to its standard output and standard error until it and all that it started
    // have ended. Its exit code, 128 and more for a signal; nothing: `patience` was over, and it was ended.
    // ErrorKind::scenario: it cannot be run, and why.
    engine::Task<std::optional<int>> wait(engine::Milliseconds patience, Output output);

  private:
    using Stream = boost::asio::posix::stream_descriptor;
    HostProcess(Stream output, Stream report, int control, pid_t guard, std::string program,
                std::string directory)
        : output_(std::move(output)),
          report_(std::move(report)),
          control_(control),
          guard_(guard),
          program_(std::move(program)),
          directory_(std::move(directory)) {}
    void let_go() noexcept;
    engine::Task<> read_output(const Output& output);
    engine::Task<std::optional<int>> read_report(engine::Milliseconds patience);

    Stream output_, report_;
    int control_;
    pid_t guard_;
    std::string program_, directory_;
};

}  // namespace rogate::scenario
