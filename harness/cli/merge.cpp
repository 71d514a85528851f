#include "cli/commands.hpp"
#include "cli/files.hpp"
#include "cli/reports.hpp"
#include "cli/session.hpp"
#include "verdict/join.hpp"

namespace rogate::cli {

int merge_command(const Global& global, const MergeOptions& options) {
    std::vector<CampaignResult> results;
    for (const std::string& file : options.results) {
        auto result = read_result(file);
        if (!result) return report_error(result.error());
        results.push_back(std::move(*result));
    }
    auto whole = verdict::joined(results);
    if (!whole) return report_error(whole.error());
    const auto write = [&](const report::Sink& sink) {
        return report::write("json", {&*whole, 1}, format_options(global), sink);
    };
    const auto done = options.out.empty() ? write(print) : write_file(options.out, write);
    if (!done) return report_error(done.error());
    return 0;
}

}  // namespace rogate::cli
