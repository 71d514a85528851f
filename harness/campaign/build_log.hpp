// What a build said: the end of it for an error, its steps for whoever watches. Pure.
#pragma once

#include <deque>
#include <string>
#include <string_view>

namespace rogate::campaign {

class BuildLog {
  public:
    // A line without its end; control characters are left out.
    void add(std::string_view line);
    // The last lines, each behind a line break and two blanks; empty: nothing was said.
    std::string end() const;
    // Whether the line begins a step, of the classic builder ("Step 2/5 : RUN …"), of BuildKit ("#7 [2/3] …")
    // or of podman ("STEP 2/5: …"), or is about a pull.
    static bool is_step(std::string_view line);

  private:
    std::deque<std::string> lines_;
};

}  // namespace rogate::campaign
