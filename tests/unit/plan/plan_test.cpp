// What a plan says of a system, as a person has looked at it (tests/golden/plan.*).
#include "plan/plan.hpp"

#include <gmock/gmock.h>

#include "plan/render.hpp"
#include "unit/golden.hpp"

namespace rogate::plan {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

Mount mount(const std::string& target, MountType type, const std::string& source = "",
            bool read_only = false) {
    Mount made;
    made.target = target;
    made.type = type;
    made.source = source;
    made.read_only = read_only;
    made.declared = {"compose.yaml", 7, 9};
    return made;
}

SystemContainer container(const std::string& name, std::vector<Mount> mounts = {}) {
    SystemContainer made;
    made.name = name;
    made.subject.image = name + ":1";
    made.subject.origin.kind = Origin::Kind::compose;
    made.subject.origin.name = name;
    made.subject.mounts = std::move(mounts);
    made.readiness.derived = true;
    made.declared = {"compose.yaml", 3, 3};
    return made;
}

// As the loaders do it; they are in another room.
void add_data(System& system) {
    for (const SystemContainer& each : system.containers) {
        for (const Mount& at : each.subject.mounts) {
            SystemData data;
            data.kind = at.type == MountType::bind     ? SystemData::Kind::bind
                        : at.type == MountType::volume ? SystemData::Kind::volume
                        : at.type == MountType::tmpfs  ? SystemData::Kind::tmpfs
                                                       : SystemData::Kind::anonymous;
            data.source = at.source;
            data.places.push_back({each.name, at.target, {}, at.read_only, at.declared});
            system.data.push_back(std::move(data));
        }
        SystemData root;
        root.kind = SystemData::Kind::rootfs;
        root.places.push_back({each.name, "/", {}, false, {}});
        system.data.push_back(std::move(root));
    }
}

Scenario scenario(const SystemContainer& container) {
    Scenario made;
    made.name = container.name;
    made.subject = container.subject;
    return made;
}

struct Shop {
    System system;
    std::vector<Scenario> scenarios;
};

Shop shop() {
    Shop made;
    System& system = made.system;
    system.name = "shop";
    system.kind = Origin::Kind::compose;
    system.files = {"compose.yaml"};
    SystemContainer job = container("job", {mount("/in", MountType::bind, "/src/in", true)});
    job.ends = true;
    job.subject.command = {"sh", "-c",
                           "echo it's \x1b[2J; sleep 1; echo a line that is far too long to be shown whole"};
    SystemContainer web = container(
        "web", {mount("/data", MountType::volume, "shop_data"), mount("/conf", MountType::bind, "/src/conf"),
                mount("/anon", MountType::anonymous), mount("/run", MountType::tmpfs),
                mount("/var/run/docker.sock", MountType::bind, "/var/run/docker.sock")});
    web.subject.mounts[1].made_if_missing = true;
    web.after = {{"job", Dependency::Condition::completed}};
    web.subject.environment = {{"API_URL", "https://user:secret@api.example.com:8443/v1?token=x"},
                               {"PASSWORD", "hunter22"}};
    web.subject.extra_hosts = {"ldap:10.0.0.7"};
    web.subject.built = BuiltImage{"web", "shop_web", {"compose.yaml", 4, 5}};
    web.subject.built->build.shown = "./web";
    web.subject.built->build.context = "/src/web";
    web.subject.built->build.dockerfile = "Web.Dockerfile";
    web.subject.built->build.target = "app";
    web.subject.build_args = {{"TOKEN", "hunter22"}};
    web.subject.ports = {{80, "tcp"}};
    web.networks = {"front"};
    web.without_effect = {"logging"};
    web.restart = {"always", 0};
    Step check;
    check.name = "tcp 80";
    web.readiness.checks.push_back(check);
    system.containers = {job, web, container("gone")};
    system.networks = {{"front", "edge", true, false, {"compose.yaml", 30, 3}}};
    system.refused = {{"gone", {"compose.yaml:20:5: 'pid' of service 'gone' is not supported"}}};
    system.left_out = {{"debug", {"compose.yaml:25:3: service 'debug' is in the profiles x"}}};
    system.notes = {"variable 'A' is not set"};
    add_data(system);
    made.scenarios = {scenario(job), scenario(web)};
    return made;
}

Plan plan_of_shop() {
    Shop made = shop();
    return plan_of(std::move(made.system), made.scenarios);
}

TEST(Plan, LooksAsAPersonHasSeenIt) {
    const std::vector<Plan> plans{plan_of_shop()};
    test::expect_golden("plan.txt", render_table(plans));
    test::expect_golden("plan.json", render_json(plans));
}

TEST(Plan, TriesEveryWritableMountButTheRoot) {
    const Plan plan = plan_of_shop();
    ASSERT_EQ(plan.trials.size(), 2U);
    EXPECT_TRUE(plan.trials[0].candidates.empty());
    EXPECT_EQ(plan.trials[0].least_runs, 1);
    EXPECT_THAT(plan.trials[1].candidates,
                ElementsAre("/data", "/conf", "/anon", "/run", "/var/run/docker.sock"));
    EXPECT_EQ(plan.trials[1].least_runs, 2);
    EXPECT_EQ(plan.trials[1].runs_if_all_are_written, 7);
    for (const PlannedMount& each : plan.mounts) EXPECT_EQ(each.candidate, each.why_not.empty());
}

TEST(Plan, FollowsTheScenario) {
    Shop made = shop();
    Scenario& web = made.scenarios[1];
    web.candidates = {"/", "/data", "/volume-of-the-image"};
    web.data = DataMode::live;
    web.fixtures.push_back({.target = "/conf", .from = "/f", .mode = {}});
    web.states = {DataState::fresh, DataState::used};
    made.scenarios.erase(made.scenarios.begin());
    const Plan plan = plan_of(std::move(made.system), made.scenarios);
    ASSERT_EQ(plan.trials.size(), 1U);
    EXPECT_THAT(plan.trials[0].candidates,
                testing::UnorderedElementsAre("/data", "/", "/volume-of-the-image"));
    EXPECT_EQ(plan.trials[0].least_runs, 4);
    for (const PlannedMount& each : plan.mounts) {
        if (each.container == "job" && !each.read_only) {
            EXPECT_EQ(each.why_not, "its container is not under test");
        }
        if (each.container != "web") continue;
        if (each.target == "/data") {
            EXPECT_EQ(each.given, Given::live);
        }
        if (each.target == "/conf") {
            EXPECT_EQ(each.given, Given::fixture);
            EXPECT_EQ(each.why_not, "not among the candidates");
        }
    }
}

TEST(Plan, TellsWhichDataOfAPodAreCopied) {
    const struct {
        std::string sub_path;
        bool for_group, read_only;
        Given given;
    } rows[] = {{"", false, false, Given::overlay},
                {"part", false, true, Given::copy},
                {"", true, false, Given::copy},
                {"", true, true, Given::overlay}};
    for (const auto& row : rows) {
        System system;
        SystemContainer web = container("web", {mount("/d", MountType::bind, "/src", row.read_only)});
        web.pod = "Pod/p";
        web.pod_mounts = {{"/d", "v", row.sub_path, row.read_only}};
        SystemPod pod;
        pod.name = "Pod/p";
        pod.fs_group = 33;
        pod.volumes = {{.name = "v",
                        .kind = PodVolume::Kind::data,
                        .files = {},
                        .data = {},
                        .for_group = row.for_group}};
        system.containers = {web};
        system.pods = {pod};
        add_data(system);
        EXPECT_EQ(plan_of(system, {scenario(web)}).mounts.at(0).given, row.given)
            << row.sub_path << row.for_group;
    }
}

TEST(Plan, ShowsNoSecret) {
    Shop made = shop();
    made.system.containers[1].subject.command = {"serve", "--password=hunter22"};
    Plan plan = plan_of(std::move(made.system), made.scenarios);
    hide_secrets(plan, Masker({{"hunter22", SecretKind::secret}}));
    for (const std::string& text : {render_table({plan}), render_json({plan})}) {
        EXPECT_THAT(text, Not(HasSubstr("hunter22")));
        EXPECT_THAT(text, Not(HasSubstr("token=x")));
        EXPECT_THAT(text, HasSubstr("api.example.com:8443"));
    }
    EXPECT_THAT(render_json({plan}), HasSubstr("\"PASSWORD\""));  // a name is none
}

TEST(Plan, SaysWhatIsCutOff) {
    System system;
    system.name = "shop";
    system.containers = {container("web")};
    system.networks = {{.name = "front", .engine_name = "proxy", .external = true, .declared = {}}};
    Subject& web = system.containers[0].subject;
    web.environment = {{"API", "https://api.example.com/"}};
    web.extra_hosts = {"ldap:10.0.0.7"};
    Mount socket;
    socket.source = socket.target = "/run/docker.sock";
    web.mounts = {socket};
    const auto told = [&](bool offline) {
        std::map<std::string, bool> found;
        for (const Reach& each : plan_of(system, {}, offline).reach) found[each.what] = each.reached;
        return found;
    };
    using Told = std::map<std::string, bool>;
    EXPECT_EQ(told(false), (Told{{"proxy", false},
                                 {"api.example.com", true},
                                 {"ldap:10.0.0.7", true},
                                 {"/run/docker.sock", true}}));
    // A socket is a file.
    EXPECT_EQ(told(true), (Told{{"proxy", false},
                                {"api.example.com", false},
                                {"ldap:10.0.0.7", false},
                                {"/run/docker.sock", true}}));
    EXPECT_THAT(render_table({plan_of(system, {}, true)}),
                AllOf(HasSubstr("cut off"), HasSubstr("not joined"), HasSubstr("can be reached")));
}

TEST(Plan, TriesTheRootIfAsked) {
    System system;
    system.containers = {container("web")};
    SystemData root;
    root.kind = SystemData::Kind::rootfs;
    root.places = {{.container = "web", .target = "/", .sub_path = {}, .read_only = false, .declared = {}}};
    system.data = {root};
    Scenario scenario;
    scenario.subject = system.containers[0].subject;
    EXPECT_FALSE(plan_of(system, {scenario}).mounts.at(0).candidate);
    scenario.rootfs = true;
    EXPECT_EQ(plan_of(system, {scenario}).trials.at(0).candidates, (std::vector<std::string>{"/"}));
    scenario.candidates = std::vector<std::string>{};
    EXPECT_TRUE(plan_of(system, {scenario}).mounts.at(0).candidate);
}

std::vector<std::string> reached(const std::string& name, const std::string& value) {
    System system;
    system.containers = {container("web"), container("db")};
    system.containers[0].subject.environment = {{name, value}};
    system.containers[1].subject.aliases = {"db", "postgres.internal"};
    std::vector<std::string> found;
    for (const Reach& each : reach_of(system)) found.push_back(each.what);
    return found;
}

TEST(Reach, IsTheHostOfAnAddressAndNothingElseOfIt) {
    const struct {
        std::string name, value;
        std::vector<std::string> hosts;
    } rows[] = {
        {"X", "https://api.example.com/v1/secret", {"api.example.com"}},
        {"X", "postgres://user:p4ss@prod.db:5432/shop", {"prod.db:5432"}},
        {"X", "mongodb://u:p@a.example:1,b.example:2/x", {"a.example:1", "b.example:2"}},
        {"X", "amqp://mq:5672", {"mq:5672"}},
        {"X", "http://[2001:db8::1]:80/", {"2001:db8::1:80"}},
        {"X", "a https://one.example and \"http://two.example\"", {"one.example", "two.example"}},
        // A password that has a '/' must not be taken for a host and its port.
        {"X", "postgres://user:pa/ss@db.example/x", {}},
        {"X", "postgres://user:12/ss@db.example/x", {}},
        {"X", "https://medium.com/@someone", {"medium.com"}},
        {"X", "postgres://db:5432/shop", {}},
        {"X", "postgres://DB:5432/shop", {}},
        {"X", "postgres://postgres.internal/shop", {}},
        {"X", "http://localhost:80 http://127.0.0.1 http://[::1]/ http://0.0.0.0:9", {}},
        {"SMTP_HOST", "mail.example.org", {"mail.example.org"}},
        {"BROKERS",
         "k1.example.org:9092,k2.example.org:9092",
         {"k1.example.org:9092", "k2.example.org:9092"}},
        {"X", "10.1.2.3:53", {"10.1.2.3:53"}},
        {"VERSION", "1.2.3.4", {}},
        {"CONFIG", "app.conf", {}},
        {"X", "/etc/nginx.conf:ro", {}},
        {"MAIL_HOST_USER", "me@example.org", {}},
        {"X", "just words", {}},
        {"X", "", {}},
        {"X", "://", {}},
    };
    for (const auto& row : rows)
        EXPECT_EQ(reached(row.name, row.value), row.hosts) << row.name << "=" << row.value;
}

}  // namespace
}  // namespace rogate::plan
