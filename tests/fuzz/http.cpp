#include <cstdint>
#include <string>

#include "unit/engine/fake_engine.hpp"

// The first byte chooses the call, the rest is what the engine answers.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace rogate::engine;
    if (size == 0) return 0;
    fake::Engine engine;
    const std::string answer(reinterpret_cast<const char*>(data) + 1, size - 1);  // NOLINT
    engine.piece = 1U + (data[0] >> 4U) * 13U;
    engine.exchanges.push_back({answer, false, {}});
    engine.exchanges.push_back({answer, false, {}});
    asio::io_context context;
    Client client(context.get_executor(), std::make_unique<fake::FakeTransport>(engine), Endpoint{});
    switch (data[0] % 8U) {
        case 0:
            (void)fake::run(context, client.negotiate());
            break;
        case 1:
            (void)fake::run(context, client.container_inspect("c"));
            break;
        case 2:
            (void)fake::run(context, client.container_logs("c", 4096));
            break;
        case 3:
            (void)fake::run(context, client.exec("c", ExecSpec{}, Milliseconds(50)));
            break;
        case 4:
            (void)fake::run(context, client.image_import("r", "t", "tar", {}));
            break;
        case 5:
            (void)fake::run(context, client.archive_stat("c", "/"));
            break;
        case 6:
            (void)fake::run(context, client.container_list("l"));
            break;
        default:
            (void)fake::run(context, client.volume_list("l"));
    }
    return 0;
}
