// Every key of a policy and of a lock file; tests hold the published schemas against them.
#pragma once

#include "spec/keys.hpp"

namespace rogate::gate::keys {

using spec::KeySet;

inline constexpr KeySet policy("", {"accept", "mounts", "writes", "capabilities", "require"});
inline constexpr KeySet policy_mount("/$defs/mount", {"target", "scenario", "accept", "must_be_read_only",
                                                      "reason", "by", "until"});
inline constexpr KeySet policy_write("/$defs/write",
                                     {"path", "process", "operation", "scenario", "reason", "by", "until"});
inline constexpr KeySet policy_capability("/$defs/capability", {"name", "scenario", "reason", "by", "until"});
inline constexpr KeySet policy_require("/$defs/require", {"real-data", "scenario", "watched", "steps"});
inline constexpr std::array policy_sets{policy, policy_mount, policy_write, policy_capability,
                                        policy_require};

inline constexpr KeySet lock("", {"schema", "scenarios"});
inline constexpr KeySet lock_scenario("/$defs/scenario", {"name", "mounts", "capabilities"});
inline constexpr KeySet lock_capability("/$defs/capability", {"name", "verdict"});
inline constexpr KeySet lock_mount("/$defs/mount", {"target", "verdict", "writable", "writes"});
inline constexpr KeySet lock_write("/$defs/write", {"path", "operation", "process"});
inline constexpr std::array lock_sets{lock, lock_scenario, lock_mount, lock_write, lock_capability};

}  // namespace rogate::gate::keys
