// What one launch over a fake engine takes, and what is asked of its record.
#pragma once

#include <gtest/gtest.h>

#include <rogate/labels.hpp>
#include <string>
#include <utility>
#include <vector>

#include "campaign/runner.hpp"
#include "support/fake_observer.hpp"
#include "support/session.hpp"
#include "support/simulated_campaign.hpp"

namespace rogate::test {

struct OneLaunch {
    // `image`: of the containers that look at data.
    explicit OneLaunch(const std::string& image) : data(session.client, "s1", image) {}

    // Once the images are on the engine.
    void survey(std::vector<Mount> mounts) {
        ASSERT_TRUE(session.run(session.client.negotiate()));
        ASSERT_TRUE(session.run(session.client.network_create("rogate-s1", labels("s1", "network"))));
        ASSERT_TRUE(session.run(data.survey(std::move(mounts))));
    }
    static std::vector<std::string> phases(const RunRecord& record) {
        std::vector<std::string> names;
        for (const PhaseRecord& phase : record.phases) names.push_back(phase.name);
        return names;
    }
    // Of this, which outlives it as the image does.
    campaign::Bench bench_of(const engine::ImageInfo& image,
                             const std::map<std::string, engine::ImageInfo>* images = nullptr) {
        return {.client = session.client,
                .observer = observer,
                .data = data,
                .status = status,
                .scenario = scenario,
                .session = "s1",
                .network = "rogate-s1",
                .companions = companions,
                .pod = pod,
                .image = image,
                .images = images};
    }

    Session session;
    Scenario scenario;
    RecordedStatus status;
    FakeObserver observer{session.fake, {}};
    campaign::DataPlane data;
    campaign::Companions companions{session.client, status, scenario, "s1", "rogate-s1", true};
    campaign::Pod pod{session.client, status, scenario, "s1", "rogate-s1", true};
};

}  // namespace rogate::test
