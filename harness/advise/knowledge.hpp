// What is known of settings that remove a write, and the files that it is read from.
#pragma once

#include <map>
#include <rogate/error.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace rogate::advise {

// In the value of a variable: a folder that stays writable anyway.
inline constexpr std::string_view writable_place = "${writable}";

// Who writes where. Of each list one pattern has to match; an empty list matches all. In patterns `*` stands
// for anything without a '/', `**` for anything, "/**/" also for one '/'.
struct Sign {
    std::vector<std::string> processes;  // a process' name, or the last part of its program's path
    std::vector<std::string> paths, operations;
    std::vector<std::string> phases;  // "entrypoint", "step *"
    bool operator==(const Sign&) const = default;
};

struct Setting {
    std::string id;
    std::string what;                                // "Python byte code: python or gunicorn creates …"
    std::vector<Sign> shown_by;                      // one of them is enough
    std::map<std::string, std::string> environment;  // what a run tries; empty: it is told and not tried
    std::string how;                                 // for a person: "PYTHONDONTWRITEBYTECODE=1"
    std::string cost, since;                         // each can be empty
    std::string trap;                                // why it is never offered; empty: it is none
    bool is_place = false;  // a writable place, which a split finds by itself: it is not told
    std::vector<std::string> sources;
    bool operator==(const Setting&) const = default;
};

// ErrorKind::usage with file:line:column says what is wrong with the text.
Result<std::vector<Setting>> parse_settings(std::string_view text, const std::string& file_name);
// What rogate itself brings.
const std::vector<Setting>& shipped_settings();

// Whether the whole text is as the pattern says.
bool matches(std::string_view pattern, std::string_view text);

}  // namespace rogate::advise
