// Launches the subject once, under one assignment of read-only to its mounts, and records what came of it.
#pragma once

#include <optional>
#include <rogate/pods.hpp>
#include <rogate/scenario.hpp>
#include <string>
#include <vector>

#include "campaign/companions.hpp"
#include "campaign/data.hpp"
#include "campaign/guests.hpp"
#include "campaign/pod.hpp"
#include "campaign/status.hpp"
#include "engine/client.hpp"
#include "observe/observer.hpp"

namespace rogate::campaign {

// Of a run that has ended.
struct Remains {
    int run = 0;
    std::string container;  // the subject's
};

struct Bench {
    engine::Client& client;
    observe::Observer& observer;
    DataPlane& data;
    Status& status;
    const Scenario& scenario;
    std::string session, network;
    Companions& companions;
    Pod& pod;
    bool lacks_data = false;  // something of the user's that exists: who looks for it has to be seen
    const engine::ImageInfo& image;
    std::string relay =
        {};  // the container by which the subject's ports are reached; empty: they are published
    const std::map<std::string, engine::ImageInfo>* images = nullptr;  // of a system, by container
    const Secrets* secrets = nullptr;                                  // what no message may show
    Pods pods = {};                                                    // that members of the scenario are in
    std::map<std::string, std::string> not_had = {};                   // members that no run has, and why
    std::string holder_image =
        {};  // of what holds the network of a pod whose containers are settled together
    const RunRecord* control = nullptr;  // whose observations the steps of this run are compared with
    Guests* guests = nullptr;  // null: no container has the engine's socket, or they have the real one
    std::optional<Remains> remains = {};  // of the run before, not removed yet
};

// The container that `plan` asks for; pure. `mounts` are those of DataPlane::prepare().
engine::ContainerSpec container_for(const Bench& bench, const RunPlan& plan,
                                    std::vector<engine::MountSpec> mounts);

// Those of everything that a run starts.
BoundVolumes bound_volumes(const DataPlane& data, const Companions& companions, const Pod& pod);

// Who else can write by the doing of `subject` in the runs; empty: nobody.
std::string unseen_writers(const Bench& bench, const Subject& subject);

// An application that fails is a record with passed == false; an Error is the engine's or the harness's own
// failure, and then nothing may be concluded. The containers and the run's volumes are removed in either
// case, except when the awaiting coroutine was cancelled: then the sweep at the campaign's end removes them.
// A subject without others beside it is left in `bench.remains`, to be removed while the next run begins,
// since an engine takes as long for it as for a start.
engine::Task<RunRecord> launch(Bench& bench, RunPlan plan);

// After the last run. A failure is a warning: the sweep tries again, and reports it.
engine::Task<> clear_remains(Bench& bench);

}  // namespace rogate::campaign
