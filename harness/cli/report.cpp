#include <cstdio>

#include "cli/commands.hpp"
#include "cli/files.hpp"
#include "cli/reports.hpp"
#include "cli/session.hpp"
#include "report/json.hpp"

namespace rogate::cli {

int report_command(const Global& global, const ReportOptions& options) {
    std::vector<CampaignResult> results;
    for (const std::string& file : options.results) {
        auto text = read_file(file);
        if (!text) return report_error(text.error());
        auto result = report::parse_json(*text);
        if (!result) return report_error(std::move(result.error()).with_context(file));
        results.push_back(std::move(*result));
    }
    report::FormatOptions format = format_options(global);
    if (!options.output.empty()) {
        // A file is no terminal, whatever standard output is.
        if (global.colour != "always") format.terminal.colour = false;
    }
    if (!options.previous.empty()) {
        auto history = read_previous(options.previous);
        if (!history) return report_error(history.error());
        format.history = std::move(*history);
    }
    auto text = report::render(options.format, results, format);
    if (!text) return report_error(text.error());
    if (options.output.empty()) {
        if (std::fwrite(text->data(), 1, text->size(), stdout) != text->size() || std::fflush(stdout) != 0)
            return report_error({ErrorKind::io, "cannot write the report to standard output"});
        return 0;
    }
    if (auto written = write_file(options.output, *text); !written) return report_error(written.error());
    return 0;
}

}  // namespace rogate::cli
