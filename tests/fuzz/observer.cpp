#include <cstdint>
#include <string_view>

#include "observe/recorder.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace rogate::observe;
    Decoder decoder;
    Recorder recorder({"/", "/data"}, {"entrypoint"});
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);  // NOLINT
    for (std::size_t at = 0; at < bytes.size(); at += 7) {
        decoder.feed(bytes.substr(at, 7));
        for (;;) {
            auto frame = decoder.next();
            if (!frame || !*frame) break;
            if (auto* attempt = std::get_if<AttemptEvent>(&**frame)) recorder.take(std::move(*attempt));
            if (auto* count = std::get_if<CountEvent>(&**frame)) recorder.take(*count);
            if (auto* use = std::get_if<UseEvent>(&**frame)) recorder.take(*use);
            if (auto* stats = std::get_if<StatsEvent>(&**frame)) recorder.take(*stats);
            if (auto* root = std::get_if<RootEvent>(&**frame)) recorder.take(*root);
        }
    }
    [[maybe_unused]] const auto whole = decoder.finish();
    recorder.finish();
    return 0;
}
