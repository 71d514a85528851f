// What files and containers declare: every mount, with a guess what it is for. Tolerant: it reads
// declarations, and leaves judging a file to whoever runs it.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <rogate/subject.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "audit/looks.hpp"
#include "spec/surroundings.hpp"

namespace rogate::audit {

struct Found {
    Mount mount;            // mount.declared says where
    std::string kind;       // dockerfile, compose, kubernetes, scenario, container
    std::string name;       // the service, "Deployment/shop", the container's name, the Dockerfile
    std::string container;  // kubernetes: the container in the pod
    std::string image;      // empty: not known
    Looks looks = Looks::unknown;
    std::string why;
    int order = 0;          // 1: try it first; 0: not worth trying, or read-only already
    std::string read_from;  // the file that was read; the mount may be declared in one that it names
    bool partial = false;   // compose: a service that says neither image nor build: another file has the rest
    bool operator==(const Found&) const = default;
};

struct Trouble {
    std::string file;
    std::string message;  // with line and column where they are known
    bool operator==(const Trouble&) const = default;
};

struct Audit {
    std::vector<Found> mounts;
    std::vector<Trouble> troubles;
    std::size_t files = 0;  // looked at
    std::size_t read = 0;   // of which hold declarations
    bool operator==(const Audit&) const = default;
};

// Whether a file of this name is worth opening.
bool may_declare(std::string_view file_name);

// Where the other files are that a Compose file names (extends, include, .env).
struct OtherFiles {
    spec::FileReader read = [](const std::string&) -> Result<std::string> {
        return fail(ErrorKind::not_found, "is not read here");
    };
    std::string folder = "/";  // that the file lies in; what is read starts with it
};

// Adds what the text of one file declares. What it is shows in its content: a Compose file has services, a
// manifest apiVersion and kind; a Dockerfile goes by its name. A file that is none of them adds nothing.
void read_text(std::string_view text, const std::string& file, Audit& audit, const OtherFiles& others = {});

// Adds a container as the engine describes it (GET /containers/{id}/json).
void read_container(const nlohmann::json& inspected, Audit& audit);

// Guesses what each mount is for, and puts them in the order to try them in.
void classify(Audit& audit);

// What a scenario can be about.
struct Startable {
    std::string file;  // Compose file or manifest; empty: a container of the engine's
    std::string name;  // the service, "Deployment/shop/web", or the container's name
    auto operator<=>(const Startable&) const = default;
};
// Each service, container of a workload, and live container, by a name for a scenario's file.
std::map<std::string, Startable> startable(const Audit& audit);

}  // namespace rogate::audit
