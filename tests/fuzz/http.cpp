#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "unit/engine/fake_engine.hpp"

namespace {

using namespace rogate::engine;

// The engine's replies, one for each connection, have this between them: an exec takes three.
constexpr std::string_view next_reply = "\x1e\n";

// Reads to the end, as long as it does not fail.
Task<> drain(Task<std::unique_ptr<Attachment>> attach) {
    const auto attachment = co_await std::move(attach);
    if (!attachment) co_return rogate::fail(rogate::ErrorKind::engine, "");
    for (;;) {
        const auto chunk = co_await (*attachment)->read();
        if (!chunk || !*chunk) co_return rogate::Result<>{};
    }
}

struct Caller {
    asio::io_context context;
    fake::Engine engine;
    Client client{context.get_executor(), std::make_unique<fake::FakeTransport>(engine), Endpoint{}};

    template <class T>
    void operator()(Task<T> task) {
        const auto done = fake::run(context, std::move(task));
        if (!done && done.error().kind == rogate::ErrorKind::internal) __builtin_trap();
    }
};

constexpr std::array<void (*)(Caller&), 16> calls{
    [](Caller& call) { call(call.client.negotiate()); },
    [](Caller& call) { call(call.client.container_inspect("c")); },
    [](Caller& call) { call(call.client.container_logs("c", 4096)); },
    [](Caller& call) { call(call.client.exec("c", ExecSpec{}, Milliseconds(50))); },
    [](Caller& call) { call(call.client.image_import("r", "t", "tar", {})); },
    [](Caller& call) { call(call.client.archive_stat("c", "/")); },
    [](Caller& call) { call(call.client.container_list("l")); },
    [](Caller& call) { call(call.client.volume_list("l")); },
    [](Caller& call) { call(call.client.info()); },
    [](Caller& call) { call(call.client.image_inspect("i")); },
    [](Caller& call) { call(call.client.image_pull("i")); },
    [](Caller& call) { call(call.client.image_list("l")); },
    [](Caller& call) { call(call.client.container_wait("c", Milliseconds(50))); },
    [](Caller& call) { call(drain(call.client.container_attach("c", false))); },
    [](Caller& call) { call(call.client.archive_get("c", "/", [](auto) { return true; })); },
    [](Caller& call) { call(call.client.events({}, [](const auto&) { return true; })); },
};

}  // namespace

// The first byte chooses the call and how the replies are cut, the rest is what the engine answers.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);  // NOLINT
    Caller caller;
    caller.engine.piece = 1U + (data[0] >> 4U) * 13U;
    for (;;) {
        const std::size_t end = rest.find(next_reply);
        caller.engine.exchanges.push_back({std::string(rest.substr(0, end)), false, {}});
        if (end == std::string_view::npos) break;
        rest.remove_prefix(end + next_reply.size());
    }
    calls.at(data[0] % calls.size())(caller);
    return 0;
}
