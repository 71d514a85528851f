// Days of policies.
#include "gate/date.hpp"

#include <gtest/gtest.h>

namespace rogate::gate {
namespace {

TEST(Day, IsOneOfTheCalendar) {
    EXPECT_EQ(to_text(*parse_day("2028-02-29")), "2028-02-29");
    for (const auto* text :
         {"2026-02-29", "2026-2-1", "26-02-01", "2026-13-01", "2026/01/01", "tomorrow!!", "", "2026-01-0x"})
        EXPECT_FALSE(parse_day(text)) << text;
}

}  // namespace
}  // namespace rogate::gate
