#include "base/name_kinds.hpp"

#include <algorithm>
#include <array>

namespace rogate {

namespace {

constexpr std::size_t shortest_hex = 6, hash_length = 8, shortest_random = 5;
constexpr std::size_t longest_end_number = 3;
constexpr std::string_view joins = "-_.:+";
constexpr std::array<std::string_view, 19> days_and_months = {"jan", "feb", "mar", "apr", "may", "jun", "jul",
                                                              "aug", "sep", "oct", "nov", "dec", "mon", "tue",
                                                              "wed", "thu", "fri", "sat", "sun"};

bool lower(char c) {
    return c >= 'a' && c <= 'z';
}
bool upper(char c) {
    return c >= 'A' && c <= 'Z';
}

template <class Is>
bool all(std::string_view text, Is is) {
    return std::all_of(text.begin(), text.end(), is);
}
template <class Is>
bool any(std::string_view text, Is is) {
    return std::any_of(text.begin(), text.end(), is);
}

bool is_hex(std::string_view text) {
    return text.size() >= shortest_hex && all(text, is_hex_digit) && any(text, is_digit);
}

// Groups of digits, joined, one of them long enough for no version number, or three of them.
bool is_time(std::string_view text) {
    std::size_t digits = 0;
    while (!text.empty()) {
        std::size_t end = 0;
        while (end < text.size() && is_word_char(text[end])) ++end;
        const std::string_view group = text.substr(0, end);
        if (!is_time_group(group)) return false;
        digits += static_cast<std::size_t>(std::count_if(group.begin(), group.end(), is_digit));
        if (end == text.size()) return digits >= 4;
        if (!joins_time(text[end]) || end + 1 == text.size()) return false;
        text.remove_prefix(end + 1);
    }
    return false;
}

bool is_random(std::string_view text) {
    const auto allowed = [](char c) { return is_word_char(c) || c == '_' || c == '-'; };
    if (text.size() < shortest_random || !all(text, allowed)) return false;
    // Beside - and _, which some alphabets have, only a long text with much change is one.
    if (!all(text, is_word_char))
        return text.size() >= 16 && changes_of_class(text) * 5 >= static_cast<int>(text.size()) * 2;
    return !reads_as_words(text);
}

// Every group is of some kind by itself, or all of it is a UUID.
bool is_any(std::string_view text) {
    if (is_uuid(text) || is_random(text)) return true;
    bool one = false;
    while (!text.empty()) {
        std::size_t end = 0;
        while (end < text.size() && is_word_char(text[end])) ++end;
        const std::string_view group = text.substr(0, end);
        if (!all_digits(group) && !is_hex(group) && !is_random(group) && !is_time(group)) return false;
        one = true;
        if (end == text.size()) break;
        if (!joins_time(text[end]) || end + 1 == text.size()) return false;
        text.remove_prefix(end + 1);
    }
    return one;
}

struct Named {
    std::string_view text;
    Placeholder placeholder;
};
constexpr std::array<Named, 9> names = {{{"{number}", {NameKind::number, 0}},
                                         {"{time}", {NameKind::time, 0}},
                                         {"{hex}", {NameKind::hex, 0}},
                                         {"{uuid}", {NameKind::uuid, 0}},
                                         {"{random}", {NameKind::random, 0}},
                                         {"{random:6}", {NameKind::random, 6}},
                                         {"{random:8}", {NameKind::random, 8}},
                                         {"{word}", {NameKind::word, 0}},
                                         {"{varies}", {NameKind::any, 0}}}};

}  // namespace

std::string to_text(const Placeholder& placeholder) {
    const auto named = std::find_if(names.begin(), names.end(),
                                    [&](const Named& each) { return each.placeholder == placeholder; });
    return named == names.end() ? "{random}" : std::string(named->text);
}

std::optional<Placeholder> placeholder_at(std::string_view text) {
    for (const Named& each : names)
        if (text.starts_with(each.text)) return each.placeholder;
    return std::nullopt;
}

bool stands_for(const Placeholder& placeholder, std::string_view text, bool beside) {
    switch (placeholder.kind) {
        case NameKind::number:
            return all_digits(text);
        case NameKind::time:
            return is_time(text);
        case NameKind::hex:
            return is_hex(text);
        case NameKind::uuid:
            return is_uuid(text);
        case NameKind::random: {
            if (placeholder.length == 0) return is_random(text);
            // Python's alphabet for its eight characters has '_' as well.
            const bool of_alphabet =
                all(text, [&](char c) { return is_word_char(c) || (placeholder.length == 8 && c == '_'); });
            return text.size() == placeholder.length && of_alphabet && (beside || !reads_as_words(text));
        }
        case NameKind::word:
            return !text.empty() && all(text, is_word_char);
        case NameKind::any:
            return is_any(text);
    }
    return false;
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_hex_digit(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool is_word_char(char c) {
    return is_digit(c) || lower(c) || upper(c);
}

bool all_digits(std::string_view text) {
    return !text.empty() && all(text, is_digit);
}

bool is_hash(std::string_view text) {
    return text.size() >= hash_length && is_hex(text) && !all_digits(text);
}

bool is_uuid(std::string_view text) {
    constexpr std::array<std::size_t, 5> lengths = {8, 4, 4, 4, 12};
    std::size_t at = 0;
    for (std::size_t i = 0; i < lengths.size(); ++i) {
        if (i > 0 && (at >= text.size() || text[at++] != '-')) return false;
        if (text.size() < at + lengths[i] || !all(text.substr(at, lengths[i]), is_hex_digit)) return false;
        at += lengths[i];
    }
    return at == text.size();
}

bool joins_time(char c) {
    return joins.find(c) != std::string_view::npos;
}

bool is_time_group(std::string_view text) {
    if (any(text, is_digit) && all(text, [](char c) { return is_digit(c) || c == 'T' || c == 'Z'; }))
        return true;
    std::string folded(text);
    for (char& c : folded)
        if (upper(c)) c = static_cast<char>(c - 'A' + 'a');
    return std::find(days_and_months.begin(), days_and_months.end(), folded) != days_and_months.end();
}

bool reads_as_words(std::string_view text) {
    std::size_t end = text.size();
    while (end > 0 && is_digit(text[end - 1])) --end;
    if (text.size() - end <= longest_end_number) text = text.substr(0, end);
    if (text.empty() || any(text, is_digit)) return false;
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

int changes_of_class(std::string_view text) {
    const auto kind = [](char c) { return is_digit(c) ? 0 : upper(c) ? 1 : lower(c) ? 2 : 3; };
    int count = 0;
    for (std::size_t i = 1; i < text.size(); ++i) {
        const int before = kind(text[i - 1]), now = kind(text[i]);
        count += before != 3 && now != 3 && before != now ? 1 : 0;
    }
    return count;
}

}  // namespace rogate
