#include <fmt/format.h>

#include <cstdio>

#include "campaign/campaign.hpp"
#include "cli/commands.hpp"
#include "cli/session.hpp"

namespace rogate::cli {

int clean_command(const Global& global, const CleanOptions& options) {
    EngineWork work;
    campaign::Leftovers found;
    work.work = [&](engine::Client& client) -> engine::Task<> {
        auto left = co_await campaign::sweep(client, options.session, options.dry_run);
        if (!left) co_return fail(std::move(left.error()));
        found = *left;
        co_return Result<>{};
    };
    const EngineOutcome outcome = with_engine(global, std::move(work));
    if (const int code = report_outcome(outcome); code != 0) return code;
    if (!found.any()) {
        std::puts("nothing of rogate's is on the engine");
        return 0;
    }
    std::puts(fmt::format("{}: {} containers, {} volumes, {} networks, {} images",
                          options.dry_run ? "would remove" : "removed", found.containers, found.volumes,
                          found.networks, found.images)
                  .c_str());
    return 0;
}

}  // namespace rogate::cli
