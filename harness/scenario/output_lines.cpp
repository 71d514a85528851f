#include "scenario/output_lines.hpp"

namespace rogate::scenario {

namespace {

constexpr std::size_t most_kept = 1U << 20U, longest_line = 2000;

}  // namespace

std::string plain_line(std::string_view line) {
    std::string plain;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const auto c = static_cast<unsigned char>(line[i]);
        if (c == 0x1b && i + 1 < line.size() && line[i + 1] == '[') {
            // ECMA-48, 5.4: parameters, intermediates, and one final byte.
            i += 2;
            while (i < line.size() && (line[i] < 0x40 || line[i] > 0x7e)) ++i;
        } else if (c == '\t' || (c >= 0x20 && c != 0x7f)) {
            plain += line[i];
        }
    }
    return plain;
}

void OutputLines::add(std::string_view bytes) {
    kept_ += bytes;
    if (kept_.size() > 2 * most_kept) {
        kept_.erase(0, kept_.size() - most_kept);
        cut_ = true;
    }
    if (!show_) return;
    for (const char c : bytes) {
        if (c == '\n')
            tell();
        else if (line_.size() < longest_line)
            line_ += c;
    }
}

void OutputLines::end() {
    if (show_ && !line_.empty()) tell();
    if (kept_.size() > most_kept) {
        kept_.erase(0, kept_.size() - most_kept);
        cut_ = true;
    }
}

void OutputLines::tell() {
    const bool cut = line_.size() >= longest_line;
    show_(plain_line(masker_.masked(line_, Masker::In::text, {.front = false, .back = cut})));
    line_.clear();
}

}  // namespace rogate::scenario
