// What is read from each kind of file, what it looks like, and what is made of it.
#include "audit/audit.hpp"

#include <gmock/gmock.h>

#include <map>
#include <nlohmann/json.hpp>

#include "audit/render.hpp"
#include "spec/scenario_file.hpp"

namespace rogate::audit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Audit of(std::string_view text, const std::string& file) {
    Audit audit;
    read_text(text, file, audit);
    classify(audit);
    return audit;
}

// "rw bind ./a:/b web @3:7"
std::vector<std::string> lines(const Audit& audit) {
    std::vector<std::string> list;
    constexpr std::string_view types[] = {"bind", "volume", "anonymous", "tmpfs", "rootfs"};
    for (const Found& each : audit.mounts)
        list.push_back(std::string(each.mount.read_only ? "ro " : "rw ") +
                       std::string(types[static_cast<int>(each.mount.type)]) + " " + each.mount.source + ":" +
                       each.mount.target + " " + each.name + " @" + std::to_string(each.mount.declared.line) +
                       ":" + std::to_string(each.mount.declared.column));
    return list;
}

constexpr std::string_view compose = R"(services:
  web:
    image: nginx
    read_only: true
    volumes:
      - ./html/:/usr/share/nginx/html/
      - "${CONF:-./c}:/etc/nginx:z,ro"
      - cache:/var/cache/nginx
      - /anonymous
      - {type: bind, source: ./x, target: /x, read_only: true}
    tmpfs: /run:size=1m
)";

TEST(Compose, Mounts) {
    EXPECT_THAT(
        lines(of(compose, "compose.yaml")),
        ElementsAre("rw bind ./html:/usr/share/nginx/html web @6:9",
                    "ro bind ${CONF:-./c}:/etc/nginx web @7:9", "rw volume cache:/var/cache/nginx web @8:9",
                    "rw anonymous :/anonymous web @9:9", "ro bind ./x:/x web @10:9",
                    "rw tmpfs :/run web @11:12", "ro rootfs :/ web @4:16"));
}

constexpr std::string_view manifest = R"(apiVersion: v1
kind: Service
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  template:
    spec:
      volumes:
        - {name: c, configMap: {name: x}}
        - {name: t, emptyDir: {}}
        - {name: h, hostPath: {path: /var/log}}
        - {name: p, persistentVolumeClaim: {claimName: claim}}
      containers:
        - name: app
          image: shop:1
          volumeMounts:
            - {name: c, mountPath: /c}
            - {name: t, mountPath: /t}
            - {name: h, mountPath: /h}
            - {name: p, mountPath: /p, readOnly: true}
)";

TEST(Kubernetes, MountsWithTheLinesOfTheWholeFile) {
    const Audit audit = of(manifest, "d.yaml");
    EXPECT_THAT(lines(audit), ElementsAre("ro volume configMap:/c Deployment/shop @19:15",
                                          "rw anonymous emptyDir:/t Deployment/shop @20:15",
                                          "rw bind /var/log:/h Deployment/shop @21:15",
                                          "ro volume claim:/p Deployment/shop @22:15",
                                          "rw rootfs :/ Deployment/shop @16:11"));
    EXPECT_EQ(audit.mounts[2].looks, Looks::logs_to_read);
    EXPECT_EQ(audit.mounts[1].looks, Looks::cache);
}

TEST(Kubernetes, OtherKindsOfObjects) {
    EXPECT_EQ(of("apiVersion: v1\nkind: Pod\nspec: {containers: [{name: a}]}", "a.yaml").mounts.size(), 1U);
    EXPECT_EQ(of("apiVersion: v1\nkind: CronJob\nspec: {jobTemplate: {spec: {template: {spec: {containers: "
                 "[{name: a}]}}}}}",
                 "a.yaml")
                  .mounts.size(),
              1U);
    EXPECT_EQ(
        of("apiVersion: v1\nkind: List\nitems: [{kind: Pod, spec: {containers: [{name: a}]}}]", "a.yaml")
            .mounts.size(),
        1U);
}

TEST(Dockerfile, VolumesOfTheLastStage) {
    EXPECT_THAT(
        lines(of(
            "FROM a\nVOLUME /old\nFROM b\n# VOLUME /no\nvolume [\"/data\", \\\n  \"/logs\"]\nVOLUME /x /y\n",
            "docker/Dockerfile.prod")),
        ElementsAre("rw anonymous :/data Dockerfile.prod @5:1", "rw anonymous :/logs Dockerfile.prod @5:1",
                    "rw anonymous :/x Dockerfile.prod @7:1", "rw anonymous :/y Dockerfile.prod @7:1"));
}

