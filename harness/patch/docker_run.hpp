// `docker run` command lines: the edits that a recommendation makes to one. Pure.
#pragma once

#include <rogate/result.hpp>
#include <string>
#include <vector>

#include "patch/editor.hpp"

namespace rogate::patch {

struct CommandChange {
    std::vector<Edit> edits;  // insertions and replacements in the command's text
    std::vector<std::string> notes;
};

// An error's message is without a place: the caller knows where the command stands.
Result<CommandChange> change_command(const CampaignResult& result, const std::string& command);

// "--read-only --tmpfs /run:…": the new flags for what is recommended to stay writable.
std::string flag_for(const WritablePath& writable, const std::string& source);

}  // namespace rogate::patch
