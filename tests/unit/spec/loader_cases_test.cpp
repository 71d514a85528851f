// What docker compose and a cluster take, and rogate takes as well: one row for each kind, read from a text.
#include <filesystem>
#include <fstream>

#include "unit/spec/support.hpp"

namespace rogate::spec::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;

Scenario compose(const std::string& text, const std::string& service = "app",
                 std::vector<std::string> without = {}) {
    Surroundings around = surroundings();
    around.without = std::move(without);
    around.read_file = [](const std::string& path) -> Result<std::string> {
        return fail(ErrorKind::not_found, path + ": No such file or directory");
    };
    auto scenario = parse_scenario(text, "compose.yaml", around,
                                   {service.empty() ? std::vector<std::string>() : std::vector{service}, {}});
    if (scenario) return std::move(*scenario);
    ADD_FAILURE() << text << "\n" << scenario.error().message;
    return {};
}

Subject app(const std::string& more) {
    return compose("services:\n  app:\n    image: a\n" + more).subject;
}

TEST(LoaderCases, AMissingBindSourceIsMadeUnlessTheFileForbidsIt) {
    const Subject subject =
        app("    volumes:\n      - ./not-there:/a\n      - {type: bind, source: ./b, target: /b}\n"
            "      - {type: bind, source: ./c, target: /c, bind: {create_host_path: false}}\n"
            "      - {type: bind, source: ./d, target: /d, bind: {create_host_path: true}}\n"
            "    secrets: [s]\nsecrets: {s: {file: ./s}}\n");
    ASSERT_EQ(subject.mounts.size(), 5U);
    EXPECT_TRUE(subject.mounts[0].made_if_missing && subject.mounts[1].made_if_missing &&
                subject.mounts[3].made_if_missing);
    EXPECT_FALSE(subject.mounts[2].made_if_missing || subject.mounts[4].made_if_missing);
    // A scenario's own author means what is there.
    EXPECT_FALSE(test::subject("  mounts: [./x:/x]\n").mounts[0].made_if_missing);
}

TEST(LoaderCases, AKeyOfAVolumeMayBeOneLetter) {
    EXPECT_EQ(app("    volumes: [{type: volume, source: v, target: /v}]\nvolumes: {v: {name: real}}\n")
                  .mounts.at(0)
                  .source,
              "real");
}

TEST(LoaderCases, WhatIsBuiltHasTheNamesThatComposeGivesIt) {
    const Scenario shop = compose(
        "name: shop\nservices:\n  web:\n    build: ./web\n  both: {build: ., image: mine}\n"
        "  app: {image: a, depends_on: [web, both]}\n");
    ASSERT_EQ(shop.companions.size(), 2U);
    EXPECT_EQ(shop.companions[0].subject.image, "shop-web");
    EXPECT_EQ(shop.companions[0].subject.built->service, "web");
    EXPECT_EQ(shop.companions[0].subject.built->other_name, "shop_web");
    EXPECT_EQ(shop.companions[0].subject.built->declared, (SourcePlace{"compose.yaml", 4, 12}));
    EXPECT_EQ(shop.companions[1].subject.image, "mine");
    EXPECT_EQ(shop.companions[1].subject.built->other_name, "");
    EXPECT_FALSE(shop.subject.built);
}

TEST(LoaderCases, NetworkModes) {
    const Scenario vpn = compose(
        "services:\n  vpn: {image: v}\n  app: {image: a, network_mode: 'service:vpn', ports: ['80']}\n");
    EXPECT_EQ(vpn.subject.network_mode, "service:vpn");
    EXPECT_THAT(vpn.after, ElementsAre(Dependency{"vpn"}));
    const Scenario alone = compose("services:\n  app: {image: a, network_mode: none, ports: ['80']}\n");
    EXPECT_EQ(alone.subject.network_mode, "none");
    EXPECT_THAT(alone.readiness.checks, IsEmpty());
    for (const char* mode : {"host", "'container:x'", "other"}) {
        const Scenario own =
            compose("services:\n  app: {image: a, network_mode: " + std::string(mode) + "}\n");
        EXPECT_EQ(own.subject.network_mode, "");
        EXPECT_THAT(own.notes, ElementsAre(HasSubstr("compose.yaml:2:33: network_mode ")));
        // An engine's own networks give everybody what takes a capability on the host.
        const bool is_host = std::string(mode) == "host";
        EXPECT_EQ(own.subject.sysctls.contains("net.ipv4.ip_unprivileged_port_start"), is_host);
        EXPECT_EQ(own.subject.sysctls.contains("net.ipv4.ping_group_range"), is_host);
    }
    EXPECT_THAT(compose("services:\n  app: {image: a, network_mode: ''}\n").notes, IsEmpty());
}

