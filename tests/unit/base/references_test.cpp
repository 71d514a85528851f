#include "base/references.hpp"

#include <gmock/gmock.h>

namespace rogate {
namespace {

using testing::ElementsAre;

std::optional<std::string> lookup(const std::string& name) {
    if (name == "id") return "7";
    if (name == "tricky") return "${{ id }}";
    return std::nullopt;
}

std::string resolved(std::string_view text) {
    return replace_references(text, lookup, Escapes::resolve);
}

TEST(References, AreReplaced) {
    EXPECT_EQ(resolved("/pictures/${{ id }}"), "/pictures/7");
    EXPECT_EQ(resolved("${{id}}${{ id }}"), "77");
    EXPECT_EQ(resolved("nothing"), "nothing");
    EXPECT_EQ(resolved(""), "");
}

TEST(References, AreNotThoseOfComposeOrTheShell) {
    EXPECT_EQ(resolved("${id} $id $(id) ${id:-x} {{ id }}"), "${id} $id $(id) ${id:-x} {{ id }}");
}

TEST(References, ThatAreUnknownStay) {
    EXPECT_EQ(resolved("a ${{ other }} b"), "a ${{ other }} b");
}

TEST(References, CanBeEscaped) {
    EXPECT_EQ(resolved("$${{ id }}"), "${{ id }}");
    EXPECT_EQ(replace_references("$${{ id }} ${{ id }}", lookup, Escapes::keep), "$${{ id }} 7");
    EXPECT_THAT(references_in("$${{ id }} ${{ b }} ${{ a }}"), ElementsAre("b", "a"));
}

TEST(References, InAValueAreNotFollowed) {
    EXPECT_EQ(resolved("${{ tricky }}"), "${{ id }}");
    EXPECT_EQ(resolved(without_references("x ${{ id }} $${{ id }}")), "x ${{ id }} $${{ id }}");
}

TEST(References, ThatAreBrokenAreFound) {
    EXPECT_EQ(broken_reference("a ${{ b c }} d"), "${{ b c }}");
    EXPECT_EQ(broken_reference("a ${{ b"), "${{ b");
    EXPECT_EQ(broken_reference("${{ 1st }}"), "${{ 1st }}");
    EXPECT_EQ(broken_reference("$${{ b c }} ${{ id }}"), "");
}

TEST(References, TellAWholeOneFromAPart) {
    EXPECT_TRUE(is_one_reference("${{ id }}"));
    EXPECT_FALSE(is_one_reference("${{ id }} "));
    EXPECT_FALSE(is_one_reference("$${{ id }}"));
    EXPECT_FALSE(is_one_reference("id"));
}

}  // namespace
}  // namespace rogate
