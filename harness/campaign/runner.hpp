// Launches the subject once, under one assignment of read-only to its mounts, and records what came of it.
#pragma once

#include <rogate/scenario.hpp>
#include <string>
#include <vector>

#include "campaign/companions.hpp"
#include "campaign/data.hpp"
#include "campaign/pod.hpp"
#include "campaign/status.hpp"
#include "engine/client.hpp"
#include "observe/observer.hpp"

namespace rogate::campaign {

struct Bench {
    engine::Client& client;
    observe::Observer& observer;
    DataPlane& data;
    Status& status;
    const Scenario& scenario;
    std::string session, network;
    Companions& companions;
    Pod& pod;
    bool has_healthcheck = false;
    const engine::ImageInfo& image;
    std::string relay =
        {};  // the container by which the subject's ports are reached; empty: they are published
    const RunRecord* control = nullptr;  // whose observations the steps of this run are compared with
};

// The container that `plan` asks for; pure. `mounts` are those of DataPlane::prepare().
engine::ContainerSpec container_for(const Bench& bench, const RunPlan& plan,
                                    std::vector<engine::MountSpec> mounts);

// An application that fails is a record with passed == false; an Error is the engine's or the harness's own
// failure, and then nothing may be concluded. The container and the run's volumes are removed in either case,
// except when the awaiting coroutine was cancelled: then the sweep at the campaign's end removes them.
engine::Task<RunRecord> launch(Bench& bench, RunPlan plan);

}  // namespace rogate::campaign
