#include "campaign/images.hpp"

#include <fmt/format.h>

namespace rogate::campaign {

using engine::Task;

Task<> settle_built_image(engine::Client& client, Subject& subject) {
    if (!subject.built || subject.built->other_name.empty()) co_return Result<>{};
    const std::string names[] = {subject.image, subject.built->other_name};
    for (const std::string& name : names) {
        auto info = co_await client.image_inspect(name);
        if (!info && info.error().kind != ErrorKind::not_found) co_return fail(std::move(info.error()));
        if (!info) continue;
        subject.image = name;
        co_return Result<>{};
    }
    const SourcePlace& at = subject.built->declared;
    co_return fail(
        ErrorKind::usage,
        fmt::format("{}:{}:{}: the image of service '{}' is built, and the engine has neither '{}' nor "
                    "'{}'; build it first: docker compose build {}",
                    at.file, at.line, at.column, subject.built->service, names[0], names[1],
                    subject.built->service));
}

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
