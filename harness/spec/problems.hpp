// The problems found in one input file, collected so that a person sees all of them at once.
#pragma once

#include <rogate/error.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace rogate::spec {

// A place in the text: line and column count from 1, columns in characters; {0, 0}: the file as a whole.
// `file` is 0 for the file that was named, else what Problems::add_file() answered (a Compose project has
// many).
struct Place {
    int line = 0;
    int column = 0;
    int file = 0;
    bool operator==(const Place&) const = default;
    bool operator<(const Place& other) const {
        if (file != other.file) return file < other.file;
        return line != other.line ? line < other.line : column < other.column;
    }
};

class Problems {
  public:
    explicit Problems(std::string file) : files_{std::move(file)} {}

    // Another file that places can be in.
    int add_file(std::string name);
    const std::string& file(int index) const { return files_.at(static_cast<std::size_t>(index)); }

    // `text` reads "what is wrong; what would be right".
    void add(Place place, std::string text);
    bool empty() const { return found_.empty(); }
    std::size_t size() const { return found_.size(); }
    // "FILE:LINE:COL: text" of those that were found behind the first `from`, in order.
    std::vector<std::string> lines(std::size_t from) const;
    // What is no problem, but has to be known; each text once.
    void note(std::string text);
    const std::vector<std::string>& notes() const { return notes_; }
    // What was found in another file that this one names, and was read by itself; told after this one's own.
    void take(const Problems& of_another_file);

    // "FILE:LINE:COL: text", one line for each of the first 20, in the order of the file.
    Error error() const;

  private:
    struct Problem {
        Place place;
        std::string text;
        bool operator==(const Problem&) const = default;
        bool operator<(const Problem& other) const {
            return place == other.place ? text < other.text : place < other.place;
        }
    };
    std::string line(const Problem& problem) const;

    std::vector<std::string> files_, notes_;
    std::vector<Problem> found_;
};

// `text` in quotes on one line, shortened, with control characters escaped: input never reaches a terminal
// raw.
std::string in_quotes(std::string_view text);

}  // namespace rogate::spec
