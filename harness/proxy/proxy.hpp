// Passes an engine's API on, from a socket of rogate's own: bytes behind each request's head, whatever they
// are. Only the calls that somebody asks to see are read whole.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "engine/client.hpp"
#include "proxy/call.hpp"

namespace rogate::proxy {

// A call that is read whole, with its body.
struct Exchange {
    Call call;
    std::string body;
    std::size_t note = 0;  // for whoever sees it
    std::shared_ptr<void> seen_by = {};
};

// A reply in place of the engine's.
struct Reply {
    int status = 200;
    std::string body;  // JSON
};

// How a call goes on.
struct Admission {
    std::optional<Reply> reply = {};  // the engine is not asked
    std::string target = {};          // as the engine gets it; empty: as it came
    // Lines of a reply without end (events) that the client gets; null: it gets the reply as it is.
    std::function<engine::Task<bool>(std::string line)> keeps = {};
    // The connection may become one of another protocol, which nobody looks at any more.
    bool may_upgrade = true;
};

// Who sees the calls that make, start and end containers. Calls can overlap.
class Overseer {
  public:
    virtual ~Overseer() = default;
    virtual bool wants(const Call& call) const = 0;
    // Whether admit() looks into the body.
    virtual bool reads(const Call& call) const {
        (void)call;
        return false;
    }
    // First of all, for every call. `body` is empty unless it is read, and may be changed. An error is the
    // reply.
    virtual engine::Task<Admission> admit(std::string method, Call call, std::string* body) {
        (void)method, (void)call, (void)body;
        co_return Admission{};
    }
    // One that is not wanted is passed on now.
    virtual void passes(const Call& call) { (void)call; }
    // Before the engine has it. The body may be changed; an error is the reply, and the engine gets nothing.
    virtual engine::Task<> before(Exchange& exchange) = 0;
    // When the engine has replied, before the client has the reply.
    virtual engine::Task<> after(const Exchange& exchange, int status, const std::string& body) = 0;
};

class Proxy {
  public:
    // `transport` and `overseer` outlive it.
    Proxy(boost::asio::any_io_executor executor, engine::Transport& transport, Overseer& overseer);
    // Everybody is cut off.
    ~Proxy();
    Proxy(const Proxy&) = delete;
    Proxy& operator=(const Proxy&) = delete;

    // Makes the socket, 0600, in `folder`, which is the caller's own (0700), and takes connections from now
    // on.
    Result<> listen(const std::string& folder);
    // As DOCKER_HOST has it: "unix:///tmp/rogate-x/engine.sock".
    std::string address() const;
    // A connection that came in another way.
    void serve(std::unique_ptr<engine::Stream> client);
    // Cuts off those who are connected, and waits until nothing of theirs is under way.
    engine::Task<> cut_off();
    // The same, and takes no more connections.
    engine::Task<> stop();

  private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace rogate::proxy
