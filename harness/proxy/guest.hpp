// A container of the system that has the engine's socket: its calls reach what belongs to the system.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "engine/client.hpp"
#include "proxy/guard.hpp"
#include "proxy/proxy.hpp"

namespace rogate::proxy {

// The system, as a run has it.
class System {
  public:
    virtual ~System() = default;
    virtual bool has_container(const std::string& id, const Labels& labels) const = 0;
    // What it has made besides containers.
    virtual void add_made(Belongings& all) const = 0;
    // Of what is made through the socket.
    virtual Labels labels_of_new() const = 0;
    // Until every container that the engine has made is known to has_container().
    virtual engine::Task<> settled() = 0;
    // It asked for what it would have got from the engine itself: the run is not as in life.
    virtual void refused(const std::string& what) = 0;
    // It asked what there is of containers, images, networks or volumes, or for one of them.
    virtual void looks(const std::string& what) = 0;
    // It does something to a container, or makes one.
    virtual void acts(const std::string& what) = 0;
};

struct GuestOptions {
    // Whether a bind of this source is a socket of the engine's; the source of the guests' socket.
    std::function<bool(const std::string& source)> is_socket;
    std::string door;
};

class Guest : public Overseer {
  public:
    // `seer` sees what makes, starts and ends containers, as COMMAND's calls; null: nobody does. All of them
    // outlive it.
    Guest(engine::Client& client, engine::Transport& transport, System& system, Overseer* seer,
          GuestOptions options)
        : client_(client),
          transport_(transport),
          system_(system),
          seer_(seer),
          options_(std::move(options)) {}

    // The source of the guests' socket, once it is there.
    void set_door(std::string source) { options_.door = std::move(source); }
    // What guests have made is gone: another one of that name is new.
    void forget() {
        networks_made_.clear();
        volumes_made_.clear();
        known_.clear();
    }

    bool wants(const Call& call) const override;
    bool reads(const Call& call) const override;
    engine::Task<Admission> admit(std::string method, Call call, std::string* body) override;
    void passes(const Call& call) override;
    engine::Task<> before(Exchange& exchange) override;
    engine::Task<> after(const Exchange& exchange, int status, const std::string& body) override;

  private:
    engine::Task<nlohmann::json> look(std::string target, int* status);
    engine::Task<Belongings> belongings();
    bool belongs(const std::string& id, const Labels& labels);
    engine::Task<std::string> resolve(std::string container);
    engine::Task<Admission> refuse(std::string what);
    engine::Task<Admission> not_given(Error why);
    engine::Task<Admission> list(Access access, Call call);
    engine::Task<Admission> one_container(Wanted want, Call call, std::string* body);
    engine::Task<Admission> one_exec(Wanted want, Call call);
    engine::Task<Admission> one_network(std::string method, Wanted want, Call call, std::string* body);
    engine::Task<Admission> one_volume(Wanted want, Call call);
    engine::Task<Admission> create(Call call, std::string* body);
    engine::Task<Admission> create_volume(Call call, std::string* body);
    engine::Task<Admission> pull(Call call);
    engine::Task<bool> is_told(std::string line);

    engine::Client& client_;
    engine::Transport& transport_;
    System& system_;
    Overseer* seer_;
    GuestOptions options_;
    std::set<std::string> known_;                         // ids of containers that belong, or did
    std::set<std::string> networks_made_, volumes_made_;  // by guests
};

// Puts the guests' socket in place of the engine's in the body of POST /containers/create; whether there was
// one. Pure.
bool replace_sockets(nlohmann::json& body, const GuestOptions& options);

}  // namespace rogate::proxy
