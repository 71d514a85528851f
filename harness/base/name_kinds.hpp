// What kind of text a part of a name is that differs from run to run. Pure questions about a text.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace rogate {

// number: digits (a pid, a counter, seconds since 1970). time: a date, a time or both, in groups of digits.
// hex: six or more hexadecimal digits, one of them 0 to 9. uuid: 8-4-4-4-12. random: letters and digits as
// mkstemp(3) and generators of identifiers make them. word: letters and digits, whatever they are. any: one
// or more of these but for words, joined by one of - _ . : +
enum class NameKind { number, time, hex, uuid, random, word, any };

// A kind in a pattern: {number}, {time}, {hex}, {uuid}, {random}, {word},
// {varies}. {random:6} and {random:8} are of
// that length exactly, as mkstemp(3) and Python's tempfile make them; 0 is any length of five or more.
struct Placeholder {
    NameKind kind = NameKind::number;
    std::size_t length = 0;
    bool operator==(const Placeholder&) const = default;
};
std::string to_text(const Placeholder&);
// The placeholder that `text` begins with, whose to_text() is as long as what it takes of it.
std::optional<Placeholder> placeholder_at(std::string_view text);

// Whether `text` is what the placeholder stands for. Letters that read as words are random only where they
// go on from a fixed text (`beside`) and have the exact length: sed{random:6} stands for sedkqpwer, but
// conf.{random:6} does not stand for conf.backup.
bool stands_for(const Placeholder&, std::string_view text, bool beside);

bool is_digit(char);
bool is_hex_digit(char);
bool is_word_char(char);  // a letter or digit of ASCII
bool all_digits(std::string_view);
bool is_hash(std::string_view);  // NameKind::hex, of eight or more
bool is_uuid(std::string_view);
// A group of a time: digits, with T and Z between dates and times, or the short name of a month or day.
bool is_time_group(std::string_view);
// What may be between two of them.
bool joins_time(char);
// Letters that read as words: lower, UPPER, Capitalised, camelCase of parts of three letters or more. Up to
// three digits may follow (config2, sha256).
bool reads_as_words(std::string_view);
// How often it changes between digits, upper case and lower case.
int changes_of_class(std::string_view);

}  // namespace rogate
