#include "cli/built_images.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "campaign/campaign.hpp"
#include "cli/session.hpp"

namespace rogate::cli {

namespace {

bool has_built(const Scenario& scenario) {
    return scenario.subject.built || std::ranges::any_of(scenario.companions, [](const Companion& each) {
               return each.subject.built.has_value();
           });
}

}  // namespace

BuiltImages::BuiltImages(const Global& global, std::shared_ptr<campaign::Images> images,
                         const std::vector<Scenario>& scenarios)
    : images_(std::move(images)) {
    if (std::ranges::none_of(scenarios, has_built)) return;
    engines_.push_back(global);
    if (!global.hosts.empty()) engines_.clear();
    for (const std::string& host : global.hosts) {
        engines_.push_back(global);
        engines_.back().host = host;
    }
    for (const Global& engine : engines_)
        watchdogs_.push_back(std::make_unique<Watchdog>(engine, images_->session()));
}

Result<> BuiltImages::end() {
    if (!images_->has_tried()) return {};
    if (images_->keeps()) {
        for (const std::string& name : images_->built())
            std::fputs(fmt::format("rogate: the image {} is kept\n", name).c_str(), stderr);
        return {};
    }
    Result<> first;
    for (std::size_t i = 0; i < engines_.size(); ++i) {
        EngineWork work;
        work.work = [this](engine::Client& client) -> engine::Task<> {
            auto sweeping = campaign::sweep_until_settled(client, images_->session(), 1);
            auto left = co_await std::move(sweeping);
            if (!left) co_return fail(std::move(left.error()));
            co_return Result<>{};
        };
        EngineOutcome outcome = with_engine(engines_[i], std::move(work));
        if (outcome.result) continue;
        watchdogs_[i]->keep();
        if (first)
            first =
                fail(std::move(outcome.result.error()).with_context("removing the images that were built"));
    }
    return first;
}

}  // namespace rogate::cli
