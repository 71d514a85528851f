// What `rogate help TOPIC` explains beside the commands; the manual pages hold the same.
#pragma once

#include <span>
#include <string_view>

namespace rogate::cmdline {

struct Topic {
    std::string_view name;     // "verdicts"
    std::string_view summary;  // a line
    // Paragraphs, separated by empty lines. A paragraph "TERM: text" whose TERM has no blank is an entry of a
    // list.
    std::string_view text;
};

std::span<const Topic> topics();
const Topic* find_topic(std::string_view name);  // nullptr: there is none

}  // namespace rogate::cmdline
