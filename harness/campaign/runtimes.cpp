#include "campaign/runtimes.hpp"

#include <fmt/format.h>

#include "observe/runtimes.hpp"

namespace rogate::campaign {

engine::Task<std::string> kernel_apart(engine::Client& client, std::vector<std::string> runtimes) {
    auto info = co_await client.info();
    if (!info) co_return fail(std::move(info.error()));
    for (const std::string& each : runtimes) {
        const std::string& name = each.empty() ? info->default_runtime : each;
        const auto known = info->runtimes.find(name);
        const std::string program = known == info->runtimes.end() ? "" : known->second;
        if (observe::shares_kernel(name, program)) continue;
        if (name.empty()) co_return std::string("a default runtime that the engine does not name");
        co_return program.empty() ? name : fmt::format("{} ({})", name, program);
    }
    co_return std::string{};
}

}  // namespace rogate::campaign
