// What a pod's volumes become on an engine.
#include "campaign/pod.hpp"

#include <gmock/gmock.h>

namespace rogate::campaign::test {
namespace {

PodVolume volume(const std::string& name, PodVolume::Kind kind) {
    PodVolume made;
    made.name = name;
    made.kind = kind;
    if (kind == PodVolume::Kind::data) {
        made.data.type = MountType::bind;
        made.data.source = "/srv/" + name;
    }
    return made;
}

PodMount mount(const std::string& of, bool read_only = false, const std::string& sub_path = "") {
    return {.target = "/mnt/" + of, .volume = of, .sub_path = sub_path, .read_only = read_only};
}

TEST(PodVolumes, FilesAndEmptyOnesAreMade) {
    PodPeers pod;
    pod.volumes = {volume("conf", PodVolume::Kind::files), volume("cache", PodVolume::Kind::empty)};
    pod.volumes[0].files = {{.path = "a/b", .content = "text", .mode = 0600}};
    const PodVolumes plain = volumes_of(pod);
    ASSERT_EQ(plain.known.size(), 2U);
    EXPECT_EQ(plain.known[0].how, DataSource::made);
    EXPECT_EQ(plain.known[0].mode, 0755U);
    EXPECT_EQ(plain.known[0].made_files.at(0).mode, 0600U);
    EXPECT_EQ(plain.known[1].mode, 0777U);
    pod.fs_group = 33;
    const PodVolumes grouped = volumes_of(pod);
    EXPECT_EQ(grouped.known[0].made_files.at(0).gid, 33U);
    EXPECT_EQ(grouped.known[0].made_files.at(0).mode, 0640U);
    EXPECT_EQ(grouped.known[1].gid, 33U);
    EXPECT_EQ(grouped.known[1].mode, 02777U);
}

TEST(PodVolumes, DataThatOnlyReadersHaveAreTheRealOnes) {
    PodPeers pod;
    pod.volumes = {volume("host", PodVolume::Kind::data)};
    pod.mounts = {mount("host", true)};
    pod.containers.push_back(
        {.name = "side", .init = false, .after = true, .subject = {}, .mounts = {mount("host", true)}});
    EXPECT_TRUE(volumes_of(pod).mounts.at(0).read_only);
    EXPECT_TRUE(volumes_of(pod).known.empty());
    pod.containers[0].mounts[0].read_only = false;
    EXPECT_FALSE(volumes_of(pod).mounts.at(0).read_only);
}

TEST(PodVolumes, PartsAndTheGroupsDataAreCopied) {
    PodPeers pod;
    pod.volumes = {volume("parts", PodVolume::Kind::data), volume("claim", PodVolume::Kind::data),
                   volume("host", PodVolume::Kind::data)};
    pod.volumes[1].for_group = true;
    pod.mounts = {mount("parts", true, "sub"), mount("claim"), mount("host")};
    pod.fs_group = 7;
    const PodVolumes volumes = volumes_of(pod);
    ASSERT_EQ(volumes.known.size(), 2U);
    EXPECT_EQ(volumes.known[0].mount.target, "/parts");
    EXPECT_EQ(volumes.known[0].how, DataSource::copy);
    EXPECT_EQ(volumes.known[0].group, std::nullopt);
    EXPECT_FALSE(volumes.mounts[0].read_only);  // it is a copy, so nothing of the user's is at stake
    EXPECT_EQ(volumes.known[1].group, 7U);
}

TEST(Tar, GivesEverythingToAGroup) {
    const auto folders = tar_of_folders({{.path = "d", .uid = 1, .gid = 2, .mode = 0700}});
    const auto files = tar_of({{.name = "f", .uid = 1, .gid = 2, .mode = 0400, .content = "text"}});
    ASSERT_TRUE(folders && files);
    const auto folder = first_tar_entry(with_group(*folders, 33).value());
    const auto file = first_tar_entry(with_group(*files, 33).value());
    ASSERT_TRUE(folder && file);
    EXPECT_EQ(folder->entry.uid, 1U);
    EXPECT_EQ(folder->entry.gid, 33U);
    EXPECT_EQ(folder->entry.mode, 02770U);
    EXPECT_EQ(file->entry.gid, 33U);
    EXPECT_EQ(file->entry.mode, 0660U);
    EXPECT_THAT(with_group(*files, 33).value(), testing::HasSubstr("text"));
    EXPECT_FALSE(with_group("no tar at all", 33));
}

}  // namespace
}  // namespace rogate::campaign::test
