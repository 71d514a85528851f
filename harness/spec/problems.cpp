#include "spec/problems.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace rogate::spec {

namespace {
constexpr std::size_t shown_at_most = 20;
constexpr std::size_t quoted_at_most = 80;
}  // namespace

void Problems::add(Place place, std::string text) {
    found_.push_back({place, std::move(text)});
}

void Problems::note(std::string text) {
    if (std::ranges::find(notes_, text) == notes_.end()) notes_.push_back(std::move(text));
}

void Problems::take(const Problems& of_another_file) {
    for (const std::string& text : of_another_file.notes_) note(text);
    std::vector<int> here;
    for (const std::string& file : of_another_file.files_) {
        const auto known = std::ranges::find(files_, file);
        here.push_back(known == files_.end() ? add_file(file) : static_cast<int>(known - files_.begin()));
    }
    for (Problem problem : of_another_file.found_) {
        problem.place.file = here.at(static_cast<std::size_t>(problem.place.file));
        found_.push_back(std::move(problem));
    }
}

int Problems::add_file(std::string name) {
    files_.push_back(std::move(name));
    return static_cast<int>(files_.size()) - 1;
}

std::string Problems::line(const Problem& problem) const {
    const auto& [place, text] = problem;
    return place.line > 0 ? fmt::format("{}:{}:{}: {}", file(place.file), place.line, place.column, text)
                          : fmt::format("{}: {}", file(place.file), text);
}

std::vector<std::string> Problems::lines(std::size_t from) const {
    std::vector<Problem> sorted(found_.begin() + static_cast<std::ptrdiff_t>(from), found_.end());
    std::sort(sorted.begin(), sorted.end());
    sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
    std::vector<std::string> lines;
    for (const Problem& each : sorted) lines.push_back(line(each));
    return lines;
}

Error Problems::error() const {
    auto sorted = found_;
    std::sort(sorted.begin(), sorted.end());
    // What an alias repeats would be reported once for each use, at the same place.
    sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
    std::string message;
    for (std::size_t i = 0; i < std::min(sorted.size(), shown_at_most); ++i) {
        if (i > 0) message += '\n';
        message += line(sorted[i]);
    }
    if (sorted.size() > shown_at_most)
        message += fmt::format("\n{}: and {} more problems; mend these first", files_.front(),
                               sorted.size() - shown_at_most);
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
