// The body of POST /containers/create: what it asks for, and how candidates become read-only in it. Pure.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <rogate/attempt.hpp>
#include <rogate/error.hpp>
#include <rogate/subject.hpp>
#include <set>
#include <string>
#include <vector>

namespace rogate::wrap {

// What tells containers apart before they exist.
struct Asked {
    std::string name;  // the caller's; empty: the engine makes one up
    std::string image;
    std::vector<std::string> command, entrypoint;
    std::vector<std::string> environment;  // "NAME=value", sorted
    std::map<std::string, std::string> labels;
    std::set<std::string> targets;             // of the mounts that the body names
    std::vector<std::string> from_containers;  // VolumesFrom: "NAME[:ro|:rw]"
    bool operator==(const Asked&) const = default;
};

// A body that is no object asks for nothing.
Asked read_create(const nlohmann::json& body, std::string name);

// The mounts of a container as the engine tells them (GET /containers/{id}/json), "/" among them, in order of
// target.
std::vector<Mount> mounts_of(const nlohmann::json& inspected);

// Binds that the body asks for, with their targets and sources.
std::vector<Mount> mounts_asked(const nlohmann::json& body);

void add_bind(nlohmann::json& body, const std::string& source, const std::string& target);

// "/data", of "/data/", "//data" or "/x/../data".
std::string normal_target(std::string_view target);

struct Change {
    std::set<std::string> read_only;  // targets; "/" is the root filesystem
    // In place of VolumesFrom: the mounts of the containers that it names, as they are in this run.
    std::vector<Mount> inherited;
    std::string new_volume;                     // begins the names of volumes in place of anonymous ones
    std::map<std::string, std::string> labels;  // of the container, and of volumes that it brings
};

// Makes the targets read-only. An anonymous volume cannot be (the engine refuses it): it gets a name, and is
// filled from the image as before. ErrorKind::usage names a target that cannot be made read-only so.
Result<> make_read_only(nlohmann::json& body, const Change& change);

// In how far a container's mounts are others than in the control run, beside what was to be made read-only;
// empty: they are the same. Bodies can be written in ways that are not read here, but not so that the engine
// says something else afterwards. The sources are COMMAND's: it may make new ones each time.
std::string mounts_differ(const std::vector<Mount>& control, const std::vector<Mount>& here,
                          const std::set<std::string>& read_only);

// What the engine writes when something is copied to `path`: to the mount that this lies on, and perhaps to
// those below it. It refuses that on what is read-only.
std::vector<Attempt> copies_to(const std::vector<Mount>& mounts, const std::string& path);

// Volumes that "Binds" names, and that the engine would make without labels: name -> driver (may be empty).
std::map<std::string, std::string> volumes_by_name(const nlohmann::json& body);

// Adds to "Labels", without overwriting.
void add_labels(nlohmann::json& body, const std::map<std::string, std::string>& labels);

}  // namespace rogate::wrap
