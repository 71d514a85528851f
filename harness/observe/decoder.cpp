#include "observe/decoder.hpp"

#include <fmt/format.h>

#include <cstring>

namespace rogate::observe {

namespace {

constexpr std::size_t magic_size = sizeof(PROTOCOL_MAGIC) - 1;

Error not_ours(std::string why) {
    return {ErrorKind::protocol, "the observer's stream is garbled: " + std::move(why)};
}

// Reads a payload from its beginning; remembers that it was too short instead of failing each time.
class Payload {
  public:
    explicit Payload(std::string_view bytes) : bytes_(bytes) {}

    template <class T>
    T fixed() {
        T value{};
        if (bytes_.size() < sizeof value) {
            short_ = true;
            return value;
        }
        std::memcpy(&value, bytes_.data(), sizeof value);
        bytes_.remove_prefix(sizeof value);
        return value;
    }
    std::string text() {
        const auto size = fixed<std::uint16_t>();
        if (bytes_.size() < size) {
            short_ = true;
            return {};
        }
        std::string value(bytes_.substr(0, size));
        bytes_.remove_prefix(size);
        return value;
    }
    bool whole() const { return !short_ && bytes_.empty(); }

  private:
    std::string_view bytes_;
    bool short_ = false;
};

// The fields are read in the order in which they are written here: a braced initialiser is evaluated left to
// right.
std::optional<Frame> decode(std::uint16_t type, Payload& payload) {
    switch (type) {
        case FRAME_HELLO:
            return Hello{payload.text(), payload.text()};
        case FRAME_REPLY: {
            const auto fixed = payload.fixed<frame_reply>();
            return Reply{fixed.number, fixed.status, fixed.value, payload.text()};
        }
        case FRAME_ATTEMPT:
            return AttemptEvent{payload.fixed<frame_attempt>(),
                                payload.text(),
                                payload.text(),
                                payload.text(),
                                payload.text(),
                                payload.text()};
        case FRAME_COUNT: {
            const auto fixed = payload.fixed<frame_count>();
            return CountEvent{fixed.id, fixed.count};
        }
        case FRAME_USE:
            return UseEvent{payload.fixed<std::uint64_t>(), payload.text()};
        case FRAME_READ:
            return ReadEvent{payload.fixed<std::uint64_t>(), payload.fixed<std::uint64_t>(), payload.text()};
        case FRAME_STATS: {
            const auto fixed = payload.fixed<frame_stats>();
            return StatsEvent{fixed.lost, fixed.attempts};
        }
        case FRAME_ROOT: {
            const auto fixed = payload.fixed<frame_root>();
            return RootEvent{fixed.pid, fixed.pid_inside, payload.text(), fixed.time};
        }
        case FRAME_DOUBT: {
            const auto fixed = payload.fixed<frame_doubt>();
            return DoubtEvent{fixed.id, fixed.kind, payload.text()};
        }
        case FRAME_TARGET:
            return TargetEvent{payload.text(), payload.text()};
        case FRAME_CAPABILITY:
            return CapabilityEvent{payload.fixed<frame_capability>(), payload.text(), payload.text()};
        case FRAME_CHECKS: {
            const auto fixed = payload.fixed<frame_checks>();
            return ChecksEvent{fixed.lost, fixed.audited_only != 0};
        }
        case FRAME_ERROR:
            return AgentError{payload.text()};
        default:
            return std::nullopt;
    }
}

}  // namespace

Result<> Decoder::read_magic() {
    const std::string_view seen = std::string_view(buffer_).substr(0, magic_size);
    if (seen != std::string_view(PROTOCOL_MAGIC).substr(0, seen.size()))
        return fail(not_ours("it does not begin as one of rogate's"));
    if (buffer_.size() < magic_size + sizeof(std::uint16_t)) return {};
    std::uint16_t version = 0;
    std::memcpy(&version, buffer_.data() + magic_size, sizeof version);
    if (version != PROTOCOL_VERSION)
        return fail(
            not_ours(fmt::format("it is of version {}, this rogate reads {}", version, PROTOCOL_VERSION)));
    at_ = magic_size + sizeof version;
    magic_read_ = true;
    return {};
}

Result<std::optional<Frame>> Decoder::next() {
    const auto give_up = [&](Error error) {
        broken_ = error;
        return fail(std::move(error));
    };
    if (broken_) return fail(Error(*broken_));
    if (!magic_read_) {
        if (auto read = read_magic(); !read) return give_up(std::move(read.error()));
        if (!magic_read_) return std::optional<Frame>();
    }
    frame_header header{};
    if (buffer_.size() - at_ < sizeof header) return std::optional<Frame>();
    std::memcpy(&header, buffer_.data() + at_, sizeof header);
    if (header.length > PROTOCOL_MAX_FRAME)
        return give_up(not_ours(fmt::format("a frame of {} bytes", header.length)));
    if (buffer_.size() - at_ < sizeof header + header.length) return std::optional<Frame>();
    Payload payload(std::string_view(buffer_).substr(at_ + sizeof header, header.length));
    auto frame = decode(header.type, payload);
    if (!frame) return give_up(not_ours(fmt::format("a frame of the unknown type {}", header.type)));
    if (!payload.whole())
        return give_up(not_ours(fmt::format("a frame of type {} whose length is wrong", header.type)));
    slot_ = header.slot;
    at_ += sizeof header + header.length;
    // Moving the rest to the front costs its size, so that is done seldom.
    if (at_ > (1U << 20U) || at_ == buffer_.size()) {
        buffer_.erase(0, at_);
        at_ = 0;
    }
    return frame;
}

Result<> Decoder::finish() const {
    if (broken_) return fail(Error(*broken_));
    if (!magic_read_ || at_ != buffer_.size()) return fail(not_ours("it ends in the middle of a frame"));
    return {};
}

}  // namespace rogate::observe
