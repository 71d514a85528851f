// What a command built, at its end: removed from its engines, or named.
#pragma once

#include <memory>
#include <optional>
#include <rogate/scenario.hpp>
#include <string>
#include <vector>

#include "campaign/images.hpp"
#include "cli/commands.hpp"
#include "cli/watchdog.hpp"

namespace rogate::cli {

class BuiltImages {
  public:
    // Forks a watchdog for each engine if one of the scenarios may be built, so nothing may run yet.
    BuiltImages(const Global& global, std::shared_ptr<campaign::Images> images,
                const std::vector<Scenario>& scenarios);
    // Once all campaigns have ended. ErrorKind::engine: an image is left; a watchdog goes on, then.
    Result<> end();

  private:
    std::vector<Global> engines_;
    std::shared_ptr<campaign::Images> images_;
    std::vector<std::unique_ptr<Watchdog>> watchdogs_;
};

}  // namespace rogate::cli
