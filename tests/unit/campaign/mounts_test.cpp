#include <gtest/gtest.h>

#include "campaign/campaign.hpp"
#include "campaign/tar.hpp"

namespace rogate::campaign {
namespace {

Mount mount(std::string target, MountType type = MountType::bind, bool read_only = false) {
    Mount made;
    made.target = std::move(target);
    made.type = type;
    made.read_only = read_only;
    return made;
}

TEST(EffectiveMounts, AddsTheImagesVolumesAndTheRoot) {
    Subject subject;
    subject.mounts = {mount("/data"), mount("/conf")};
    const auto mounts = effective_mounts(subject, {"/data", "/var/lib/app/"});
    ASSERT_EQ(mounts.size(), 4U);
    EXPECT_EQ(mounts[0].target, "/");
    EXPECT_EQ(mounts[0].type, MountType::rootfs);
    EXPECT_EQ(mounts[1].target, "/conf");
    EXPECT_EQ(mounts[2].target, "/data");
    EXPECT_EQ(mounts[2].type, MountType::bind);
    EXPECT_EQ(mounts[3].target, "/var/lib/app");
    EXPECT_EQ(mounts[3].type, MountType::anonymous);
}

TEST(Candidates, AreEveryWritableMountButTheRoot) {
    const std::vector<Mount> mounts = {mount("/", MountType::rootfs), mount("/a"),
                                       mount("/b", MountType::volume, true)};
    EXPECT_EQ(*choose_candidates({}, mounts), (std::vector<std::string>{"/a"}));
}

TEST(Candidates, HaveTheRootIfItIsAskedFor) {
    std::vector<Mount> mounts = {mount("/", MountType::rootfs), mount("/a"), mount("/b")};
    Scenario scenario;
    scenario.rootfs = true;
    EXPECT_EQ(*choose_candidates(scenario, mounts), (std::vector<std::string>{"/", "/a", "/b"}));
    scenario.candidates = std::vector<std::string>{"/b"};
    EXPECT_EQ(*choose_candidates(scenario, mounts), (std::vector<std::string>{"/", "/b"}));
    mounts[0].read_only = true;
    EXPECT_EQ(*choose_candidates(scenario, mounts), (std::vector<std::string>{"/b"}));
}

TEST(Candidates, MustBeMounts) {
    const std::vector<Mount> mounts = {mount("/", MountType::rootfs), mount("/a")};
    Scenario scenario;
    scenario.candidates = std::vector<std::string>{"/", "/a"};
    EXPECT_EQ(*choose_candidates(scenario, mounts), (std::vector<std::string>{"/", "/a"}));
    scenario.candidates = std::vector<std::string>{"/nope"};
    const auto wrong = choose_candidates(scenario, mounts);
    ASSERT_FALSE(wrong.has_value());
    EXPECT_EQ(wrong.error().kind, ErrorKind::usage);
    EXPECT_NE(wrong.error().message.find("'/nope' is no mount of the subject; its mounts are /, /a"),
              std::string::npos);
}

TEST(Candidates, OfASystemAreOfOneContainerOrOfEachThatHasThem) {
    const std::vector<Mount> mounts = {mount("web:/", MountType::rootfs),
                                       mount("web:/a"),
                                       mount("db:/", MountType::rootfs),
                                       mount("db:/a"),
                                       mount("db:/b"),
                                       mount("job:/a")};
    Scenario scenario;
    for (const char* name : {"web", "db", "job"}) {
        Member member;
        member.name = name;
        member.tried = member.name != "job";
        scenario.members.push_back(std::move(member));
    }
    scenario.candidates = std::vector<std::string>{"/a", "db:/"};
    EXPECT_EQ(*choose_candidates(scenario, mounts), (std::vector<std::string>{"db:/", "db:/a", "web:/a"}));
    scenario.candidates = std::vector<std::string>{"web:/b"};
    scenario.named_candidates["web:/b"].at = {"shop.yaml", 3, 14};
    const auto wrong = choose_candidates(scenario, mounts);
    ASSERT_FALSE(wrong.has_value());
    EXPECT_EQ(wrong.error().message,
              "shop.yaml:3:14: candidate 'web:/b' is no mount of 'web'; its mounts are web:/, web:/a");
    EXPECT_TRUE(choose_candidates(scenario, mounts, {"web"})->empty());
    scenario.candidates = std::vector<std::string>{"/c"};
    EXPECT_FALSE(choose_candidates(scenario, mounts).has_value());
}

TEST(Candidates, ThatWereAskedOfSeveralMayBeAnothers) {
    Scenario scenario;
    scenario.candidates = std::vector<std::string>{"/b"};
    scenario.named_candidates["/b"].if_there = true;
    EXPECT_TRUE(choose_candidates(scenario, {mount("/a")})->empty());
}

TEST(Tar, KeepsOwnerAndModeOfFolders) {
    const auto tar = tar_of_folders({{"r1m0/upper", 999, 4'000'000, 02750}});
    ASSERT_TRUE(tar.has_value());
    const auto first = first_tar_entry(*tar);
    ASSERT_TRUE(first.has_value());
    ASSERT_FALSE(first->need_more);
    EXPECT_EQ(first->entry.uid, 999U);
    EXPECT_EQ(first->entry.gid, 4'000'000U);
    EXPECT_EQ(first->entry.mode, 02750U);
}

TEST(Tar, AsksForMoreUntilTheHeaderIsThere) {
    const auto tar = tar_of_folders({{"folder", 1, 2, 0755}});
    ASSERT_TRUE(tar.has_value());
    const auto part = first_tar_entry(std::string_view(*tar).substr(0, 100));
    ASSERT_TRUE(part.has_value());
    EXPECT_TRUE(part->need_more);
}

TEST(Session, IsNeverTheSameTwice) {
    EXPECT_NE(new_session(), new_session());
}

}  // namespace
}  // namespace rogate::campaign
