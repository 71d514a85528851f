// What a .dockerignore leaves out. tests/integration/build_cases.py asks docker's own client the same.
#include "base/ignore_patterns.hpp"

#include <gmock/gmock.h>

namespace rogate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Case {
    const char* file;
    std::vector<const char*> out, in;
};

void PrintTo(const Case& each, std::ostream* out) {
    *out << '"' << each.file << '"';
}

class Ignore : public testing::TestWithParam<Case> {};

TEST_P(Ignore, AsDockerDoes) {
    const auto patterns = IgnorePatterns::of(ignore_lines(GetParam().file));
    ASSERT_TRUE(patterns.has_value()) << patterns.error().message;
    for (const char* path : GetParam().out) EXPECT_TRUE(patterns->excludes(path)) << path;
    for (const char* path : GetParam().in) EXPECT_FALSE(patterns->excludes(path)) << path;
}

INSTANTIATE_TEST_SUITE_P(
    Patterns, Ignore,
    testing::Values(Case{"", {}, {"a"}},                              //
                    Case{"a", {"a", "a/b", "a/b/c"}, {"b/a", "ab"}},  // from the root alone
                    Case{"/a", {"a"}, {"b/a"}},                       // a leading slash is nothing
                    Case{"./a/", {"a", "a/b"}, {"b"}},                //
                    Case{"a//b/../c", {"a/c"}, {"a/b"}},              //
                    Case{"  a \t\r\n\n b", {"a", "b"}, {" a"}},       // blanks at both ends
                    Case{"# a\n #a", {"#a"}, {"a", "# a"}},           // a comment begins the line
                    Case{"\xef\xbb\xbf"
                         "a",
                         {"a"},
                         {}},                                                      // a byte order mark
                    Case{"*", {"a", "a/b", ".x"}, {}},                             //
                    Case{"*.md", {"a.md", "a.md/b", ".md"}, {"a/b.md", "amd"}},    // '.' is a dot
                    Case{"*/b", {"a/b", "a/b/c"}, {"b", "a/c/b"}},                 //
                    Case{"*/*/b", {"a/c/b"}, {"a/b"}},                             //
                    Case{"a?", {"ab", "a\xc3\xa9"}, {"a", "abc", "a/"}},           // one character
                    Case{"**", {"a", "a/b"}, {}},                                  //
                    Case{"**/b", {"b", "a/b", "a/c/b", "a/b/c"}, {"ab", "a/cb"}},  //
                    Case{"**b", {"b", "ab", "a/cb"}, {"ba"}},                      //
                    Case{"a/**", {"a/b", "a/b/c"}, {"a", "ab"}},                   // not the folder itself
                    Case{"a/**/b", {"a/b", "a/c/b", "a/c/d/b"}, {"b", "a/cb"}},    //
                    Case{"**/*.md", {"a.md", "a/b.md", "a/b/c.md"}, {"a.mdx"}},    //
                    Case{"a**/b", {"ab", "axx/b"}, {"axb", "a"}},                  //
                    Case{"**/x/**", {"x/a", "a/x/b"}, {"xa/b"}},                   //
                    Case{"[a-c]x", {"ax", "cx"}, {"dx", "x"}},                     //
                    Case{"[^a]x", {"bx"}, {"ax"}},                                 //
                    Case{"[\\]a]x", {"]x", "ax"}, {"bx"}},                         //
                    Case{"\\*", {"*"}, {"a"}},                                     //
                    Case{"a(b)+$|{c}", {"a(b)+$|{c}"}, {"ab"}},         // nothing of regular expressions
                    Case{"*.md\n!keep.md", {"a.md"}, {"keep.md"}},      //
                    Case{"!keep.md\n*.md", {"keep.md"}, {}},            // the last one counts
                    Case{"*\n!a", {"b"}, {"a", "a/b"}},                 //
                    Case{"*\n! /a/b", {"a", "a/c"}, {"a/b", "a/b/c"}},  //
                    Case{"a\n!a/b\na/b/c", {"a/x", "a/b/c"}, {"a/b", "a/b/d"}},         //
                    Case{"*\n!**/keep", {"a", "a/x"}, {"keep", "a/keep", "a/keep/b"}},  //
                    Case{"**\n!a/**", {"a", "b"}, {"a/b"}},                             //
                    Case{".", {}, {"a", ".a"}}, Case{"/", {}, {"a"}}, Case{"../a", {}, {"a"}}));

TEST(IgnoreLines, AreCleaned) {
    EXPECT_THAT(ignore_lines("# c\n a//b/ \n! /c/../d\r\n\n!\n/\n"), ElementsAre("a/b", "!d", "!", "/"));
}

TEST(IgnorePatterns, NameWhatIsNone) {
    for (const char* line : {"[", "[a", "[]", "[a-]x", "[c-a]", "a\\", "!"}) {
        const auto made = IgnorePatterns::of(ignore_lines(line));
        ASSERT_FALSE(made.has_value()) << line;
        EXPECT_EQ(made.error().kind, ErrorKind::usage);
        EXPECT_THAT(made.error().message, HasSubstr("no pattern"));
    }
}

TEST(IgnorePatterns, TellWhereExceptionsMayBe) {
    const auto patterns = *IgnorePatterns::of(ignore_lines("*\n!a/b\n!c/**\n!d"));
    EXPECT_TRUE(patterns.may_include_below("a"));
    EXPECT_TRUE(patterns.may_include_below("c"));
    EXPECT_FALSE(patterns.may_include_below("ab"));
    EXPECT_FALSE(patterns.may_include_below("e"));
    EXPECT_TRUE(IgnorePatterns::of({"*", "!**/keep"})->may_include_below("e"));
    EXPECT_FALSE(IgnorePatterns::of({"*"})->may_include_below("e"));
}

}  // namespace
}  // namespace rogate
