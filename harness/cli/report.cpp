#include <unistd.h>

#include <cstdio>

#include "cli/commands.hpp"
#include "cli/files.hpp"
#include "cli/session.hpp"
#include "cli/terminal.hpp"
#include "report/json.hpp"
#include "report/terminal.hpp"

namespace rogate::cli {

int report_command(const Global& global, const std::string& result_file, const std::string& format) {
    auto text = read_file(result_file);
    if (!text) return report_error(text.error());
    auto result = report::parse_json(*text);
    if (!result) return report_error(std::move(result.error()).with_context(result_file));
    if (format == "json") {
        std::fputs(report::render_json(*result).c_str(), stdout);
        return 0;
    }
    const Terminal terminal = look_at(STDOUT_FILENO, global.colour);
    report::TerminalStyle style;
    style.colour = terminal.colour;
    style.width = terminal.width;
    style.unicode = terminal.unicode;
    std::fputs(report::render_terminal(*result, style).c_str(), stdout);
    return 0;
}

}  // namespace rogate::cli
