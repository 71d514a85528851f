// TLS against a server of Asio's own on the loopback, with certificates made here.
#include "engine/tls.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "unit/engine/fake_engine.hpp"

namespace rogate::engine {
namespace {

using asio::ip::tcp;

// ca.pem, cert.pem and key.pem of one certificate that vouches for itself, for 127.0.0.1 if `right_host`.
void make_certificate(const std::string& folder, bool right_host) {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME* name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("rogate test"), -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    X509_EXTENSION* hosts = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name,
                                                right_host ? "IP:127.0.0.1" : "DNS:elsewhere");
    X509_add_ext(certificate, hosts, -1);
    X509_EXTENSION_free(hosts);
    X509_sign(certificate, key, EVP_sha256());
    for (const char* file : {"ca.pem", "cert.pem"}) {
        std::FILE* out = std::fopen((folder + "/" + file).c_str(), "w");
        PEM_write_X509(out, certificate);
        std::fclose(out);
    }
    std::FILE* out = std::fopen((folder + "/key.pem").c_str(), "w");
    PEM_write_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(out);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

class Tls : public ::testing::Test {
  protected:
    Tls() : acceptor(context, tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0)) {
        std::string pattern = (std::filesystem::temp_directory_path() / "rogate-XXXXXX").string();
        folder = mkdtemp(pattern.data());
        endpoint.kind = Endpoint::Kind::tls;
        endpoint.host = "127.0.0.1";
        endpoint.port = acceptor.local_endpoint().port();
        endpoint.cert_path = folder;
    }
    ~Tls() override { std::filesystem::remove_all(folder); }

    // Accepts one connection, reads a header, answers, and then, if `to_end`, reads what comes until the
    // peer's end before it says `last`.
    asio::awaitable<void> serve(std::string answer, bool to_end = false, std::string last = {}) {
        asio::ssl::context tls(asio::ssl::context::tls_server);
        tls.use_certificate_chain_file(folder + "/cert.pem");
        tls.use_private_key_file(folder + "/key.pem", asio::ssl::context::pem);
        tls.load_verify_file(folder + "/ca.pem");
        tls.set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert);
        auto socket = co_await acceptor.async_accept(asio::use_awaitable);
        asio::ssl::stream<tcp::socket> stream(std::move(socket), tls);
        constexpr auto token = asio::as_tuple(asio::use_awaitable);
        auto [refused] = co_await stream.async_handshake(asio::ssl::stream_base::server, token);
        if (refused) co_return;
        auto [cut, head] =
            co_await asio::async_read_until(stream, asio::dynamic_buffer(received), "\r\n\r\n", token);
        if (cut) co_return;
        auto [lost, sent] = co_await asio::async_write(stream, asio::buffer(answer), token);
        if (lost) co_return;
        if (to_end) {
            for (;;) {
                auto [end, size] = co_await stream.async_read_some(asio::buffer(more), token);
                if (end) break;
                received.append(more.data(), size);
            }
            peer_ended = true;
            [[maybe_unused]] auto [gone, count] =
                co_await asio::async_write(stream, asio::buffer(last), token);
        }
    }
    void serve_one(std::string answer, bool to_end = false, std::string last = {}) {
        asio::co_spawn(context, serve(std::move(answer), to_end, std::move(last)),
                       [](const std::exception_ptr& thrown) {
                           if (thrown) std::rethrow_exception(thrown);
                       });
    }
    std::unique_ptr<Client> connect() {
        auto transport = make_transport(context.get_executor(), endpoint);
        EXPECT_TRUE(transport.has_value()) << transport.error().message;
        return std::make_unique<Client>(context.get_executor(), std::move(*transport), endpoint);
    }

    asio::io_context context;
    tcp::acceptor acceptor;
    Endpoint endpoint;
    std::string folder, received;
    std::array<char, 4096> more{};
    bool peer_ended = false;
};

TEST_F(Tls, CallsGoThrough) {
    make_certificate(folder, true);
    serve_one(fake::reply(200, R"({"ID":")" + std::string(300'000, 'x') + "\"}"));
    const auto client = connect();
    const auto info = fake::run(context, client->info());
    ASSERT_TRUE(info.has_value()) << info.error().message;
    EXPECT_EQ(info->id.size(), 300'000U);
    EXPECT_NE(received.find("GET /info HTTP/1.1\r\nHost: 127.0.0.1:"), std::string::npos) << received;
}

