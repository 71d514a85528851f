// The data plane over a fake engine: what the runs are given, and that the user's data stay as they are.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "campaign/data.hpp"
#include "support/session.hpp"

namespace rogate::campaign {
namespace {

using engine::MountSpec;
using test::FakeEngine;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

Mount bind(std::string source, std::string target, bool read_only = false) {
    Mount mount;
    mount.source = std::move(source);
    mount.target = std::move(target);
    mount.read_only = read_only;
    return mount;
}

class DataPlaneTest : public testing::Test {
  protected:
    DataPlaneTest() {
        session.fake.add_image("app:1", {});
        session.fake.disk.put("/srv/data", test::folder(0750, 33, 33));
        session.fake.disk.put("/srv/data/a", test::file("a"));
        session.fake.disk.put("/srv/data/sub/b", test::file("b"));
        EXPECT_TRUE(session.run(session.client.negotiate()));
    }

    void survey(std::vector<Mount> mounts) {
        mounts.push_back({.type = MountType::rootfs,
                          .source = {},
                          .target = "/",
                          .tmpfs_options = {},
                          .propagation = {},
                          .declared = {}});
        const auto surveyed = session.run(plane.survey(std::move(mounts)));
        ASSERT_TRUE(surveyed) << surveyed.error().message;
    }
    std::vector<MountSpec> prepare(int id = 1) {
        RunPlan plan;
        plan.id = id;
        auto specs = session.run(plane.prepare(plan));
        EXPECT_TRUE(specs) << specs.error().message;
        return specs.value_or(std::vector<MountSpec>());
    }
    const MountSpec& at(const std::vector<MountSpec>& specs, const std::string& target) {
        const auto found = std::ranges::find(specs, target, &MountSpec::target);
        EXPECT_NE(found, specs.end()) << target;
        return *found;
    }
    std::string overlay_options(const std::string& volume) {
        return session.fake.volumes.at(volume).options.at("o");
    }

