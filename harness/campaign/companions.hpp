// The services beside the subject: started for one run in the order of their dependencies, and removed with
// it.
#pragma once

#include <rogate/scenario.hpp>
#include <set>
#include <string>
#include <vector>

#include "base/masker.hpp"
#include "campaign/data.hpp"
#include "campaign/status.hpp"
#include "engine/client.hpp"
#include "scenario/places.hpp"

namespace rogate::campaign {

// "bind /srv/data", "volume shop_db": mounts with one source are one thing; empty for those without.
std::string source_key(const Mount& mount);

// The sources that a companion may write to: the subject's must not be the user's own then, even if the
// subject only reads them.
std::set<std::string> written_by_companions(const Scenario& scenario);

class Companions {
  public:
    // `publish`: whether the subject's ports are to be reached on the engine's host, where a service gives it
    // its network.
    Companions(engine::Client& client, Status& status, const Scenario& scenario, std::string session,
               std::string network, bool publish);

    // Their images, and their data's sources. Once for a campaign.
    engine::Task<> survey();
    // Starts all of them for the run, on data in its state, and waits for what the subject waits for.
    // `subject_mounts`: those that `subject_data` made for the subject; what a companion shares with it is
    // the same. The answer is empty, or why a service cannot be relied on, with its name and its last output.
    engine::Task<std::string> start(const RunPlan& plan, const DataPlane& subject_data,
                                    const std::vector<engine::MountSpec>& subject_mounts);
    // Those that wait for the subject, when it is ready. The answer is as that of start().
    engine::Task<std::string> start_behind(int run, std::string subject, const DataPlane& subject_data);
    // What no message may show of their output.
    // After both have been surveyed: what the services have of the subject's data under other names they get
    // from there; where that is not possible, what the runs lack.
    std::vector<DataDifference> differences(const DataPlane& subject_data);
    // After both have been surveyed: looks for files that have a name in the data of both. In the runs they
    // are two.
    engine::Task<> look_for_links(DataPlane& subject_data);
    // A service has the mount's source as well.
    bool have(const Mount& mount) const;
    void hide(Masker masker) { masker_ = std::move(masker); }
    // Names those that have ended with an error since; empty: none.
    engine::Task<std::string> fallen();
    // Ends them, each before those that it was started behind: as asked to, or all at once by SIGKILL.
    engine::Task<> stop(bool kill);
    // After stop(), in place of remove(): their data are kept for later runs.
    engine::Task<> keep(RunPlan plan);
    engine::Task<> remove(int run);
    // Those that have a network of their own and were started, with the ports that they and their images
    // declare.
    std::vector<scenario::Place> places() const;
    // Empty: there is none.
    std::string container(const std::string& service) const {
        const auto found = containers_.find(service);
        return found == containers_.end() ? std::string() : found->second;
    }

    // Before any start: what containers get in place of the engine's sockets.
    void put_in(StandIn stand_in) { data_.put_in(std::move(stand_in)); }
    BoundVolumes bound_volumes() const { return data_.bound_volumes(); }

  private:
    bool is_required(const std::string& service) const;
    void warn_once(const std::string& text);
    engine::Task<> kill_all();
    // Those of the plane's own data, and where.
    std::map<std::string, DataPlane::SeenIn> seen_in() const;
    engine::Task<std::string> launch_all(bool behind, int run, const DataPlane& subject_data);
    engine::Task<std::string> launch(const Companion& companion, int run, const DataPlane& subject_data);
    bool is_subject(const std::string& service) const;
    engine::Task<std::string> wait_for(const Dependency& dependency, const std::string& who);

    engine::Client& client_;
    Masker masker_;
    bool publish_;
    bool for_commands_;  // whose steps reach the ports of all services
    std::set<std::string> warned_;
    Status& status_;
    const Scenario& scenario_;
    DataPlane data_;                                          // what no mount of the subject has
    std::map<std::string, std::string> targets_;              // key_of() -> target in data_
    std::vector<std::pair<std::string, std::string>> links_;  // paths in the subject, and in data_
    std::map<std::string, std::string> same_;  // key_of() -> target of the subject's with that source
    std::map<std::string, std::vector<Mount>> mounts_;            // service -> with those of its image
    std::map<std::string, std::set<std::uint16_t>> ports_;        // service -> also those of its image
    std::vector<engine::MountSpec> own_mounts_, subject_mounts_;  // of the run
    std::string subject_;                                         // its container, for those behind it
    std::string session_, network_;
    std::map<std::string, std::string> containers_;  // service -> container
};

}  // namespace rogate::campaign
