// The result for code scanning: SARIF 2.1.0, a result for each mount at the line that declares it.
#pragma once

#include <rogate/result.hpp>
#include <span>
#include <string>
#include <vector>

namespace rogate::report {

struct SarifOptions {
    std::string version;  // of rogate
    // Absolute folder that URIs are relative to (the repository); files outside it keep a whole file:// URI.
    std::string root;
};

// A run for each result. Levels: safe, tolerated and split are notes (something can be changed here),
// untested and inconclusive warnings; required, ineffective and already-ro are no problem to mend
// ("informational", "pass").
std::string render_sarif(std::span<const CampaignResult> results, const SarifOptions& options);

}  // namespace rogate::report
