#include "campaign/build_log.hpp"

namespace rogate::campaign {

namespace {

constexpr std::size_t most_lines = 20, longest_line = 150;

}  // namespace

void BuildLog::add(std::string_view line) {
    std::string text;
    for (std::size_t i = 0; i < line.size() && text.size() < longest_line; ++i) {
        // Colours: ESC [ … a letter.
        if (line[i] == '\x1b' && i + 1 < line.size() && line[i + 1] == '[') {
            i += 2;
            while (i < line.size() && (line[i] < '@' || line[i] > '~')) ++i;
            continue;
        }
        if (static_cast<unsigned char>(line[i]) >= ' ' && line[i] != '\x7f') text += line[i];
    }
    while (text.ends_with(' ')) text.pop_back();
    if (text.empty()) return;
    lines_.push_back(std::move(text));
    if (lines_.size() > most_lines) lines_.pop_front();
}

std::string BuildLog::end() const {
    std::string text;
    for (const std::string& line : lines_) text += "\n  " + line;
    return text;
}

bool BuildLog::is_step(std::string_view line) {
    if (line.starts_with("Step ") || line.starts_with("STEP ") || line.starts_with("Pulling ")) return true;
    if (!line.starts_with('#')) return false;
    const std::size_t space = line.find(' ');
    return space != std::string_view::npos && line.substr(space + 1).starts_with('[');
}

}  // namespace rogate::campaign
