// Paths without what differs from run to run, so that a lock file stays the same when nothing has changed.
#pragma once

#include <string>
#include <string_view>

namespace rogate::gate {

// `path` (raw bytes) as a pattern for gate::matches(), with '*' for each volatile part. Each component below
// `mount` is taken by itself:
//   1. a UUID, and a run of 8 or more hexadecimal digits (not part of a longer word) with digits and letters
//   in it;
//   2. a run of 4 or more digits, and the shorter digit groups that hang on it by one of - _ . : T (dates,
//   times);
//   3. in a component with one of the words tmp, temp, pid, lock, swp: every run of digits, and every word of
//   6 to
//      16 letters and digits that is not a plain lower-case or capitalised word (mkstemp(3) beside a known
//      word);
//   4. "tmp", "temp" or "sed" and 6 to 16 letters and digits at the beginning (tempfile, sed -i);
//   5. the last word behind one of . - _ when its 6 to 16 letters and digits change between digit, upper and
//   lower
//      case at least twice and do not read as CamelCase (mkstemp(3)).
// Everything else stays as it is: log.1, python3.11, x86_64, app.conf.
std::string generalised(std::string_view path, std::string_view mount);

// The name of a process: every run of digits becomes '*' (worker-12, python3.11).
std::string generalised_process(std::string_view name);

}  // namespace rogate::gate
