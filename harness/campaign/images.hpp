// An image that a run needs.
#pragma once

#include <rogate/subject.hpp>
#include <string>

#include "campaign/status.hpp"
#include "engine/client.hpp"

namespace rogate::campaign {

// Pulled if the engine does not have it.
engine::Task<engine::ImageInfo> need_image(engine::Client& client, const std::string& image, Status& status);

// Of a service that is built: the names that `docker compose build` gives are looked for, and `subject` gets
// the one that is there. ErrorKind::usage says how to build it.
engine::Task<> settle_built_image(engine::Client& client, Subject& subject);

}  // namespace rogate::campaign
