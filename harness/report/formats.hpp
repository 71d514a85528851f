// Every format by its name, for the command line.
#pragma once

#include <rogate/result.hpp>
#include <span>
#include <string>
#include <vector>

#include "report/pieces.hpp"
#include "report/requirements.hpp"
#include "report/sarif.hpp"
#include "report/terminal.hpp"

namespace rogate::report {

inline const std::vector<std::string> format_names = {"terminal", "json",  "markdown",    "html",
                                                      "junit",    "sarif", "requirements"};

struct FormatOptions {
    TerminalStyle terminal;
    SarifOptions sarif;
    History history;  // requirements
};

// Results whose secrets are hidden already (hide_secrets). Several results become one document;
// ErrorKind::usage for json, which holds one; other errors are the sink's. Json is never whole in memory.
Result<> write(const std::string& format, std::span<const CampaignResult> results,
               const FormatOptions& options, const Sink& sink);

}  // namespace rogate::report
