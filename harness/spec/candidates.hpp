// Mounts that somebody wants to have tried: "/data", of every container that has it, or "web:/data", of one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "spec/fields.hpp"
#include "spec/inputs.hpp"
#include "spec/notations.hpp"

namespace rogate::spec {

struct AskedCandidate {
    std::string container;  // as it was written; empty: every container that has the target
    std::string target;
    SourcePlace at = {};  // line 0: on the command line
};

// "/data/", "web:/data", "shop/web:/data".
Parsed<AskedCandidate> parse_candidate(std::string_view text);

// The list `candidates` of a scenario file; nothing after a problem was told.
std::vector<AskedCandidate> read_asked_candidates(const Value& value, const Context& context);

// By which candidates call a scenario's subject; empty: it has no name.
std::string name_of_subject(const Scenario& scenario);

// Why a container that a scenario's candidate names is not its subject, which alone has mounts that are
// tried; empty: it is, or none is named.
std::string not_of_subject(const Scenario& scenario, const std::string& container);

// Leaves of all that was read the scenarios with a mount that is asked for, with just those as candidates.
// The containers of a system stay in its campaign, and the others' mounts are not tried. What no file
// declares may be a volume of an image, and a note says that it has to be. ErrorKind::usage: a container that
// is named is none of them.
Result<> try_only(std::vector<Result<Input>>& inputs, const std::vector<AskedCandidate>& asked);

}  // namespace rogate::spec
