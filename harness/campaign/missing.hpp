// Bind sources that are not there. Pure.
#pragma once

#include <optional>
#include <rogate/error.hpp>
#include <rogate/subject.hpp>
#include <string>

namespace rogate::campaign {

// The path that an engine's refusal of a container is about; nothing: it is about something else.
std::optional<std::string> missing_bind_source(const std::string& message);

// What the runs have in its place, for the user.
std::string made_up_note(const Mount& mount);
// Of one that has to be there.
Error missing_error(const Mount& mount);

}  // namespace rogate::campaign
