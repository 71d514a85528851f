#include "campaign/sources.hpp"

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
    EXPECT_EQ(whole_account(said), table);
    for (std::size_t size = 0; size < said.size(); ++size)
        EXPECT_FALSE(whole_account(std::string_view(said).substr(0, size))) << size;
    EXPECT_FALSE(whole_account("end\n"));
}

TEST(Sources, FactsAreThoseOfTheLastMountOnAPlace) {
    const std::string said =
        "36 35 8:1 /srv/a\\040b /rogate/source/0 ro - ext4 /dev/sda rw\n"
        "37 36 8:2 / /rogate/source/0/disk ro,nosuid,relatime,noexec - xfs /dev/sdb ro,noquota\n"
        "38 35 0:4 / /rogate/source/1 ro shared:1 - proc proc rw\n"
        "root /rogate/source/0 41750 33 8 1700000000 250 1\n"
        "root /rogate/source/1 odd\n"
        "more /rogate/source/0\n"
        "socket /rogate/source/0 run/b\\040c.sock\n"
        "fifo /rogate/source/0 pipe\n"
        "deep /rogate/source/0/disk file\n"
        "cut /rogate/source/0/disk\n"
        "more /rogate/source/12\n";
    const auto facts = source_facts(said);
    ASSERT_EQ(facts.size(), 3U);
    EXPECT_EQ(facts.at("/rogate/source/0"),
              (SourceFacts{.itself = SourceRoot{041750, 33, 8, 1700000000, 250, true},
                           .device = "8:1",
                           .root = "/srv/a b",
                           .type = "ext4",
                           .more_attributes = true,
                           .live = {{"pipe", false}, {"run/b c.sock", true}}}));
    EXPECT_EQ(facts.at("/rogate/source/0/disk"), (SourceFacts{.device = "8:2",
                                                              .root = "/",
                                                              .type = "xfs",
                                                              .read_only = true,
                                                              .flags = ",nosuid,noexec",
                                                              .deep_attributes = "file",
                                                              .searched_in_part = true}));
    EXPECT_EQ(facts.at("/rogate/source/1").type, "proc");
    EXPECT_FALSE(facts.at("/rogate/source/1").read_only);
}

using Shared = std::vector<std::optional<SharedData>>;

TEST(Sources, OneDeviceAndRootAreOneSource) {
    EXPECT_EQ(shared_data({{"/data", "8:1", "/srv"}, {"/view", "8:1", "/srv"}, {"/other", "8:2", "/srv"}}),
              (Shared{std::nullopt, SharedData{0, ""}, std::nullopt}));
    EXPECT_EQ(shared_data({{"/a", "", ""}, {"/b", "", ""}}), (Shared{std::nullopt, std::nullopt}));
}

TEST(Sources, AFolderInAnotherIsAPartOfIt) {
    EXPECT_EQ(shared_data({{"/inbox", "8:1", "/srv/data/inbox"},
                           {"/in", "8:1", "/srv/data"},
                           {"/x", "8:1", "/srv/database"}}),
              (Shared{SharedData{1, "/inbox"}, std::nullopt, std::nullopt}));
    EXPECT_EQ(shared_data({{"/all", "8:1", "/"}, {"/etc2", "8:1", "/etc"}}),
              (Shared{std::nullopt, SharedData{0, "/etc"}}));
    // The outermost has all of it.
    EXPECT_EQ(shared_data({{"/c", "8:1", "/a/b/c"}, {"/b", "8:1", "/a/b"}, {"/a", "8:1", "/a"}}),
              (Shared{SharedData{2, "/b/c"}, SharedData{2, "/b"}, std::nullopt}));
    EXPECT_EQ(
        shared_data(
            {{"/a", "8:1", "/a"}, {"/again", "8:1", "/a"}, {"/b", "8:1", "/a/b"}, {"/b2", "8:1", "/a/b"}}),
        (Shared{std::nullopt, SharedData{0, ""}, SharedData{0, "/b"}, SharedData{0, "/b"}}));
}

TEST(Sources, AFolderAtItsOwnPlaceCoversWhatIsThere) {
    EXPECT_EQ(shared_data({{"/data", "8:1", "/srv"}, {"/data/inbox", "8:1", "/srv/inbox"}}),
              (Shared{std::nullopt, std::nullopt}));
    // And what else is of that source goes with it, since the other mount does not show it any more.
    EXPECT_EQ(
        shared_data(
            {{"/data", "8:1", "/srv"}, {"/data/inbox", "8:1", "/srv/inbox"}, {"/jobs", "8:1", "/srv/inbox"}}),
        (Shared{std::nullopt, std::nullopt, SharedData{1, ""}}));
}

TEST(Submounts, TheKernelsOwnHoldNobodysData) {
    EXPECT_FALSE(holds_data("proc"));
    EXPECT_FALSE(holds_data("cgroup2"));
    EXPECT_TRUE(holds_data("ext4"));
    EXPECT_TRUE(holds_data("fuse.sshfs"));
}

TEST(Unchanged, AreThePairsThatAreNamed) {
    EXPECT_EQ(unchanged_of("same 0\nsame 2\nend\n"), (std::vector<std::size_t>{0, 2}));
    EXPECT_EQ(unchanged_of("end\n"), std::vector<std::size_t>());
    EXPECT_EQ(unchanged_of("same 0\n"), std::nullopt);
    EXPECT_EQ(unchanged_of(""), std::nullopt);
    EXPECT_EQ(unchanged_of("exec failed\nend\n"), std::nullopt);
}

}  // namespace
}  // namespace rogate::campaign
