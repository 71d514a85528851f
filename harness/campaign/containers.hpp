// What the containers of a run have in common, the subject's and those beside it: how they are described, and
// what is asked of those beside the subject.
#pragma once

#include <map>
#include <rogate/scenario.hpp>
#include <string>
#include <vector>

#include "base/masker.hpp"
#include "engine/client.hpp"

namespace rogate::campaign {

// The options of `subject` that need no mounts, names or network.
void describe(const Subject& subject, engine::ContainerSpec& spec);
// Where the subject is found: its host name and names on `network`, "subject" among them, which containers
// beside it call it by; with `publish` its ports on the loopback of the engine's host as well.
void place_on_network(const Subject& subject, const std::string& network, bool publish,
                      engine::ContainerSpec& spec);
// Whose network namespace `subject` shares (network_mode: service:NAME, through any number of them); empty:
// it has its own, or none.
std::string network_owner(const Scenario& scenario, const Subject& subject);
// Its ports on the loopback of the engine's host.
void publish_ports(const Subject& subject, engine::ContainerSpec& spec);
// Puts it into the network namespace of `container`.
void share_network(engine::ContainerSpec& spec, const std::string& container);
void add_tmpfs(engine::ContainerSpec& spec, const Mount& mount, bool read_only);
// A container beside the subject of run `run`, described and on `network`; its mounts are left to the caller.
engine::ContainerSpec beside_subject(const std::string& session, int run, const std::string& name,
                                     const Subject& like, const std::string& network);

// Writes the subject's seed files into a container that has not started yet.
engine::Task<> seed_files(engine::Client& client, const std::string& container,
                          const std::vector<SeedFile>& files);

// "service 'db' exited with code 1", of one that has ended.
std::string ending_of(const std::string& who, int exit_code, bool oom_killed);

// Of `who` ("service 'db'"): empty, or why it could not be started. An Error is the engine's own failure.
engine::Task<std::string> start_beside(engine::Client& client, std::string who, std::string container);
// As docker stop does, or by SIGKILL; when it has ended already, nothing.
engine::Task<> end_beside(engine::Client& client, std::string container, bool kill, std::int64_t grace_ms);
// "; its last output:" and that without its secrets, or that there is none. `masker` outlives the call.
engine::Task<std::string> log_tail(engine::Client& client, std::string container, const Masker& masker);
// Names those of `containers` (name -> id) that have ended with an error, each as a `kind`; empty: none.
engine::Task<std::string> name_fallen(engine::Client& client, std::string kind,
                                      std::map<std::string, std::string> containers, const Masker& masker);
// All of them, whatever becomes of the others; the first failure is told.
engine::Task<> remove_all(engine::Client& client, std::map<std::string, std::string> containers);

}  // namespace rogate::campaign