TEST(LoaderCases, WhatIsEmptySaysNothing) {
    const Subject subject = app(
        "    hostname: ${UNSET}\n    user: ''\n    working_dir: ''\n    stop_signal: ''\n    restart: ''\n"
        "    container_name: ''\n    expose: ['${UNSET}', 80]\n    volumes: ['data:/data', 'other:/o', "
        "'ee:/e']\n"
        "    devices: []\n    pid: ''\n    ipc: private\n    runtime: runc\n    healthcheck: {test: a, "
        "interval: 0s}\n"
        "volumes:\n  data: {name: '${UNSET}', driver_opts: {}}\n  other: {name: '', driver_opts: {type: '', "
        "o: ''}}\n"
        "  ee: {external: Yes, name: ''}\n");
    EXPECT_FALSE(subject.hostname || subject.user || subject.working_dir || subject.stop_signal);
    EXPECT_THAT(subject.ports, ElementsAre(Port{80}));
    ASSERT_EQ(subject.mounts.size(), 3U);
    EXPECT_EQ(subject.mounts[0].source, "app_data");
    EXPECT_EQ(subject.mounts[1].source, "app_other");
    EXPECT_EQ(subject.mounts[2].source, "ee");
    EXPECT_THAT(subject.aliases, ElementsAre("app"));
    EXPECT_FALSE(subject.healthcheck->interval_ms);
}

TEST(LoaderCases, NotationsThatComposeReads) {
    const Subject subject =
        app("    ports: ['5000:5000/UDP', {target: 81, protocol: TCP}, '10000-30000:10000-30000/udp']\n"
            "    command: [\"sh\", \"-c\", \"sleep 9 & P=$!; echo $(date) $?\"]\n    tty: yes\n    "
            "privileged: True\n"
            "    environment: {PATTERN: '^[a-z]+$', NONE: , PASSED: }\n");
    EXPECT_THAT(subject.ports, ElementsAre(Port{5000, "udp"}, Port{81}));
    EXPECT_EQ(subject.command->back(), "sleep 9 & P=$!; echo $(date) $?");
    EXPECT_TRUE(subject.tty && subject.privileged);
    EXPECT_THAT(subject.environment, ElementsAre(Pair("PASSED", "through"), Pair("PATTERN", "^[a-z]+$")));
    EXPECT_THAT(subject.unset_environment, ElementsAre("NONE"));
}

TEST(LoaderCases, AHealthCheckMayBeAnyCommand) {
    EXPECT_EQ(app("    healthcheck: {test: \"false\"}\n").healthcheck->test,
              (std::vector<std::string>{"CMD-SHELL", "false"}));
    EXPECT_TRUE(app("    healthcheck: {test: '', retries: 0, interval: 1s}\n").healthcheck->test.empty());
}

TEST(LoaderCases, MergeTags) {
    EXPECT_EQ(compose("x-c: &c {image: b}\nservices:\n  app:\n    !!merge <<: *c\n    init: !!bool true\n")
                  .subject.image,
              "b");
}

TEST(LoaderCases, TheLastOfEqualMountsCounts) {
    const Scenario twice = compose(
        "services:\n  app:\n    image: a\n    volumes: ['data:/data', 'data:/data/', './x:/y', './z:/y:ro']\n"
        "volumes: {data: }\n");
    ASSERT_EQ(twice.subject.mounts.size(), 2U);
    EXPECT_EQ(twice.subject.mounts[1].source, "/project/app/z");
    EXPECT_THAT(twice.notes, ElementsAre(HasSubstr("this mount on '/y' replaces the one at compose.yaml:4")));
}

TEST(LoaderCases, OddOptionsOfMountsArePassedOver) {
    const Scenario odd = compose(
        "services:\n  app:\n    image: a\n    volumes:\n      - ./a:/a:ro,rw,nocopy,odd\n      - "
        "data:/b:rslave\n"
        "      - {type: volume, source: data, target: /c, bind: {propagation: rslave}}\nvolumes: {data: }\n");
    EXPECT_FALSE(odd.subject.mounts[0].read_only);
    EXPECT_THAT(odd.notes,
                Contains(HasSubstr("compose.yaml:5:9: mount /a: the option 'odd' is passed over")));
    EXPECT_THAT(odd.notes, Contains(HasSubstr("mount /a: the option 'nocopy' is passed over")));
    EXPECT_THAT(odd.notes, Contains(HasSubstr("mount /b: the option 'rslave' is passed over")));
    EXPECT_THAT(odd.notes, Contains(HasSubstr("'bind' is without effect on a mount of type 'volume'")));
}

