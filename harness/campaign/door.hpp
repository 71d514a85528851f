// A socket on the engine's host in place of the engine's own: whoever in a container connects to it, speaks
// with rogate. The engine may be another host's: connections come by the Engine API.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/client.hpp"

namespace rogate::campaign {

class Door {
  public:
    using Taken = std::function<void(std::unique_ptr<engine::Stream>)>;

    // Makes it, with the mode and owner of a socket on the engine's host: the first of `like` that is there.
    // `client` outlives it. What it has on the engine is labelled, and left to the session's sweep.
    static engine::Task<std::unique_ptr<Door>> open(engine::Client& client, std::string session,
                                                    std::vector<std::string> like, Taken taken);
    // No connection is taken any more.
    ~Door();
    Door(const Door&) = delete;
    Door& operator=(const Door&) = delete;

    // What a bind of it names.
    const std::string& source() const;
    // Why it takes no connections any more; empty: it does.
    const std::string& trouble() const;

  private:
    struct Impl;
    static engine::Task<> take(std::shared_ptr<Impl> door);
    explicit Door(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
    std::shared_ptr<Impl> impl_;
};

}  // namespace rogate::campaign
