// The result as JSON, schema rogate.result/1 (scenarios/result.schema.json), and back.
#pragma once

#include <rogate/result.hpp>
#include <string>
#include <string_view>

#include "report/pieces.hpp"

namespace rogate::report {

// Of a result whose secrets are hidden already (hide_secrets). Environment values are never written.
std::string render_json(const CampaignResult& result);

// The same, piece by piece: a result can have a million attempts.
Result<> write_json(const CampaignResult& result, const Sink& sink);

// ErrorKind::usage says what is wrong, and where if it is no JSON; others are the source's. What
// render_json() leaves out (environment values, most of the scenario) stays empty.
Result<CampaignResult> read_json(const Source& source);
Result<CampaignResult> parse_json(std::string_view text);

}  // namespace rogate::report
