#include "campaign/images.hpp"

#include <fmt/format.h>

namespace rogate::campaign {

using engine::Task;

Task<engine::ImageInfo> need_image(engine::Client& client, const std::string& image, Status& status) {
    auto info = co_await client.image_inspect(image);
    if (info || info.error().kind != ErrorKind::not_found) co_return info;
    status.preparing(fmt::format("pulling {}", image));
    auto pulled = co_await client.image_pull(image);
    if (!pulled) {
        Error error = std::move(pulled.error());
        if (error.kind == ErrorKind::cancelled) co_return fail(std::move(error));
        co_return fail(
            ErrorKind::not_found,
            fmt::format(
                "the image '{}' is not on the engine and could not be pulled: {}; build it or check its name",
                image, error.message));
    }
    co_return co_await client.image_inspect(image);
}

}  // namespace rogate::campaign
