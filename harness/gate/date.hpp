// Calendar days, as policies write them: 2026-12-31.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace rogate::gate {

using Day = std::chrono::sys_days;

// Nothing if it is not a day of the calendar in the form YYYY-MM-DD.
std::optional<Day> parse_day(std::string_view text);
std::string to_text(Day day);

}  // namespace rogate::gate
