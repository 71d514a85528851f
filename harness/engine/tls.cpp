#include "engine/tls.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string>

namespace rogate::engine {

namespace asio = boost::asio;

namespace {

struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using Session = std::unique_ptr<SSL, Free>;
using Context = std::shared_ptr<SSL_CTX>;

std::string library_error() {
    const unsigned long code = ERR_get_error();
    ERR_clear_error();
    const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
    return reason == nullptr ? "unknown error" : reason;
}

// Asio's own ssl::stream cannot half-close: its shutdown waits for the peer's close_notify, and an exec's
// output comes before that. So OpenSSL works on memory here, and its bytes are carried by the plain stream.
class TlsStream : public Stream {
  public:
    TlsStream(Session session, std::unique_ptr<Stream> plain)
        : session_(std::move(session)), plain_(std::move(plain)) {
        in_ = BIO_new(BIO_s_mem());
        out_ = BIO_new(BIO_s_mem());
        SSL_set_bio(session_.get(), in_, out_);  // owns them now
        SSL_set_connect_state(session_.get());
    }

    Task<> handshake();
    Task<std::size_t> read_some(asio::mutable_buffer buffer) override;
    Task<> write_all(asio::const_buffer buffer) override;
    Task<> close_write() override {
        ERR_clear_error();
        SSL_shutdown(session_.get());  // close_notify; reading goes on
        co_return co_await flush();
    }
    void close() noexcept override { plain_->close(); }

  private:
    // What OpenSSL wants sent. One coroutine at a time sends, and it does so until nothing is left: bytes of
    // two would mix.
    Task<> flush();
    // More bytes for OpenSSL; false at the end of the plain stream.
    Task<bool> fill();

    Session session_;
    std::unique_ptr<Stream> plain_;
    BIO* in_ = nullptr;
    BIO* out_ = nullptr;
    bool flushing_ = false;
};

Task<> TlsStream::flush() {
    if (flushing_) co_return Result<>{};
    flushing_ = true;
    while (BIO_ctrl_pending(out_) > 0) {
        std::string bytes(BIO_ctrl_pending(out_), '\0');
        const int size = BIO_read(out_, bytes.data(), static_cast<int>(bytes.size()));
        bytes.resize(static_cast<std::size_t>(std::max(size, 0)));
        auto written = co_await plain_->write_all(asio::buffer(bytes));
        if (!written) {
            flushing_ = false;
            co_return fail(std::move(written.error()));
        }
    }
    flushing_ = false;
    co_return Result<>{};
}

Task<bool> TlsStream::fill() {
    std::array<char, 16 * 1024> bytes;  // NOLINT: filled by the read
    auto size = co_await plain_->read_some(asio::buffer(bytes));
    if (!size) co_return fail(std::move(size.error()));
    if (*size == 0) co_return false;
    BIO_write(in_, bytes.data(), static_cast<int>(*size));
    co_return true;
}

Task<> TlsStream::handshake() {
    for (;;) {
        ERR_clear_error();
        const int done = SSL_do_handshake(session_.get());
        const int state = SSL_get_error(session_.get(), done);
        const std::string why = done == 1 || state == SSL_ERROR_WANT_READ ? std::string() : library_error();
        auto flushed = co_await flush();  // an alert too: the engine's log should say what was wrong
        if (done == 1) co_return flushed;
        if (state != SSL_ERROR_WANT_READ) {
            const long verified = SSL_get_verify_result(session_.get());
            if (verified != X509_V_OK)
                co_return fail(ErrorKind::engine, fmt::format("the engine's certificate is not trusted: {}",
                                                              X509_verify_cert_error_string(verified)));
            co_return fail(ErrorKind::engine, fmt::format("no TLS connection: {}", why));
        }
        if (!flushed) co_return flushed;
        auto more = co_await fill();
        if (!more) co_return fail(std::move(more.error()));
        if (!*more)
            co_return fail(ErrorKind::engine, "the engine closed the connection in the TLS handshake");
    }
}

Task<std::size_t> TlsStream::read_some(asio::mutable_buffer buffer) {
    for (;;) {
        ERR_clear_error();
        const int size = SSL_read(session_.get(), buffer.data(),
                                  static_cast<int>(std::min<std::size_t>(buffer.size(), 1U << 30U)));
        const int state = SSL_get_error(session_.get(), size);
        const std::string why = size > 0 || state == SSL_ERROR_WANT_READ ? std::string() : library_error();
        auto flushed = co_await flush();  // the answer to a key update
        if (size > 0) co_return static_cast<std::size_t>(size);
        if (state == SSL_ERROR_ZERO_RETURN) co_return std::size_t{0};
        // With TLS 1.3 a refused client certificate shows only now.
        if (state != SSL_ERROR_WANT_READ)
            co_return fail(ErrorKind::engine, fmt::format("reading from the engine: {}", why));
        if (!flushed) co_return fail(std::move(flushed.error()));
        auto more = co_await fill();
        if (!more) co_return fail(std::move(more.error()));
        // An end without close_notify is left to HTTP and to the frames, which notice what is cut off.
        if (!*more) co_return std::size_t{0};
    }
}

Task<> TlsStream::write_all(asio::const_buffer buffer) {
    constexpr std::size_t piece = 64 * 1024;
    while (buffer.size() > 0) {
        ERR_clear_error();
        const int size =
            SSL_write(session_.get(), buffer.data(), static_cast<int>(std::min(buffer.size(), piece)));
        // Renegotiation is off and memory never blocks: whatever fails here is final.
        if (size <= 0)
            co_return fail(ErrorKind::engine, fmt::format("writing to the engine: {}", library_error()));
        buffer += static_cast<std::size_t>(size);
        auto flushed = co_await flush();
        if (!flushed) co_return flushed;
    }
    co_return Result<>{};
}

class TlsTransport : public Transport {
  public:
    TlsTransport(Endpoint endpoint, Context context, std::unique_ptr<Transport> plain)
        : endpoint_(std::move(endpoint)), context_(std::move(context)), plain_(std::move(plain)) {}

