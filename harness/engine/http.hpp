// HTTP/1.1 over a Stream: one request and its reply, read whole or piece by piece, and the raw connection
// after an upgrade.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "engine/transport.hpp"

namespace rogate::engine {

struct HttpRequest {
    std::string method = "GET", target;
    std::string body, content_type;
    std::function<Task<std::string>()> pieces = {};  // in place of the body; an empty one is its end
    std::map<std::string, std::string> headers;
    bool upgrade = false;     // asks for the raw connection
    bool keep_alive = false;  // asks for a connection that another request can follow on
};

struct HttpReplyHead {
    int status = 0;
    std::map<std::string, std::string> headers;  // names in lower case
};

class HttpExchange {
  public:
    explicit HttpExchange(std::unique_ptr<Stream> stream);
    ~HttpExchange();
    HttpExchange(HttpExchange&&) noexcept;

    Task<HttpReplyHead> send(const HttpRequest& request, std::string host);
    // The next piece of the reply's body, chunking removed; empty at its end. A body that breaks off is an
    // error.
    Task<std::string> read_body();
    // All that is left of it; ErrorKind::protocol when that is more than `limit` bytes.
    Task<std::string> read_rest_of_body(std::size_t limit);
    // Once the body has been read to its end: the connection, if both sides would keep it for another
    // request; else nullptr.
    std::unique_ptr<Stream> take_idle_stream();
    // After an upgrade: bytes that came with the reply, and the connection.
    std::string take_rest();
    std::unique_ptr<Stream> take_stream();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

// `text` as one segment of a path or one value of a query.
std::string url_escape(std::string_view text);

}  // namespace rogate::engine
