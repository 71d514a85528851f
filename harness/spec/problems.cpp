#include "spec/problems.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace rogate::spec {

namespace {
constexpr std::size_t shown_at_most = 20;
constexpr std::size_t quoted_at_most = 80;
}  // namespace

void Problems::add(Place place, std::string text) {
    found_.push_back({{}, place, std::move(text)});
}

void Problems::take(const Problems& of_another_file) {
    for (Problem problem : of_another_file.found_) {
        if (problem.file.empty() && of_another_file.file_ != file_) problem.file = of_another_file.file_;
        found_.push_back(std::move(problem));
    }
}

Error Problems::error() const {
    auto sorted = found_;
    std::sort(sorted.begin(), sorted.end());
    // What an alias repeats would be reported once for each use, at the same place.
    sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
    std::string message;
    for (std::size_t i = 0; i < std::min(sorted.size(), shown_at_most); ++i) {
        const auto& [other, place, text] = sorted[i];
        const std::string& file = other.empty() ? file_ : other;
        if (i > 0) message += '\n';
        message += place.line > 0 ? fmt::format("{}:{}:{}: {}", file, place.line, place.column, text)
                                  : fmt::format("{}: {}", file, text);
    }
    if (sorted.size() > shown_at_most)
        message +=
            fmt::format("\n{}: and {} more problems; mend these first", file_, sorted.size() - shown_at_most);
    return {ErrorKind::usage, std::move(message)};
}

std::string in_quotes(std::string_view text) {
    std::string out = "'";
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        // Cut between characters only, never within one.
        if (i >= quoted_at_most && (byte & 0xc0) != 0x80) {
            out += "…";
            break;
        }
        if (byte == '\n')
            out += "\\n";
        else if (byte < 0x20 || byte == 0x7f)
            out += fmt::format("\\x{:02x}", byte);
        else
            out += text[i];
    }
    return out + "'";
}

}  // namespace rogate::spec
