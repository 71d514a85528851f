#include "cli/reports.hpp"

#include <unistd.h>

#include <filesystem>
#include <utility>

#include "cli/files.hpp"
#include "cli/terminal.hpp"
#include "cli/version.hpp"
#include "report/json.hpp"

namespace rogate::cli {

Result<CampaignResult> read_result(const std::string& file) {
    auto source = open_file(file);
    if (!source) return fail(std::move(source.error()));
    auto result = report::read_json(*source);
    if (!result) return fail(std::move(result.error()).with_context(file));
    return result;
}

report::FormatOptions format_options(const Global& global) {
    const Terminal terminal = look_at(STDOUT_FILENO, global.colour);
    report::FormatOptions options;
    options.terminal = {.colour = terminal.colour, .unicode = terminal.unicode, .width = terminal.width};
    options.sarif.version = version();
    std::error_code none;
    options.sarif.root = std::filesystem::current_path(none).string();
    return options;
}

Result<report::History> read_previous(const std::string& path) {
    auto source = open_file(path);
    if (!source) return fail(std::move(source.error()));
    auto history = report::read_history(*source);
    if (!history) return fail(std::move(history.error()).with_context(path));
    return history;
}

namespace {

constexpr std::pair<const char*, const char*> files[] = {
    {"json", "result.json"}, {"html", "report.html"},    {"markdown", "report.md"},
    {"junit", "junit.xml"},  {"sarif", "results.sarif"}, {"requirements", "write-requirements.md"}};

Result<> write_files(std::span<const CampaignResult> results, const std::string& folder,
                     report::FormatOptions options) {
    if (auto made = make_folder(folder); !made) return made;
    for (const auto& [format, name] : files) {
        if (std::string_view(format) == "json" && results.size() > 1) continue;  // it holds one
        const std::string path = folder + "/" + name;
        if (std::string_view(format) == "requirements" && std::filesystem::exists(path)) {
            auto history = read_previous(path);
            if (!history) return fail(std::move(history.error()));
            options.history = std::move(*history);
        }
        const auto written = write_file(
            path, [&](const report::Sink& sink) { return report::write(format, results, options, sink); });
        if (!written) return written;
    }
    return {};
}

}  // namespace

Result<> write_reports(const CampaignResult& result, const std::string& folder,
                       report::FormatOptions options) {
    return write_files({&result, 1}, folder, std::move(options));
}

Result<> write_reports_on_all(const std::vector<CampaignResult>& results, const std::string& folder,
                              report::FormatOptions options) {
    return write_files(results, folder, std::move(options));
}

}  // namespace rogate::cli
