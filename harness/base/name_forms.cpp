#include "base/name_forms.hpp"

#include <algorithm>
#include <array>

#include "base/name_pattern.hpp"

namespace rogate {

namespace {

constexpr std::size_t long_number = 4, shortest_random = 6, longest_random = 16, long_word = 16;
constexpr std::size_t template_length = 6, tempfile_length = 8;
constexpr std::array<std::string_view, 5> passing_words = {"tmp", "temp", "pid", "lock", "swp"};
constexpr std::array<std::string_view, 3> random_follows = {"tmp", "temp", "sed"};

bool is_digit_or_lower(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z');
}
bool has_digit(std::string_view text) {
    return std::any_of(text.begin(), text.end(), is_digit);
}
bool has_both_cases(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](char c) { return c >= 'a' && c <= 'z'; }) &&
           std::any_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}
bool random_length(std::string_view text) {
    return text.size() >= shortest_random && text.size() <= longest_random;
}

bool has_passing_word(const NameParts& parts) {
    return std::any_of(parts.begin(), parts.end(), [](const NamePart& part) {
        return std::find(passing_words.begin(), passing_words.end(), part.text) != passing_words.end();
    });
}

// Makes one part of those from `begin` to before `end`.
void join(NameParts& parts, std::size_t begin, std::size_t end, Placeholder placeholder) {
    const auto at = parts.begin() + static_cast<std::ptrdiff_t>(begin);
    for (std::size_t i = begin + 1; i < end; ++i) at->text += parts[i].text;
    at->varies = placeholder;
    at->is_word = true;
    parts.erase(at + 1, parts.begin() + static_cast<std::ptrdiff_t>(end));
}

void mark_uuids(NameParts& parts) {
    constexpr std::size_t of_uuid = 9;  // five groups and what is between them
    for (std::size_t i = 0; i + of_uuid <= parts.size(); ++i) {
        std::string text;
        for (std::size_t k = i; k < i + of_uuid; ++k) text += parts[k].text;
        if (is_uuid(text)) join(parts, i, i + of_uuid, {NameKind::uuid});
    }
}

// base64url and its like, of 16 characters and more, which have - and _ among their letters.
void mark_long_texts(NameParts& parts) {
    const auto of_alphabet = [](const NamePart& part) {
        return !part.varies && (part.is_word || std::all_of(part.text.begin(), part.text.end(),
                                                            [](char c) { return c == '-' || c == '_'; }));
    };
    for (std::size_t i = 0; i < parts.size(); ++i) {
        std::string text;
        std::size_t end = i;
        for (; end < parts.size() && of_alphabet(parts[end]); ++end) text += parts[end].text;
        if (end > i + 1 && has_both_cases(text) && has_digit(text) &&
            stands_for({NameKind::random}, text, false))
            join(parts, i, end, {NameKind::random});
        else if (end > i)
            i = end - 1;
    }
}

std::size_t longest_number(std::string_view text) {
    std::size_t longest = 0, run = 0;
    for (const char c : text) {
        run = is_digit(c) ? run + 1 : 0;
        longest = std::max(longest, run);
    }
    return longest;
}

// "12-30-05", "26_11_30", "12:30": not with dots, which versions have.
bool is_short_time(const NameParts& parts, std::size_t at) {
    const auto two = [&](std::size_t i) {
        return i < parts.size() && parts[i].text.size() == 2 && all_digits(parts[i].text);
    };
    if (!two(at) || !two(at + 2)) return false;
    const std::string& between = parts[at + 1].text;
    if (between == ":") return true;
    return (between == "-" || between == "_") && two(at + 4) && parts[at + 3].text == between;
}

void mark_times(NameParts& parts) {
    const auto group = [&](std::size_t i) {
        return i < parts.size() && parts[i].is_word && !parts[i].varies && is_time_group(parts[i].text);
    };
    const auto joined = [&](std::size_t i) {
        return i + 1 < parts.size() && parts[i].text.size() == 1 && joins_time(parts[i].text[0]);
    };
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (!group(i)) continue;
        std::size_t end = i + 1;
        bool telling = longest_number(parts[i].text) >= long_number || is_short_time(parts, i);
        while (joined(end) && group(end + 1)) {
            telling = telling || longest_number(parts[end + 1].text) >= long_number ||
                      is_short_time(parts, end + 1);
            end += 2;
        }
        if (telling) {
            const bool number = end == i + 1 && all_digits(parts[i].text);
            join(parts, i, end, {number ? NameKind::number : NameKind::time});
        } else {
            i = end - 1;
        }
    }
}

// getElementById has words at its end, fooQwErTy has not: by the length of the parts that reach into it.
bool ends_in_words(std::string_view text, std::size_t tail) {
    std::size_t parts = 0, begin = 0, length = 0;
    for (std::size_t i = 1; i <= text.size(); ++i) {
        const auto upper = [&](std::size_t at) { return text[at] >= 'A' && text[at] <= 'Z'; };
        if (i < text.size() && !(upper(i) && !upper(i - 1))) continue;
        if (i > text.size() - tail) {
            ++parts;
            length += i - begin;
        }
        begin = i;
    }
    return length * 2 >= parts * 5;
}

