// write-requirements.md: what a team keeps beside its code and reviews when it changes.
#pragma once

#include <map>
#include <rogate/result.hpp>
#include <string>
#include <string_view>

#include "report/pieces.hpp"

namespace rogate::report {

// What an earlier document or result said: scenario and target, both escaped, with a line end between ->
// since when the mount has had its mode.
struct Since {
    std::string mode, date;
    bool operator==(const Since&) const = default;
};
using History = std::map<std::string, Since>;

// `previous`: the text of an earlier write-requirements.md or result.json, of which no more is held than a
// piece or a line. A text that is neither is an error.
Result<History> read_history(const Source& previous);
Result<History> read_history(std::string_view previous);

// Two campaigns that found the same give the same text: no times, counts, process numbers or run numbers;
// what varies in a path is a placeholder (base/volatile_names.hpp), and a folder with many different names is
// "folder/*".
std::string render_requirements(const CampaignResult& result, const History& history = {});

}  // namespace rogate::report