TEST(Container, AsTheEngineDescribesIt) {
    const std::string anonymous(64, 'a');
    const auto inspected = nlohmann::json::parse(R"({"Name": "/web", "Config": {"Image": "nginx"}, "Mounts": [
        {"Type": "bind", "Source": "/srv", "Destination": "/data", "RW": false},
        {"Type": "volume", "Name": "cache", "Source": "/var/lib/x", "Destination": "/cache", "RW": true},
        {"Type": "volume", "Name": ")" + anonymous +
                                                 R"(", "Destination": "/anon", "RW": true}],
        "HostConfig": {"ReadonlyRootfs": true, "Tmpfs": {"/run": ""}}})");
    Audit audit;
    read_container(inspected, audit);
    EXPECT_THAT(lines(audit), ElementsAre("ro bind /srv:/data web @0:0", "rw volume cache:/cache web @0:0",
                                          "rw anonymous :/anon web @0:0", "rw tmpfs :/run web @0:0",
                                          "ro rootfs :/ web @0:0"));
}

TEST(Files, ABadDocumentIsToldAndTheRestRead) {
    const Audit audit = of("services: {a: {tmpfs: /run}}\n---\nservices: [\n", "c.yaml");
    EXPECT_EQ(audit.mounts.size(), 2U);
    ASSERT_EQ(audit.troubles.size(), 1U);
    EXPECT_THAT(audit.troubles[0].message, HasSubstr("counted from line 2"));
}

TEST(Files, OfOtherKindsSayNothing) {
    for (const std::string_view text : {"", "a: b", "---\n", "services"}) {
        const Audit audit = of(text, "x.yaml");
        EXPECT_THAT(audit.mounts, IsEmpty());
        EXPECT_THAT(audit.troubles, IsEmpty()) << text;
    }
    for (const std::string_view odd : {"services: {a: [1], b: {volumes: {x: 1}}, c: {volumes: [[1]]}}",
                                       "services: 1", "services:\nx: {apiVersion: 1, kind: []}"})
        of(odd, "x.yaml");
    const std::string binary = std::string("services:\n  a: {tmpfs: /run}\n#") + '\0';
    EXPECT_THAT(of(binary, "x.yaml"), Audit{});
    EXPECT_FALSE(may_declare("main.c"));
    for (const auto* name : {"Dockerfile", "api.Dockerfile", "Containerfile", "a/b.yml", "k.json"})
        EXPECT_TRUE(may_declare(name)) << name;
}

TEST(Looks, ByNames) {
    struct {
        MountType type;
        std::string source, target;
        Looks looks;
    } const table[] = {
        {MountType::bind, "/run/docker.sock", "/var/run/docker.sock", Looks::socket},
        {MountType::bind, "./a", "/etc/app", Looks::configuration},
        {MountType::bind, "./nginx.conf", "/opt/nginx.conf", Looks::configuration},
        {MountType::bind, "./a", "/config", Looks::state},
        {MountType::bind, "/var/log", "/logs", Looks::logs_to_read},
        {MountType::bind, "./logs", "/logs", Looks::log_output},
        {MountType::bind, "/", "/host", Looks::host_to_read},
        {MountType::bind, "./a", "/usr/share/nginx/html", Looks::static_content},
        {MountType::volume, "v", "/app/node_modules", Looks::libraries},
        {MountType::volume, "v", "/var/lib/mysql", Looks::state},
        {MountType::volume, "v", "/anything", Looks::state},
        {MountType::volume, "v", "/srv/Cache", Looks::cache},
        {MountType::volume, "secret", "/x", Looks::configuration},
        {MountType::bind, "./a", "/anything", Looks::unknown},
        {MountType::bind, "./uploads", "/anything", Looks::state},
        {MountType::tmpfs, "", "/etc", Looks::cache},
        {MountType::rootfs, "", "/", Looks::root},
    };
    for (const auto& each : table) {
        Mount mount;
        mount.type = each.type;
        mount.source = each.source;
        mount.target = each.target;
        EXPECT_EQ(guess(mount).looks, each.looks)
            << each.source << ":" << each.target << ": " << guess(mount).why;
        EXPECT_FALSE(guess(mount).why.empty());
    }
}

TEST(Order, StaticContentBeforeStateAndNothingThatIsNotWorthIt) {
    const Audit audit = of(
        "services: {a: {volumes: ['d:/data', './h:/html', '/x.sock:/x.sock', './c:/etc/c:ro'], tmpfs: /t}}",
        "c.yaml");
    std::vector<int> order;
    for (const Found& each : audit.mounts) order.push_back(each.order);
    EXPECT_THAT(order, ElementsAre(3, 1, 0, 0, 0, 2));
}

TEST(Startable, IsWhateverAScenarioCanBeAbout) {
    Audit audit;
    read_text(compose, "compose.yaml", audit);
    read_text(manifest, "d.yaml", audit);
    read_text("FROM a\nVOLUME /data\n", "Dockerfile", audit);
    const auto inspected =
        nlohmann::json::parse(R"({"Name": "/live", "Config": {"Image": "nginx"}, "Mounts": [
        {"Type": "volume", "Name": "cache", "Source": "/var/lib/x", "Destination": "/cache", "RW": true}],
        "HostConfig": {"ReadonlyRootfs": true}})");
    read_container(inspected, audit);
    classify(audit);
    const std::map<std::string, Startable> expected = {
        {"web.yaml", {"compose.yaml", "web"}},
        {"Deployment-shop-app.yaml", {"d.yaml", "Deployment/shop/app"}},
        {"live.yaml", {"", "live"}}};
    EXPECT_EQ(startable(audit), expected);
}

