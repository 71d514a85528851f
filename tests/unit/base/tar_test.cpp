#include "base/tar.hpp"

#include <gmock/gmock.h>

namespace rogate {
namespace {

TEST(Tar, HoldsNamesOfAnyLetters) {
    TarWriter writer;
    ASSERT_TRUE(writer.add({.name = "Gr\u00f6\u00dfe", .content = "text"}).has_value());
    ASSERT_TRUE(writer.add({.name = "\xff", .content = "text"}).has_value());  // and such as are none
    const auto bytes = writer.finish();
    ASSERT_TRUE(bytes.has_value());
    EXPECT_THAT(*bytes, testing::HasSubstr("path=Gr\u00f6\u00dfe"));
    EXPECT_THAT(*bytes, testing::HasSubstr("path=\xff"));
}

}  // namespace
}  // namespace rogate
