// Every key of a file of settings; a test holds the published schema against them.
#pragma once

#include "spec/keys.hpp"

namespace rogate::advise::keys {

using spec::KeySet;

inline constexpr KeySet file("", {"settings"});
inline constexpr KeySet setting("/$defs/setting", {"id", "what", "shown_by", "environment", "setting", "cost",
                                                   "since", "trap", "place", "source"});
inline constexpr KeySet sign("/$defs/sign", {"process", "path", "operation", "phase"});
inline constexpr std::array all{file, setting, sign};

}  // namespace rogate::advise::keys