TEST(LoaderCases, AddressesAndOptionalDependencies) {
    const Scenario fixed = compose(
        "services:\n  app:\n    image: a\n    networks: {inner: {ipv4_address: 172.30.9.3}}\n"
        "    depends_on: {sick: {condition: service_healthy, required: false}}\n  sick: {image: s}\n"
        "networks: {inner: {ipam: {config: [{subnet: 172.30.9.0/24}]}}}\n");
    EXPECT_THAT(
        fixed.notes,
        Contains(HasSubstr("compose.yaml:4:38: 'ipv4_address' 172.30.9.3 of service 'app' is left out")));
    EXPECT_THAT(fixed.after, ElementsAre(Dependency{"sick", Dependency::Condition::healthy, false}));
}

TEST(LoaderCases, WhatIsRefusedForAReasonCanBeLeftOut) {
    const std::string text =
        "services:\n  app: {image: a, devices: [/dev/null], pid: host, post_start: [{command: x}], "
        "network_mode: "
        "host}\n";
    const Scenario without = compose(text, "app", {"devices", "pid", "post_start", "network_mode"});
    EXPECT_EQ(without.notes.size(), 4U);
    const auto with = parse_scenario(text, "compose.yaml", surroundings());
    ASSERT_FALSE(with.has_value());
    EXPECT_THAT(with.error().message, HasSubstr("leave it out with --without devices"));
    const auto wrong = parse("subject: {compose: {file: c.yaml, without: volumes}}\n");
    ASSERT_FALSE(wrong.has_value());
    EXPECT_THAT(wrong.error().message, HasSubstr("'volumes' cannot be left out"));
}

// Kubernetes

Surroundings with_manifest(std::string text, std::vector<std::string> without = {}) {
    Surroundings around = surroundings();
    around.without = std::move(without);
    around.read_file = [text = std::move(text)](const std::string& path) -> Result<std::string> {
        if (path == "/project/app/m.yaml") return text;
        return fail(ErrorKind::not_found, path + ": No such file or directory");
    };
    return around;
}

Result<Scenario> manifest(const std::string& text, const std::string& more = {},
                          std::vector<std::string> without = {}) {
    return parse_scenario("subject:\n  kubernetes:\n    file: m.yaml\n" + more, "app/scenario.yaml",
                          with_manifest(text, std::move(without)));
}

Scenario pod(const std::string& spec, const std::string& more = {}, std::vector<std::string> without = {}) {
    const std::string text = "apiVersion: v1\nkind: Pod\nmetadata: {name: app}\nspec:\n" + spec;
    auto scenario = manifest(text, more, std::move(without));
    if (scenario) return std::move(*scenario);
    ADD_FAILURE() << text << "\n" << scenario.error().message;
    return {};
}

TEST(LoaderCases, FieldsThatStandInTheManifestOrHaveHarmlessAnswers) {
    const Scenario scenario =
        pod("  serviceAccountName: app-sa\n  containers:\n    - name: app\n      image: a\n"
            "      resources: {limits: {cpu: \"2\", memory: 64Mi}, requests: {cpu: 250m}}\n      env:\n"
            "        - {name: SA, valueFrom: {fieldRef: {fieldPath: spec.serviceAccountName}}}\n"
            "        - {name: CPU, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}\n"
            "        - {name: MILLI, valueFrom: {resourceFieldRef: {resource: requests.cpu, divisor: 1m}}}\n"
            "        - {name: MEM, valueFrom: {resourceFieldRef: {resource: limits.memory, divisor: 1Mi}}}\n"
            "        - {name: DISK, valueFrom: {resourceFieldRef: {resource: limits.ephemeral-storage}}}\n"
            "        - {name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}\n"
            "        - {name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}\n"
            "        - {name: HOST, valueFrom: {fieldRef: {fieldPath: status.hostIP}}}\n");
    const auto& environment = scenario.subject.environment;
    EXPECT_EQ(environment.at("SA"), "app-sa");
    EXPECT_EQ(environment.at("CPU"), "2");
    EXPECT_EQ(environment.at("MILLI"), "250");
    EXPECT_EQ(environment.at("MEM"), "64");
    EXPECT_EQ(environment.at("DISK"), "10737418240");
    EXPECT_EQ(environment.at("IP"), "127.0.0.1");
    EXPECT_EQ(scenario.notes.size(), 4U);  // none for what stands in the file
    EXPECT_THAT(scenario.notes, Contains(HasSubstr("app/m.yaml:16:44: field status.podIP is a cluster's")));
}

