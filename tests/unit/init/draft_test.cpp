// What is begun for a container, as a person has looked at it (tests/golden/init_*.yaml).
#include "init/draft.hpp"

#include <gmock/gmock.h>

#include <algorithm>

#include "init/pages.hpp"
#include "unit/golden.hpp"

namespace rogate::init {
namespace {

using testing::HasSubstr;
using testing::Not;

Mount mount(const std::string& target, MountType type, const std::string& source = "",
            bool read_only = false) {
    Mount made;
    made.target = target;
    made.type = type;
    made.source = source;
    made.read_only = read_only;
    return made;
}

SystemContainer container(const std::string& name, std::vector<std::uint16_t> ports = {}) {
    SystemContainer made;
    made.name = name;
    made.subject.image = name + ":1";
    made.subject.origin.kind = Origin::Kind::compose;
    made.subject.origin.name = name;
    for (const std::uint16_t port : ports) made.subject.ports.push_back({port, "tcp"});
    return made;
}

Healthcheck healthcheck(std::vector<std::string> test) {
    Healthcheck made;
    made.test = std::move(test);
    return made;
}

System project(std::vector<SystemContainer> containers) {
    System made;
    made.name = "shop";
    made.kind = Origin::Kind::compose;
    made.files = {"compose.yaml"};
    made.containers = std::move(containers);
    return made;
}

Draft draft() {
    return {"/src", "rogate init .", {"compose.yaml"}, {}, {}};
}

std::string written(const System& system, const std::string& name, const Draft& with = draft()) {
    return text_of(system, **subject_of(system, name), with);
}

System shop() {
    SystemContainer db = container("db");
    db.restart = {"always", 0};
    SystemContainer job = container("job");
    job.ends = true;
    SystemContainer app = container("app", {8000, 5432});
    app.after = {{"job", Dependency::Condition::completed}};
    job.after = {{"db", Dependency::Condition::healthy}};
    app.subject.mounts = {mount("/srv/uploads", MountType::volume, "shop_uploads"),
                          mount("/etc/shop", MountType::bind, "/src/conf"),
                          mount("/in", MountType::bind, "/src/in", true)};
    app.subject.healthcheck = healthcheck({"CMD-SHELL", "curl -f 'http://localhost:8000/healthz' || exit 1"});
    SystemContainer web = container("web", {80});
    web.after = {{"app", Dependency::Condition::healthy}};
    return project({db, job, app, web, container("tool")});
}

TEST(Draft, LooksAsAPersonHasSeenIt) {
    test::expect_golden("init_app.yaml", written(shop(), "app"));
    test::expect_golden("init_job.yaml", written(shop(), "job"));
}

TEST(Draft, OfAPodNamesItsWorkload) {
    SystemContainer first = container("shop/first"), web = container("shop/web", {9999});
    for (SystemContainer* each : {&first, &web}) {
        each->pod = "Deployment/shop";
        each->subject.origin = {
            Origin::Kind::kubernetes, {"k.yaml"}, "Deployment/shop", each->name.substr(5)};
    }
    first.role = SystemContainer::Role::init;
    web.subject.mounts = {mount("/work", MountType::anonymous)};
    System system = project({first, web});
    system.kind = Origin::Kind::kubernetes;
    test::expect_golden("init_pod.yaml",
                        written(system, "Deployment/shop",
                                {"/src", "rogate init k8s", {"a.yaml", "b.yaml"}, {}, {"hostPID"}}));
}

TEST(Draft, OfARunningContainerNamesIt) {
    SystemContainer clone = container("shop-staging", {8080});
    clone.subject.origin.kind = Origin::Kind::container;
    const System system = project({clone});
    EXPECT_THAT(written(system, "shop-staging"), HasSubstr("\nsubject: {container: shop-staging}\n"));
}

TEST(Draft, FitsOnAScreenWhateverIsFound) {
    SystemContainer large = container("large", {1, 2, 3, 4, 80, 443, 8080, 8081, 9000});
    for (int i = 0; i < 40; ++i)
        large.subject.mounts.push_back(
            mount("/data/" + std::string(80, 'x') + std::to_string(i), MountType::volume, "v"));
    large.subject.healthcheck = healthcheck({"CMD", "true"});
    std::vector<SystemContainer> all;
    for (int i = 0; i < 30; ++i) {
        all.push_back(container("service-" + std::to_string(i)));
        large.after.push_back({"service-" + std::to_string(i)});
    }
    for (const Origin::Kind kind :
         {Origin::Kind::compose, Origin::Kind::kubernetes, Origin::Kind::container}) {
        large.subject.origin.kind = kind;
        large.pod = kind == Origin::Kind::kubernetes ? "Pod/large" : "";
        auto containers = all;
        containers.push_back(large);
        const std::string text =
            written(project(containers), "large", {"/src", "rogate init .", {"a", "b"}, {"p"}, {"devices"}});
        EXPECT_LE(std::ranges::count(text, '\n'), most_lines) << text;
    }
}

// A name that ends its comment would be a key of its own.
TEST(Draft, KeepsHostileNamesInTheirComments) {
    SystemContainer odd = container("odd\nsteps: [x]", {80});
    odd.subject.mounts = {mount("/a\ncandidates: [/]", MountType::bind, "/b")};
    const System system = project({odd, container("b\nname: c")});
    const std::string text =
        text_of(system, system.containers.front(), {"/src", "rogate init 'a\nb'", {"a, b].yaml"}, {}, {}});
    EXPECT_THAT(text, Not(HasSubstr("\ncandidates:")));
    EXPECT_THAT(text, Not(HasSubstr("\nsteps: [x]")));
    EXPECT_THAT(text, Not(HasSubstr("\nname: c")));
    EXPECT_THAT(text, HasSubstr("{file: 'a, b].yaml', service:"));
}

// It is the developer's, and may be called anything.
TEST(Draft, GuessesNothingFromWhereTheProjectLies) {
    SystemContainer app = container("app", {80});
    app.subject.mounts = {mount("/srv/x", MountType::bind, "/home/me/cache/x")};
    Draft here = draft();
    here.folder = "/home/me/cache";
    EXPECT_THAT(written(project({app}), "app", here), Not(HasSubstr("cache")));
    EXPECT_THAT(written(project({app}), "app"), HasSubstr("'cache' in the source"));
}

// What may have ended by then cannot be restarted, nor asked.
TEST(Draft, AsksNothingOfWhatMayHaveEnded) {
    const std::string text = written(shop(), "tool");
    EXPECT_THAT(text, HasSubstr("\n# steps:\n"));
    EXPECT_THAT(text, Not(HasSubstr("\nsteps:")));
    EXPECT_THAT(text, HasSubstr("Nothing in the files tells whether it goes on."));
}

TEST(Subject, IsTheOneAtTheFront) {
    EXPECT_EQ(subject_of(shop())->name, "web");  // the others serve it
    System refused = shop();
    refused.refused = {{"web", {"no"}}};
    EXPECT_EQ(subject_of(refused)->name, "app");
    EXPECT_EQ(subject_of(project({container("web", {8080}), container("db", {5432})}))->name, "web");
    EXPECT_EQ(subject_of(project({container("web", {7000}), container("worker")}))->name, "web");
    EXPECT_EQ(subject_of(project({container("a"), container("b")}))->name, "b");
    EXPECT_EQ(subject_of(System{}), nullptr);
}

TEST(Subject, OfManifestsIsOneThatAServiceLeadsTo) {
    SystemContainer shop = container("shop/web", {7000}), queue = container("queue/redis", {6379});
    shop.pod = "Deployment/shop";
    queue.pod = "Deployment/queue";
    System system = project({shop, queue});
    EXPECT_EQ(subject_of(system)->name, "queue/redis");
    SystemPod pod;
    pod.name = "Deployment/shop";
    pod.names = {"shop"};
    system.pods = {pod};
    EXPECT_EQ(subject_of(system)->name, "shop/web");
}

TEST(Subject, IsAskedForByName) {
    const auto none = subject_of(shop(), "wbe");
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().kind, ErrorKind::usage);
    EXPECT_THAT(none.error().message, HasSubstr("write one of: db, job, app, web, tool"));
    SystemContainer a = container("shop/a"), b = container("shop/b");
    a.pod = b.pod = "Deployment/shop";
    EXPECT_FALSE(subject_of(project({a, b}), "shop"));
    EXPECT_EQ((*subject_of(project({a, b}), "shop/b"))->name, "shop/b");
    a.role = SystemContainer::Role::init;
    EXPECT_EQ((*subject_of(project({a, b}), "shop"))->name, "shop/b");
}

TEST(Page, IsWhatAProbeOrAHealthCheckAsksFor) {
    const auto checked = [](const std::string& command, std::uint16_t port) {
        SystemContainer made = container("web");
        made.subject.healthcheck = healthcheck({"CMD-SHELL", command});
        return page_of(made, port);
    };
    using Path = std::optional<std::string>;
    EXPECT_EQ(checked("curl -f http://localhost:7000/up || exit 1", 7000), Path("/up"));
    EXPECT_EQ(checked("wget -q http://127.0.0.1/", 80), Path("/"));
    EXPECT_EQ(checked("curl -f http://localhost:7000/up", 7001), Path());
    EXPECT_EQ(checked("curl -f https://localhost:7000/up", 7000), Path());
    EXPECT_EQ(checked("curl http://localhost:7000/up?token=hunter22", 7000), Path("/"));
    EXPECT_EQ(checked("true", 8080), Path("/"));
    EXPECT_EQ(checked("true", 9000), Path());
    SystemContainer probed = container("web");
    Step probe;
    probe.action = HttpAction{"GET", 7000, "/ready", {}, {}, {}};
    probed.readiness.checks = {probe};
    EXPECT_EQ(page_of(probed, 7000), Path("/ready"));
}

}  // namespace
}  // namespace rogate::init
