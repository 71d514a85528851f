// The JUnit files that a command writes, told from those that an earlier one left.
#pragma once

#include <map>
#include <rogate/error.hpp>
#include <string>
#include <vector>

#include "suite/judge.hpp"

namespace rogate::scenario {

class JunitFiles {
  public:
    // Before the command is started. `patterns`: as base/name_pattern.hpp has them, relative to `directory`
    // or absolute.
    JunitFiles(std::string directory, std::vector<std::string> patterns);

    // When it has ended: what the files say that were written meanwhile. ErrorKind::scenario: there are none
    // for one of the patterns, one of them cannot be read, or no test is in them.
    Result<suite::Tests> read() const;

  private:
    // What tells whether a file was written since.
    struct Stamp {
        std::uint64_t device = 0, inode = 0;
        std::int64_t modified_ns = 0, changed_ns = 0, size = 0;
        bool operator==(const Stamp&) const = default;
    };
    using Files = std::map<std::string, Stamp>;
    Files look(const std::string& pattern) const;

    std::string directory_;
    std::vector<std::string> patterns_;
    Files before_;
};

}  // namespace rogate::scenario
