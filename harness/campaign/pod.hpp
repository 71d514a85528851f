// The pod around the subject: volumes that its containers share, init containers, containers beside it, and
// the network namespace that they have in common.
#pragma once

#include <map>
#include <optional>
#include <rogate/scenario.hpp>
#include <set>
#include <string>
#include <vector>

#include "base/masker.hpp"
#include "campaign/data.hpp"
#include "campaign/status.hpp"
#include "engine/client.hpp"
#include "scenario/step_runner.hpp"

namespace rogate::campaign {

// A volume that Kubernetes makes for the pod; `group`: the pod's.
DataMount made_of(const PodVolume& volume, const std::optional<std::uint32_t>& group);

// How the pod's volumes are given to a run, by name with a leading '/', for DataPlane::know(); and the mounts
// to survey. Pure.
struct PodVolumes {
    std::vector<Mount> mounts;
    std::vector<DataMount> known;
};
PodVolumes volumes_of(const PodPeers& pod);

class Pod {
  public:
    // `publish`: whether the pod's ports are to be reached on the engine's host.
    Pod(engine::Client& client, Status& status, const Scenario& scenario, std::string session,
        std::string network, bool publish);

    // Images, the volumes' sources, and what holds the namespace. Once for a campaign.
    engine::Task<> survey();
    // The subject's mounts that are the pod's to give.
    std::vector<DataMount> subject_mounts() const;
    // What is at `path` of the subject before any run, where it lies in one of the pod's volumes. Nothing
    // where no part of the volume can have a mount of its own: what the pod itself makes is not there yet,
    // and a part of an overlay would not be the one that other containers see.
    engine::Task<verdict::PathFacts> look(std::string path);
    // Targets of the subject's mounts in whose volumes directories can be made for a run.
    std::set<std::string> can_make_mount_points() const;
    // What the pod's volumes are made of: "copy", "overlay", "none".
    std::string data_mode() const { return data_.mode(); }
    // As DataPlane::learn_from() of the pod's volumes, and its notes.
    bool learn_from(const RunRecord& control);
    const std::vector<std::string>& notes() const { return data_.notes(); }
    // Of the user's data, what the runs have not: in volumes that no mount of the subject is of, too.
    std::vector<DataDifference> differences() const;

    // What comes before the subject, in the order of the manifest: init containers run to their end, the
    // others run on. The answer is empty, or why the pod did not come up, with the container's name and last
    // output.
    // `beside`: by which the probes are made.
    engine::Task<std::string> start(const RunPlan& plan, scenario::Neighbourhood beside);
    // The subject's mounts as they are now, by target, and what is to be a volume below one of them.
    engine::Task<std::map<std::string, engine::MountSpec>> mounts(RunPlan plan);
    // Puts the subject into the pod's network namespace; without other containers it has one of its own.
    void dress(engine::ContainerSpec& subject) const;
    // The rest, when the subject has been started.
    engine::Task<std::string> start_rest(int run);
    // Waits until the other containers' probes pass, as a cluster does before it counts the pod as ready. The
    // answer is empty, or which one did not get there.
    engine::Task<std::string> ready();
    // The container whose ports are published; empty: the subject's own.
    const std::string& holder() const { return holder_; }
    // What no message may show of their output.
    void hide(Masker masker) { masker_ = std::move(masker); }
    // Names those that have ended with an error since; empty: none.
    engine::Task<std::string> fallen();
    // Ends the containers beside the subject, all at once: as asked to, or by SIGKILL.
    engine::Task<> stop(bool kill);
    // After stop(), in place of remove(): what outlasts a pod is kept for later runs.
    engine::Task<> keep(RunPlan plan, std::string subject);
    engine::Task<> remove(int run);

    // Before any start: what containers get in place of the engine's sockets.
    void put_in(StandIn stand_in) { data_.put_in(std::move(stand_in)); }
    BoundVolumes bound_volumes() const { return data_.bound_volumes(); }

  private:
    bool shares_network() const;
    engine::Task<> make_holder_image();
    engine::Task<> start_holder(int run);
    // A path of the subject as the pod's data plane has it.
    struct Inside {
        std::string path, volume;  // "/volume/sub/path", "/volume"
        const PodMount* mount = nullptr;
    };
    std::optional<Inside> inside(const std::string& path) const;
    bool comes_in_parts(const PodMount& mount) const;
    const DataMount& data_of_volume(const std::string& volume) const;
    // What the plan wants writable below the subject's mounts, for the pod's data plane.
    RunPlan with_parts(const RunPlan& plan) const;
    // With what is mounted below its source.
    engine::Task<std::vector<engine::MountSpec>> mount(int run, const PodMount& mount);
    engine::Task<std::string> launch(int run, const PodContainer& container);
    engine::Task<std::string> wait_for(const PodContainer& container, const std::string& id);
    engine::Task<std::string> pass(const PodContainer& container, const Step& probe);

    engine::Client& client_;
    Masker masker_;
    Status& status_;
    const Scenario& scenario_;
    DataPlane data_;
    std::string session_, network_, image_, holder_;
    bool publish_;
    scenario::Neighbourhood beside_;
    std::map<std::string, engine::MountSpec> specs_;  // of this run, by volume
    std::map<std::string, engine::MountSpec> parts_;  // of this run, by path of the pod's data plane
    std::map<std::string, std::string> containers_;   // of this run: name -> id
};

}  // namespace rogate::campaign
