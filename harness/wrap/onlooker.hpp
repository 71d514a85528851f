// Sees what COMMAND does with the engine in one run: each container that it creates is changed as the run's
// plan says, is watched from its first instruction on, and is asked for its canaries before it ends.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <rogate/run.hpp>
#include <set>
#include <string>
#include <vector>

#include "campaign/engine_sockets.hpp"
#include "campaign/status.hpp"
#include "proxy/guard.hpp"
#include "proxy/proxy.hpp"
#include "proxy/turn.hpp"
#include "wrap/create.hpp"
#include "wrap/lives.hpp"
#include "wrap/observers.hpp"
#include "wrap/recognise.hpp"

namespace rogate::wrap {

using proxy::Call;
using proxy::CallKind;
using proxy::Exchange;
using proxy::Turn;

// A container that was created in the run.
struct Created {
    explicit Created(boost::asio::any_io_executor executor) : turn(std::move(executor)) {}

    std::string id;
    std::string key, how;
    const Known* known = nullptr;  // of the control run; null in the first one, and where it had none like it
    bool is_made = false;          // by the engine
    Asked asked;
    // As the engine tells it, before its first start.
    std::vector<Mount> mounts;
    // target -> "a unix socket": read-only protects nothing; empty: it could not be looked at
    std::map<std::string, std::string> special;
    // target -> source: where the guests' socket stands in for the engine's
    std::map<std::string, std::string> sockets;
    campaign::BoundVolumes bound = {};
    std::set<std::string> covers;  // targets: where it stands in for one within a folder
    Subject subject;
    std::string image_id;
    bool has_healthcheck = false;
    int grace_s = 10;

    bool was_started = false;
    std::string start_problem;                    // the engine did not start it: its words
    bool was_watched = false;                     // from its first instruction on
    std::unique_ptr<observe::Observer> observer;  // null: nobody watches it, or not any more
    std::map<std::string, Canary> canary;
    std::vector<observe::Recording> recordings;
    std::vector<Life> lives;
    bool is_alive = false;  // since its last start nobody has seen its end, or told it to end
    Turn turn;
};

// A container that was there before COMMAND was started, and that COMMAND used.
struct Before {
    std::string id, name, image;
    std::vector<Mount> mounts;
};

// Of several runs.
struct Surroundings {
    engine::Client& client;
    Observers& observers;
    campaign::Status& status;
    std::string session;
    std::string socket;  // rogate's own, as the engine's host has it
    // Whether a bind of this source leads to the engine; opens the door for guests, and tells what a bind of
    // it names. Null: containers get what they ask for.
    std::function<bool(const std::string& source)> is_socket = {};
    std::function<engine::Task<std::string>(std::string like)> door = {};
    // The engine's sockets below a folder, each with a '/' before it.
    std::function<std::vector<std::string>(const std::string& folder)> sockets_below = {};
};

class Onlooker {
  public:
    // `roster`: what there was in the control run; the first run fills it.
    Onlooker(Surroundings& around, boost::asio::any_io_executor executor, RunPlan plan,
             std::shared_ptr<Roster> roster);

    // What is on the engine already.
    engine::Task<> look_around();

    engine::Task<> before(Exchange& exchange);
    engine::Task<> after(const Exchange& exchange, int status, const std::string& body);

    // The engine copies something into a container (docker cp).
    void note_copy(const Call& call);

    // When COMMAND has ended. `stop`: what still runs is stopped, and seen to end. Then the accounts are
    // closed and added to `record`.
    engine::Task<> finish(bool stop, RunRecord* record);
    // What COMMAND has made and left, as words for people; empty: nothing.
    engine::Task<std::vector<std::string>> left();
    engine::Task<> remove_left();

    const std::deque<std::unique_ptr<Created>>& containers() const { return containers_; }
    const std::vector<Before>& used_before() const { return used_before_; }
    // Of this run's own: made by COMMAND, or by a container of its.
    bool has_container(const std::string& id) const;
    // Networks and volumes that the run has made.
    void add_made(proxy::Belongings& all) const;
    // Until no reply to a creation is awaited.
    engine::Task<> settled();
    // Volumes that were there before this run, and go on after it.
    bool outlasts(const std::string& volume) const { return volumes_before_.contains(volume); }

  private:
    bool is_changed() const { return !plan_.read_only.empty(); }
    Created* find(const std::string& object);
    // Null: it is none of this run's, which is noted.
    engine::Task<Created*> resolve(std::string object);
    void doubt(std::string why);
    Result<> doubted(Result<> done, const std::string& doing);

    engine::Task<> before_create(Exchange& exchange);
    engine::Task<> change(Created& made, nlohmann::json& body);
    engine::Task<bool> replace_sockets(Created& made, nlohmann::json& body);
    engine::Task<std::vector<Mount>> inherited(const Asked& asked);
    void created(const Exchange& exchange, int status, const std::string& body);
    engine::Task<> before_start(Created& container);
    engine::Task<> learn(Created& container);
    void compare_mounts(const Created& container);
    engine::Task<> add_copies(RunRecord& record);
    engine::Task<> doubt_runtime(std::string key, std::string runtime);
    engine::Task<> look_at_sources(Created& container);
    engine::Task<> arm(Created& container);
    engine::Task<> make_room();
    engine::Task<> try_canaries(Created& container);
    engine::Task<> close(Created& container);
    engine::Task<> end(Created* container, bool stop);
    engine::Task<> note_life(Created& container);
    engine::Task<> learn_exit_codes(std::int64_t ahead_s);
    bool lacks_exit_code(const Created& container) const;
    engine::Task<bool> runs(const Created& container);
    engine::Task<std::vector<std::string>> volumes_left();
    engine::Task<std::vector<Created*>> containers_left();
    engine::Task<std::vector<engine::NetworkInfo>> networks_left();

    Surroundings& around_;
    boost::asio::any_io_executor executor_;
    RunPlan plan_;
    std::shared_ptr<Roster> roster_;
    bool is_first_;
    Roll roll_;
    Roster others_;                                    // and those that the control run had none like
    std::deque<std::unique_ptr<Created>> containers_;  // in the order of their creation
    std::set<std::string> containers_before_, volumes_before_, networks_made_, volumes_made_;
    std::set<std::string> known_runtimes_;  // whose containers have the engine's kernel
    std::vector<Before> used_before_;
    std::map<std::string, std::set<std::string>> copies_;  // name or id of a container -> paths in it
    std::map<std::string, int> exit_codes_;                // by id: the last one that the engine told of
    int unasked_starts_ = 0;                               // since it was asked for them
    std::string doubt_;
    Turn room_;
    int creating_ = 0;                       // calls whose reply is awaited
    boost::asio::steady_timer no_creation_;  // creating_ became 0
    std::set<std::string> network_names_;    // of networks_made_
};

}  // namespace rogate::wrap