    test::Session session;
    DataPlane plane{session.client, "s1", "app:1"};
};

TEST_F(DataPlaneTest, GivesAnOverlayWithTheOwnerAndModeOfTheRealFolder) {
    survey({bind("/srv/data", "/data")});
    const auto specs = prepare();
    ASSERT_EQ(specs.size(), 1U);
    EXPECT_EQ(specs[0].type, MountSpec::Type::volume);
    EXPECT_THAT(overlay_options(specs[0].source), HasSubstr("lowerdir=/srv/data,"));
    const test::Node* upper =
        session.fake.disk.find(FakeEngine::mountpoint("rogate-s1-scratch") + "/r1m0/upper");
    ASSERT_NE(upper, nullptr);
    EXPECT_EQ(upper->uid, 33U);
    EXPECT_EQ(upper->mode, 0750U);
    EXPECT_EQ(plane.mode(), "overlay");
}

TEST_F(DataPlaneTest, GivesMountsOfOneSourceOneLayer) {
    survey({bind("/srv/data", "/one"), bind("/srv/data", "/other"), bind("/srv/data/sub", "/part")});
    const auto specs = prepare();
    ASSERT_EQ(specs.size(), 3U);
    EXPECT_EQ(at(specs, "/one").source, at(specs, "/other").source);
    // A part of an overlay can be mounted only while something has the whole of it mounted.
    EXPECT_EQ(at(specs, "/part").source, FakeEngine::mountpoint(at(specs, "/one").source) + "/sub");
    EXPECT_NE(session.fake.find("rogate-s1-r1-held0"), nullptr);
    ASSERT_TRUE(session.run(plane.release(1)));
    EXPECT_EQ(session.fake.find("rogate-s1-r1-held0"), nullptr);
}

Mount volume(std::string name, std::string target) {
    Mount mount = bind(std::move(name), std::move(target));
    mount.type = MountType::volume;
    return mount;
}

test::Node unix_socket() {
    test::Node node = test::file("");
    node.kind = test::Node::Kind::socket;
    return node;
}

TEST_F(DataPlaneTest, TakesAVolumeThatIsAFolderForThatFolder) {
    session.fake.add_volume("bound");
    session.fake.volumes["bound"].options = {{"type", "none"}, {"o", "bind"}, {"device", "/srv/data"}};
    session.fake.disk.put("/srv/data/job", unix_socket());
    survey({volume("bound", "/one"), bind("/srv/data", "/other")});
    const auto specs = prepare();
    EXPECT_THAT(overlay_options(at(specs, "/one").source), HasSubstr("lowerdir=/srv/data,"));
    EXPECT_EQ(at(specs, "/one").source, at(specs, "/other").source);
    EXPECT_EQ(at(specs, "/one/job").source, "/srv/data/job");
    EXPECT_THAT(plane.bound_volumes(), ElementsAre(testing::Pair("bound", "/srv/data")));
}

TEST_F(DataPlaneTest, LeavesAVolumeReadOnlyThatItsOptionsMakeSo) {
    session.fake.add_volume("bound");
    session.fake.volumes["bound"].options = {{"type", "none"}, {"o", "bind,ro"}, {"device", "/srv/data"}};
    survey({volume("bound", "/one")});
    const auto specs = prepare();
    EXPECT_TRUE(at(specs, "/one").read_only);
    EXPECT_EQ(at(specs, "/one").source, "bound");
}

// Its mount point has something only while a container has it.
TEST_F(DataPlaneTest, LacksTheSocketsOfAVolumeThatIsMountedOnUse) {
    session.fake.add_volume("kept");
    session.fake.volumes["kept"].options = {{"type", "ext4"}, {"device", "/dev/sdb1"}};
    session.fake.disk.put(FakeEngine::mountpoint("kept") + "/job", unix_socket());
    survey({volume("kept", "/one")});
    ASSERT_EQ(plane.mounts()[0].lacks.size(), 1U);
    EXPECT_THAT(plane.mounts()[0].lacks[0].what,
                HasSubstr("job is in use, on a volume that the engine mounts"));
    EXPECT_EQ(prepare().size(), 1U);
}

TEST_F(DataPlaneTest, NeverCopiesAKernelFileSystem) {
    session.fake.disk.put("/sys/fs/cgroup/cpu.max", test::file("max"));
    session.fake.host_mounts["/sys/fs/cgroup"] = {.type = "cgroup2", .device = "0:26"};
    plane.use(DataMode::copy);
    survey({bind("/sys/fs/cgroup", "/cgroup"), bind("/srv/data", "/data")});
    const auto specs = prepare();
    EXPECT_EQ(at(specs, "/cgroup").type, MountSpec::Type::bind);
    EXPECT_EQ(at(specs, "/cgroup").source, "/sys/fs/cgroup");
    EXPECT_NE(at(specs, "/data").source, "/srv/data");
}

TEST_F(DataPlaneTest, TakesFewerOptionsWhereTheEngineRefusesThem) {
    session.fake.overlay_options = {"redirect_dir"};
    survey({bind("/srv/data", "/data")});
    EXPECT_THAT(overlay_options(prepare()[0].source), HasSubstr(",redirect_dir=on"));
    EXPECT_THAT(overlay_options(prepare()[0].source), Not(HasSubstr("index")));
}

TEST_F(DataPlaneTest, DoesWithoutRedirectDirAndCopiesOnceThatIsMissed) {
    session.fake.overlay_options = {};
    survey({bind("/srv/data", "/data")});
    const auto specs = prepare();
    EXPECT_THAT(overlay_options(specs[0].source), Not(HasSubstr("redirect_dir")));
    RunRecord control;
    EXPECT_FALSE(plane.learn_from(control));
    Attempt rename;
    rename.operation = "rename";
    rename.path = "/data/sub";
    rename.error = EXDEV;
    control.attempts = {rename};
    EXPECT_TRUE(plane.learn_from(control));
    EXPECT_THAT(plane.notes(), ElementsAre(HasSubstr("an overlay does not rename folders")));
    EXPECT_EQ(prepare(2)[0].type, MountSpec::Type::bind);
    EXPECT_EQ(plane.mode(), "copy");
}

TEST_F(DataPlaneTest, CopiesWhereTheEngineMountsNoOverlay) {
    session.fake.mounts_overlays = false;
    survey({bind("/srv/data", "/data")});
    const auto specs = prepare();
    ASSERT_EQ(specs[0].type, MountSpec::Type::bind);
    const test::Node* copy = session.fake.disk.find(specs[0].source + "/sub/b");
    ASSERT_NE(copy, nullptr);
    EXPECT_EQ(copy->content, "b");
}

TEST_F(DataPlaneTest, GivesTheSocketThatSomebodyElseServesUntilTheSubjectMakesItsOwn) {
    session.fake.disk.put("/srv/data/app.sock", {.kind = test::Node::Kind::socket});
    survey({bind("/srv/data", "/data")});
    const auto specs = prepare();
    EXPECT_EQ(at(specs, "/data/app.sock").source, "/srv/data/app.sock");
    EXPECT_TRUE(at(specs, "/data/app.sock").read_only);
    RunRecord control;
    Attempt unlink;
    unlink.operation = "unlink";
    unlink.path = "/data/app.sock";
    unlink.error = EBUSY;
    control.attempts = {unlink};
    EXPECT_TRUE(plane.learn_from(control));
    EXPECT_EQ(prepare(2).size(), 1U);
}

TEST_F(DataPlaneTest, LetsTheEngineFillAnEmptyVolumeThatWouldBeCopied) {
    session.fake.add_volume("empty");
    session.fake.add_volume("full");
    session.fake.disk.put(FakeEngine::mountpoint("full") + "/file", test::file("text"));
    Mount empty = bind("empty", "/empty"), full = bind("full", "/full"), kept = bind("empty", "/kept");
    empty.type = full.type = kept.type = MountType::volume;
    kept.no_copy = true;
    plane.use(DataMode::copy);
    survey({empty, full});
    const auto specs = prepare();
    EXPECT_EQ(at(specs, "/empty").type, MountSpec::Type::volume);
    EXPECT_FALSE(at(specs, "/empty").no_copy);
    EXPECT_NE(at(specs, "/empty").source, "empty");
    EXPECT_EQ(at(specs, "/full").type, MountSpec::Type::bind);
    DataPlane another(session.client, "s1", "app:1", "other-");
    another.use(DataMode::copy);
    ASSERT_TRUE(session.run(another.survey({kept})));
    RunPlan plan;
    const auto others = session.run(another.prepare(plan));
    ASSERT_TRUE(others) << others.error().message;
    EXPECT_EQ(at(*others, "/kept").type, MountSpec::Type::bind);
}

TEST_F(DataPlaneTest, DoubtsASourceThatWasSearchedInPart) {
    session.fake.host_mounts["/srv/data"].searched_in_part = true;
    session.fake.disk.put("/srv/other/file", test::file("text"));
    survey({bind("/srv/data", "/data"), bind("/srv/other", "/other"), bind("/srv/data", "/view", true)});
    const auto lacks = [&](const std::string& target) {
        return std::ranges::find(plane.mounts(), target,
                                 [](const DataMount& each) { return each.mount.target; })
            ->lacks.size();
    };
    EXPECT_EQ(lacks("/data"), 1U);
    EXPECT_EQ(lacks("/other"), 0U);
    EXPECT_EQ(lacks("/view"), 0U);  // it is that of /data
}

TEST_F(DataPlaneTest, DoubtsTwoNamesOfOneFileInTwoSources) {
    test::Node linked = test::file("text");
    linked.linked = "1";
    session.fake.disk.put("/srv/data/one", linked);
    session.fake.disk.put("/srv/data/sub/also", linked);
    session.fake.disk.put("/srv/other/two", linked);
    survey({bind("/srv/data", "/data"), bind("/srv/data/sub", "/part"), bind("/srv/other", "/other", true)});
    const auto at = [&](const std::string& target) {
        return std::ranges::find(plane.mounts(), target,
                                 [](const DataMount& each) { return each.mount.target; });
    };
    ASSERT_EQ(at("/data")->lacks.size(), 1U);
    EXPECT_THAT(at("/data")->lacks[0].what, HasSubstr("/data/one and /other/two are one file"));
    EXPECT_EQ(at("/other")->lacks.size(), 1U);
    EXPECT_TRUE(at("/part")->lacks.empty());  // a part of the data of /data
}

TEST_F(DataPlaneTest, DoubtsNoSourceThatTheRunsHaveAsItIs) {
    session.fake.host_mounts["/srv/data"].searched_in_part = true;
    survey({bind("/srv/data", "/data", true)});
    EXPECT_TRUE(plane.mounts().front().lacks.empty());
}

TEST_F(DataPlaneTest, MakesTheMountPointsThatTheEngineCannotMakeBelowAReadOnlyMount) {
    survey({bind("/srv/data", "/data"), bind("/srv/data/sub", "/data/inner")});
    RunPlan plan;
    plan.read_only = {"/data"};
    ASSERT_TRUE(session.run(plane.prepare(plan)));
    const std::string layer = FakeEngine::mountpoint("rogate-s1-scratch") + "/r1m0/upper";
    EXPECT_NE(session.fake.disk.find(layer + "/inner"), nullptr);
    EXPECT_EQ(session.fake.disk.find("/srv/data/inner"), nullptr);
}

TEST_F(DataPlaneTest, NamesTheSourceThatDoesNotExist) {
    const auto surveyed = session.run(plane.survey({bind("/srv/none", "/data")}));
    ASSERT_FALSE(surveyed);
    EXPECT_EQ(surveyed.error().kind, ErrorKind::usage);
    EXPECT_THAT(surveyed.error().message, HasSubstr("/srv/none"));
}

TEST_F(DataPlaneTest, GivesAPartOfAVolumeAsTheDirectoryThatItIs) {
    session.fake.add_volume("shop");
    session.fake.disk.put(FakeEngine::mountpoint("shop") + "/eu/db/file", test::file("text"));
    Mount part = bind("shop", "/data");
    part.type = MountType::volume;
    part.sub_path = "eu/db";
    survey({part});
    const auto specs = prepare();
    ASSERT_EQ(specs.size(), 1U);
    EXPECT_THAT(overlay_options(specs[0].source),
                HasSubstr("lowerdir=" + FakeEngine::mountpoint("shop") + "/eu/db,"));
}

TEST_F(DataPlaneTest, NamesThePartOfAVolumeThatNoEngineWouldMount) {
    session.fake.add_volume("shop");
    session.fake.disk.put(FakeEngine::mountpoint("shop") + "/eu/file", test::file("text"));
    test::Node link = test::file("/etc");
    link.kind = test::Node::Kind::link;
    session.fake.disk.put(FakeEngine::mountpoint("shop") + "/link", link);
    Mount part = bind("shop", "/data");
    part.type = MountType::volume;
    part.declared = {.file = "compose.yaml", .line = 7, .column = 9};
    const auto refused = [&](const std::string& volume, const std::string& sub_path) {
        part.source = volume;
        part.sub_path = sub_path;
        DataPlane another(session.client, "s1", "app:1", sub_path);
        const auto surveyed = session.run(another.survey({part}));
        EXPECT_FALSE(surveyed);
        EXPECT_EQ(surveyed.error().kind, ErrorKind::usage);
        return surveyed.error().message;
    };
    EXPECT_THAT(refused("shop", "eu/db"),
                testing::StartsWith("compose.yaml:7:9: the directory eu/db of the volume shop"));
    EXPECT_THAT(refused("shop", "eu/db"), HasSubstr("is not there"));
    EXPECT_THAT(refused("shop", "link/ssl"), HasSubstr("a symbolic link (link)"));
    EXPECT_THAT(refused("none", "eu"), HasSubstr("there is no such volume"));
}

TEST_F(DataPlaneTest, TakesAnAccountThatBrokeOffForNone) {
    session.fake.fault = [](int, const test::Call& call) -> std::optional<test::Fault> {
        if (call.path.ends_with("/start")) return test::Fault::refused;
        return std::nullopt;
    };
    const auto surveyed = session.run(plane.survey({bind("/srv/data", "/data")}));
    ASSERT_FALSE(surveyed);
    EXPECT_THAT(surveyed.error().message, HasSubstr("engine: POST /containers/"));
    EXPECT_EQ(session.fake.open_wires(), 0U);
}

}  // namespace
}  // namespace rogate::campaign
