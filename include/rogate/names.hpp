// The words of the product for each enumerator, used in results, tables and messages alike.
#pragma once

#include <rogate/result.hpp>
#include <string>
#include <string_view>

namespace rogate {

std::string_view to_string(MountType);
std::string_view to_string(AttemptClass);
std::string_view to_string(RunKind);
std::string_view to_string(DataState);
std::string_view to_string(Canary);
std::string_view to_string(Verdict);
std::string_view to_string(WritableAs);
std::string_view to_string(SettingResult::Outcome);
std::string_view to_string(Origin::Kind);
std::string_view to_string(CapabilityVerdict);

// "EROFS" for 30; "errno 4711" for one that has no name; "ok" for 0.
std::string errno_name(int error);

}  // namespace rogate
