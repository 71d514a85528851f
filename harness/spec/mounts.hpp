// The mounts of the subject: docker's short syntax, compose's long syntax, and `tmpfs`.
#pragma once

#include <rogate/subject.hpp>
#include <vector>

#include "spec/fields.hpp"

namespace rogate::spec {

// From the subject's keys mounts (or volumes) and tmpfs, in the order of the file. No two have one target.
std::vector<Mount> read_mounts(const Mapping& subject, const Context& context);

// What does not fit a mount is refused (a scenario, docker run); docker compose takes the last of options
// that contradict each other, passes over those that it does not know or that do not fit, which a note tells,
// and makes a missing source a directory.
enum class MountOptions { strict, as_compose };
// One entry of a list of mounts, and one of `tmpfs`.
std::optional<Mount> read_mount(const Value& value, const Context& context,
                                MountOptions options = MountOptions::strict);
std::optional<Mount> read_tmpfs_entry(const Value& value, const Context& context);

// An absolute path on the engine's host; relative ones start at the context's folder, "~" is the user's home.
std::optional<std::string> read_host_path(const Value& value, std::string_view text, const Context& context);

// Tells the user what `how`, "z" or "Z", means here and in use. It has no effect on the runs.
std::string relabelling_note(const Mount& mount, std::string_view how);
void note_relabelling(const Mount& mount, std::string_view how, const Context& context);

}  // namespace rogate::spec
