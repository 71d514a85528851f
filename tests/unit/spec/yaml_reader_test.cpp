#include "spec/yaml_reader.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace rogate::spec {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string problem_of(std::string_view text, const YamlLimits& limits = {}) {
    Problems problems("f.yaml");
    read_yaml(text, problems, limits);
    return problems.empty() ? "" : problems.error().message;
}

TEST(YamlReader, CountsColumnsInCharacters) {
    Problems problems("f.yaml");
    const ValuePtr root = read_yaml("\xef\xbb\xbfgrüße: [ä, b]\r\nzwei: \"x\"\r\n", problems);
    ASSERT_TRUE(root);
    EXPECT_EQ(root->pairs[0].second->items[1]->place, (Place{1, 12}));
    EXPECT_EQ(root->pairs[1].second->place, (Place{2, 7}));
    EXPECT_FALSE(root->pairs[1].second->plain);
    EXPECT_TRUE(problems.empty());
}

TEST(YamlReader, AppliesAliasesAndMergeKeys) {
    Problems problems("f.yaml");
    const ValuePtr root =
        read_yaml("a: &a {x: 1, y: 2}\nb: &b {z: 3, x: 9}\nc: {y: 5, <<: [*a, *b]}\nd: *a\n", problems);
    ASSERT_TRUE(root);
    std::string merged;
    for (const auto& [key, value] : root->pairs[2].second->pairs) merged += key->text + value->text + " ";
    EXPECT_EQ(merged, "y5 x1 z3 ");
    EXPECT_EQ(root->pairs[3].second, root->pairs[0].second);
    EXPECT_TRUE(problems.empty());
}

TEST(YamlReader, RefusesBillionLaughs) {
    std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 10; ++i) {
        text += fmt::format("a{}: &a{} [", i, i);
        for (int j = 0; j < 10; ++j) text += fmt::format("*a{}, ", i - 1);
        text += "]\n";
    }
    EXPECT_THAT(problem_of(text), StartsWith("f.yaml:5:"));
    EXPECT_THAT(problem_of(text), HasSubstr("more than 100000 values"));
}

TEST(YamlReader, RefusesLongTextRepeatedByAliases) {
    std::string text = "a: &a " + std::string(500'000, 'x') + "\nb: [";
    for (int i = 0; i < 100; ++i) text += "*a, ";
    EXPECT_THAT(problem_of(text + "]\n"), HasSubstr("4194304 bytes with aliases expanded"));
}

TEST(YamlReader, RefusesDeepNesting) {
    EXPECT_EQ(problem_of(std::string(63, '[') + "x" + std::string(63, ']')), "");
    EXPECT_THAT(problem_of(std::string(64, '[') + "x" + std::string(64, ']')),
                HasSubstr("more than 64 levels"));
    EXPECT_THAT(problem_of(std::string(100'000, '[')), HasSubstr("more than 64 levels"));
    EXPECT_THAT(problem_of("a: &a " + std::string(40, '[') + std::string(40, ']') +
                           "\nb: " + std::string(40, '[') + "*a" + std::string(40, ']')),
                StartsWith("f.yaml:2:"));
}

TEST(YamlReader, RefusesWhatItCannotRead) {
    const std::tuple<std::string, std::string, std::string> cases[] = {
        {"", "f.yaml:1:1", "the file is empty"},
        {"# nothing\n", "f.yaml:1:1", "the file is empty"},
        {"a: 1\n---\nb: 2\n", "f.yaml:2:", "a second document begins here"},
        {"a: [1, 2\nb: 3\n", "f.yaml:", "not valid YAML"},
        {"a: \"x\nb: 3\n", "f.yaml:", "not valid YAML"},
        {"a:\n\t- b\n", "f.yaml:2:", "not valid YAML"},
        {"a: *nowhere\n", "f.yaml:1:4", "not valid YAML"},
        {"a: &a [*a]\n", "f.yaml:1:8", "a value cannot contain itself"},
        {"a: !!binary eA==\n", "f.yaml:1:4", "tag 'tag:yaml.org,2002:binary' is not supported"},
        {"a: 1\nb: 2\na: 3\n", "f.yaml:3:1", "key 'a' is already given at line 1"},
        {"a: {b: 1, c: 2, b: 3}\n", "f.yaml:1:17", "key 'b' is already given at line 1"},
        {"a: x\x04y\n", "f.yaml:1:5", "control character 0x04"},
        {"a: x\nb: \xff\n", "f.yaml:2:4", "byte 0xff is not UTF-8"},
        {"a: \xc0\x80\n", "f.yaml:1:4", "is not UTF-8"},
        {"a: \"x\\0y\"\n", "f.yaml:1:4", "contains a zero byte"},
        {"[1]: x\n", "f.yaml:1:1", "a key is a list"},
        {"<<: 7\n", "f.yaml:1:5", "'<<' merges a single value"},
        {std::string(1024 * 1024 + 1, '#'), "f.yaml:", "larger than 1048576 bytes"},
    };
    for (const auto& [text, place, fragment] : cases) {
        EXPECT_THAT(problem_of(text), StartsWith(place)) << text.substr(0, 100);
        EXPECT_THAT(problem_of(text), HasSubstr(fragment)) << text.substr(0, 100);
        EXPECT_THAT(problem_of(text), HasSubstr("; ")) << text.substr(0, 100);
    }
}

}  // namespace
}  // namespace rogate::spec
