#include "patch/diff.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

namespace rogate::patch {
namespace {

namespace fs = std::filesystem;

TEST(Diff, IsEmptyForEqualTexts) {
    EXPECT_EQ(unified_diff("a", "x\n", "x\n"), "");
}

TEST(Diff, HasThreeLinesOfContext) {
    EXPECT_EQ(unified_diff("dir/f.yaml", "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nV\n6\n7\n8\n9\n"),
              "--- a/dir/f.yaml\n+++ b/dir/f.yaml\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+V\n 6\n 7\n 8\n");
}

TEST(Diff, SaysThatTheFinalNewlineIsMissing) {
    EXPECT_EQ(unified_diff("f", "1\n2", "1\n2\n3"),
              "--- a/f\n+++ b/f\n@@ -1,2 +1,3 @@\n 1\n-2\n\\ No newline at end of file\n+2\n+3\n\\ No "
              "newline at end of file\n");
}

TEST(Diff, QuotesOddNamesAsGitDoes) {
    EXPECT_THAT(unified_diff("a b", "", "x\n"),
                testing::StartsWith("--- a/a b\t\n+++ b/a b\t\n@@ -0,0 +1 @@\n+x\n"));
    EXPECT_THAT(unified_diff("a\n\"b", "", "x\n"), testing::StartsWith("--- \"a/a\\012\\\"b\"\n"));
}

class Folder {
  public:
    Folder() {
        std::string pattern = (fs::temp_directory_path() / "rogate-diff-XXXXXX").string();
        path_ = mkdtemp(pattern.data());
    }
    ~Folder() { fs::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    void write(const std::string& name, const std::string& text) const {
        std::ofstream(path_ / name, std::ios::binary) << text;
    }
    std::string read(const std::string& name) const {
        std::ostringstream text;
        text << std::ifstream(path_ / name, std::ios::binary).rdbuf();
        return text.str();
    }
    int run(const std::string& command) const {
        return std::system(
            ("cd '" + path_.string() + "' && GIT_CEILING_DIRECTORIES=/ " + command + " >/dev/null 2>&1")
                .c_str());
    }

  private:
    fs::path path_;
};

std::string random_text(std::mt19937& random, const std::string& newline) {
    std::string text;
    const auto lines = random() % 30;
    for (unsigned i = 0; i < lines; ++i)
        text += std::string(1, static_cast<char>('a' + random() % 4)) + newline;
    if (random() % 3 == 0) text += "last";
    return text;
}

TEST(Diff, IsTakenByGitApplyAndPatch) {
    std::mt19937 random(7);
    const Folder folder;
    for (int i = 0; i < 60; ++i) {
        const std::string newline = i % 5 == 0 ? "\r\n" : "\n", name = i % 7 == 0 ? "a file" : "f.yaml";
        const std::string before = random_text(random, newline) + "x" + newline;
        std::string after = before;
        for (int edit = 0; edit < 4; ++edit) {
            const std::size_t at = after.find('\n', random() % after.size());
            if (at != std::string::npos) after.insert(at + 1, "new" + std::to_string(random() % 3) + newline);
            if (random() % 2 == 0) after.erase(0, after.find('\n') + 1);
            if (after.empty()) after = "x" + newline;
        }
        if (before == after) continue;
        const std::string diff = unified_diff(name, before, after);
        folder.write("diff", diff);
        folder.write(name, before);
        ASSERT_EQ(folder.run("git apply diff"), 0) << diff;
        ASSERT_EQ(folder.read(name), after) << diff;
        folder.write(name, before);
        ASSERT_EQ(folder.run("patch --binary -p1 -i diff"), 0) << diff;
        ASSERT_EQ(folder.read(name), after) << diff;
    }
}

}  // namespace
}  // namespace rogate::patch
