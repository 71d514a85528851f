// Heads of HTTP/1, as a proxy has to read them.
#include "proxy/head.hpp"

#include <gmock/gmock.h>

namespace rogate::proxy::test {
namespace {

Head head(std::string_view text) {
    auto read = read_head(text);
    EXPECT_TRUE(read) << read.error().message;
    return read ? *read : Head{};
}

TEST(WrapHead, EndsWithAnEmptyLine) {
    EXPECT_EQ(head_size("GET / HTTP/1.1\r\nHost: x\r\n\r\nbody"), 27U);
    EXPECT_EQ(head_size("GET / HTTP/1.1\nHost: x\n\nbody"), 24U);  // Go's server takes it
    EXPECT_EQ(head_size("GET / HTTP/1.1\r\nHost: x\r\n\r"), std::nullopt);
    EXPECT_EQ(head_size("GET / HTTP/1.1\r\nHost: x\r\n"), std::nullopt);
    EXPECT_EQ(head_size(""), std::nullopt);
}

TEST(WrapHead, FieldsAreFoundInAnyCaseAndKeptAsTheyAre) {
    const std::string text = "POST /v1.41/x?y=1 HTTP/1.1\r\nHOST: docker\r\nx-Registry-Auth: ey==\r\n\r\n";
    const Head read = head(text);
    EXPECT_EQ(read.method(), "POST");
    EXPECT_EQ(read.target(), "/v1.41/x?y=1");
    ASSERT_NE(read.find("host"), nullptr);
    EXPECT_EQ(*read.find("host"), "docker");
    EXPECT_EQ(read.find("hos"), nullptr);
    EXPECT_EQ(read.status(), 0);
    EXPECT_EQ(to_text(read), text);
}

TEST(WrapHead, AFieldIsSetInPlaceOfAllOfItsName) {
    Head read = head("GET / HTTP/1.1\r\nconnection: keep-alive\r\nConnection: x\r\nHost: d\r\n\r\n");
    read.set("Connection", "close");
    EXPECT_EQ(to_text(read), "GET / HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n");
}

TEST(WrapHead, RepliesHaveAStatus) {
    EXPECT_EQ(head("HTTP/1.1 101 UPGRADED\r\n\r\n").status(), 101);
    EXPECT_EQ(head("HTTP/1.0 204\r\n\r\n").status(), 204);
}

TEST(WrapHead, WhatIsNoHeadIsRefused) {
    for (const char* text : {"\r\n", "hello\r\n\r\n", "GET /\r\n\r\n", "GET / HTTP/1.1\r\nno field\r\n\r\n",
                             "GET / HTTP/1.1\r\n: x\r\n\r\n", "PRI * HTTX/2.0\r\n\r\n"})
        EXPECT_FALSE(read_head(text)) << text;
}

TEST(WrapHead, AnUpgradeNeedsBothFields) {
    EXPECT_TRUE(
        is_upgrade(head("POST /grpc HTTP/1.1\r\nConnection: keep-alive, Upgrade\r\nUpgrade: h2c\r\n\r\n")));
    EXPECT_FALSE(is_upgrade(head("POST /grpc HTTP/1.1\r\nUpgrade: h2c\r\n\r\n")));
    EXPECT_FALSE(is_upgrade(head("POST /grpc HTTP/1.1\r\nConnection: upgraded\r\nUpgrade: tcp\r\n\r\n")));
}

std::optional<std::string> body_of(std::string_view fields, std::string_view bytes, bool is_reply,
                                   bool at_end) {
    const Head read =
        head((is_reply ? "HTTP/1.1 200 OK\r\n" : "POST / HTTP/1.1\r\n") + std::string(fields) + "\r\n");
    auto body = whole_body(read, bytes, is_reply, at_end);
    EXPECT_TRUE(body) << body.error().message;
    return body ? *body : std::nullopt;
}

TEST(WrapHead, ABodyIsAsLongAsItsHeadSays) {
    EXPECT_EQ(body_of("Content-Length: 3\r\n", "abcd", false, false), "abc");
    EXPECT_EQ(body_of("Content-Length: 3\r\n", "ab", false, false), std::nullopt);
    EXPECT_EQ(body_of("", "", false, false), "");             // a request without a body
    EXPECT_EQ(body_of("", "ab", true, false), std::nullopt);  // a reply that ends with its connection
    EXPECT_EQ(body_of("", "ab", true, true), "ab");
    EXPECT_EQ(body_of("Content-Length: 3\r\n", "ab", true, true), std::nullopt);  // broken off
}

TEST(WrapHead, ChunksAreJoined) {
    const char* chunked = "Transfer-Encoding: chunked\r\n";
    EXPECT_EQ(body_of(chunked, "3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n", false, false),
              "abc0123456789");
    for (const char* part : {"", "3", "3\r\n", "3\r\nabc", "3\r\nabc\r", "3\r\nabc\r\n", "3\r\nabc\r\n0"})
        EXPECT_EQ(body_of(chunked, part, false, true), std::nullopt) << part;
    const Head read = head("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (const char* wrong : {"x\r\nabc\r\n", "-1\r\n", "\r\n", "fffffffffffffffffff\r\n"})
        EXPECT_FALSE(whole_body(read, wrong, false, false)) << wrong;
    // A size that no memory has is waited for, and never added to.
    EXPECT_EQ(body_of(chunked, "ffffffffffffffff\r\nabc\r\n", false, false), std::nullopt);
}

TEST(WrapHead, ChunksComeApartWhereverTheyAreCut) {
    const std::string wire = "5\r\nhello\r\n3;x=y\r\n\r\n!\r\n0\r\n\r\n";
    for (std::size_t cut = 0; cut <= wire.size(); ++cut) {
        Unchunker unchunker(true);
        std::string bytes = wire.substr(0, cut), content;
        ASSERT_TRUE(unchunker.take(bytes, content)) << cut;
        bytes += wire.substr(cut);
        ASSERT_TRUE(unchunker.take(bytes, content)) << cut;
        EXPECT_EQ(content, "hello\r\n!") << cut;
        EXPECT_TRUE(unchunker.is_over()) << cut;
    }
    std::string wrong = "x\r\n", content;
    EXPECT_FALSE(Unchunker(true).take(wrong, content));
    std::string plain = "5\r\nhello";
    Unchunker whole(false);
    ASSERT_TRUE(whole.take(plain, content));
    EXPECT_EQ(content, "5\r\nhello");
    EXPECT_FALSE(whole.is_over());
}

}  // namespace
}  // namespace rogate::proxy::test
