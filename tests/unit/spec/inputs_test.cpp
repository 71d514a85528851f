// What stands behind a PATH, and the system that it makes.
#include "spec/inputs.hpp"

#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "spec/system.hpp"
#include "unit/spec/support.hpp"

namespace rogate::spec::test {
namespace {

namespace fs = std::filesystem;

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

using Role = SystemContainer::Role;

// A folder with these files, removed in the end.
class Folder {
  public:
    Folder(std::initializer_list<std::pair<std::string, std::string>> files) {
        static int number = 0;
        path_ = fs::path(testing::TempDir()) / fmt_name(number++);
        fs::create_directories(path_);
        for (const auto& [name, text] : files) {
            fs::create_directories((path_ / name).parent_path());
            std::ofstream(path_ / name) << text;
        }
    }
    ~Folder() { fs::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    std::string path(const std::string& name = "") const { return name.empty() ? path_ : path_ / name; }

  private:
    static std::string fmt_name(int number) {
        return "rogate-inputs-" + std::to_string(::getpid()) + "-" + std::to_string(number);
    }
    fs::path path_;
};

Result<Input> load(const std::string& path, const ComposeOptions& options = {},
                   std::vector<std::string> without = {}) {
    Surroundings around;
    around.environment = [](const std::string&) -> std::optional<std::string> { return std::nullopt; };
    around.without = std::move(without);
    auto inputs = load_inputs({path}, around, options);
    if (inputs.size() == 1) return std::move(inputs.front());
    return fail(ErrorKind::internal, "not one input but " + std::to_string(inputs.size()));
}

Input good_input(const std::string& path, const ComposeOptions& options = {}) {
    auto input = load(path, options);
    if (input) return std::move(*input);
    ADD_FAILURE() << input.error().message;
    return {};
}

Input project(const std::string& text, const ComposeOptions& options = {}) {
    const Folder folder({{"shop/compose.yaml", text}});
    return good_input(folder.path("shop"), options);
}

Input manifests(const std::string& text, const ComposeOptions& options = {}) {
    const Folder folder({{"all.yaml", text}});
    return good_input(folder.path("all.yaml"), options);
}

template <class Range>
std::vector<std::string> names(const Range& range) {
    std::vector<std::string> all;
    for (const auto& each : range) all.push_back(each.name);
    return all;
}

const std::string workload =
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: shop}\nspec: {template: {spec: {containers: "
    "[{name: web, image: a}]}}}\n";

TEST(Inputs, AreToldApartByTheirContent) {
    const std::pair<std::string, InputKind> rows[] = {
        {"subject: {image: a}", InputKind::scenario},
        {"subject: {image: a}\n---\nname: b", InputKind::scenario},
        {"scenarios: [{subject: {image: a}}]", InputKind::scenario},
        {"services: {a: {image: a}}", InputKind::compose},
        {"include: [a.yaml]", InputKind::compose},
        {"x-a: &a {image: b}\nservices: {a: !reset null}", InputKind::compose},
        {R"({"services": {"a": {"image": "b"}}})", InputKind::compose},
        {workload, InputKind::manifests},
        {"# Source: chart/templates/x.yaml\n---\n# nothing\n---\n" + workload, InputKind::manifests},
        {R"({"kind": "List", "apiVersion": "v1", "items": []})", InputKind::manifests},
        {"services: {a: {image: a}\n  kind: no", InputKind::compose},  // and no YAML
        {"apiVersion: v1\nkind: Pod\n  broken", InputKind::manifests},
        {"services: {a: {image: a, labels: {kind: x, apiVersion: y}}}", InputKind::compose},
        {"", InputKind::scenario},
        {"hello", InputKind::scenario},
        {"- a\n- b", InputKind::scenario},
    };
    for (const auto& [text, kind] : rows) EXPECT_EQ(kind_of(text), kind) << text;
}

TEST(Inputs, OfAFolderWithBothNamesBoth) {
    const Folder folder({{"docker-compose.yml", "services: {a: {image: a}}"}, {"deploy.yaml", workload}});
    const auto both = load(folder.path());
    ASSERT_FALSE(both);
    EXPECT_EQ(both.error().kind, ErrorKind::usage);
    EXPECT_THAT(both.error().message,
                AllOf(HasSubstr(folder.path("docker-compose.yml")), HasSubstr(folder.path("deploy.yaml"))));
    EXPECT_EQ(good_input(folder.path("docker-compose.yml")).system.kind, Origin::Kind::compose);
    EXPECT_EQ(good_input(folder.path("deploy.yaml")).system.kind, Origin::Kind::kubernetes);
    // A chart beside a Compose file is a choice as well.
    const Folder chart({{"compose.yaml", "services: {a: {image: a}}"}, {"Chart.yaml", "name: c"}});
    EXPECT_THAT(load(chart.path()).error().message, HasSubstr("helm template " + chart.path()));
}

TEST(Inputs, OfFoldersThatHaveToBeRenderedOrHaveNothing) {
    const Folder kustomized({{"kustomization.yaml", "resources: [a.yaml]"}, {"a.yaml", workload}});
    EXPECT_THAT(load(kustomized.path()).error().message,
                HasSubstr("run: kustomize build " + kustomized.path() + " | rogate run -"));
    const Folder below({{"k8s/a.yaml", workload}, {"notes.txt", "kind: apiVersion"}});
    EXPECT_THAT(load(below.path()).error().message, HasSubstr("folders below it are not looked into"));
    EXPECT_THAT(load(below.path("none")).error().message,
                HasSubstr("name a scenario, a Compose file or a manifest"));
}

TEST(Inputs, OfAFolderOfManifestsAreOneSystem) {
    const Folder folder(
        {{"a.yaml", workload},
         {"b.yml", "apiVersion: v1\nkind: Service\nmetadata: {name: front}\nspec: {selector: {x: y}}\n"},
         {"values.yaml", "replicas: 3"}});
    const Input input = good_input(folder.path());
    EXPECT_THAT(input.system.files, ElementsAre(folder.path("a.yaml"), folder.path("b.yml")));
    EXPECT_THAT(names(input.scenarios), ElementsAre("shop.web"));
    EXPECT_THAT(input.system.notes,
                ElementsAre("passed over: " + folder.path("values.yaml") + ": it is no manifest"));
    // Files that are named together are one, too.
    const Folder apart({{"a.yaml", workload},
                        {"c/b.yaml",
                         "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n"
                         "spec: {containers: [{name: c, image: i}]}\n"}});
    const auto both = load_inputs({apart.path("a.yaml"), apart.path("c")});
    ASSERT_EQ(both.size(), 1U);
    EXPECT_THAT(names(both.front()->scenarios), ElementsAre("shop.web", "p.c"));
}

TEST(Inputs, OfTheStandardInput) {
    const auto piped = [](const std::string& text) {
        std::istringstream in(text);
        std::streambuf* before = std::cin.rdbuf(in.rdbuf());
        auto input = load("-");
        std::cin.rdbuf(before);
        std::cin.clear();
        return input;
    };
    const auto of_manifests = piped(workload);
    ASSERT_TRUE(of_manifests) << of_manifests.error().message;
    EXPECT_EQ(of_manifests->system.kind, Origin::Kind::kubernetes);
    EXPECT_EQ(of_manifests->scenarios.at(0).subject.origin.files, std::vector<std::string>{"<stdin>"});
    const auto of_compose = piped("name: x\nservices: {a: {image: a}, b: {image: a}}");
    ASSERT_TRUE(of_compose) << of_compose.error().message;
    EXPECT_THAT(names(of_compose->scenarios), ElementsAre("a", "b"));
    const auto of_scenario = piped("subject: {image: a}");
    ASSERT_TRUE(of_scenario) << of_scenario.error().message;
    EXPECT_FALSE(of_scenario->own_exercise);
    EXPECT_THAT(check_runnable(piped("services: {a: {image: a, imag: a}}")->system).error().message,
                HasSubstr("<stdin>:1:26: unknown key"));
}

TEST(Inputs, OfAProjectAreAllItsServices) {
    const std::string text =
        "services:\n  web: {image: w, depends_on: [app]}\n  app: {image: a, depends_on: {job: {condition: "
        "service_completed_successfully}}}\n  job: {image: j}\n  mail: {image: m, profiles: [debug]}\n";
    const Input all = project(text);
    EXPECT_EQ(all.system.name, "shop");
    EXPECT_THAT(names(all.system.containers), ElementsAre("job", "app", "web"));
    EXPECT_THAT(names(all.scenarios), ElementsAre("job", "app", "web"));
    EXPECT_TRUE(all.system.containers[0].ends);
    EXPECT_FALSE(all.system.containers[1].ends);
    EXPECT_THAT(names(all.scenarios[1].companions), ElementsAre("job"));
    ASSERT_EQ(all.system.left_out.size(), 1U);
    EXPECT_THAT(all.system.left_out[0].why,
                ElementsAre(AllOf(HasSubstr("compose.yaml:5:3: "), HasSubstr("profiles debug"))));
    EXPECT_THAT(names(project(text, {{}, {"debug"}}).scenarios), ElementsAre("job", "app", "web", "mail"));
    EXPECT_THAT(names(project(text, {{"app"}, {}}).scenarios), ElementsAre("app"));
    EXPECT_THAT(names(project(text, {{"app"}, {}}).system.containers), ElementsAre("job", "app"));
    EXPECT_THAT(names(project(text, {{"mail", "web"}, {}}).scenarios), ElementsAre("mail", "web"));
}

TEST(Inputs, OfAProjectAreSettledTogether) {
    const std::string text =
        "services:\n"
        "  web: {image: w, depends_on: [app], restart: always, stop_grace_period: 3s}\n"
        "  app: {image: a, expose: [80], depends_on: {db: {condition: service_healthy}}}\n"
        "  db: {image: d, volumes: [data:/data]}\nvolumes: {data: }\n";
    const Input all = project(text);
    ASSERT_TRUE(all.together);
    std::vector<std::string> names;
    for (const Member& each : all.together->members) names.push_back(each.name);
    EXPECT_THAT(names, ElementsAre("db", "app", "web"));
    const Member &app = all.together->members[1], &web = all.together->members[2];
    EXPECT_EQ(web.restart.name, "always");
    EXPECT_EQ(web.grace_ms, 3000);
    EXPECT_EQ(app.after.front().condition, Dependency::Condition::healthy);
    EXPECT_EQ(app.subject.ports.front().container, 80);
    EXPECT_TRUE(app.readiness.derived);
    EXPECT_TRUE(app.tried);
    EXPECT_TRUE(web.goes_on);
    EXPECT_FALSE(app.goes_on);
    EXPECT_FALSE(app.ends);
    EXPECT_TRUE(all.together->self_made);
    // What is not asked for is there, and is not tried.
    const Input two = project(text, {{"web", "app"}, {}});
    ASSERT_TRUE(two.together);
    ASSERT_EQ(two.together->members.size(), 3U);
    EXPECT_FALSE(two.together->members[0].tried);
    EXPECT_TRUE(two.together->members[1].tried);
    EXPECT_FALSE(project(text, {{"web"}, {}}).together) << "one has what it needs beside it";
}

TEST(Inputs, OfManifestsAreSettledTogether) {
    const char* text =
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: shop}\n"
        "spec: {template: {spec: {initContainers: [\n"
        "  {name: first, image: i, volumeMounts: [{name: work, mountPath: /w}, {name: host, mountPath: "
        "/h}]},\n"
        "  {name: proxy, image: i, restartPolicy: Always, startupProbe: {tcpSocket: {port: 81}}}], "
        "containers: [\n"
        "  {name: web, image: i, ports: [{containerPort: 80}], volumeMounts: [{name: work, mountPath: /w, "
        "readOnly: true}],\n"
        "   lifecycle: {preStop: {exec: {command: [stop]}}, postStart: {exec: {command: [go]}}}},\n"
        "  {name: log, image: i, volumeMounts: [{name: data, mountPath: /d, subPath: a}]}],\n"
        "  volumes: [{name: work, emptyDir: {}}, {name: host, hostPath: {path: /srv}},\n"
        "    {name: data, persistentVolumeClaim: {claimName: mine}}]}}}\n---\n"
        "{apiVersion: batch/v1, kind: Job, metadata: {name: job}, spec: {template: {spec: {containers: [\n"
        "  {name: run, image: i}]}}}}\n";
    const Input all = manifests(text);
    ASSERT_TRUE(all.together);
    const Scenario& together = *all.together;
    std::vector<std::string> names;
    for (const Member& each : together.members) names.push_back(each.name);
    ASSERT_THAT(names, ElementsAre("shop/first", "shop/proxy", "shop/web", "shop/log", "job/run"));
    const Member &first = together.members[0], &proxy = together.members[1], &web = together.members[2];
    EXPECT_TRUE(first.ends);
    EXPECT_TRUE(all.pods.find("shop/first")->init);
    EXPECT_TRUE(first.after.empty());
    EXPECT_TRUE(first.subject.mounts[1].made_if_missing);
    EXPECT_FALSE(proxy.ends || all.pods.find("shop/proxy")->init);
    EXPECT_TRUE(all.pods.find("shop/proxy")->started_up);
    EXPECT_EQ(proxy.subject.ports.front().container, 81);
    ASSERT_EQ(web.after.size(), 2U);
    EXPECT_EQ(web.after[0], (Dependency{"shop/first", Dependency::Condition::completed}));
    EXPECT_EQ(web.after[1], (Dependency{"shop/proxy", Dependency::Condition::started}));
    EXPECT_EQ(web.subject.ports.size(), 1U) << "its own";
    EXPECT_EQ(all.pods.find("shop/web")->pod, "Deployment/shop");
    EXPECT_TRUE(all.pods.find("shop/web")->mounts.front().read_only);
    EXPECT_EQ(together.members[3].after, web.after) << "none of the containers waits for another one";
    EXPECT_TRUE(together.members[4].ends);
    EXPECT_TRUE(together.members[4].after.empty());
    std::vector<std::string> steps;
    for (const Step& each : together.steps) steps.push_back(each.name);
    EXPECT_THAT(steps, ElementsAre("postStart hook of shop/web", "preStop hook of shop/web"));
    EXPECT_EQ(together.steps.front().container, "shop/web");
    ASSERT_EQ(all.pods.pods.size(), 2U);
    EXPECT_EQ(all.pods.pods.front().claims.at("data"), "mine");
    // What is asked for is tried; the rest of its pod is there.
    const Input two = manifests(text, {{"shop/web", "shop/log"}, {}});
    ASSERT_TRUE(two.together);
    EXPECT_EQ(two.together->members.size(), 4U);
    EXPECT_EQ(two.pods.pods.size(), 1U);
    EXPECT_FALSE(two.together->members[0].tried);
    EXPECT_TRUE(two.together->members[2].tried);
}

// A kubelet makes the folder in the user's own data.
TEST(Inputs, WithPartsOfAHostPathAreSettledApart) {
    const Input input = manifests(
        "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: a, image: i},\n"
        "  {name: b, image: i, volumeMounts: [{name: h, mountPath: /h, subPath: x}]}], volumes: [{name: h, "
        "hostPath: {path: /srv}}]}}\n");
    EXPECT_FALSE(input.together);
    EXPECT_THAT(input.system.notes,
                Contains(HasSubstr("container 'p/b' has a part of the volume 'h' mounted on /h, so that "
                                   "each container is settled by a campaign of its own")));
}

TEST(Inputs, SayWhichServiceIsRefused) {
    const Folder folder(
        {{"compose.yaml",
          "services:\n  a: {image: x, depends_on: [b]}\n  b: {image: x, pid: host}\n  c: {image: x}\n"}});
    const Input input = good_input(folder.path());
    ASSERT_EQ(input.system.refused.size(), 1U);
    EXPECT_EQ(input.system.refused[0].container, "b");
    EXPECT_THAT(names(input.scenarios), ElementsAre("c"));  // 'a' needs it
    const auto runnable = check_runnable(input.system);
    ASSERT_FALSE(runnable);
    EXPECT_EQ(runnable.error().kind, ErrorKind::usage);
    EXPECT_THAT(runnable.error().message, AllOf(HasSubstr("compose.yaml:3:17: 'pid' of service 'b'")));
    EXPECT_TRUE(check_runnable(good_input(folder.path(), {{"c"}, {}}).system));
    EXPECT_TRUE(check_runnable(load(folder.path(), {}, {"pid"})->system));
    // What is wrong with the file as a whole is an error at once.
    const Folder broken({{"compose.yaml", "servics: {}\nservices: {a: {image: x, pid: host}}\n"}});
    EXPECT_THAT(load(broken.path()).error().message, HasSubstr("unknown key 'servics'"));
    EXPECT_THAT(load(folder.path(), {{"d"}, {}}).error().message,
                HasSubstr("the project has no service 'd'"));
}

TEST(Inputs, OfTwoProjectsAreNamedApart) {
    const Folder folder({{"a/compose.yaml", "services: {web: {image: x}}"},
                         {"b/compose.yaml", "services: {web: {image: x}, db: {image: y}}"}});
    const auto inputs = load_inputs({folder.path("a"), folder.path("b")});
    ASSERT_EQ(inputs.size(), 2U);
    EXPECT_THAT(names(inputs[0]->scenarios), ElementsAre("a.web"));
    EXPECT_THAT(names(inputs[1]->scenarios), ElementsAre("b.web", "db"));
}

const std::string pod =
    "apiVersion: v1\nkind: Pod\nmetadata: {name: shop, labels: {app: shop}}\nspec:\n"
    "  initContainers:\n"
    "  - {name: first, image: f, volumeMounts: [{name: work, mountPath: /work}]}\n"
    "  - {name: proxy, image: p, restartPolicy: Always, readinessProbe: {tcpSocket: {port: 90}}}\n"
    "  containers:\n"
    "  - name: web\n    image: w\n    ports: [{containerPort: 80}]\n"
    "    readinessProbe: {httpGet: {port: 80, path: /}}\n"
    "    livenessProbe: {exec: {command: [\"true\"]}}\n"
    "    lifecycle: {preStop: {exec: {command: [stop]}}}\n"
    "    volumeMounts: [{name: work, mountPath: /srv, subPath: a}, {name: conf, mountPath: /etc/c}]\n"
    "  - {name: helper, image: h, volumeMounts: [{name: work, mountPath: /in, readOnly: true}]}\n"
    "  volumes:\n  - {name: work, emptyDir: {}}\n  - {name: conf, configMap: {name: conf}}\n"
    "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {a: b}\n"
    "---\napiVersion: v1\nkind: Service\nmetadata: {name: front}\nspec: {selector: {app: shop}}\n"
    "---\napiVersion: v1\nkind: Service\nmetadata: {name: other}\nspec: {selector: {app: other}}\n";

// The runs' names lead to the pod, whose port is another.
TEST(Inputs, SayWhichPortsOfServicesDoNotAnswer) {
    const auto input = [](const std::string& spec) {
        return manifests(
            "apiVersion: v1\nkind: Pod\nmetadata: {name: shop, labels: {app: shop}}\nspec: {containers: "
            "[{name: "
            "web, image: w, ports: [{name: http, containerPort: 8080}]}, {name: log, image: l}]}\n---\n"
            "apiVersion: v1\nkind: Service\nmetadata: {name: front}\nspec: {selector: {app: shop}, " +
            spec + "}\n");
    };
    const Input led = input("ports: [{port: 80, targetPort: http}, {port: 81, targetPort: 8081}]");
    ASSERT_EQ(led.system.unlike_cluster.size(), 2U);
    EXPECT_THAT(
        led.system.unlike_cluster[0],
        AllOf(HasSubstr("in a cluster, Service 'front' leads its port '80' to port '8080' of Pod/shop"),
              HasSubstr("what asks front:80 comes to port 80 of the pod")));
    EXPECT_THAT(led.system.unlike_cluster[1], HasSubstr("its port '81' to port '8081'"));
    EXPECT_THAT(led.system.notes, Contains(led.system.unlike_cluster[0]));
    EXPECT_EQ(led.together->unlike_cluster, led.system.unlike_cluster);
    EXPECT_EQ(led.scenarios.front().unlike_cluster, led.system.unlike_cluster);
    EXPECT_THAT(input("ports: [{port: 80, targetPort: nope}]").system.unlike_cluster,
                ElementsAre(HasSubstr("to a port named 'nope', which is none of Pod/shop")));
    for (const char* same : {"ports: [{port: 8080}]", "ports: [{port: 8080, targetPort: 8080}]",
                             "ports: [{port: 8080, targetPort: http}]",
                             "clusterIP: None, ports: [{port: 80, targetPort: 8080}]"})
        EXPECT_THAT(input(same).system.unlike_cluster, IsEmpty()) << same;
}

TEST(Inputs, OfAPodAreAllItsContainers) {
    const Input input = manifests(pod);
    EXPECT_THAT(names(input.system.containers),
                ElementsAre("shop/first", "shop/proxy", "shop/web", "shop/helper"));
    EXPECT_EQ(input.system.containers[0].role, Role::init);
    EXPECT_EQ(input.system.containers[1].role, Role::sidecar);
    EXPECT_TRUE(input.system.containers[0].ends);
    EXPECT_THAT(names(input.scenarios), ElementsAre("shop.first", "shop.proxy", "shop.web", "shop.helper"));
    EXPECT_THAT(input.system.pods.at(0).names, ElementsAre("front", "front.default", "front.default.svc",
                                                           "front.default.svc.cluster.local"));

    // What comes behind an init container is not there yet.
    EXPECT_THAT(input.scenarios[0].notes,
                Contains(HasSubstr("'shop/first': those that come behind it are not started")));
    EXPECT_THAT(names(input.scenarios[0].pod.containers), IsEmpty());
    const Scenario& web = input.scenarios[2];
    EXPECT_THAT(names(web.pod.containers), ElementsAre("first", "proxy", "helper"));
    EXPECT_TRUE(web.pod.containers[0].init);
    EXPECT_TRUE(web.pod.containers[1].sidecar);
    EXPECT_TRUE(web.pod.containers[2].after);
    EXPECT_TRUE(web.subject.healthcheck);
    EXPECT_EQ(web.readiness.checks.size(), 1U);
    EXPECT_THAT(names(web.steps), ElementsAre("preStop hook"));
    EXPECT_EQ(web.probes_beside.count("proxy"), 1U);
    EXPECT_THAT(web.subject.aliases, Contains("front"));

    // As the subject of a scenario, it is the same.
    Surroundings around = surroundings();
    around.read_file = [](const std::string&) -> Result<std::string> { return pod; };
    const auto said =
        parse_scenario("subject: {kubernetes: {file: k.yaml, container: web}}", "app/s.yaml", around);
    ASSERT_TRUE(said) << said.error().message;
    EXPECT_EQ(said->pod.containers.size(), web.pod.containers.size());
    EXPECT_EQ(names(said->readiness.checks), names(web.readiness.checks));
    EXPECT_EQ(said->subject.ports, web.subject.ports);
    EXPECT_EQ(said->shutdown, web.shutdown);
}

TEST(Inputs, OfManifestsCanBeNarrowed) {
    EXPECT_THAT(names(manifests(pod, {{"helper"}, {}}).scenarios), ElementsAre("shop.helper"));
    EXPECT_THAT(names(manifests(pod, {{"shop/web"}, {}}).scenarios), ElementsAre("shop.web"));
    EXPECT_EQ(manifests(pod, {{"shop"}, {}}).scenarios.size(), 4U);
    EXPECT_EQ(manifests(pod, {{"Pod/shop"}, {}}).scenarios.size(), 4U);
    const Folder folder({{"a.yaml", pod}});
    EXPECT_THAT(load(folder.path(), {{"shop/wbe"}, {}}).error().message,
                HasSubstr("there is no 'shop/wbe'; did you mean 'shop/web'?"));
}

TEST(Inputs, OfWorkloadsOfOneNameAreNamedApart) {
    const std::string container = "spec: {template: {spec: {containers: [{name: c, image: i}]}}}\n";
    const auto object = [&](const std::string& kind, const std::string& name_space) {
        return "---\napiVersion: apps/v1\nkind: " + kind + "\nmetadata: {name: a, namespace: " + name_space +
               "}\n" + container;
    };
    EXPECT_THAT(names(manifests(object("Deployment", "x") + object("StatefulSet", "x")).system.containers),
                ElementsAre("deployment/a/c", "statefulset/a/c"));
    const Input twice = manifests(object("Deployment", "x") + object("Deployment", "y"));
    EXPECT_THAT(names(twice.system.containers), ElementsAre("x/deployment/a/c", "y/deployment/a/c"));
    EXPECT_THAT(names(twice.system.pods), ElementsAre("x/Deployment/a", "y/Deployment/a"));
    EXPECT_THAT(names(twice.scenarios), ElementsAre("x.deployment.a.c", "y.deployment.a.c"));
}

TEST(Inputs, RefuseAWorkloadThatIsThereTwice) {
    const Folder folder({{"a.yaml", workload}, {"b.yaml", workload}});
    EXPECT_THAT(load(folder.path()).error().message,
                HasSubstr("b.yaml:1:1: 'default/Deployment/shop' is declared twice: here and at " +
                          folder.path("a.yaml") + ":1"));
}

TEST(Inputs, MakeUpWhatNoFileHas) {
    const Input input = manifests(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n  - name: c\n    image: i\n"
        "    env:\n    - {name: A, valueFrom: {secretKeyRef: {name: s, key: k}}}\n"
        "    - {name: B, valueFrom: {secretKeyRef: {name: s, key: l}}}\n"
        "    - {name: C, valueFrom: {configMapKeyRef: {name: m, key: n}}}\n"
        "    - {name: D, valueFrom: {configMapKeyRef: {name: o, key: n, optional: true}}}\n"
        "    volumeMounts: [{name: d, mountPath: /d}, {name: e, mountPath: /e}]\n"
        "  volumes: [{name: d, persistentVolumeClaim: {claimName: data}}, {name: e, nfs: {server: a, path: "
        "/}}]\n");
    EXPECT_TRUE(check_runnable(input.system));
    ASSERT_EQ(input.scenarios.size(), 1U);
    EXPECT_EQ(input.scenarios[0].subject.environment,
              (std::map<std::string, std::string>{
                  {"A", "placeholder"}, {"B", "placeholder"}, {"C", "placeholder"}}));
    ASSERT_EQ(input.system.notes.size(), 1U);
    EXPECT_THAT(
        input.system.notes[0],
        testing::EndsWith("values: {secrets: {s: {k: placeholder, l: placeholder}}, configMaps: {m: {n: "
                          "placeholder}}, claims: {data: empty, e: empty}}"));
    EXPECT_EQ(input.scenarios[0].pod.volumes.at(0).kind, PodVolume::Kind::empty);
}

TEST(Inputs, KnowWhichWorkloadIsRefused) {
    const Folder folder(
        {{"a.yaml", workload + "---\napiVersion: v1\nkind: Pod\nmetadata: {name: bad}\nspec:\n"
                               "  hostPID: true\n  containers: [{name: c, image: i}]\n"}});
    const Input input = good_input(folder.path());
    ASSERT_EQ(input.system.refused.size(), 1U);
    EXPECT_EQ(input.system.refused[0].container, "bad");
    EXPECT_THAT(names(input.scenarios), ElementsAre("shop.web"));
    EXPECT_THAT(check_runnable(input.system).error().message,
                HasSubstr("a.yaml:10:12: 'hostPID' of the pod"));
    EXPECT_TRUE(check_runnable(load(folder.path(), {}, {"hostPID"})->system));
}

TEST(System, HasEachSourceOnceWithAllItsPlaces) {
    const Input input = manifests(pod);
    std::map<std::string, std::vector<std::string>> places;
    for (const SystemData& data : input.system.data)
        if (data.kind != SystemData::Kind::rootfs)
            for (const DataPlace& place : data.places)
                places[data.pod + "#" + data.source].push_back(
                    place.container + ":" + place.target + (place.read_only ? ":ro" : "") +
                    (place.sub_path.empty() ? "" : "=" + place.sub_path));
    EXPECT_THAT(places["Pod/shop#work"],
                ElementsAre("shop/first:/work", "shop/web:/srv=a", "shop/helper:/in:ro"));
    EXPECT_THAT(places["Pod/shop#conf"], ElementsAre("shop/web:/etc/c:ro"));
    EXPECT_EQ(places.size(), 2U);

    const Input shop = project(
        "services:\n  a: {image: x, volumes: ['dd:/data', './s:/s:ro', /anon], tmpfs: /t}\n"
        "  b: {image: x, volumes: ['dd:/other:ro', './s:/s'], tmpfs: /t}\nvolumes: {dd: }\n");
    std::vector<std::pair<SystemData::Kind, std::size_t>> kinds;
    for (const SystemData& data : shop.system.data) kinds.emplace_back(data.kind, data.places.size());
    using Kind = SystemData::Kind;
    EXPECT_THAT(kinds, ElementsAre(std::pair{Kind::volume, 2U}, std::pair{Kind::bind, 2U},
                                   std::pair{Kind::anonymous, 1U}, std::pair{Kind::tmpfs, 1U},
                                   std::pair{Kind::tmpfs, 1U}, std::pair{Kind::rootfs, 1U},
                                   std::pair{Kind::rootfs, 1U}));
}

TEST(System, OfAScenarioGivesTheScenarioBack) {
    std::vector<Scenario> scenarios = manifests(pod).scenarios;
    for (Scenario& each :
         project("services:\n  web: {image: w, depends_on: [app], volumes: ['dd:/d']}\n"
                 "  app: {image: a, stop_grace_period: 3s, restart: always}\nvolumes: {dd: }\n")
             .scenarios)
        scenarios.push_back(std::move(each));
    scenarios.push_back(good("subject: {image: a, mounts: [./x:/x]}\nready: {tcp: 80}"));
    for (const Scenario& before : scenarios) {
        const Scenario after = scenario_of(system_of(before), subject_name(before));
        EXPECT_EQ(after.subject, before.subject) << before.name;
        EXPECT_EQ(after.companions, before.companions) << before.name;
        EXPECT_EQ(after.after, before.after) << before.name;
        EXPECT_EQ(after.readiness, before.readiness) << before.name;
        EXPECT_EQ(after.probes_beside, before.probes_beside) << before.name;
        EXPECT_EQ(after.shutdown, before.shutdown) << before.name;
        EXPECT_EQ(after.pod.volumes, before.pod.volumes) << before.name;
        EXPECT_EQ(after.pod.mounts, before.pod.mounts) << before.name;
        EXPECT_THAT(names(after.pod.containers), names(before.pod.containers)) << before.name;
    }
}

}  // namespace
}  // namespace rogate::spec::test
