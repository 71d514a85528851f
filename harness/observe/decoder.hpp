// The agent's stream, decoded. Sans I/O: bytes in, frames out. The format is protocol.h's.
#pragma once

#include <cstdint>
#include <optional>
#include <rogate/error.hpp>
#include <string>
#include <string_view>
#include <variant>

#include "observe/protocol.h"

namespace rogate::observe {

struct Hello {
    std::string hooks, kernel;
};
struct Reply {
    std::uint32_t number = 0;
    int status = 0, value = 0;
    std::string text;
};
struct AttemptEvent {
    frame_attempt fixed{};
    std::string comm, exe, syscall, path, mount;
};
struct CountEvent {
    std::uint64_t id = 0, count = 0;
};
struct UseEvent {
    std::uint64_t count = 0;
    std::string mount;
};
struct ReadEvent {
    std::uint64_t files = 0, directories = 0;
    std::string mount;
};
struct StatsEvent {
    std::uint64_t lost = 0, attempts = 0;
};
struct RootEvent {
    std::uint32_t pid = 0, pid_inside = 0;
    std::string comm;
    std::uint64_t time = 0;
};
struct DoubtEvent {
    std::uint64_t id = 0;
    std::uint32_t kind = 0;
    std::string text;
};
struct TargetEvent {
    std::string target, point;
};
struct CapabilityEvent {
    frame_capability fixed{};
    std::string comm, call;
};
struct ChecksEvent {
    std::uint64_t lost = 0;
    bool audited_only = false;
};
struct AgentError {
    std::string text;
};
using Frame = std::variant<Hello, Reply, AttemptEvent, CountEvent, UseEvent, ReadEvent, StatsEvent, RootEvent,
                           DoubtEvent, TargetEvent, CapabilityEvent, ChecksEvent, AgentError>;

class Decoder {
  public:
    void feed(std::string_view bytes) { buffer_.append(bytes); }
    // The next frame; nullopt: more bytes are needed. ErrorKind::protocol once the bytes are no stream of the
    // agent's, and ever after, since there is no telling where the next frame begins.
    Result<std::optional<Frame>> next();
    // Which container the last frame is about.
    std::uint16_t slot() const { return slot_; }
    // The stream ended: an error if it did so inside a frame.
    Result<> finish() const;

  private:
    Result<> read_magic();

    std::string buffer_;
    std::size_t at_ = 0;
    bool magic_read_ = false;
    std::uint16_t slot_ = 0;
    std::optional<Error> broken_;
};

}  // namespace rogate::observe
