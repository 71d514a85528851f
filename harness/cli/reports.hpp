// Results as files and on standard output, in every format.
#pragma once

#include <rogate/result.hpp>
#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "report/formats.hpp"

namespace rogate::cli {

// A result that a run has written; errors name the file.
Result<CampaignResult> read_result(const std::string& file);

// For this terminal, this folder and this version of rogate.
report::FormatOptions format_options(const Global& global);

// result.json, report.html, report.md, junit.xml, results.sarif and write-requirements.md, each 0600, in
// `folder`, which is made (0700) if missing. A write-requirements.md that is there already keeps its dates.
Result<> write_reports(const CampaignResult& result, const std::string& folder,
                       report::FormatOptions options);

// What an earlier write-requirements.md or result.json says; errors name the file.
Result<report::History> read_previous(const std::string& path);

// What write_reports() writes, but for result.json: in each document all of the results.
Result<> write_reports_on_all(const std::vector<CampaignResult>& results, const std::string& folder,
                              report::FormatOptions options);

}  // namespace rogate::cli
