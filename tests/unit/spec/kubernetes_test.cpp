// Kubernetes manifests -> Subject and pod.
#include "spec/kubernetes.hpp"

#include "unit/spec/support.hpp"

namespace rogate::spec::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string config = R"(apiVersion: v1
kind: ConfigMap
metadata: {name: conf}
data: {site.conf: "listen 80;", LEVEL: info}
---
)";

// A Deployment with `more` in the pod's spec and `own` in the subject's container.
std::string deployment(const std::string& own, const std::string& more) {
    return config + R"(kind: Deployment
metadata: {name: shop}
spec:
  replicas: 2
  template:
    metadata: {labels: {app: shop}}
    spec:
)" + more + R"(      containers:
      - name: web
        image: nginx
)" + own;
}

Result<Scenario> manifest(const std::string& text, const std::string& more = "") {
    Surroundings with = surroundings();
    with.read_file = [text](const std::string& path) -> Result<std::string> {
        if (path == "/project/app/k8s.yaml") return text;
        return fail(ErrorKind::usage, "No such file or directory");
    };
    return parse_scenario("subject:\n  kubernetes:\n    file: k8s.yaml\n" + more, "app/scenario.yaml", with);
}

Scenario good_manifest(const std::string& text, const std::string& more = "") {
    auto scenario = manifest(text, more);
    if (scenario) return std::move(*scenario);
    ADD_FAILURE() << scenario.error().message;
    return {};
}

TEST(Kubernetes, MountsOfEveryKind) {
    const Scenario scenario = good_manifest(deployment(
                                                R"(        volumeMounts:
        - {name: conf, mountPath: /etc/site.conf, subPath: site.conf}
        - {name: cache, mountPath: /cache/}
        - {name: memory, mountPath: /run}
        - {name: node, mountPath: /node, readOnly: true}
        - {name: data, mountPath: /data}
)",
                                                R"(      securityContext: {fsGroup: 33}
      volumes:
      - {name: conf, configMap: {name: conf}}
      - {name: cache, emptyDir: {}}
      - {name: memory, emptyDir: {medium: Memory, sizeLimit: 1Mi}}
      - {name: node, hostPath: {path: /srv}}
      - {name: data, persistentVolumeClaim: {claimName: shop-data}}
      - {name: not-mounted, secret: {secretName: nobody-asks}}
)"),
                                            "    values: {claims: {shop-data: ./fixture}}\n");
    const auto& mounts = scenario.subject.mounts;
    ASSERT_EQ(mounts.size(), 5U);
    EXPECT_TRUE(mounts[0].read_only);  // Kubernetes keeps it so
    EXPECT_EQ(mounts[0].declared.file, "app/k8s.yaml");
    EXPECT_EQ(mounts[0].declared.line, 25);
    EXPECT_EQ(mounts[1].type, MountType::anonymous);
    EXPECT_EQ(mounts[1].target, "/cache");
    EXPECT_EQ(mounts[2].type, MountType::tmpfs);
    EXPECT_EQ(mounts[2].tmpfs_options, "mode=2777,gid=33,exec,size=1048576");
    EXPECT_EQ(mounts[3].source, "/srv");
    EXPECT_TRUE(mounts[3].read_only);
    EXPECT_EQ(mounts[4].source, "/project/app/fixture");
    EXPECT_EQ(scenario.subject.origin.name, "Deployment/shop");
    EXPECT_EQ(scenario.subject.origin.container, "web");
    EXPECT_THAT(scenario.subject.group_add, ElementsAre("33"));
    EXPECT_EQ(scenario.shutdown.timeout_ms, 30'000);
}

TEST(Kubernetes, EnvironmentAndCommand) {
    const Scenario scenario =
        good_manifest(deployment(
                          R"yaml(        command: [run, "$(HOST)", "$$(HOST)", "$(NOBODY)"]
        envFrom: [{prefix: C_, configMapRef: {name: conf}}]
        env:
        - {name: HOST, value: db}
        - {name: URL, value: "http://$(HOST)"}
        - {name: APP, valueFrom: {fieldRef: {fieldPath: "metadata.labels['app']"}}}
        - {name: PASSWORD, valueFrom: {secretKeyRef: {name: s, key: p}}}
)yaml",
                          ""),
                      "    values: {secrets: {s: {p: hidden}}}\n");
    const auto& environment = scenario.subject.environment;
    EXPECT_EQ(scenario.subject.entrypoint, (std::vector<std::string>{"run", "db", "$(HOST)", "$(NOBODY)"}));
    EXPECT_EQ(environment.at("URL"), "http://db");
    EXPECT_EQ(environment.at("C_LEVEL"), "info");
    EXPECT_EQ(environment.at("APP"), "shop");
    EXPECT_EQ(environment.at("PASSWORD"), "hidden");
    EXPECT_THAT(scenario.pod.secrets, ElementsAre("hidden"));
}

