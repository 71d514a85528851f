#include "base/ignore_patterns.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace rogate {

namespace {

constexpr std::string_view blanks = " \t\r\n\v\f";

std::string_view without_blanks(std::string_view text) {
    const std::size_t first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

// Go's path.Clean: no "//", "." and "a/..", no '/' at the end; nothing is ".".
std::string cleaned(std::string_view path) {
    const bool is_absolute = path.starts_with('/');
    std::vector<std::string_view> parts;
    for (std::size_t at = 0; at <= path.size();) {
        const std::size_t end = std::min(path.find('/', at), path.size());
        const std::string_view part = path.substr(at, end - at);
        at = end + 1;
        if (part.empty() || part == ".") continue;
        if (part != "..")
            parts.push_back(part);
        else if (!parts.empty() && parts.back() != "..")
            parts.pop_back();
        else if (!is_absolute)
            parts.push_back(part);
    }
    const std::string text = fmt::format("{}{}", is_absolute ? "/" : "", fmt::join(parts, "/"));
    return text.empty() ? "." : text;
}

// "sub/**" lets in what "sub" does.
std::string_view without_glob_at_end(std::string_view text) {
    if (text.ends_with("/**")) text.remove_suffix(3);
    return text;
}

}  // namespace

std::vector<std::string> ignore_lines(std::string_view text) {
    std::vector<std::string> lines;
    if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        std::string_view line = text.substr(at, end - at);
        at = end + 1;
        if (line.starts_with('#')) continue;
        line = without_blanks(line);
        if (line.empty()) continue;
        const bool is_exception = line.starts_with('!');
        if (is_exception) line = without_blanks(line.substr(1));
        std::string pattern = line.empty() ? std::string() : cleaned(line);
        if (pattern.size() > 1 && pattern.front() == '/') pattern.erase(0, 1);
        lines.push_back((is_exception ? "!" : "") + pattern);
    }
    return lines;
}

Result<IgnorePatterns> IgnorePatterns::of(const std::vector<std::string>& lines) {
    IgnorePatterns made;
    for (const std::string& line : lines) {
        std::string text = cleaned(without_blanks(line));
        const bool is_exception = text.starts_with('!');
        if (is_exception) text.erase(0, 1);
        if (text.empty()) return fail(ErrorKind::usage, "'!' alone is no pattern");
        auto pattern = PathPattern::of(std::move(text));
        if (!pattern) return fail(std::move(pattern.error()));
        made.entries_.push_back({is_exception, std::move(*pattern)});
    }
    return made;
}

bool IgnorePatterns::excludes(const std::string& path) const {
    bool is_out = false;
    for (const Entry& each : entries_) {
        if (each.exception != is_out) continue;
        bool matches = each.pattern.matches(path);
        for (std::size_t slash = path.find('/'); !matches && slash != std::string::npos;
             slash = path.find('/', slash + 1))
            matches = each.pattern.matches(std::string_view(path).substr(0, slash));
        if (matches) is_out = !each.exception;
    }
    return is_out;
}

bool IgnorePatterns::may_include_below(const std::string& folder) const {
    return std::ranges::any_of(entries_, [&](const Entry& each) {
        if (!each.exception) return false;
        const std::string_view text = without_glob_at_end(each.pattern.text());
        if (text.find_first_of("*?[\\") != std::string_view::npos) return true;
        return (std::string(text) + "/").starts_with(folder + "/");
    });
}

}  // namespace rogate