// fooAb3XyZ: how much of it a template gave, in which mkstemp(3) and its like replace what stands at the end;
// 0: nothing.
std::size_t beginning_of_template(std::string_view text, bool first) {
    for (const std::string_view prefix : random_follows) {
        if (!first || !text.starts_with(prefix)) continue;
        const std::string_view rest = text.substr(prefix.size());
        if (random_length(rest) && !reads_as_words(rest)) return prefix.size();
    }
    if (text.size() <= template_length || text.size() > 2 * longest_random) return 0;
    const std::size_t kept = text.size() - template_length;
    const std::string_view tail = text.substr(kept);
    const bool drawn = changes_of_class(tail) >= 3 && has_both_cases(tail) &&
                       (has_digit(tail) || !ends_in_words(text, template_length));
    return drawn && reads_as_words(text.substr(0, kept)) ? kept : 0;
}

// Python's tempfile: "tmp" and eight of a to z, 0 to 9 and _, perhaps with a suffix.
bool mark_tempfile(NameParts& parts) {
    std::string text;
    std::size_t end = 0;
    for (; end < parts.size() &&
           (parts[end].is_word || parts[end].text.find_first_not_of('_') == std::string::npos);
         ++end)
        text += parts[end].text;
    const std::string_view tail = std::string_view(text).substr(std::min<std::size_t>(3, text.size()));
    if (!text.starts_with("tmp") || tail.size() != tempfile_length || !has_digit(tail) ||
        !std::all_of(tail.begin(), tail.end(), [](char c) { return c == '_' || is_digit_or_lower(c); }) ||
        (end < parts.size() && !parts[end].text.starts_with('.')))
        return false;
    join(parts, 0, end, random_of(tempfile_length));
    parts[0].kept = 3;
    return true;
}

void mark_random_words(NameParts& parts) {
    if (mark_tempfile(parts)) return;
    const bool passing = has_passing_word(parts);
    for (std::size_t i = 0; i < parts.size(); ++i) {
        NamePart& part = parts[i];
        if (!part.is_word || part.varies) continue;
        const std::string& text = part.text;
        const bool drawn = random_length(text) && !reads_as_words(text);
        const bool last = i > 0 && i + 1 == parts.size();
        const bool whole = parts.size() == 1 && has_both_cases(text) && has_digit(text);
        if (is_hash(text)) {
            part.varies = {NameKind::hex};
        } else if (const std::size_t kept = beginning_of_template(text, i == 0); kept > 0) {
            part.varies = random_of(text.size() - kept);
            part.kept = kept;
        } else if (text.size() >= long_word && has_digit(text) && changes_of_class(text) >= 5) {
            part.varies = {NameKind::random};
        } else if (drawn && (passing || (last && changes_of_class(text) >= 2) ||
                             (whole && changes_of_class(text) >= 3))) {
            part.varies = random_of(text.size());
        }
    }
}

// "app1234b" -> "app{number}b".
std::string numbers_open(std::string_view text, std::size_t shortest) {
    std::string out;
    for (std::size_t i = 0; i < text.size();) {
        std::size_t end = i;
        while (end < text.size() && is_digit(text[end])) ++end;
        if (end > i && end - i >= shortest) {
            out += to_text({NameKind::number});
        } else {
            end = std::max(i + 1, end);
            out += text.substr(i, end - i);
        }
        i = end;
    }
    return out;
}

}  // namespace

Placeholder random_of(std::size_t length) {
    return {NameKind::random, length == template_length || length == tempfile_length ? length : 0};
}

NameParts parts_of(std::string_view name) {
    NameParts parts;
    for (const char c : name) {
        if (parts.empty() || parts.back().is_word != is_word_char(c))
            parts.push_back({"", is_word_char(c), {}, 0});
        parts.back().text += c;
    }
    return parts;
}

NameParts parts_by_form(std::string_view name) {
    NameParts parts = parts_of(name);
    mark_uuids(parts);
    mark_times(parts);
    mark_long_texts(parts);
    mark_random_words(parts);
    return parts;
}

std::size_t shortest_number(const NameParts& parts) {
    return has_passing_word(parts) ? 1 : long_number;
}

std::string to_pattern(const NameParts& parts, std::size_t shortest) {
    std::string out;
    for (const NamePart& part : parts) {
        const std::string_view kept =
            std::string_view(part.text).substr(0, part.varies ? part.kept : part.text.size());
        out += part.is_word ? numbers_open(kept, shortest) : literal_pattern(kept);
        if (part.varies) out += to_text(*part.varies);
    }
    return out;
}

}  // namespace rogate
