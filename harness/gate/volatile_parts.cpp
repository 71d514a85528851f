#include "gate/volatile_parts.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "gate/glob.hpp"

namespace rogate::gate {

namespace {

constexpr std::size_t long_number = 4, long_hex = 8, shortest_random = 6, longest_random = 16;
constexpr std::array<std::string_view, 5> passing_words = {"tmp", "temp", "pid", "lock", "swp"};
constexpr std::array<std::string_view, 3> random_follows = {"tmp", "temp", "sed"};

bool digit(char c) {
    return c >= '0' && c <= '9';
}
bool lower(char c) {
    return c >= 'a' && c <= 'z';
}
bool upper(char c) {
    return c >= 'A' && c <= 'Z';
}
bool hex(char c) {
    return digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
bool word(char c) {
    return digit(c) || lower(c) || upper(c);
}

template <class Is>
bool all(std::string_view text, Is is) {
    return std::all_of(text.begin(), text.end(), is);
}
template <class Is>
bool any(std::string_view text, Is is) {
    return std::any_of(text.begin(), text.end(), is);
}

// A component in alternating parts: words of letters and digits, and what is between them.
struct Part {
    std::string text;
    bool is_word = false;
    bool star = false;
};

std::vector<Part> parts_of(std::string_view component) {
    std::vector<Part> parts;
    for (const char c : component) {
        if (parts.empty() || parts.back().is_word != word(c)) parts.push_back({"", word(c), false});
        parts.back().text += c;
    }
    return parts;
}

int changes(std::string_view text) {
    const auto kind = [](char c) { return digit(c) ? 0 : upper(c) ? 1 : 2; };
    int count = 0;
    for (std::size_t i = 1; i < text.size(); ++i) count += kind(text[i]) != kind(text[i - 1]) ? 1 : 0;
    return count;
}

bool random_length(std::string_view text) {
    return text.size() >= shortest_random && text.size() <= longest_random;
}

// Letters alone that read as words: lower, UPPER, Capitalised, camelCase of parts of three letters or more.
bool reads_as_words(std::string_view text) {
    if (any(text, digit)) return false;
    if (all(text, lower) || all(text, upper)) return true;
    std::size_t part = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (upper(text[i]) && i > 0) {
            if (part < 3) return false;
            part = 0;
        }
        ++part;
    }
    return part >= 3;
}

bool has_passing_word(const std::vector<Part>& parts) {
    return std::any_of(parts.begin(), parts.end(), [](const Part& part) {
        return std::find(passing_words.begin(), passing_words.end(), part.text) != passing_words.end();
    });
}

bool is_uuid_at(const std::vector<Part>& parts, std::size_t at) {
    constexpr std::array<std::size_t, 5> lengths = {8, 4, 4, 4, 12};
    if (at + 9 > parts.size()) return false;
    for (std::size_t i = 0; i < 5; ++i) {
        const std::string& group = parts[at + 2 * i].text;
        if (group.size() != lengths[i] || !all(group, hex)) return false;
        if (i < 4 && parts[at + 2 * i + 1].text != "-") return false;
    }
    return true;
}

void mark_uuids(std::vector<Part>& parts) {
    for (std::size_t i = 0; i < parts.size(); ++i)
        if (parts[i].is_word && is_uuid_at(parts, i))
            for (std::size_t k = 0; k < 9; ++k) parts[i + k].star = true;
}

// "app1234b" -> "app*b"; every run when `shortest` is 1.
std::string without_numbers(std::string_view text, std::size_t shortest) {
    std::string out;
    for (std::size_t i = 0; i < text.size();) {
        std::size_t end = i;
        while (end < text.size() && digit(text[end])) ++end;
        if (end - i >= shortest) {
            out += '*';
            i = end;
        } else {
            out += text.substr(i, std::max<std::size_t>(1, end - i));
            i = std::max(i + 1, end);
        }
    }
    return out;
}

// "20260131T101500": a date and a time.
bool is_number_or_time(std::string_view text) {
    return any(text, digit) && all(text, [](char c) { return digit(c) || c == 'T' || c == 'Z'; });
}

void mark_dates(std::vector<Part>& parts) {
    for (std::size_t i = 0; i < parts.size(); ++i) {
        Part& part = parts[i];
        if (!part.is_word || part.star || !is_number_or_time(part.text)) continue;
        if (without_numbers(part.text, long_number) != part.text) part.star = true;
    }
    // What hangs on a volatile number goes with it, in both directions.
    const auto spread = [&](std::size_t from, std::size_t middle, std::size_t to) {
        const bool joined = parts[middle].text.size() == 1 &&
                            std::string_view("-_.:").find(parts[middle].text[0]) != std::string_view::npos;
        if (joined && parts[from].star && is_number_or_time(parts[from].text) && !parts[to].star &&
            is_number_or_time(parts[to].text))
            parts[middle].star = parts[to].star = true;
    };
    for (std::size_t i = 2; i < parts.size(); ++i)
        if (parts[i].is_word) spread(i - 2, i - 1, i);
    for (std::size_t i = parts.size(); i-- > 2;)
        if (parts[i].is_word) spread(i, i - 1, i - 2);
}

void mark_random_words(std::vector<Part>& parts) {
    const bool passing = has_passing_word(parts);
    for (std::size_t i = 0; i < parts.size(); ++i) {
        Part& part = parts[i];
        if (!part.is_word || part.star) continue;
        const std::string& text = part.text;
        const bool hash = text.size() >= long_hex && all(text, hex) && any(text, digit) && !all(text, digit);
        const bool beside = passing && random_length(text) && !reads_as_words(text);
        const bool suffix = i > 0 && i + 1 == parts.size() && random_length(text) && changes(text) >= 2 &&
                            !reads_as_words(text);
        if (hash || beside || suffix) {
            part.star = true;
            continue;
        }
        for (const std::string_view prefix : random_follows)
            if (i == 0 && text.starts_with(prefix) &&
                random_length(std::string_view(text).substr(prefix.size())) && !reads_as_words(text)) {
                part.text = std::string(prefix) + "*";
                return;
            }
    }
}

std::string generalised_component(std::string_view component) {
    std::vector<Part> parts = parts_of(component);
    mark_uuids(parts);
    mark_dates(parts);
    const std::vector<Part> before = parts;
    mark_random_words(parts);
    const std::size_t shortest = has_passing_word(before) ? 1 : long_number;
    std::string out;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (parts[i].star) {
            if (!out.ends_with('*')) out += '*';
        } else if (parts[i].is_word) {
            out += parts[i].text == before[i].text ? without_numbers(parts[i].text, shortest) : parts[i].text;
        } else {
            out += literal_pattern(parts[i].text);
        }
    }
    return out;
}

}  // namespace

std::string generalised(std::string_view path, std::string_view mount) {
    const bool below = path.starts_with(mount) &&
                       (mount.ends_with('/') || path.size() == mount.size() || path[mount.size()] == '/');
    const std::size_t fixed = below ? mount.size() : 0;
    std::string out = literal_pattern(path.substr(0, fixed));
    std::string_view rest = path.substr(fixed);
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('/'), rest.size());
        out += generalised_component(rest.substr(0, end));
        if (end < rest.size()) out += '/';
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return out;
}

std::string generalised_process(std::string_view name) {
    std::string out;
    for (const Part& part : parts_of(name))
        out += part.is_word ? without_numbers(part.text, 1) : literal_pattern(part.text);
    return out;
}

}  // namespace rogate::gate
