// What a step observed, held against what it expects. Pure.
#pragma once

#include <optional>
#include <rogate/observation.hpp>
#include <rogate/scenario.hpp>
#include <string>

#include "base/masker.hpp"

namespace rogate::scenario {

using Observed = Observation;

// Empty if everything holds, else what does not: "expected status 200, got 503 (body: …)". What it repeats of
// the observation is masked before it is cut.
std::string mismatch(const Step& step, const Observed& observed, const Masker& masker = {});

// What the pattern's first group matches first in `text`, or the whole pattern if it has none.
std::optional<std::string> first_match(const std::string& pattern, std::string_view text);

// `text` with all that one of the patterns matches replaced by "*".
std::string without(const std::vector<std::string>& patterns, std::string_view text);

// `text` without its secrets, on one line and of about `limit` bytes at most, for messages. Other control
// characters stay as they are: whoever renders the message escapes them.
std::string excerpt(std::string_view text, const Masker& masker, std::size_t limit = 200);
// The same of the end of it: what went wrong is in a program's last lines.
std::string excerpt_of_end(std::string_view text, const Masker& masker, std::size_t limit = 200);

}  // namespace rogate::scenario
