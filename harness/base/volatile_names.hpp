// The one rule for names that differ from run to run: the comparison of runs, the lock file and the write
// requirements all use it.
//
// Evidence comes first: what runs of one campaign made at the same place under different names (learn()).
// Where there is none, the form of a name decides. Each component below the mount is taken by itself:
//   1. a UUID is {uuid}; eight or more hexadecimal digits that are a whole word, with 0 to 9 and a to f among
//      them, are {hex}; sixteen or more letters and digits that change often are {random};
//   2. four or more digits are {number}; the digit groups, months and T that hang on them by one of - _ . : +
//      make a {time} of it, and so do three groups of two digits joined by - : or _ ; below a folder that is
//      a year, folders that are a month, day, hour and minute are {number};
//   3. in a component with one of the words tmp, temp, pid, lock, swp, every run of digits is {number}, and
//      every word of 6 to 16 letters and digits that does not read as words is {random};
//   4. so are 6 to 16 letters and digits after "tmp", "temp" or "sed" at the beginning, and those of the last
//      word behind a separator if they change between digits, upper and lower case at least twice;
//   5. so are the last six of a longer word that change at least three times, with both cases among them and
//      either a digit or no part that reads as a word (mkstemp(3) with a template such as fooXXXXXX).
// Everything else stays as it is: log.1, python3.11, x86_64, app.conf.
#pragma once

#include <map>
#include <rogate/attempts.hpp>
#include <rogate/result.hpp>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace rogate {

class VolatileNames {
  public:
    VolatileNames() = default;
    // With what learned() gave.
    explicit VolatileNames(const std::vector<VaryingName>& learned);

    // What two runs of one campaign attempted. A name that only one of them has, where the other has one
    // alike that the first has not (same folder, operation and program; the same words and separators but for
    // parts that could be counted or drawn at random), varies. `same_plan`: nothing was asked of one that was
    // not asked of the other (two control runs), so that one plain word in place of another varies as well.
    void learn(const Attempts& one, const Attempts& other, bool same_plan);
    std::vector<VaryingName> learned() const;  // in order

    // `path` (raw bytes) as a pattern for matches(), with a placeholder for each part that varies; two paths
    // that differ only in such parts have the same. What is at or above `mount` stays as it is.
    std::string pattern(std::string_view path, std::string_view mount) const;

  private:
    struct Known {
        std::vector<std::string> patterns;  // of names in the folder
        // Those that no form of theirs tells: name -> pattern.
        std::map<std::string, std::string, std::less<>> names;
    };
    struct WritePlace {
        std::string_view mount, path, operation;
        std::string program;
        auto operator<=>(const WritePlace&) const = default;
    };
    using Places = std::vector<WritePlace>;
    using Names = std::multimap<std::string, std::string_view>;  // by their patterns
    using ByPattern = std::map<std::tuple<std::string, std::string_view, std::string>, Names>;

    bool learn_once(const Places& ours, const Places& theirs, bool same_plan);
    std::string name_pattern(std::string_view name, const std::string& folder) const;
    bool know(const std::string& folder, std::string_view name, const std::string& pattern);

    std::map<std::string, Known, std::less<>> known_;  // by the folder's pattern
};

// By the form of the name alone.
std::string pattern_by_form(std::string_view name);
// What two names have in common if they differ as names that vary do; empty: they are different names.
// `any_word`: also where one word has taken the place of another.
std::string common_pattern(std::string_view one, std::string_view other, bool any_word);

// By which a process is known in every run: its file's name, since threads may call themselves as they like.
std::string_view program_name(const Process&);
// The name of a program or thread: every run of digits is {number} (worker-12, python3.11).
std::string process_pattern(std::string_view name);

}  // namespace rogate
