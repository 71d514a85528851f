#include "spec/notations.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include "spec/nearest_name.hpp"
#include "spec/problems.hpp"

namespace rogate::spec {

namespace {

tl::unexpected<std::string> wrong(std::string text) {
    return tl::unexpected<std::string>(std::move(text));
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// Takes "12", "1.5" or ".5" off the front of `text`. Signs and exponents are no part of these notations.
std::optional<double> take_number(std::string_view& text) {
    std::size_t end = 0;
    bool digits = false;
    bool point = false;
    while (end < text.size() && (is_digit(text[end]) || (text[end] == '.' && !point))) {
        point = point || text[end] == '.';
        digits = digits || is_digit(text[end]);
        ++end;
    }
    double number = 0;
    const auto [stop, failure] =
        std::from_chars(text.data(), text.data() + end, number, std::chars_format::fixed);
    if (!digits || failure != std::errc{} || stop != text.data() + end) return std::nullopt;
    text.remove_prefix(end);
    return number;
}

std::string upper(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return out;
}

struct Unit {
    std::string_view name;
    double factor;
};

// The longest name first, so that "ms" is not read as "m".
constexpr Unit duration_units[] = {{"ns", 1e-6},     {"us", 1e-3},  {"µs", 1e-3}, {"ms", 1},
                                   {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}};

std::optional<double> take_duration_unit(std::string_view& text) {
    for (const auto& [name, factor] : duration_units) {
        if (!text.starts_with(name)) continue;
        text.remove_prefix(name.size());
        return factor;
    }
    return std::nullopt;
}

std::optional<double> size_unit(std::string_view name) {
    const std::string unit = upper(name);
    if (unit.empty() || unit == "B") return 1;
    const std::size_t power = std::string_view("KMGT").find(unit[0]);
    if (power == std::string_view::npos) return std::nullopt;
    const std::string rest = unit.substr(1);
    if (!rest.empty() && rest != "B" && rest != "IB") return std::nullopt;
    return std::pow(1024.0, static_cast<double>(power + 1));
}

constexpr std::string_view signal_names[] = {
    "HUP",    "INT",  "QUIT",  "ILL",  "TRAP", "ABRT", "BUS",  "FPE",  "KILL", "USR1",   "SEGV",  "USR2",
    "PIPE",   "ALRM", "TERM",  "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG",    "XCPU",  "XFSZ",
    "VTALRM", "PROF", "WINCH", "IO",   "PWR",  "SYS",  "IOT",  "CLD",  "POLL", "STKFLT", "RTMIN", "RTMAX"};

bool is_signal_name(std::string_view name) {
    for (const std::string_view known : signal_names)
        if (name == known) return true;
    // Real-time signals go from 34 (RTMIN) to 64 (RTMAX) as glibc and Docker number them.
    constexpr int real_time_span = 30;
    if (!name.starts_with("RTMIN+") && !name.starts_with("RTMAX-")) return false;
    return parse_integer(name.substr(6), 0, real_time_span).has_value();
}

}  // namespace

Parsed<std::int64_t> parse_duration(std::string_view text) {
    constexpr double longest_ms = 24.0 * 3'600'000;
    const std::string right = "write for example 500ms, 2s, 1m30s, or a number of seconds";
    if (text.starts_with('-'))
        return wrong(fmt::format("duration {} is negative; {}", in_quotes(text), right));
    const auto not_one = [&] {
        return wrong(fmt::format("{} is not a duration; {}", in_quotes(text), right));
    };
    std::string_view rest = text;
    double total = 0;
    while (!rest.empty() || total == 0) {
        const auto number = take_number(rest);
        if (!number) return not_one();
        const bool only_number =
            rest.empty() && text.find_first_not_of("0123456789.") == std::string_view::npos;
        const auto factor = only_number ? std::optional<double>(1000) : take_duration_unit(rest);
        if (!factor) return not_one();
        total += *number * *factor;
        if (rest.empty()) break;
    }
    if (total > longest_ms)
        return wrong(fmt::format("duration {} is more than 24 hours; 24h is the longest", in_quotes(text)));
    return static_cast<std::int64_t>(std::ceil(total - 1e-9));
}

Parsed<std::int64_t> parse_size(std::string_view text) {
    constexpr double largest = 1024.0 * 1024 * 1024 * 1024 * 1024;
    const std::string right = "write for example 64m, 1g, or a number of bytes";
    std::string_view rest = text;
    const auto number = take_number(rest);
    while (rest.starts_with(' ')) rest.remove_prefix(1);
    const auto factor = size_unit(rest);
    if (!number || !factor) return wrong(fmt::format("{} is not a size; {}", in_quotes(text), right));
    const double bytes = *number * *factor;
    if (bytes < 1) return wrong(fmt::format("size {} is less than a byte; {}", in_quotes(text), right));
    if (bytes > largest) return wrong(fmt::format("size {} is more than 1024t; {}", in_quotes(text), right));
    return static_cast<std::int64_t>(bytes);
}

Parsed<std::string> parse_signal(std::string_view text) {
    constexpr int last_signal = 64;
    if (!text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos) {
        if (const auto number = parse_integer(text, 1, last_signal)) return std::to_string(*number);
        return wrong(fmt::format("{} is not a signal; signals are numbered from 1 to {}", in_quotes(text),
                                 last_signal));
    }
    std::string name = upper(text);
    const std::string_view bare = std::string_view(name).substr(name.starts_with("SIG") ? 3 : 0);
    if (is_signal_name(bare)) return name;
    const std::string_view nearest = nearest_name(bare, signal_names);
    if (!nearest.empty())
        return wrong(fmt::format("unknown signal {}; did you mean '{}'?", in_quotes(text), nearest));
    return wrong(
        fmt::format("unknown signal {}; write for example TERM, SIGHUP, RTMIN+3 or 15", in_quotes(text)));
}

Parsed<std::string> parse_container_path(std::string_view text) {
    if (!text.starts_with('/'))
        return wrong(fmt::format("{} is not an absolute path; a path in the container starts with '/'",
                                 in_quotes(text)));
    std::string path;
    for (std::size_t start = 1; start <= text.size();) {
        const std::size_t end = std::min(text.find('/', start), text.size());
        const std::string_view part = text.substr(start, end - start);
        if (part == "..")
            return wrong(fmt::format("path {} contains '..'; write the path it leads to", in_quotes(text)));
        if (!part.empty() && part != ".") path.append("/").append(part);
        start = end + 1;
    }
    return path.empty() ? "/" : path;
}

Parsed<std::string> parse_mode(std::string_view text) {
    std::string_view digits = text;
    if (digits.starts_with("0o")) digits.remove_prefix(2);
    while (digits.size() > 1 && digits.starts_with('0')) digits.remove_prefix(1);
    if (digits.empty() || digits.size() > 4 || digits.find_first_not_of("01234567") != std::string_view::npos)
        return wrong(fmt::format("{} is not a mode; write octal digits, for example 1777", in_quotes(text)));
    return std::string(digits);
}

Parsed<std::int64_t> parse_integer(std::string_view text, std::int64_t min, std::int64_t max) {
    std::int64_t number = 0;
    const auto [stop, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure == std::errc::invalid_argument || stop != text.data() + text.size())
        return wrong(
            fmt::format("{} is not a whole number; write one from {} to {}", in_quotes(text), min, max));
    if (failure != std::errc{} || number < min || number > max)
        return wrong(
            fmt::format("{} is out of range; write a number from {} to {}", in_quotes(text), min, max));
    return number;
}

}  // namespace rogate::spec
