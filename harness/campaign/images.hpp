// An image that a run needs.
#pragma once

#include <string>

#include "campaign/status.hpp"
#include "engine/client.hpp"

namespace rogate::campaign {

// Pulled if the engine does not have it.
engine::Task<engine::ImageInfo> need_image(engine::Client& client, const std::string& image, Status& status);

}  // namespace rogate::campaign
