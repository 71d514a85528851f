#include "scenario/expectation.hpp"

#include <fmt/format.h>

#include <algorithm>
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

bool found_in(const std::string& pattern, std::string_view text) {
    const std::regex regex(pattern, std::regex::ECMAScript | std::regex::multiline);
    if (text.size() <= regex_limit) return std::regex_search(text.begin(), text.end(), regex);
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, std::min(end, regex_limit));
        if (std::regex_search(line.begin(), line.end(), regex)) return true;
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return false;
}

std::string lower(std::string text) {
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return text;
}

std::string_view what(const Step& step) {
    if (std::holds_alternative<HttpAction>(step.action)) return "body";
    if (std::holds_alternative<LogAction>(step.action)) return "log";
    return "output";
}

}  // namespace

std::string excerpt(std::string_view text, std::size_t limit) {
    std::string line;
    text = without_final_newline(text);
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

std::string mismatch(const Step& step, const Observed& observed) {
    const Expect& expect = step.expect;
    const auto shown = [&] { return fmt::format("{}: \"{}\"", what(step), excerpt(observed.text)); };
    if (std::holds_alternative<HttpAction>(step.action)) {
        const int status = observed.status.value_or(0);
        if (expect.status && status != *expect.status)
            return fmt::format("expected status {}, got {} ({})", *expect.status, status, shown());
        if (!expect.status && (status < 200 || status > 399))
            return fmt::format("expected a status from 200 to 399, got {} ({})", status, shown());
    }
    if (std::holds_alternative<ExecAction>(step.action)) {
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
                               excerpt(header->second), pattern);
    }
    if (expect.equals && without_final_newline(observed.text) != without_final_newline(*expect.equals))
        return fmt::format("expected \"{}\", got {}", excerpt(*expect.equals), shown());
    if (expect.contains && observed.text.find(*expect.contains) == std::string::npos)
        return fmt::format("expected \"{}\" to appear in the {}", excerpt(*expect.contains), shown());
    if (expect.not_contains && observed.text.find(*expect.not_contains) != std::string::npos)
        return fmt::format("expected \"{}\" not to appear in the {}", excerpt(*expect.not_contains), shown());
    if (expect.matches && !found_in(*expect.matches, observed.text))
        return fmt::format("expected /{}/ to match the {}", *expect.matches, shown());
    return {};
}

}  // namespace rogate::scenario
