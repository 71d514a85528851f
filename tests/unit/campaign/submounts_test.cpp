#include "campaign/submounts.hpp"

#include <gtest/gtest.h>

namespace rogate::campaign {
namespace {

constexpr const char* text =
    "600 500 0:51 / / ro,relatime - overlay overlay rw,lowerdir=/x\n"
    "601 600 8:1 /srv/data /source/0 ro,relatime - ext4 /dev/sda1 rw\n"
    "602 601 0:60 / /source/0/sub rw,nosuid shared:5 master:1 - tmpfs tmpfs rw,size=1k\n"
    "603 602 0:61 / /source/0/sub/a\\040b\\134 ro,relatime - tmpfs tmpfs rw\n"
    "604 601 0:62 / /source/0/frozen rw,relatime - ext4 /dev/sdb1 ro,errors=continue\n"
    "605 600 0:63 / /source/01 rw - tmpfs tmpfs rw\n"
    "606 601 0:64 / /source/0/frozen rw - xfs /dev/sdc1 rw\n"
    "607 601 0:65 / /source/0/root rw - tmpfs tmpfs rw,ro_is_no_option\n"
    "broken\n";

TEST(Submounts, AreThoseBelowAndTheLastOnAPlaceCounts) {
    EXPECT_EQ(submounts_below("/source/0", text),
              (std::vector<Submount>{{"/source/0/frozen", "xfs", false},
                                     {"/source/0/root", "tmpfs", false},
                                     {"/source/0/sub", "tmpfs", false},
                                     {"/source/0/sub/a b\\", "tmpfs", true}}));
    EXPECT_TRUE(submounts_below("/source/01", text).empty());
    EXPECT_TRUE(submounts_below("/source/0", "").empty());
}

TEST(Submounts, AFileSystemThatIsReadOnlyIs) {
    EXPECT_EQ(submounts_below("/s", "1 2 8:1 / /s/a rw - ext4 /dev/sdb1 ro,errors=continue\n"),
              (std::vector<Submount>{{"/s/a", "ext4", true}}));
}

TEST(Submounts, ATableThatBreaksOffIsNone) {
    const std::string table = "1 2 8:1 / /s rw - ext4 /dev/sdb1 rw\n3 1 0:9 / /s/a rw - tmpfs tmpfs rw\n";
    const std::string said = table + "end\n";
    EXPECT_EQ(whole_mountinfo(said), table);
    for (std::size_t size = 0; size < said.size(); ++size)
        EXPECT_FALSE(whole_mountinfo(std::string_view(said).substr(0, size))) << size;
    EXPECT_FALSE(whole_mountinfo("end\n"));
}

TEST(Submounts, RootsWithAccessControlListsAreTold) {
    const std::string said =
        "36 35 98:0 / /rogate/source/0 ro - ext4 /dev/sda rw\nacl /rogate/source/0\nacl /rogate/source/12\n";
    EXPECT_EQ(roots_with_lists(said), (std::set<std::string>{"/rogate/source/0", "/rogate/source/12"}));
    EXPECT_TRUE(submounts_below("/rogate/source/0", said).empty());
}

TEST(Submounts, TheKernelsOwnHoldNobodysData) {
    EXPECT_FALSE(holds_data("proc"));
    EXPECT_FALSE(holds_data("cgroup2"));
    EXPECT_TRUE(holds_data("ext4"));
    EXPECT_TRUE(holds_data("fuse.sshfs"));
}

}  // namespace
}  // namespace rogate::campaign