TEST_F(Tls, HalfAConnectionCanBeClosed) {
    make_certificate(folder, true);
    serve_one("hello", true, "bye");
    auto transport = make_transport(context.get_executor(), endpoint);
    auto talk = [&]() -> Task<std::string> {
        auto stream = co_await (*transport)->connect();
        if (!stream) co_return fail(std::move(stream.error()));
        const std::string question = "question\r\n\r\n", input(200'000, 'i');
        if (auto sent = co_await (*stream)->write_all(asio::buffer(question)); !sent)
            co_return fail(std::move(sent.error()));
        if (auto sent = co_await (*stream)->write_all(asio::buffer(input)); !sent)
            co_return fail(std::move(sent.error()));
        if (auto closed = co_await (*stream)->close_write(); !closed)
            co_return fail(std::move(closed.error()));
        std::string text;
        std::array<char, 100> bytes{};
        for (;;) {
            auto size = co_await (*stream)->read_some(asio::buffer(bytes));
            if (!size) co_return fail(std::move(size.error()));
            if (*size == 0) co_return text;
            text.append(bytes.data(), *size);
        }
    };
    const auto heard = fake::run(context, talk());
    ASSERT_TRUE(heard.has_value()) << heard.error().message;
    EXPECT_EQ(*heard, "hellobye");
    EXPECT_TRUE(peer_ended);
    EXPECT_EQ(received.size(), 200'012U);
}

TEST_F(Tls, AnotherHostsCertificateIsRefused) {
    make_certificate(folder, false);
    serve_one(fake::reply(200, "{}"));
    const auto refused = fake::run(context, connect()->info());
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().kind, ErrorKind::engine);
    EXPECT_NE(refused.error().message.find("certificate is not trusted: IP address mismatch"),
              std::string::npos)
        << refused.error().message;
    EXPECT_EQ(received, "");
    endpoint.tls_verify = false;
    serve_one(fake::reply(200, "{}"));
    EXPECT_TRUE(fake::run(context, connect()->info()).has_value());
}

TEST_F(Tls, AnUnknownAuthorityIsRefused) {
    make_certificate(folder, true);
    serve_one(fake::reply(200, "{}"));
    const std::string other = folder + "/other";
    std::filesystem::create_directory(other);
    make_certificate(other, true);
    endpoint.cert_path = other;
    const auto refused = fake::run(context, connect()->info());
    ASSERT_FALSE(refused.has_value());
    EXPECT_NE(refused.error().message.find("certificate"), std::string::npos) << refused.error().message;
    EXPECT_EQ(received, "");
}

TEST_F(Tls, AServerWithoutTlsIsNamed) {
    make_certificate(folder, true);
    asio::co_spawn(
        context,
        [&]() -> asio::awaitable<void> {
            auto socket = co_await acceptor.async_accept(asio::use_awaitable);
            const std::string text = "HTTP/1.0 400 Bad Request\r\n\r\n";
            co_await asio::async_write(socket, asio::buffer(text), asio::use_awaitable);
        },
        [](const std::exception_ptr&) {});
    const auto refused = fake::run(context, connect()->info());
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().kind, ErrorKind::engine);
    EXPECT_NE(refused.error().message.find("cannot reach the engine at tcp://127.0.0.1:"), std::string::npos)
        << refused.error().message;
    EXPECT_NE(refused.error().message.find("no TLS connection"), std::string::npos)
        << refused.error().message;
}

TEST_F(Tls, FilesThatAreNoCertificatesAreUsageErrors) {
    for (const char* file : {"ca.pem", "cert.pem"}) {
        make_certificate(folder, true);
        std::ofstream(folder + "/" + file) << "nonsense";
        const auto transport = make_transport(context.get_executor(), endpoint);
        ASSERT_FALSE(transport.has_value());
        EXPECT_EQ(transport.error().kind, ErrorKind::usage);
        EXPECT_NE(transport.error().message.find(file), std::string::npos) << transport.error().message;
    }
}

TEST_F(Tls, WhatIsInAKeyIsInNoError) {
    make_certificate(folder, true);
    std::ofstream(folder + "/key.pem")
        << "-----BEGIN PRIVATE KEY-----\nMARKERkey9Zq\n-----END PRIVATE KEY-----\n";
    const auto broken = make_transport(context.get_executor(), endpoint);
    ASSERT_FALSE(broken.has_value());
    EXPECT_EQ(broken.error().kind, ErrorKind::usage);
    EXPECT_NE(broken.error().message.find("key.pem"), std::string::npos) << broken.error().message;
    EXPECT_EQ(broken.error().message.find("MARKER"), std::string::npos) << broken.error().message;
    // A good one, and a server that does not take it.
    make_certificate(folder, true);
    serve_one(fake::reply(200, "{}"));
    endpoint.cert_path = folder + "/other";
    std::filesystem::create_directory(endpoint.cert_path);
    make_certificate(endpoint.cert_path, true);
    std::ifstream file(endpoint.cert_path + "/key.pem");
    std::string line, key;
    while (std::getline(file, line))
        if (!line.starts_with("-----")) key += line;
    ASSERT_GT(key.size(), 40U);
    const auto refused = fake::run(context, connect()->info());
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().message.find(key.substr(0, 20)), std::string::npos);
}

}  // namespace
}  // namespace rogate::engine
