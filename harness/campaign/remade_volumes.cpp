#include "campaign/remade_volumes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <rogate/labels.hpp>

namespace rogate::campaign {

namespace {

// It has the labels of the container for which it was made, and not those of rogate's own volumes, or of what
// a guest makes.
bool is_remade(const engine::VolumeInfo& volume) {
    const auto role = volume.labels.find(role_label);
    if (role == volume.labels.end()) return false;
    const std::string& whose = role->second;
    return whose != "data" && whose != "observer" && whose != "door" && whose != "guest";
}

}  // namespace

engine::Task<> look_for_remade_volumes(engine::Client& client, std::string session) {
    auto volumes = co_await client.volume_list(fmt::format("{}={}", session_label, session));
    if (!volumes)
        co_return fail(std::move(volumes.error()).with_context("looking at the volumes of the run"));
    const auto remade = std::ranges::find_if(*volumes, is_remade);
    if (remade == volumes->end()) co_return Result<>{};
    co_return fail(ErrorKind::engine, fmt::format("engine: GET /volumes: the engine has lost the volume {} "
                                                  "during the run and made it anew, empty, so that "
                                                  "nothing can be concluded; run again",
                                                  remade->name));
}

}  // namespace rogate::campaign
