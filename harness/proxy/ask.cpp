#include "proxy/ask.hpp"

#include <fmt/format.h>

namespace rogate::proxy {

namespace asio = boost::asio;
using engine::Stream;
using engine::Task;

Task<> more(Stream& from, std::string& to) {
    const std::size_t before = to.size();
    to.resize(before + 16 * 1024);
    auto size = co_await from.read_some(asio::buffer(to.data() + before, to.size() - before));
    to.resize(before + size.value_or(0));
    if (!size) co_return fail(std::move(size.error()));
    if (*size == 0) co_return fail(ErrorKind::io, "the connection ended");
    co_return Result<>{};
}

Task<std::string> read_reply(Stream& from, Head* head, std::string* body) {
    std::string bytes;
    for (bool at_end = false;;) {
        if (const auto size = head_size(bytes)) {
            auto read = read_head(std::string_view(bytes).substr(0, *size));
            if (!read) co_return fail(std::move(read.error()));
            auto whole = whole_body(*read, std::string_view(bytes).substr(*size), true, at_end);
            if (!whole) co_return fail(std::move(whole.error()));
            if (*whole) {
                *head = std::move(*read);
                *body = std::move(**whole);
                co_return bytes;
            }
        }
        if (at_end) co_return fail(ErrorKind::engine, "the engine's reply broke off");
        if (bytes.size() > longest_body)
            co_return fail(ErrorKind::protocol, "the engine's reply is too long");
        auto read = co_await more(from, bytes);
        at_end = !read;
    }
}

Task<Answer> ask(engine::Transport& transport, std::string target) {
    auto connected = co_await transport.connect();
    if (!connected) co_return fail(std::move(connected.error()));
    const std::unique_ptr<Stream> engine = std::move(*connected);
    const std::string text =
        fmt::format("GET {} HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n", target);
    if (auto written = co_await engine->write_all(asio::buffer(text)); !written)
        co_return fail(std::move(written.error()));
    Head head;
    Answer answer;
    auto reply = co_await read_reply(*engine, &head, &answer.body);
    engine->close();
    if (!reply) co_return fail(std::move(reply.error()));
    answer.status = head.status();
    co_return answer;
}

}  // namespace rogate::proxy
