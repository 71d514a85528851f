// Every type of frame, and every way in which one can be wrong; decoder_test.cpp has the stream as a whole.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

#include "observe/decoder.hpp"
#include "unit/observe/frames.hpp"

namespace rogate::observe {
namespace {

frame_attempt some_attempt() {
    frame_attempt attempt{};
    attempt.id = 0x1122334455667788;
    attempt.phase = 3;
    attempt.flags = ATTEMPT_NO_OP | ATTEMPT_SECOND;
    attempt.pid = 4242;
    attempt.root = 4200;
    attempt.uid = 33;
    attempt.error = 30;
    attempt.open_flags = 0101;
    return attempt;
}

std::string attempt_payload() {
    return bytes_of(some_attempt()) + text("app") + text("/usr/sbin/app") + text("openat") +
           text("/data/a b\xff") + text("/data");
}

// One frame of each type.
std::vector<std::string> one_of_each() {
    return {frame(FRAME_HELLO, text("sys_exit, io_uring") + text("6.18.0")),
            frame(FRAME_REPLY, bytes_of(frame_reply{7, 22, -1, 0}) + text("no such command")),
            frame(FRAME_ROOT, bytes_of(frame_root{1234, 4200, 1}) + text("app"), 15),
            frame(FRAME_ATTEMPT, attempt_payload()),
            frame(FRAME_COUNT, bytes_of(frame_count{0x1122334455667788, 1'000'000})),
            frame(FRAME_USE, bytes_of(std::uint64_t{12}) + text("/data")),
            frame(FRAME_STATS, bytes_of(frame_stats{5, 99})),
            frame(FRAME_ERROR, text("loading the BPF programs: Operation not permitted")),
            frame(FRAME_DOUBT, bytes_of(frame_doubt{7, DOUBT_STATE, 0}) + text("why")),
            frame(FRAME_TARGET, text("/var/run/app") + text("/run/app")),
            frame(FRAME_CAPABILITY,
                  bytes_of(frame_capability{3, 1, 4200, 33, 7, 1, 0}) + text("app") + text("setuid")),
            frame(FRAME_CHECKS, bytes_of(frame_checks{9, 1, 0}))};
}

std::string whole_stream() {
    std::string stream = magic();
    for (const std::string& each : one_of_each()) stream += each;
    return stream;
}

// ---- what comes out
// --------------------------------------------------------------------------------------------------

struct Outcome {
    std::vector<Frame> frames;
    std::optional<Error> error;
};

void drain(Decoder& decoder, Outcome& outcome) {
    while (!outcome.error) {
        auto next = decoder.next();
        if (!next)
            outcome.error = next.error();
        else if (!*next)
            return;
        else
            outcome.frames.push_back(std::move(**next));
    }
}

// Feeds `stream` in pieces of `size` bytes.
Outcome decode(std::string_view stream, std::size_t size = std::string_view::npos) {
    Decoder decoder;
    Outcome outcome;
    while (!stream.empty() && !outcome.error) {
        decoder.feed(stream.substr(0, size));
        stream.remove_prefix(std::min(size, stream.size()));
        drain(decoder, outcome);
    }
    if (!outcome.error)
        if (auto whole = decoder.finish(); !whole) outcome.error = whole.error();
    return outcome;
}

void expect_one_of_each(const Outcome& outcome) {
    ASSERT_EQ(outcome.frames.size(), 12U);
    const auto& check = std::get<CapabilityEvent>(outcome.frames[10]);
    EXPECT_EQ(bytes_of(check.fixed), bytes_of(frame_capability{3, 1, 4200, 33, 7, 1, 0}));
    EXPECT_EQ(check.comm, "app");
    EXPECT_EQ(check.call, "setuid");
    const auto& checks = std::get<ChecksEvent>(outcome.frames[11]);
    EXPECT_EQ(checks.lost, 9U);
    EXPECT_TRUE(checks.audited_only);
    const auto& doubt = std::get<DoubtEvent>(outcome.frames[8]);
    EXPECT_EQ(doubt.id, 7U);
    EXPECT_EQ(doubt.kind, static_cast<std::uint32_t>(DOUBT_STATE));
    EXPECT_EQ(doubt.text, "why");
    const auto& target = std::get<TargetEvent>(outcome.frames[9]);
    EXPECT_EQ(target.target, "/var/run/app");
    EXPECT_EQ(target.point, "/run/app");
    const auto& hello = std::get<Hello>(outcome.frames[0]);
    EXPECT_EQ(hello.hooks, "sys_exit, io_uring");
    EXPECT_EQ(hello.kernel, "6.18.0");
    const auto& reply = std::get<Reply>(outcome.frames[1]);
    EXPECT_EQ(reply.number, 7U);
    EXPECT_EQ(reply.status, 22);
    EXPECT_EQ(reply.value, -1);
    EXPECT_EQ(reply.text, "no such command");
    const auto& root = std::get<RootEvent>(outcome.frames[2]);
    EXPECT_EQ(root.pid, 4200U);
    EXPECT_EQ(root.pid_inside, 1U);
    EXPECT_EQ(root.comm, "app");
    EXPECT_EQ(root.time, 1234U);
    const auto& attempt = std::get<AttemptEvent>(outcome.frames[3]);
    EXPECT_EQ(bytes_of(attempt.fixed), bytes_of(some_attempt()));
    EXPECT_EQ(attempt.comm, "app");
    EXPECT_EQ(attempt.exe, "/usr/sbin/app");
    EXPECT_EQ(attempt.syscall, "openat");
    EXPECT_EQ(attempt.path, "/data/a b\xff");
    EXPECT_EQ(attempt.mount, "/data");
    const auto& count = std::get<CountEvent>(outcome.frames[4]);
    EXPECT_EQ(count.id, attempt.fixed.id);
    EXPECT_EQ(count.count, 1'000'000U);
    const auto& use = std::get<UseEvent>(outcome.frames[5]);
    EXPECT_EQ(use.count, 12U);
    EXPECT_EQ(use.mount, "/data");
    const auto& stats = std::get<StatsEvent>(outcome.frames[6]);
    EXPECT_EQ(stats.lost, 5U);
    EXPECT_EQ(stats.attempts, 99U);
    EXPECT_EQ(std::get<AgentError>(outcome.frames[7]).text,
              "loading the BPF programs: Operation not permitted");
}

TEST(ObserverDecoderFrames, ReadsEveryTypeOfFrame) {
    const Outcome outcome = decode(whole_stream());
    EXPECT_FALSE(outcome.error);
    expect_one_of_each(outcome);
}

TEST(ObserverDecoderFrames, DoesNotCareHowTheBytesArrive) {
    for (const std::size_t size : {1U, 2U, 3U, 7U, 64U}) {
        SCOPED_TRACE(size);
        const Outcome outcome = decode(whole_stream(), size);
        EXPECT_FALSE(outcome.error);
        expect_one_of_each(outcome);
    }
}

struct Wrong {
    const char* name;
    std::string stream;
    const char* says;
};

class WrongStream : public testing::TestWithParam<Wrong> {};

TEST_P(WrongStream, IsAProtocolErrorAndStaysOne) {
    Decoder decoder;
    decoder.feed(GetParam().stream);
    const auto first = decoder.next();
    ASSERT_FALSE(first);
    EXPECT_EQ(first.error().kind, ErrorKind::protocol);
    EXPECT_NE(first.error().message.find(GetParam().says), std::string::npos) << first.error().message;
    // There is no telling where the next frame begins, so a good one must not bring it back.
    decoder.feed(frame(FRAME_STATS, bytes_of(frame_stats{})));
    const auto second = decoder.next();
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error(), first.error());
    EXPECT_FALSE(decoder.finish());
}

INSTANTIATE_TEST_SUITE_P(
    ObserverDecoderFrames, WrongStream,
    testing::Values(
        Wrong{"FirstByte", "X", "does not begin"},
        Wrong{"OtherVersion", magic(PROTOCOL_VERSION + 1), "version"},
        Wrong{"UnknownType", magic() + frame(99, ""), "unknown type 99"},
        Wrong{"TypeZero", magic() + frame(0, ""), "unknown type 0"},
        Wrong{"TooLong", magic() + bytes_of(frame_header{PROTOCOL_MAX_FRAME + 1, FRAME_HELLO, 0}),
              "a frame of"},
        Wrong{"FarTooLong", magic() + bytes_of(frame_header{0xffffffff, FRAME_HELLO, 0}), "a frame of"},
        Wrong{"EmptyPayload", magic() + frame(FRAME_STATS, ""), "length is wrong"},
        Wrong{"ShortPayload", magic() + frame(FRAME_COUNT, bytes_of(std::uint64_t{1})), "length is wrong"},
        Wrong{"LongPayload", magic() + frame(FRAME_COUNT, bytes_of(frame_count{}) + "x"), "length is wrong"},
        Wrong{"TextBeyondPayload", magic() + frame(FRAME_ERROR, bytes_of(std::uint16_t{5}) + "four"),
              "length is wrong"},
        Wrong{"MissingText", magic() + frame(FRAME_HELLO, text("hooks only")), "length is wrong"}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(ObserverDecoderFrames, EveryPayloadThatIsCutShortIsAnError) {
    const std::string payload = attempt_payload();
    for (std::size_t size = 0; size < payload.size(); ++size) {
        SCOPED_TRACE(size);
        const Outcome outcome = decode(magic() + frame(FRAME_ATTEMPT, payload.substr(0, size)));
        EXPECT_TRUE(outcome.error);
        EXPECT_TRUE(outcome.frames.empty());
    }
}

TEST(ObserverDecoderFrames, KeepsTextsAsBytes) {
    std::string path = "/data/";
    for (int byte = 0; byte < 256; ++byte) path += static_cast<char>(byte);
    const Outcome outcome = decode(magic() + frame(FRAME_USE, bytes_of(std::uint64_t{1}) + text(path)));
    ASSERT_EQ(outcome.frames.size(), 1U);
    EXPECT_EQ(std::get<UseEvent>(outcome.frames[0]).mount, path);
}

TEST(ObserverDecoderFrames, GoesOnAfterItHasReusedItsBuffer) {
    std::string stream = magic();
    const std::string each = frame(FRAME_ERROR, text(std::string(60'000, 'x')));
    for (int i = 0; i < 100; ++i) stream += each;
    const Outcome outcome = decode(stream, 100'000);
    EXPECT_FALSE(outcome.error);
    EXPECT_EQ(outcome.frames.size(), 100U);
}

// Whatever bytes come, there is an error or frames, never a crash; the sanitizers' build watches this one.
TEST(ObserverDecoderFrames, SurvivesGarbage) {
    for (std::uint32_t seed = 0; seed < 300; ++seed) {
        SCOPED_TRACE(seed);
        std::mt19937 random(seed);
        std::string stream = seed % 3 == 0 ? "" : magic();
        const std::size_t size = random() % 4000;
        for (std::size_t i = 0; i < size; ++i) stream += static_cast<char>(random() & 0xffU);
        const Outcome outcome = decode(stream, 1 + random() % 97);
        if (outcome.error) {
            EXPECT_EQ(outcome.error->kind, ErrorKind::protocol);
        }
    }
}

}  // namespace
}  // namespace rogate::observe