TEST(Startable, NamesOfFilesAreTheirOwn) {
    Audit audit;
    read_text("services: {web: {image: a, tmpfs: /t}}", "a/compose.yaml", audit);
    read_text("services: {web: {image: a, tmpfs: /t}, ../x: {image: a, tmpfs: /t}}", "b/compose.yaml", audit);
    std::vector<std::string> names;
    for (const auto& [name, about] : startable(audit)) names.push_back(name);
    EXPECT_THAT(names, ElementsAre("subject..-x.yaml", "web-2.yaml", "web.yaml"));
}

// "/p/NAME" -> text
OtherFiles beside(std::map<std::string, std::string> files) {
    return {.read = [files = std::move(files)](const std::string& path) -> Result<std::string> {
                const auto found = files.find(path);
                if (found == files.end()) return fail(ErrorKind::not_found, "no such file");
                return found->second;
            },
            .folder = "/p"};
}

TEST(Compose, WhatIsExtendedAndIncludedIsListedWhereItIsDeclared) {
    Audit audit;
    read_text(
        "include: [sub/parts.yaml]\nservices:\n  app: {extends: {file: \"${P:-base}.yaml\", service: base}}\n"
        "  twin: {extends: {service: app}, volumes: !reset []}\n",
        "x/compose.yaml", audit,
        beside(
            {{"/p/base.yaml", "services: {base: {image: b, volumes: ['${D}:/data']}}\n"},
             {"/p/sub/parts.yaml", "services:\n  cache:\n    image: c\n    volumes: !override ['d:/c']\n"}}));
    EXPECT_THAT(audit.troubles, IsEmpty()) << audit.troubles.front().message;
    EXPECT_THAT(lines(audit), ElementsAre("rw volume d:/c cache @4:25", "rw rootfs :/ cache @3:5",
                                          "rw bind ${D}:/data app @1:39", "rw rootfs :/ app @3:8",
                                          "rw rootfs :/ twin @4:9"));
    EXPECT_EQ(audit.mounts[0].mount.declared.file, "x/sub/parts.yaml");
    EXPECT_EQ(audit.mounts[2].mount.declared.file, "x/base.yaml");
    EXPECT_EQ(audit.mounts[2].image, "b");
    // Read by itself as well, it is the same mount.
    const std::size_t before = audit.mounts.size();
    read_text("services:\n  cache:\n    image: c\n    volumes: !override ['d:/c']\n", "x/sub/parts.yaml",
              audit);
    EXPECT_EQ(audit.mounts.size(), before);
}

TEST(Compose, WhatCannotBeReadIsTold) {
    const Audit audit = of("include: [none.yaml]\nservices: {a: {image: x, tmpfs: /run}}\n", "compose.yaml");
    EXPECT_EQ(audit.mounts.size(), 2U);
    ASSERT_EQ(audit.troubles.size(), 1U);
    EXPECT_THAT(audit.troubles[0].message,
                HasSubstr("compose.yaml:1:11: Compose file 'none.yaml' cannot be read"));
}

TEST(Kubernetes, DefinitionsThatMakeAManifestLarge) {
    std::string text = std::string(manifest) + "---\nkind: CustomResourceDefinition\nspec:\n";
    for (int i = 0; i < 40'000; ++i)
        text +=
            "  f" + std::to_string(i) + ": {description: 'of apiVersion: and containers:, at some length'}\n";
    const Audit audit = of(text, "d.yaml");
    EXPECT_EQ(audit.mounts.size(), 5U);
    EXPECT_THAT(audit.troubles, IsEmpty());
}

TEST(Render, HostileNamesAreHarmless) {
    const Audit audit = of("services: {\"a\\n|<b>\": {volumes: [\"./x:/d\\e[2J|`\"]}}", "c.yaml");
    for (const std::string& text : {render_table(audit), render_markdown(audit)}) {
        EXPECT_EQ(text.find('\x1b'), std::string::npos);
        EXPECT_THAT(text, HasSubstr("x1b"));
    }
    EXPECT_THAT(render_markdown(audit), HasSubstr("\\|\\<b\\>"));
    const auto sarif = nlohmann::json::parse(render_sarif(audit));
    EXPECT_EQ(sarif["runs"][0]["results"][0]["level"], "note");
    EXPECT_EQ(sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"], 1);
    EXPECT_EQ(nlohmann::json::parse(render_json(audit))["schema"], "rogate.audit/1");
}

}  // namespace
}  // namespace rogate::audit
