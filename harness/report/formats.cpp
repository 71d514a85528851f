#include "report/formats.hpp"

#include <fmt/format.h>

#include "report/html.hpp"
#include "report/json.hpp"
#include "report/junit.hpp"
#include "report/markdown.hpp"

namespace rogate::report {

namespace {

template <class Render>
std::string one_after_another(std::span<const CampaignResult> results, Render render) {
    std::string out;
    for (const CampaignResult& each : results) {
        if (!out.empty()) out += '\n';
        out += render(each);
    }
    return out;
}

Result<std::string> rendered(const std::string& format, std::span<const CampaignResult> results,
                             const FormatOptions& options) {
    if (format == "terminal")
        return one_after_another(results,
                                 [&](const auto& each) { return render_terminal(each, options.terminal); });
    if (format == "markdown")
        // Together they fit where one would.
        return one_after_another(results, [&](const auto& each) {
            return render_markdown(each, markdown_limit / results.size() - 2);
        });
    if (format == "html") return render_html(results);
    if (format == "junit") return render_junit(results);
    if (format == "sarif") return render_sarif(results, options.sarif);
    if (format == "requirements")
        return one_after_another(
            results, [&](const auto& each) { return render_requirements(each, options.history); });
    return fail(ErrorKind::usage, fmt::format("'{}' is no format", format));
}

}  // namespace

Result<> write(const std::string& format, std::span<const CampaignResult> results,
               const FormatOptions& options, const Sink& sink) {
    if (format == "json") {
        if (results.size() != 1)
            return fail(ErrorKind::usage, "json holds one result; name one, or choose another format");
        return write_json(results.front(), sink);
    }
    auto text = rendered(format, results, options);
    if (!text) return fail(std::move(text.error()));
    return sink(*text);
}

}  // namespace rogate::report
