#include "observe/decoder.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

namespace rogate::observe {
namespace {

template <class T>
void put(std::string& to, const T& value) {
    to.append(reinterpret_cast<const char*>(&value), sizeof value);
}
void put_text(std::string& to, std::string_view text) {
    put(to, static_cast<std::uint16_t>(text.size()));
    to.append(text);
}
std::string beginning(std::uint16_t version = PROTOCOL_VERSION) {
    std::string stream = PROTOCOL_MAGIC;
    put(stream, version);
    return stream;
}
void put_frame(std::string& to, std::uint16_t type, const std::string& payload) {
    put(to, frame_header{static_cast<std::uint32_t>(payload.size()), type, 0});
    to += payload;
}
std::string attempt_payload(std::string_view path) {
    std::string payload;
    frame_attempt fixed{};
    fixed.id = 7;
    fixed.error = 30;
    put(payload, fixed);
    for (const std::string_view text : {std::string_view("touch"), std::string_view("/bin/touch"),
                                        std::string_view("openat"), path, std::string_view("/data")})
        put_text(payload, text);
    return payload;
}
std::string sample() {
    std::string stream = beginning(), hello;
    put_text(hello, "sys_exit");
    put_text(hello, "6.1");
    put_frame(stream, FRAME_HELLO, hello);
    put_frame(stream, FRAME_ATTEMPT, attempt_payload("/data/x\n\xff"));
    std::string count;
    put(count, frame_count{7, 1000});
    put_frame(stream, FRAME_COUNT, count);
    return stream;
}
Result<std::vector<Frame>> decode_all(Decoder& decoder) {
    std::vector<Frame> frames;
    for (;;) {
        auto frame = decoder.next();
        if (!frame) return fail(std::move(frame.error()));
        if (!*frame) return frames;
        frames.push_back(std::move(**frame));
    }
}

TEST(ObserverDecoder, ReadsFramesHoweverTheBytesAreSplit) {
    const std::string stream = sample();
    for (std::size_t step : {1UL, 2UL, 3UL, 7UL, stream.size()}) {
        Decoder decoder;
        std::vector<Frame> frames;
        for (std::size_t at = 0; at < stream.size(); at += step) {
            decoder.feed(std::string_view(stream).substr(at, step));
            auto some = decode_all(decoder);
            ASSERT_TRUE(some.has_value()) << some.error().message;
            frames.insert(frames.end(), some->begin(), some->end());
        }
        ASSERT_EQ(frames.size(), 3U);
        EXPECT_EQ(std::get<Hello>(frames[0]).kernel, "6.1");
        EXPECT_EQ(std::get<AttemptEvent>(frames[1]).path, "/data/x\n\xff");
        EXPECT_EQ(std::get<AttemptEvent>(frames[1]).comm, "touch");
        EXPECT_EQ(std::get<AttemptEvent>(frames[1]).mount, "/data");
        EXPECT_EQ(std::get<CountEvent>(frames[2]).count, 1000U);
        EXPECT_TRUE(decoder.finish().has_value());
    }
}

TEST(ObserverDecoder, SaysThatATruncatedStreamIsOne) {
    const std::string stream = sample();
    int between_frames = 0;
    for (std::size_t size = 0; size < stream.size(); ++size) {
        Decoder decoder;
        decoder.feed(std::string_view(stream).substr(0, size));
        ASSERT_TRUE(decode_all(decoder).has_value());
        if (decoder.finish().has_value()) ++between_frames;
    }
    EXPECT_EQ(between_frames, 3);  // behind the version, the hello and the attempt
}

TEST(ObserverDecoder, RefusesWhatIsNotItsStream) {
    const auto error_of = [](std::string stream) {
        Decoder decoder;
        decoder.feed(stream);
        auto frames = decode_all(decoder);
        if (frames) return std::string("no error");
        EXPECT_EQ(frames.error().kind, ErrorKind::protocol);
        EXPECT_FALSE(decoder.next().has_value());  // and it stays so
        return frames.error().message;
    };
    EXPECT_NE(error_of("HTTP/1.1 200").find("does not begin"), std::string::npos);
    EXPECT_NE(error_of(beginning(9)).find("version 9"), std::string::npos);
    std::string unknown = beginning(), large = beginning(), too_long = beginning(), too_short = beginning();
    put_frame(unknown, 999, "x");
    EXPECT_NE(error_of(unknown).find("unknown type 999"), std::string::npos);
    put(large, frame_header{PROTOCOL_MAX_FRAME + 1, FRAME_HELLO, 0});
    EXPECT_NE(error_of(large).find("bytes"), std::string::npos);
    put_frame(too_long, FRAME_COUNT, std::string(sizeof(frame_count) + 1, 'x'));
    EXPECT_NE(error_of(too_long).find("length is wrong"), std::string::npos);
    put_frame(too_short, FRAME_COUNT, std::string(sizeof(frame_count) - 1, 'x'));
    EXPECT_NE(error_of(too_short).find("length is wrong"), std::string::npos);
}

// Garbage of every kind ends in an error or in waiting for more, never in a crash.
TEST(ObserverDecoder, SurvivesGarbage) {
    std::mt19937 random(20);  // NOLINT: the same garbage each time
    for (int round = 0; round < 2000; ++round) {
        std::string stream = sample();
        for (int i = 0; i < 1 + round % 8; ++i)
            stream[random() % stream.size()] = static_cast<char>(random());
        Decoder decoder;
        decoder.feed(stream);
        (void)decode_all(decoder);
        (void)decoder.finish();
    }
}

}  // namespace
}  // namespace rogate::observe
