#include "cli/commands.hpp"
#include "cli/files.hpp"
#include "cli/reports.hpp"
#include "cli/session.hpp"

namespace rogate::cli {

int report_command(const Global& global, const ReportOptions& options) {
    std::vector<CampaignResult> results;
    for (const std::string& file : options.results) {
        auto result = read_result(file);
        if (!result) return report_error(result.error());
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
    const auto write = [&](const report::Sink& sink) {
        return report::write(options.format, results, format, sink);
    };
    const auto done = options.output.empty() ? write(print) : write_file(options.output, write);
    if (!done) return report_error(done.error());
    return 0;
}

}  // namespace rogate::cli