    Task<std::unique_ptr<Stream>> connect() override {
        auto plain = co_await plain_->connect();
        if (!plain) co_return fail(std::move(plain.error()));
        Session session(SSL_new(context_.get()));
        name_peer(session.get());
        auto stream = std::make_unique<TlsStream>(std::move(session), std::move(*plain));
        auto shaken = co_await stream->handshake();
        if (!shaken) {
            Error error = std::move(shaken.error());
            if (error.kind != ErrorKind::cancelled)
                error = std::move(error).with_context(
                    fmt::format("cannot reach the engine at {}", endpoint_.to_string()));
            co_return fail(std::move(error));
        }
        std::unique_ptr<Stream> ready = std::move(stream);
        co_return ready;
    }

  private:
    void name_peer(SSL* session) const {
        std::array<unsigned char, sizeof(in6_addr)> address{};
        const bool numeric = inet_pton(AF_INET, endpoint_.host.c_str(), address.data()) == 1 ||
                             inet_pton(AF_INET6, endpoint_.host.c_str(), address.data()) == 1;
        if (numeric) {
            X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), endpoint_.host.c_str());
        } else {
            SSL_set1_host(session, endpoint_.host.c_str());
            SSL_set_tlsext_host_name(session, endpoint_.host.c_str());
        }
    }

    Endpoint endpoint_;
    Context context_;
    std::unique_ptr<Transport> plain_;
};

bool exists(const std::string& path) {
    std::error_code ignored;
    return std::filesystem::exists(path, ignored);
}

Result<> load_own_certificate(SSL_CTX* context, const std::string& folder) {
    const std::string certificate = folder + "/cert.pem", key = folder + "/key.pem";
    if (!exists(certificate) && !exists(key)) return {};
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1)
        return fail(ErrorKind::usage,
                    fmt::format("cannot use the client's certificate {}: {}", certificate, library_error()));
    if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1)
        return fail(ErrorKind::usage,
                    fmt::format("cannot use the client's key {}: {}", key, library_error()));
    return {};
}

Result<> load_authorities(SSL_CTX* context, const std::string& folder) {
    const std::string file = folder + "/ca.pem";
    ERR_clear_error();
    if (folder.empty() || !exists(file)) {
        SSL_CTX_set_default_verify_paths(context);
        return {};
    }
    if (SSL_CTX_load_verify_locations(context, file.c_str(), nullptr) != 1)
        return fail(ErrorKind::usage,
                    fmt::format("cannot use the authority's certificate {}: {}", file, library_error()));
    return {};
}

}  // namespace

Result<std::unique_ptr<Transport>> make_tls_transport(const Endpoint& endpoint,
                                                      std::unique_ptr<Transport> plain) {
    Context context(SSL_CTX_new(TLS_client_method()), Free());
    if (!context) return fail(ErrorKind::internal, "TLS: " + library_error());
    SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
    SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION);
    if (auto loaded = load_authorities(context.get(), endpoint.cert_path); !loaded)
        return fail(std::move(loaded.error()));
    if (!endpoint.cert_path.empty())
        if (auto loaded = load_own_certificate(context.get(), endpoint.cert_path); !loaded)
            return fail(std::move(loaded.error()));
    SSL_CTX_set_verify(context.get(), endpoint.tls_verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
    return std::make_unique<TlsTransport>(endpoint, std::move(context), std::move(plain));
}

}  // namespace rogate::engine
