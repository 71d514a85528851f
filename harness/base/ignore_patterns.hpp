// What a .dockerignore file leaves out of a build's context. Pure; the rules are those of moby/patternmatcher
// and of its ignorefile, which docker and podman share.
#pragma once

#include <rogate/error.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/path_pattern.hpp"

namespace rogate {

// The patterns of a file's lines, cleaned; an exception begins with '!'. Comments begin in the first column.
std::vector<std::string> ignore_lines(std::string_view text);

class IgnorePatterns {
  public:
    IgnorePatterns() = default;
    // ErrorKind::usage names the pattern that is none.
    static Result<IgnorePatterns> of(const std::vector<std::string>& lines);

    // `path`: relative, with '/' between its parts. The last pattern that it, or a folder above it, matches
    // decides.
    bool excludes(const std::string& path) const;
    // Whether an exception may let something in below a folder that is left out. As BuildKit sees it; the
    // client of the classic builder overlooks exceptions with a wildcard in front ("!**/keep").
    bool may_include_below(const std::string& folder) const;

  private:
    struct Entry {
        bool exception = false;
        PathPattern pattern;
    };
    std::vector<Entry> entries_;
};

}  // namespace rogate