TEST(LoaderCases, WhatIsMissingCanBeMadeUp) {
    const Scenario scenario =
        pod("  containers:\n    - name: app\n      image: a\n"
            "      envFrom: [{configMapRef: {name: settings}}, {secretRef: {name: keys}}]\n"
            "      env: [{name: A, valueFrom: {secretKeyRef: {name: db, key: user}}}]\n"
            "      volumeMounts: [{name: data, mountPath: /data}, {name: s, mountPath: /s}, {name: v, "
            "mountPath: /v}]\n"
            "  volumes:\n    - {name: data, persistentVolumeClaim: {claimName: data}}\n"
            "    - {name: s, secret: {secretName: tls, items: [{key: tls.crt, path: crt}]}}\n"
            "    - {name: v, cinder: {volumeID: x}}\n",
            "    values: {missing: placeholder, claims: {\"*\": empty}}\n");
    EXPECT_EQ(scenario.subject.environment.at("A"), "placeholder");
    ASSERT_EQ(scenario.pod.volumes.size(), 3U);
    EXPECT_EQ(scenario.pod.volumes[0].kind, PodVolume::Kind::empty);
    ASSERT_EQ(scenario.pod.volumes[1].files.size(), 1U);
    EXPECT_EQ(scenario.pod.volumes[1].files[0].content, "placeholder");
    EXPECT_THAT(scenario.notes, Contains(HasSubstr("Secret 'db' is in no file")));
    const auto asked = manifest(
        "kind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: a, envFrom: "
        "[{secretRef: {name: k}}]}]}\n");
    EXPECT_THAT(asked.error().message, HasSubstr("values: {missing: placeholder}"));
}

TEST(LoaderCases, SinglePartsOfWhatIsMissingAreMadeUp) {
    const Scenario scenario =
        pod("  containers: [{name: app, image: a, volumeMounts: [{name: c, mountPath: /etc/a.conf, subPath: "
            "a.conf}]}]\n"
            "  volumes: [{name: c, configMap: {name: none}}]\n",
            "    values: {missing: placeholder}\n");
    ASSERT_EQ(scenario.pod.volumes.size(), 1U);
    ASSERT_EQ(scenario.pod.volumes[0].files.size(), 1U);
    EXPECT_EQ(scenario.pod.volumes[0].files[0].path, "a.conf");
}

TEST(LoaderCases, TokensOfServiceAccountsAreMadeUp) {
    const Scenario scenario = pod(
        "  containers: [{name: app, image: a, volumeMounts: [{name: t, mountPath: /t}]}]\n  volumes:\n"
        "    - name: t\n      projected: {sources: [{serviceAccountToken: {path: token, audience: app}}]}\n");
    ASSERT_EQ(scenario.pod.volumes.size(), 1U);
    EXPECT_EQ(scenario.pod.volumes[0].files.at(0).path, "token");
    EXPECT_THAT(scenario.pod.volumes[0].files.at(0).content, Not(IsEmpty()));
    EXPECT_THAT(scenario.notes,
                ElementsAre(HasSubstr("a token of a service account is a cluster's to give")));
}

