// What the tests of this room share.
#pragma once

#include <gmock/gmock.h>

#include <string>

#include "patch/patch.hpp"

namespace rogate::patch::test {

inline CampaignResult result_with(std::vector<Mount> mounts, std::vector<std::string> read_only,
                                  std::vector<WritablePath> writable = {}) {
    CampaignResult result;
    for (Mount& mount : mounts) {
        result.mounts.emplace_back();
        result.mounts.back().mount = std::move(mount);
    }
    result.recommendation = {std::move(read_only), std::move(writable), 7};
    return result;
}

inline Mount mount(MountType type, std::string target, std::string source = "", SourcePlace declared = {}) {
    Mount made;
    made.type = type;
    made.target = std::move(target);
    made.source = std::move(source);
    made.declared = std::move(declared);
    return made;
}

}  // namespace rogate::patch::test
