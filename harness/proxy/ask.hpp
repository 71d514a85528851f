// Calls of a proxy's own, and replies that are read whole.
#pragma once

#include <string>

#include "engine/transport.hpp"
#include "proxy/head.hpp"

namespace rogate::proxy {

// Of what is read whole: containers' descriptions, lists, short replies.
inline constexpr std::size_t longest_body = 32U << 20U;

// The next bytes, behind those that are there. ErrorKind::io: the connection ended.
engine::Task<> more(engine::Stream& from, std::string& to);
// The bytes as they came; their head, and the body without its chunks.
engine::Task<std::string> read_reply(engine::Stream& from, Head* head, std::string* body);

struct Answer {
    int status = 0;
    std::string body;
};
// GET `target`, over a connection of its own.
engine::Task<Answer> ask(engine::Transport& transport, std::string target);

}  // namespace rogate::proxy
