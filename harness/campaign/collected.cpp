#include "campaign/collected.hpp"

#include <algorithm>
#include <rogate/place.hpp>

#include "base/text.hpp"
#include "campaign/remade_volumes.hpp"
#include "verdict/no_op.hpp"

namespace rogate::campaign {

using engine::Task;

namespace {

// What is split off from a root is no mount of the configuration, so that the observer names none for what is
// written there.
void name_what_is_split_off(const std::vector<WritablePath>& writable, Attempts& attempts) {
    for (std::size_t i = 0; i < attempts.size(); ++i) {
        if (!attempts[i].mount.empty() || attempts[i].error != 0) continue;
        const auto found = std::ranges::find_if(writable, [&](const WritablePath& each) {
            return is_root(each.mount) && is_or_below(attempts[i].path.view(), each.path);
        });
        if (found != writable.end()) attempts.edit()[i].mount = found->path;
    }
}

// Whoever has the engine's socket puts processes into containers as the engine does for a health check.
void name_what_guests_may_have_begun(RunRecord& record) {
    constexpr const char *told = "healthcheck", *either = "health check or docker exec";
    for (std::size_t i = 0; i < record.attempts.size(); ++i)
        if (record.attempts[i].phase == told) record.attempts.edit()[i].phase = either;
    if (!record.checks) return;
    for (CapabilityCheck& check : record.checks->all)
        if (check.phase == told) check.phase = either;
}

// Opening for writing is not writing: what was written shows in the data.
Task<> find_unwritten(Bench& bench, RunRecord& record) {
    if (record.plan.kind != RunKind::control || record.plan.leaves_data) co_return Result<>{};
    std::vector<std::string> opened = verdict::only_opened(record);
    if (opened.empty()) co_return Result<>{};
    auto unwritten = co_await bench.data.unwritten(record.plan, std::move(opened));
    if (!unwritten) co_return fail(std::move(unwritten.error()));
    record.unwritten = std::move(*unwritten);
    co_return Result<>{};
}

}  // namespace

Task<> collect(Bench& bench, RunRecord& record) {
    if (auto looked = co_await look_for_remade_volumes(bench.client, bench.session); !looked)
        co_return looked;
    auto recording = co_await bench.observer.collect();
    if (!recording)
        co_return fail(std::move(recording.error()).with_context("collecting what the observer saw"));
    record.attempts = std::move(recording->attempts);
    name_what_is_split_off(record.plan.writable, record.attempts);
    record.uses = std::move(recording->uses);
    record.read_back = std::move(recording->read_back);
    record.listed = std::move(recording->listed);
    record.exec_refused = std::move(recording->exec_refused);
    record.checks = std::move(recording->checks);
    if (bench.guests != nullptr) name_what_guests_may_have_begun(record);
    record.lost_events = recording->lost_events;
    record.observer = bench.observer.facts().kind;
    record.observer_problem = std::move(recording->problem);
    co_return co_await find_unwritten(bench, record);
}

}  // namespace rogate::campaign
