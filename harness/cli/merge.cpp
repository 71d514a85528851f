#include <cstdio>

#include "cli/commands.hpp"
#include "cli/files.hpp"
#include "cli/reports.hpp"
#include "cli/session.hpp"
#include "report/json.hpp"
#include "verdict/join.hpp"

namespace rogate::cli {

int merge_command(const Global& global, const MergeOptions& options) {
    std::vector<CampaignResult> results;
    for (const std::string& file : options.results) {
        auto text = read_file(file);
        if (!text) return report_error(text.error());
        auto result = report::parse_json(*text);
        if (!result) return report_error(std::move(result.error()).with_context(file));
        results.push_back(std::move(*result));
    }
    auto whole = verdict::joined(results);
    if (!whole) return report_error(whole.error());
    std::vector<CampaignResult> one;
    one.push_back(std::move(*whole));
    auto text = report::render("json", one, format_options(global));
    if (!text) return report_error(text.error());
    if (options.out.empty()) {
        std::fputs(text->c_str(), stdout);
        return 0;
    }
    if (auto written = write_file(options.out, *text); !written) return report_error(written.error());
    return 0;
}

}  // namespace rogate::cli