TEST(Kubernetes, PeersProbesAndHooks) {
    const Scenario scenario = good_manifest(deployment(
                                                R"(        ports: [{name: http, containerPort: 80}]
        readinessProbe: {httpGet: {path: /health, port: http}}
        livenessProbe: {exec: {command: [alive]}}
        lifecycle: {preStop: {exec: {command: [bye]}}}
      - {name: side, image: busybox}
)",
                                                "      initContainers: [{name: first, image: busybox}]\n     "
                                                " terminationGracePeriodSeconds: 5\n"),
                                            "    container: web\nsteps: [{name: mine, exec: x}]\n");
    ASSERT_EQ(scenario.pod.containers.size(), 2U);
    EXPECT_TRUE(scenario.pod.containers[0].init);
    EXPECT_FALSE(scenario.pod.containers[1].init);
    ASSERT_EQ(scenario.readiness.checks.size(), 1U);
    EXPECT_EQ(std::get<HttpAction>(scenario.readiness.checks[0].action).port, 80);
    EXPECT_EQ(scenario.subject.healthcheck->test, (std::vector<std::string>{"CMD", "alive"}));
    ASSERT_EQ(scenario.steps.size(), 2U);
    EXPECT_EQ(scenario.steps[0].name, "mine");
    EXPECT_EQ(scenario.steps[1].name, "preStop hook");
    EXPECT_EQ(scenario.shutdown.timeout_ms, 5'000);
}

TEST(Kubernetes, ContainersBesideTheSubject) {
    const Scenario scenario = good_manifest(
        deployment("      - name: side\n        image: b\n        ports: [{name: admin, containerPort: 9}]\n"
                   "        readinessProbe: {httpGet: {path: /ok, port: admin}}\n"
                   "        startupProbe: {tcpSocket: {port: 10}}\n"
                   "      - {name: grpc, image: b, readinessProbe: {grpc: {port: 1}}}\n",
                   "      restartPolicy: OnFailure\n      initContainers:\n      - {name: first, image: b}\n"
                   "      - {name: proxy, image: b, restartPolicy: Always, startupProbe: {exec: {command: "
                   "[up]}}}\n"),
        "    container: web\n");
    const auto& beside = scenario.pod.containers;
    ASSERT_EQ(beside.size(), 4U);
    EXPECT_EQ(beside[0].restart, RestartPolicy{});
    EXPECT_TRUE(beside[1].sidecar);
    EXPECT_EQ(beside[1].restart, (RestartPolicy{"always", 0}));
    EXPECT_EQ(beside[2].restart, (RestartPolicy{"on-failure", 0}));
    EXPECT_EQ(scenario.probes_beside.size(), 3U);
    EXPECT_TRUE(scenario.probes_beside.at("proxy").startup && !scenario.probes_beside.at("proxy").readiness);
    EXPECT_EQ(std::get<HttpAction>(scenario.probes_beside.at("side").readiness->action).port, 9);
    EXPECT_TRUE(scenario.readiness.checks.empty());
    EXPECT_TRUE(scenario.readiness.derived);
    EXPECT_EQ(std::get<TcpAction>(scenario.probes_beside.at("grpc").readiness->action).port, 1);
    EXPECT_THAT(scenario.subject.ports, ElementsAre(Port{9}, Port{1}, Port{10}));
    EXPECT_THAT(scenario.notes, ElementsAre(HasSubstr("'readinessProbe' over gRPC is not spoken: the probe "
                                                      "passes when its port answers")));
}

TEST(Kubernetes, WrongOrMissingIsNamedAtItsPlace) {
    struct Case {
        std::string text, more, message;
    };
    const std::string ask = "; give its content in the scenario, under subject.kubernetes.values: ";
    const Case cases[] = {
        {deployment("        volumeMounts: [{name: x, mountPath: /x}]\n", ""), "",
         "app/k8s.yaml:16:31: the pod has no volume 'x'; declare it under 'volumes'"},
        {deployment("", "      hostNetwork: true\n"), "",
         "app/k8s.yaml:13:20: 'hostNetwork' of the pod is not supported: the subject would answer on the "
         "host's own "
         "ports"},
        {deployment("", "      volums: []\n"), "",
         "app/k8s.yaml:13:7: field 'volums' of the pod is not supported; did you mean 'volumes'?"},
        {deployment("        env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: p}}}]\n", ""), "",
         "app/k8s.yaml:16:51: Secret 's' is not in the files" + ask + "secrets: {s: {KEY: text}}"},
        {deployment("        env: [{name: A, valueFrom: {configMapKeyRef: {name: conf, key: p}}}]\n", ""), "",
         "app/k8s.yaml:16:54: ConfigMap 'conf' has no key 'p'"},
        {deployment("        volumeMounts: [{name: d, mountPath: /d}]\n",
                    "      volumes: [{name: d, persistentVolumeClaim: {claimName: c}}]\n"),
         "", "app/k8s.yaml:13:50: the data of 'c' are in a cluster; give them in the scenario"},
        {deployment("        env: [{name: A, valueFrom: {fieldRef: {fieldPath: status.phase}}}]\n", ""), "",
         "field 'status.phase' is told by a cluster only"},
        {config, "", "app/scenario.yaml:3:5: no workload in the files"},
        {deployment("", ""), "    workload: Deployment/shp\n",
         "app/scenario.yaml:4:15: no workload 'Deployment/shp' in the files; there are: Deployment/shop"},
        {deployment("", ""), "    container: we\n", "app/scenario.yaml:4:16: the pod has no container 'we'"}};
    for (const Case& each : cases) {
        const auto scenario = manifest(each.text, each.more);
        ASSERT_FALSE(scenario) << each.message;
        EXPECT_THAT(scenario.error().message, HasSubstr(each.message));
    }
}

}  // namespace
}  // namespace rogate::spec::test
