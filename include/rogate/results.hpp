// What `rogate run --out FOLDER` has written, read back: for programs that decide by verdicts.
//
// Needs the library (`find_package(rogate)`, target rogate::rogate). Nothing here asks an engine.
#pragma once

#include <rogate/error.hpp>
#include <rogate/result.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace rogate {

// One result (schema rogate.result/1). Environment values and most of the scenario are not written, so that
// they stay empty. ErrorKind::io: it cannot be read; usage: it is no result, and why.
Result<CampaignResult> read_result(const std::string& file);

// All results in a folder and below it, in the order of their paths. usage: there is none.
Result<std::vector<CampaignResult>> read_results(const std::string& folder);

// The container that a mount of the result belongs to: the Compose service, the pod's container, the name.
std::string container_of(const CampaignResult& result, const MountResult& mount);

// The mount on `target` (an absolute path) of that container; of any, if `container` is empty. Null: there
// is none. It lives as long as `results`.
const MountResult* find_mount(const std::vector<CampaignResult>& results, std::string_view container,
                              std::string_view target);
const MountResult* find_mount(std::vector<CampaignResult>&&, std::string_view, std::string_view) = delete;

// For a person, several lines: the verdict, why, and the first writes that tell it.
std::string describe(const MountResult& mount);

}  // namespace rogate