TEST(LoaderCases, LargeManifestsAndOtherControllers) {
    std::string text =
        "kind: ReplicationController\nmetadata: {name: app}\nspec: {template: {spec: {containers: [{name: "
        "app, "
        "image: a}]}}}\n---\nkind: CustomResourceDefinition\nspec:\n";
    for (int i = 0; i < 40'000; ++i)
        text += "  field" + std::to_string(i) +
                ": {description: 'what a field of the resource means, at length'}\n";
    EXPECT_GT(text.size(), std::size_t{1} << 21U);
    const auto scenario = manifest(text + "---\nkind: Secret\nmetadata: {name: s}\nstringDat: {a: b}\n");
    ASSERT_TRUE(scenario.has_value()) << scenario.error().message;
    EXPECT_EQ(scenario->subject.origin.name, "ReplicationController/app");
    const auto rollout = manifest(
        "kind: Rollout\nmetadata: {name: app}\nspec: {template: {spec: {containers: [{name: app, image: "
        "a}]}}}\n");
    ASSERT_TRUE(rollout.has_value()) << rollout.error().message;
    EXPECT_EQ(rollout->subject.origin.name, "Rollout/app");
}

TEST(LoaderCases, OneNameInTwoNamespaces) {
    const auto object = [](const std::string& name_space) {
        return "---\nkind: Pod\nmetadata: {name: app, namespace: " + name_space +
               "}\nspec: {containers: [{name: app, image: " + name_space +
               ", envFrom: [{configMapRef: {name: c}}]}]}\n---\nkind: ConfigMap\nmetadata: {name: c, "
               "namespace: " +
               name_space + "}\ndata: {WHERE: " + name_space + "}\n";
    };
    const std::string both = object("one") + object("two");
    const auto two = manifest(both, "    workload: two/Pod/app\n");
    ASSERT_TRUE(two.has_value()) << two.error().message;
    EXPECT_EQ(two->subject.image, "two");
    EXPECT_EQ(two->subject.environment.at("WHERE"), "two");
    const auto any = manifest(both, "    workload: Pod/app\n");
    ASSERT_FALSE(any.has_value());
    EXPECT_THAT(any.error().message, HasSubstr("write its namespace before it (NAMESPACE/Pod/app)"));
}

TEST(LoaderCases, ProbesThatAreNotSpokenAskThePort) {
    const Scenario grpc =
        pod("  containers:\n    - {name: app, image: a, ports: [{containerPort: 50051}], readinessProbe: "
            "{grpc: {port: "
            "50051}}}\n");
    ASSERT_EQ(grpc.readiness.checks.size(), 1U);
    EXPECT_EQ(std::get<TcpAction>(grpc.readiness.checks[0].action).port, 50051);
    const Scenario https =
        pod("  containers:\n    - {name: app, image: a, livenessProbe: {httpGet: {scheme: HTTPS, port: 8443, "
            "path: "
            "/}}}\n");
    ASSERT_EQ(https.readiness.checks.size(), 1U);
    const auto& asked = std::get<HttpAction>(https.readiness.checks[0].action);
    EXPECT_EQ((std::pair{asked.port, asked.tls}), (std::pair{std::uint16_t{8443}, true}));
    EXPECT_TRUE(https.notes.empty());
}

TEST(LoaderCases, FieldsOfTheHostCanBeLeftOut) {
    const std::string text = "  hostNetwork: true\n  containers: [{name: app, image: a}]\n";
    EXPECT_THAT(pod(text, {}, {"hostNetwork"}).notes,
                ElementsAre(HasSubstr("'hostNetwork' of the pod is left out, as asked")));
    EXPECT_EQ(pod(text, "    without: hostNetwork\n").subject.image, "a");
}

TEST(LoaderCases, AProjectsFilesAreThoseOfItsVariable) {
    namespace fs = std::filesystem;
    const fs::path folder = fs::temp_directory_path() / ("rogate-compose-file-" + std::to_string(getpid()));
    fs::create_directories(folder);
    const auto put = [&](const char* name, const char* text) { std::ofstream(folder / name) << text; };
    put(".env", "COMPOSE_FILE=one.yaml:two.yaml\n");
    put("compose.yaml", "services: {app: {image: other}}\n");
    put("one.yaml", "services: {app: {image: a}}\n");
    put("two.yaml", "services: {app: {volumes: ['data:/data']}}\nvolumes: {data: }\n");
    const auto scenario = load_scenario(folder.string());
    put(".env", "");
    put("docker-compose.override.yml", "services: {app: {user: '33'}}\n");
    const auto usual = load_scenario(folder.string());
    fs::remove_all(folder);
    ASSERT_TRUE(scenario.has_value()) << scenario.error().message;
    EXPECT_EQ(scenario->subject.image, "a");
    EXPECT_EQ(scenario->subject.mounts.size(), 1U);
    EXPECT_THAT(scenario->notes, ElementsAre(HasSubstr("COMPOSE_FILE names the files: one.yaml, two.yaml")));
    ASSERT_TRUE(usual.has_value()) << usual.error().message;
    EXPECT_EQ(usual->subject.user, "33");
}

}  // namespace
}  // namespace rogate::spec::test
