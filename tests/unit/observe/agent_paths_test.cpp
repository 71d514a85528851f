#include <gtest/gtest.h>

#include <climits>
#include <string>

extern "C" {
#include "observe/agent/paths.h"
}

namespace {

std::string normalised(std::string path) {
    path_normalise(path.data());
    return path.c_str();
}

TEST(AgentPaths, AreNormalised) {
    EXPECT_EQ(normalised("/a/./b/../c"), "/a/c");
    EXPECT_EQ(normalised("//a///b//"), "/a/b");
    EXPECT_EQ(normalised("/../../a"), "/a");
    EXPECT_EQ(normalised("/a/.."), "/");
    EXPECT_EQ(normalised("/"), "/");
    EXPECT_EQ(normalised("/a/.b"), "/a/.b");
    EXPECT_EQ(normalised("/.hidden/..two/..."), "/.hidden/..two/...");
}

// The directory and the last component; "!" if there is none.
std::string split(std::string path) {
    char last[NAME_MAX + 1];
    path.push_back('\0');  // "." may be longer than what it takes the place of
    return path_split_last(path.data(), last) ? std::string(path.c_str()) + " " + last : std::string("!");
}

TEST(AgentPaths, AreSplitBeforeTheirLastName) {
    EXPECT_EQ(split("/a/b"), "/a b");
    EXPECT_EQ(split("/a/b//"), "/a b");
    EXPECT_EQ(split("/a"), "/ a");
    EXPECT_EQ(split("a"), ". a");
    EXPECT_EQ(split("a/b"), "a b");
    EXPECT_EQ(split("/a/.."), "!");
    EXPECT_EQ(split("/a/."), "!");
    EXPECT_EQ(split("/"), "!");
    EXPECT_EQ(split("/" + std::string(NAME_MAX, 'x')), "/ " + std::string(NAME_MAX, 'x'));
    EXPECT_EQ(split("/" + std::string(NAME_MAX + 1, 'x')), "!");
}

struct Line {
    unsigned int id;
    std::string point;
    bool read_only, whole;
    bool operator==(const Line&) const = default;
};

Line read(std::string line) {
    mount_line found{};
    if (!read_mount_line(line.data(), &found)) return {0, "not a line", false, false};
    return {found.id, found.point, found.read_only, found.whole_read_only};
}

TEST(AgentPaths, LinesOfMountinfoAreRead) {
    EXPECT_EQ(read("36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue\n"),
              (Line{36, "/mnt2", false, false}));
    EXPECT_EQ(read("36 35 98:0 /mnt1 /mnt2 ro,noatime - ext3 /dev/root rw\n"),
              (Line{36, "/mnt2", true, false}));
    EXPECT_EQ(read("36 35 98:0 / / rw - tmpfs none ro,size=1k\n"), (Line{36, "/", true, true}));
    EXPECT_EQ(read("36 35 98:0 / / rw shared:2 master:1 - tmpfs none ro\n"), (Line{36, "/", true, true}));
    EXPECT_EQ(read("36 35 98:0 / /with\\040space\\134 rw - tmpfs none rw\n"),
              (Line{36, "/with space\\", false, false}));
    EXPECT_EQ(read("36 35 98:0 / / rootcontext=x - tmpfs none rootcontext=y\n"),
              (Line{36, "/", false, false}));
    EXPECT_EQ(read("nothing\n"), (Line{0, "not a line", false, false}));
    EXPECT_EQ(read(""), (Line{0, "not a line", false, false}));
}

}  // namespace
