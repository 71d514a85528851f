// What of a run no observer sees: how containers end, with which mounts the engine made them, and what the
// engine itself copies into them.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "proxy/field.hpp"
#include "wrap/keyed.hpp"
#include "wrap/onlooker.hpp"

namespace rogate::wrap {

using engine::Task;
using nlohmann::json;
using proxy::field;

void Onlooker::compare_mounts(const Created& container) {
    if (is_first_) return roster_->add_mounts(container.key, container.mounts);
    const std::vector<Mount>* there = roster_->mounts(container.key);
    if (container.known == nullptr || there == nullptr) return;
    std::set<std::string> read_only;
    for (const std::string& target : plan_.read_only)
        if (auto own = without_key(container.key, target)) read_only.insert(std::move(*own));
    const std::string difference = mounts_differ(*there, container.mounts, read_only);
    if (!difference.empty())
        doubt(
            fmt::format("container {} is not what it was in the control run: {}", container.key, difference));
}

// What had become of it by now, if nobody has told it to end.
Task<> Onlooker::note_life(Created& container) {
    if (!container.is_alive) co_return Result<>{};
    auto state = co_await around_.client.container_inspect(container.id);
    if (!state && state.error().kind != ErrorKind::not_found) co_return fail(std::move(state.error()));
    container.is_alive = false;
    // The engine removes it when it has ended (docker run --rm).
    Life life{.by_itself = true};
    if (state) {
        life = {.by_itself = !state->running, .restarts = state->restarts};
        if (life.by_itself) life.exit_code = state->exit_code;
    }
    container.lives.push_back(life);
    co_return Result<>{};
}

bool Onlooker::lacks_exit_code(const Created& container) const {
    return !container.lives.empty() && container.lives.back().by_itself &&
           !container.lives.back().exit_code && !exit_codes_.contains(container.id);
}

// Of those that the engine has removed. It remembers no more than its last few hundred events. `ahead_s`: how
// long it is waited for the last ones.
Task<> Onlooker::learn_exit_codes(std::int64_t ahead_s) {
    unasked_starts_ = 0;
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    json filters{{"type", {"container"}}, {"event", {"die"}}};
    auto learned = co_await around_.client.past_events(
        std::move(filters), std::chrono::duration_cast<std::chrono::seconds>(now).count() + ahead_s,
        [this, ahead_s](const json& event) {
            const json actor = field<json>(event, "Actor", json::object());
            const auto code = field<std::string>(field<json>(actor, "Attributes"), "exitCode");
            if (!code.empty())
                exit_codes_.insert_or_assign(field<std::string>(actor, "ID"), std::atoi(code.c_str()));
            return ahead_s == 0 || std::ranges::any_of(containers_, [this](const auto& each) {
                       return lacks_exit_code(*each);
                   });
        });
    co_return doubted(std::move(learned), "asking for the exit codes of removed containers");
}

void Onlooker::note_copy(const Call& call) {
    const auto path = call.query.find("path");
    copies_[call.object].insert(normal_target(path == call.query.end() ? "/" : path->second));
}

// No process of the container's makes these writes. What is in the archive is not looked at: what is mounted
// below the path may get something as well.
Task<> Onlooker::add_copies(RunRecord& record) {
    for (const auto& [object, paths] : copies_) {
        // Also of those that had this name and are gone.
        std::vector<const Created*> meant;
        for (const auto& each : containers_)
            if (each->is_made && (each.get() == find(object) || each->asked.name == object))
                meant.push_back(each.get());
        if (meant.empty()) {
            const std::string name = object;
            auto found = co_await resolve(name);
            if (!found) co_return fail(std::move(found.error()));
            if (*found != nullptr) meant.push_back(*found);
        }
        for (const Created* container : meant)
            for (const std::string& path : paths)
                for (Attempt& attempt : copies_to(container->mounts, path)) {
                    attempt.path = keyed(container->key, attempt.path.view());
                    attempt.mount = keyed(container->key, attempt.mount.str());
                    record.attempts.edit().push_back(std::move(attempt));
                }
    }
    co_return Result<>{};
}

}  // namespace rogate::wrap
