#include "scenario/expectation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <regex>

namespace rogate::scenario {

namespace {

std::string_view without_final_newline(std::string_view text) {
    if (text.ends_with('\n')) text.remove_suffix(1);
    if (text.ends_with('\r')) text.remove_suffix(1);
    return text;
}

// libstdc++'s std::regex recurses once per character and overflows the stack on long input. A text that is
// too long is searched line by line, and of an overlong line only the beginning.
constexpr std::size_t regex_limit = 4096;

// Calls `look` with each piece of the text that is searched at a time, until it answers true.
template <class Look>
bool in_pieces(std::string_view text, const Look& look) {
    if (text.size() <= regex_limit) return look(text);
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        if (look(text.substr(0, std::min(end, regex_limit)))) return true;
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return false;
}

bool found_in(const std::string& pattern, std::string_view text) {
    const std::regex regex(pattern, std::regex::ECMAScript | std::regex::multiline);
    return in_pieces(
        text, [&](std::string_view piece) { return std::regex_search(piece.begin(), piece.end(), regex); });
}

std::string lower(std::string text) {
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return text;
}

std::string_view what(const Step& step) {
    if (std::holds_alternative<HttpAction>(step.action)) return "body";
    if (std::holds_alternative<LogAction>(step.action)) return "log";
    if (std::holds_alternative<FileAction>(step.action)) return "content";
    return "output";
}

using nlohmann::json;

std::string json_mismatch(const Expect& expect, const Observed& observed, const Masker& masker) {
    const json found = json::parse(observed.text, nullptr, false);
    if (found.is_discarded()) return fmt::format("expected JSON, got \"{}\"", excerpt(observed.text, masker));
    for (const auto& [where, wanted] : expect.json) {
        const json::json_pointer pointer(where);
        if (!found.contains(pointer))
            return fmt::format("expected {} at {}, where there is nothing (\"{}\")", wanted, where,
                               excerpt(observed.text, masker));
        if (found[pointer] != json::parse(wanted, nullptr, false))
            return fmt::format(
                "expected {} at {}, got {}", wanted, where,
                excerpt(found[pointer].dump(-1, ' ', false, json::error_handler_t::replace), masker));
    }
    return {};
}

std::string file_mismatch(const Step& step, const FileAction& file, const Observed& observed) {
    const Expect& expect = step.expect;
    const bool there = observed.exists.value_or(false);
    if (expect.exists.value_or(true) != there)
        return fmt::format("{} is {}", file.path, there ? "there, and is to be missing" : "missing");
    if (expect.mode && observed.mode != expect.mode)
        return fmt::format("{} has mode {:04o}, expected {:04o}", file.path, observed.mode.value_or(0),
                           *expect.mode);
    if (expect.size && observed.size != expect.size)
        return fmt::format("{} has {} bytes, expected {}", file.path, observed.size.value_or(0),
                           *expect.size);
    return {};
}

}  // namespace

std::optional<std::string> first_match(const std::string& pattern, std::string_view text) {
    const std::regex regex(pattern, std::regex::ECMAScript | std::regex::multiline);
    std::optional<std::string> found;
    in_pieces(text, [&](std::string_view piece) {
        std::match_results<std::string_view::const_iterator> match;
        if (!std::regex_search(piece.begin(), piece.end(), match, regex)) return false;
        found = match.size() > 1 ? match[1].str() : match[0].str();
        return true;
    });
    return found;
}

std::string without(const std::vector<std::string>& patterns, std::string_view text) {
    if (patterns.empty()) return std::string(text);
    std::vector<std::regex> compiled;
    for (const std::string& pattern : patterns)
        compiled.emplace_back(pattern, std::regex::ECMAScript | std::regex::multiline);
    std::string result;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string line(text.substr(0, std::min(end, regex_limit)));
        for (const std::regex& regex : compiled) line = std::regex_replace(line, regex, "*");
        result += line;
        if (end > regex_limit) result += text.substr(regex_limit, end - regex_limit);
        if (end < text.size()) result += '\n';
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return result;
}

std::string excerpt(std::string_view raw, const Masker& masker, std::size_t limit) {
    std::string line;
    const std::string masked = masker.masked(without_final_newline(raw));
    const std::string_view text = masked;
    for (const char c : text) {
        // Not in the middle of a character of several bytes.
        if (line.size() >= limit && (static_cast<unsigned char>(c) & 0xc0U) != 0x80U) return line + "…";
        if (c == '\n')
            line += " ⏎ ";
        else
            line += c;
    }
    return line;
}

std::string excerpt_of_end(std::string_view raw, const Masker& masker, std::size_t limit) {
    const std::string masked = masker.masked(without_final_newline(raw));
    const Masker nothing_left;
    std::string_view text = masked;
    if (text.size() <= limit) return excerpt(text, nothing_left, limit);
    std::size_t start = text.size() - limit;
    // Not in the middle of a character of several bytes.
    while (start < text.size() && (static_cast<unsigned char>(text[start]) & 0xc0U) == 0x80U) ++start;
    return "…" + excerpt(text.substr(start), nothing_left, limit);
}

std::string mismatch(const Step& step, const Observed& observed, const Masker& masker) {
    const Expect& expect = step.expect;
    // What went wrong is in a command's last lines, and in the first ones of an answer.
    const auto shown = [&] {
        return fmt::format("{}: \"{}\"", what(step),
                           std::holds_alternative<HttpAction>(step.action)
                               ? excerpt(observed.text, masker)
                               : excerpt_of_end(observed.text, masker));
    };
    if (std::holds_alternative<HttpAction>(step.action)) {
        const int status = observed.status.value_or(0);
        if (expect.status && *expect.status < 0 && status >= -*expect.status)
            return fmt::format("expected a status below {}, got {} ({})", -*expect.status, status, shown());
        if (expect.status && *expect.status >= 0 && status != *expect.status)
            return fmt::format("expected status {}, got {} ({})", *expect.status, status, shown());
        if (!expect.status && (status < 200 || status > 399))
            return fmt::format("expected a status from 200 to 399, got {} ({})", status, shown());
    }
    if (const auto* file = std::get_if<FileAction>(&step.action))
        if (std::string why = file_mismatch(step, *file, observed); !why.empty()) return why;
    if (std::holds_alternative<ExecAction>(step.action) ||
        std::holds_alternative<RunContainerAction>(step.action) ||
        std::holds_alternative<CommandAction>(step.action)) {
        const int wanted = expect.exit_code.value_or(0);
        if (observed.exit_code.value_or(-1) != wanted)
            return fmt::format("expected exit code {}, got {} ({})", wanted, observed.exit_code.value_or(-1),
                               shown());
    }
    for (const auto& [name, pattern] : expect.headers) {
        const auto header = observed.headers.find(lower(name));
        if (header == observed.headers.end()) return fmt::format("the answer has no header '{}'", name);
        if (!found_in(pattern, header->second))
            return fmt::format("header '{}' is \"{}\", which does not match /{}/", name,
                               excerpt(header->second, masker), pattern);
    }
    if (expect.equals && without_final_newline(observed.text) != without_final_newline(*expect.equals))
        return fmt::format("expected \"{}\", got {}", excerpt(*expect.equals, masker), shown());
    if (expect.contains && observed.text.find(*expect.contains) == std::string::npos)
        return fmt::format("expected \"{}\" to appear in the {}", excerpt(*expect.contains, masker), shown());
    if (expect.not_contains && observed.text.find(*expect.not_contains) != std::string::npos)
        return fmt::format("expected \"{}\" not to appear in the {}", excerpt(*expect.not_contains, masker),
                           shown());
    if (expect.matches && !found_in(*expect.matches, observed.text))
        return fmt::format("expected /{}/ to match the {}", *expect.matches, shown());
    if (!expect.json.empty()) return json_mismatch(expect, observed, masker);
    return {};
}

}  // namespace rogate::scenario
