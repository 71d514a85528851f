// Compose projects: what becomes of every key, merging, interpolation, dependencies, and wrong input with its
// place.
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "spec/compose_forms.hpp"
#include "spec/compose_keys.hpp"
#include "spec/env_file.hpp"
#include "unit/spec/support.hpp"

namespace rogate::spec::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using testing::UnorderedElementsAre;

using Files = std::map<std::string, std::string>;

// Paths of `files` are below /project/app, where the project is.
Surroundings with_files(Files files) {
    Surroundings around = surroundings();
    around.read_file = [files = std::move(files)](const std::string& path) -> Result<std::string> {
        const std::string folder = "/project/app/";
        const auto found = path.starts_with(folder) ? files.find(path.substr(folder.size())) : files.end();
        if (found == files.end()) return fail(ErrorKind::not_found, path + ": No such file or directory");
        return found->second;
    };
    return around;
}

Result<Scenario> bare(const std::string& text, const Files& files = {}, const ComposeOptions& options = {}) {
    return parse_scenario(text, "compose.yaml", with_files(files), options);
}

Scenario good_project(const std::string& text, const Files& files = {}, const ComposeOptions& options = {}) {
    auto scenario = bare(text, files, options);
    if (scenario) return std::move(*scenario);
    ADD_FAILURE() << text << "\n" << scenario.error().message;
    return {};
}

Subject service(const std::string& more, const Files& files = {}) {
    return good_project("services:\n  web:\n    image: a\n" + more, files).subject;
}

std::set<std::string> keys_in_schema() {
    std::ifstream file(std::string(ROGATE_SOURCE_DIR) + "/tests/data/compose-spec.json");
    const auto schema = nlohmann::json::parse(file);
    std::set<std::string> keys;
    for (const auto& [key, unused] : schema["$defs"]["service"]["properties"].items()) keys.insert(key);
    return keys;
}

TEST(ComposeKeys, DecideOnEveryKeyOfTheSchema) {
    std::set<std::string> decided;
    for (const ComposeKey& key : compose_service_keys) {
        EXPECT_TRUE(decided.emplace(key.name).second) << key.name;
        EXPECT_EQ(key.fate == refused, !key.why.empty()) << key.name;
    }
    EXPECT_EQ(decided, keys_in_schema());
}

TEST(ComposeKeys, AreRefusedByNameAndNotedWithoutEffect) {
    for (const ComposeKey& key : compose_service_keys) {
        if (key.fate == supported) continue;
        const auto scenario = bare("services:\n  web:\n    image: a\n    " + std::string(key.name) + ": x\n");
        if (key.fate == refused) {
            ASSERT_FALSE(scenario.has_value()) << key.name;
            EXPECT_THAT(scenario.error().message, HasSubstr("compose.yaml:4:5: '" + std::string(key.name) +
                                                            "' of service 'web' is not supported"));
            Surroundings around = with_files({});
            around.without = {std::string(key.name)};
            const auto left_out =
                parse_scenario("services:\n  web:\n    image: a\n    " + std::string(key.name) + ": x\n",
                               "compose.yaml", around);
            ASSERT_TRUE(left_out.has_value()) << left_out.error().message;
            EXPECT_THAT(left_out->notes, ElementsAre(HasSubstr("compose.yaml:4:5: '" + std::string(key.name) +
                                                               "' of service 'web' is left out")));
        } else {
            ASSERT_TRUE(scenario.has_value()) << scenario.error().message;
            ASSERT_EQ(scenario->notes.size(), 1U) << key.name;
            EXPECT_THAT(scenario->notes[0],
                        HasSubstr("without effect on the test: " + std::string(key.name)));
        }
    }
}

TEST(Compose, ServiceBecomesTheSubject) {
    const Subject web = service(
        "    command: serve --port 80\n    entrypoint: [/init]\n    environment: [A=1, PASSED, UNSET]\n"
        "    user: \"33\"\n    working_dir: /srv\n    read_only: true\n    init: true\n    cap_drop: [ALL]\n"
        "    ports: ['8080:80', {target: 81, protocol: udp}, '9000-9001:9000-9001']\n"
        "    ulimits: {nofile: {soft: 10, hard: 20}, nproc: 5}\n    extra_hosts: {db: 10.0.0.1}\n"
        "    networks: {default: {aliases: [shop]}}\n    container_name: shop-web\n    stdin_open: true\n");
    EXPECT_THAT(*web.command, ElementsAre("serve", "--port", "80"));
    EXPECT_THAT(*web.entrypoint, ElementsAre("/init"));
    EXPECT_THAT(web.environment, ElementsAre(Pair("A", "1"), Pair("PASSED", "through")));
    EXPECT_THAT(web.ports,
                ElementsAre(Port{80, "tcp"}, Port{81, "udp"}, Port{9000, "tcp"}, Port{9001, "tcp"}));
    EXPECT_THAT(web.ulimits, ElementsAre(Pair("nofile", 10), Pair("nproc", 5)));
    EXPECT_THAT(web.ulimits_hard, ElementsAre(Pair("nofile", 20)));
    EXPECT_THAT(web.extra_hosts, ElementsAre("db:10.0.0.1"));
    EXPECT_THAT(web.aliases, ElementsAre("web", "shop-web", "shop"));
    EXPECT_TRUE(web.open_stdin && web.init && web.read_only_rootfs);
    EXPECT_EQ(web.origin.kind, Origin::Kind::compose);
    EXPECT_EQ(web.origin.name, "web");
    EXPECT_THAT(web.origin.files, ElementsAre("compose.yaml"));
}

TEST(Compose, MountsHaveTheirPlaceAndTheirNameOnTheEngine) {
    const Subject web = service(
        "    volumes:\n      - ./conf:/etc/shop:ro\n      - data:/data\n"
        "      - {type: volume, source: other, target: /other, consistency: cached}\n      - bound:/bound\n"
        "    tmpfs: /run:size=1m\n"
        "volumes:\n  data:\n  other: {external: true}\n"
        "  bound: {driver_opts: {type: none, o: bind, device: ./real}}\n");
    ASSERT_EQ(web.mounts.size(), 5U);
    EXPECT_EQ(web.mounts[0].source, "/project/app/conf");
    EXPECT_TRUE(web.mounts[0].read_only);
    EXPECT_EQ(web.mounts[0].declared, (SourcePlace{"compose.yaml", 5, 9}));
    EXPECT_EQ(web.mounts[1].source, "app_data");
    EXPECT_EQ(web.mounts[2].source, "other");
    EXPECT_EQ(web.mounts[3].type, MountType::bind);
    EXPECT_EQ(web.mounts[3].source, "/project/app/real");
    EXPECT_FALSE(web.mounts[3].read_only);
    EXPECT_EQ(web.mounts[4].declared, (SourcePlace{"compose.yaml", 9, 12}));
    // As the engine mounts it for everybody.
    const Subject kept = service(
        "    volumes: [bound:/bound]\nvolumes:\n"
        "  bound: {driver_opts: {type: none, o: 'ro,bind', device: ./real}}\n");
    EXPECT_TRUE(kept.mounts.at(0).read_only);
}

TEST(Compose, RelabellingForSELinuxIsToldAndLeftOut) {
    const Scenario shop = good_project(
        "services:\n  web:\n    image: a\n    volumes:\n      - ./a:/a:ro,z\n"
        "      - {type: bind, source: ./b, target: /b, bind: {selinux: Z}}\n      - ./c:/c\n");
    EXPECT_THAT(
        shop.notes,
        ElementsAre("mount /a: the runs leave out the relabelling for SELinux (:z); in use the engine "
                    "relabels /project/app/a whenever it makes the container, read-only (:ro,z) or "
                    "not, so that it has to stay writable for the engine itself",
                    HasSubstr("mount /b: the runs leave out the relabelling for SELinux (:Z)")));
    EXPECT_THAT(bare("services:\n  web:\n    image: a\n    volumes:\n"
                     "      - {type: bind, source: ./b, target: /b, bind: {selinux: y}}\n")
                    .error()
                    .message,
                HasSubstr("compose.yaml:5:63: 'y' is no way to relabel; write z (shared) or Z (private)"));
}

TEST(Compose, ConfigsAndSecretsAreFilesAndBinds) {
    const Subject web = service(
        "    configs: [site, {source: inline, target: /etc/i, mode: 0440, uid: \"33\"}]\n    secrets: [key]\n"
        "configs: {site: {file: ./site.conf}, inline: {content: \"port=80\"}}\n"
        "secrets: {key: {environment: PASSED}}\n");
    ASSERT_EQ(web.mounts.size(), 1U);
    EXPECT_EQ(web.mounts[0].target, "/site");
    EXPECT_TRUE(web.mounts[0].read_only);
    ASSERT_EQ(web.files.size(), 2U);
    EXPECT_EQ(web.files[0].content, "port=80");
    EXPECT_EQ(web.files[0].mode, 0440U);
    EXPECT_EQ(web.files[0].uid, 33U);
    EXPECT_EQ(web.files[1].target, "/run/secrets/key");
    EXPECT_EQ(web.files[1].content, "through");
}

TEST(Compose, FilesAreMergedByComposesRules) {
    const std::string base =
        "services:\n  web:\n    image: a:${TAG:-1}\n    command: [a, b]\n    environment: [A=1, B=1]\n"
        "    volumes: ['./one:/x', './two:/y']\n    cap_add: [A]\n    ports: ['80']\n    tmpfs: [/t]\n";
    const std::string over =
        "services:\n  web:\n    command: [c]\n    environment: {B: 2}\n    volumes: ['./three:/x']\n"
        "    cap_add: [A, B]\n    ports: !override ['81']\n    tmpfs: !reset null\n";
    auto scenario = parse_scenario("subject:\n  compose: {file: [a.yaml, b.yaml]}\n", "s.yaml",
                                   with_files({{"a.yaml", base}, {"b.yaml", over}, {".env", "TAG=7\n"}}));
    ASSERT_TRUE(scenario.has_value()) << scenario.error().message;
    const Subject& web = scenario->subject;
    EXPECT_EQ(web.image, "a:7");
    EXPECT_THAT(*web.command, ElementsAre("c"));
    EXPECT_THAT(web.environment, ElementsAre(Pair("A", "1"), Pair("B", "2")));
    EXPECT_THAT(web.cap_add, ElementsAre("A", "B"));
    EXPECT_THAT(web.ports, ElementsAre(Port{81, "tcp"}));
    ASSERT_EQ(web.mounts.size(), 2U);
    EXPECT_EQ(web.mounts[0].source, "/project/app/three");
    EXPECT_EQ(web.mounts[0].declared, (SourcePlace{"b.yaml", 5, 15}));
    EXPECT_THAT(web.origin.files, ElementsAre("a.yaml", "b.yaml"));
}

TEST(Compose, ExtendsAndIncludesOtherFolders) {
    const Files files{{"common/base.yaml",
                       "services:\n  base:\n    image: b\n    volumes: ['./d:/d']\n"
                       "    environment: {A: 1}\n"},
                      {"db/compose.yaml", "services:\n  db: {image: '${IMG}', volumes: ['./d:/d']}\n"},
                      {"db/.env", "IMG=redis\n"}};
    const Scenario scenario = good_project(
        "include: [db/compose.yaml]\nservices:\n  web:\n    extends: {file: common/base.yaml, service: "
        "base}\n"
        "    environment: {B: 2}\n    depends_on: [db]\n",
        files, {{"web"}, {}});
    EXPECT_EQ(scenario.subject.image, "b");
    EXPECT_EQ(scenario.subject.mounts.at(0).source, "/project/app/common/d");
    EXPECT_EQ(scenario.subject.mounts.at(0).declared.file, "common/base.yaml");
    // Named so that it can be opened from where the first file was named.
    const auto named = parse_scenario(
        "subject:\n  compose: {file: shop/compose.yaml, service: web}\n", "in/s.yaml",
        with_files({{"shop/compose.yaml", "services: {web: {extends: {file: base.yaml, service: b}}}\n"},
                    {"shop/base.yaml", "services: {b: {image: b, volumes: ['./d:/d']}}\n"}}));
    ASSERT_TRUE(named.has_value()) << named.error().message;
    EXPECT_EQ(named->subject.mounts.at(0).declared.file, "in/shop/base.yaml");
    ASSERT_EQ(scenario.companions.size(), 1U);
    EXPECT_EQ(scenario.companions[0].subject.image, "redis");
    EXPECT_EQ(scenario.companions[0].subject.mounts.at(0).source, "/project/app/db/d");
}

// A circle by links has another path each time.
TEST(Compose, IncludesAndExtendsOnlySoDeep) {
    const auto chain = [](int length, const std::string& before, const std::string& after, std::string last) {
        Files files;
        for (int i = 1; i < length; ++i)
            files["f" + std::to_string(i)] = before + "f" + std::to_string(i + 1) + after;
        files["f" + std::to_string(length)] = std::move(last);
        return files;
    };
    const std::string service = "services: {web: {image: a}}\n";
    const std::string extends = "services: {web: {extends: {file: ", web = ", service: web}}}\n";
    EXPECT_EQ(good_project("include: [f1]\n", chain(30, "include: [", "]\n", service)).subject.image, "a");
    EXPECT_EQ(good_project(extends + "f1" + web, chain(30, extends, web, service)).subject.image, "a");
    const auto included = bare("include: [f1]\n", chain(60, "include: [", "]\n", service));
    ASSERT_FALSE(included.has_value());
    EXPECT_THAT(included.error().message, HasSubstr("files are included more than 40 deep"));
    Files doubled = chain(30, "include: [", "]\n", "volumes: {}\n");
    for (auto& [name, text] : doubled)
        if (text.starts_with("include: [")) text.insert(10, text.substr(10, text.find(']') - 10) + ", ");
    const auto bomb = bare("include: [f1]\n", doubled);
    ASSERT_FALSE(bomb.has_value());
    EXPECT_THAT(bomb.error().message, HasSubstr("more than 500 files are included"));
    const auto extended = bare(extends + "f1" + web, chain(60, extends, web, service));
    ASSERT_FALSE(extended.has_value());
    EXPECT_THAT(extended.error().message, HasSubstr("services are extended more than 40 deep"));
}

TEST(Compose, ServicesBesideTheSubjectComeInTheOrderOfTheirDependencies) {
    const Scenario scenario = good_project(
        "x-common: &common {image: a, restart: always}\n"
        "services:\n  web:\n    <<: *common\n    depends_on:\n      init: {condition: "
        "service_completed_successfully}\n"
        "      cache: {condition: service_healthy}\n      debug: {condition: service_started, required: "
        "false}\n"
        "  init: {image: i, depends_on: [db]}\n  db: {image: d, volumes: [/v]}\n"
        "  cache: {image: c, volumes_from: ['db:ro']}\n"
        "  debug: {image: x, profiles: [debug]}\n  unrelated: {image: u}\n",
        {}, {{"web"}, {}});
    std::vector<std::string> order;
    for (const Companion& each : scenario.companions) order.push_back(each.name);
    EXPECT_THAT(order, ElementsAre("db", "init", "cache"));
    EXPECT_THAT(scenario.after, ElementsAre(Dependency{"init", Dependency::Condition::completed},
                                            Dependency{"cache", Dependency::Condition::healthy}));
    const Mount& shared = scenario.companions[2].subject.mounts.at(0);
    EXPECT_TRUE(shared.read_only);
    EXPECT_EQ(shared.source, scenario.companions[0].subject.mounts.at(0).source);
}

TEST(Compose, WhatBringsAServiceUpAgain) {
    const Scenario scenario = good_project(
        "services:\n  web: {image: a, restart: always, depends_on: [a, b, c, d]}\n"
        "  a: {image: a, restart: 'no'}\n  b: {image: b, restart: on-failure, stop_grace_period: 3s}\n"
        "  c: {image: c, restart: 'on-failure:5'}\n  d: {image: d, restart: unless-stopped}\n",
        {}, {{"web"}, {}});
    ASSERT_EQ(scenario.companions.size(), 4U);
    EXPECT_EQ(scenario.companions[0].restart, (RestartPolicy{"", 0}));
    EXPECT_EQ(scenario.companions[1].restart, (RestartPolicy{"on-failure", 0}));
    EXPECT_EQ(scenario.companions[2].restart, (RestartPolicy{"on-failure", 5}));
    EXPECT_EQ(scenario.companions[3].restart, (RestartPolicy{"unless-stopped", 0}));
    EXPECT_EQ(scenario.companions[0].grace_ms, 10'000);
    EXPECT_EQ(scenario.companions[1].grace_ms, 3'000);
    // How the subject ends is what a run asks.
    EXPECT_THAT(scenario.notes, ElementsAre("service 'web': without effect on the test: restart"));
}

TEST(Compose, EnvFiles) {
    const Subject web = service(
        "    env_file: [{path: a.env}, {path: none.env, required: false}]\n    environment: {B: own}\n",
        {{"a.env", "# c\nexport A='x $y'\nB=2\nC=\"l\\n${A}\" # c\nD=v#v # c\n"}});
    EXPECT_THAT(web.environment,
                ElementsAre(Pair("A", "x $y"), Pair("B", "own"), Pair("C", "l\nx $y"), Pair("D", "v#v")));
}

TEST(Compose, Readiness) {
    const Scenario healthy = good_project("services: {a: {image: x, healthcheck: {test: 'true'}}}\n");
    ASSERT_EQ(healthy.readiness.checks.size(), 1U);
    EXPECT_TRUE(std::holds_alternative<HealthAction>(healthy.readiness.checks[0].action));
    const Scenario ports = good_project("services: {a: {image: x, ports: [80]}}\n");
    ASSERT_EQ(ports.readiness.checks.size(), 1U);
    EXPECT_EQ(std::get<TcpAction>(ports.readiness.checks[0].action).port, 80);
}

TEST(Interpolation, Forms) {
    const Lookup lookup = [](const std::string& name) -> std::optional<std::string> {
        if (name == "SET") return "v";
        if (name == "EMPTY") return "";
        return std::nullopt;
    };
    const std::vector<std::pair<std::string, std::string>> forms{{"$SET-${SET}", "v-v"},
                                                                 {"${NONE:-d}", "d"},
                                                                 {"${EMPTY:-d}", "d"},
                                                                 {"${EMPTY-d}", ""},
                                                                 {"${NONE-${SET}x}", "vx"},
                                                                 {"${SET:+t}", "t"},
                                                                 {"${EMPTY:+t}", ""},
                                                                 {"${EMPTY+t}", "t"},
                                                                 {"$$SET $${SET}", "$SET ${SET}"},
                                                                 {"a$", "a$"},
                                                                 {"$! $(d) $? $' ^x$", "$! $(d) $? $' ^x$"},
                                                                 {"${NONE}", ""},
                                                                 {"${SET:?e}", "v"},
                                                                 {"${NONE:-a}b", "ab"}};
    for (const auto& [text, wanted] : forms) {
        std::vector<std::string> unset;
        EXPECT_EQ(interpolate(text, lookup, unset).value_or("error"), wanted) << text;
    }
    std::vector<std::string> unset;
    EXPECT_THAT(interpolate("${NONE:?say it}", lookup, unset).error(),
                HasSubstr("variable 'NONE' is required: say it"));
    for (const char* text : {"${SET", "${1}", "${SET!x}", "${EMPTY:?}"})
        EXPECT_FALSE(interpolate(text, lookup, unset).has_value()) << text;
}

TEST(Compose, ProblemsOfSeveralServicesAreNamed) {
    const auto several = bare("services:\n  a: {image: x}\n  b: {image: x}\n");
    ASSERT_FALSE(several.has_value());
    EXPECT_THAT(several.error().message,
                HasSubstr("the project has 2 services; say which one is under test with 'service' (--service "
                          "NAME): a, b"));
    const auto profile = bare(
        "services:\n  a: {image: x, depends_on: [b], profiles: [p]}\n  b: {image: x, depends_on: [a]}\n");
    ASSERT_FALSE(profile.has_value());
    EXPECT_THAT(profile.error().message, HasSubstr("service 'b' needs 'a', which is in the profiles p"));
    const auto circle = bare(
        "services:\n  a: {image: x, depends_on: [b]}\n  b: {image: x, depends_on: [a]}\n", {}, {{"a"}, {}});
    ASSERT_FALSE(circle.has_value());
    EXPECT_THAT(circle.error().message, HasSubstr("service 'a' needs itself (a → b → a); break the circle"));
}

// Each form's keys are those of the specification's schema, so that what is written is known or refused.
TEST(ComposeForms, HaveTheKeysOfTheSchema) {
    std::ifstream file(std::string(ROGATE_SOURCE_DIR) + "/tests/data/compose-spec.json");
    const auto schema = nlohmann::json::parse(file);
    for (const ComposeForm* form : forms::all()) {
        std::set<std::string> known, published;
        for (const FormKey& key : form->keys) known.emplace(key.name);
        const auto pointer = nlohmann::json::json_pointer(std::string(form->schema) + "/properties");
        ASSERT_TRUE(schema.contains(pointer)) << form->schema;
        for (const auto& [key, unused] : schema[pointer].items()) published.insert(key);
        EXPECT_EQ(known, published) << form->schema;
    }
}

TEST(Compose, ExtensionsMayStandInEveryForm) {
    const Scenario scenario = good_project(
        "services:\n  web:\n    image: a\n    x-a: 1\n    ports: [{target: 80, x-b: 1}]\n"
        "    volumes: [{type: bind, source: /a, target: /a, x-c: 1}]\n    healthcheck: {test: a, x-d: 1}\n"
        "    depends_on: {db: {condition: service_started, x-e: 1}}\n    networks: {back: {x-f: 1}}\n"
        "  db: {image: d}\nx-g: {}\nnetworks: {back: {x-h: 1}}\n",
        {}, {{"web"}, {}});
    EXPECT_TRUE(scenario.notes.empty());
    EXPECT_EQ(scenario.companions.size(), 1U);
}

TEST(Compose, ComesMergedFromDockerComposeConfig) {
    // What `docker compose config` prints: long forms, numbers in quotes, modes in decimal.
    const Scenario scenario = good_project(
        "name: shop\nservices:\n  web:\n    command: null\n    entrypoint: null\n    image: shop:1\n"
        "    depends_on:\n      db:\n        condition: service_healthy\n        required: true\n"
        "    environment:\n      A: \"1\"\n    networks:\n      default: null\n"
        "    ports:\n      - mode: ingress\n        target: 80\n        published: \"8080\"\n        "
        "protocol: tcp\n"
        "    volumes:\n      - type: bind\n        source: /srv/conf\n        target: /conf\n        "
        "read_only: true\n"
        "        bind:\n          create_host_path: true\n      - type: volume\n        source: data\n"
        "        target: /data\n        volume: {}\n      - type: tmpfs\n        target: /t\n        tmpfs:\n"
        "          mode: 448\n  db:\n    image: db:1\n    networks:\n      default: null\n"
        "networks:\n  default:\n    name: shop_default\nvolumes:\n  data:\n    name: shop_data\n",
        {}, {{"web"}, {}});
    const Subject& web = scenario.subject;
    ASSERT_EQ(web.mounts.size(), 3U);
    EXPECT_TRUE(web.mounts[0].read_only);
    EXPECT_EQ(web.mounts[1].source, "shop_data");
    EXPECT_EQ(web.mounts[2].tmpfs_options, "mode=700");
    EXPECT_THAT(web.ports, ElementsAre(Port{80, "tcp"}));
    EXPECT_THAT(scenario.after, ElementsAre(Dependency{"db", Dependency::Condition::healthy}));
}

TEST(Compose, VariablesComeFromTheEnvironmentThenTheEnvFiles) {
    const std::string text =
        "services:\n  web:\n    image: a:${TAG}\n    environment: {P: '${PASSED}', N: $NONE}\n";
    const Files files{
        {"compose.yaml", text}, {".env", "TAG=env\nPASSED=env\n"}, {"other.env", "TAG=other\n"}};
    EXPECT_EQ(good_project(text, files).subject.image, "a:env");
    EXPECT_EQ(good_project(text, files).subject.environment.at("P"), "through");
    EXPECT_THAT(good_project(text, files).notes,
                testing::Contains(HasSubstr("compose.yaml:4:38: variable 'NONE' is not set")));
    const auto other = parse_scenario("subject:\n  compose: {file: compose.yaml, env_file: other.env}\n",
                                      "s.yaml", with_files(files));
    ASSERT_TRUE(other.has_value()) << other.error().message;
    EXPECT_EQ(other->subject.image, "a:other");
}

TEST(Compose, ProfilesTurnServicesOn) {
    const std::string text =
        "services:\n  web: {image: a, depends_on: {mail: {condition: service_started, required: false}}}\n"
        "  mail: {image: m, profiles: [mail]}\n";
    EXPECT_TRUE(good_project(text, {}, {{"web"}, {}}).companions.empty());
    EXPECT_EQ(good_project(text, {}, {{"web"}, {"mail"}}).companions.size(), 1U);
    EXPECT_EQ(good_project(text, {{".env", "COMPOSE_PROFILES=x,mail\n"}}, {{"web"}, {}}).companions.size(),
              1U);
    // As with `docker compose up mail`: the profiles of what is named are on.
    EXPECT_EQ(good_project(text, {}, {{"mail"}, {}}).subject.image, "m");
}

TEST(Compose, NetworksOfTheProjectAreTheRunsOwn) {
    const Scenario scenario = good_project(
        "services: {a: {image: x, networks: [front, back]}}\nnetworks: {front: {external: true}, back: "
        "{internal: "
        "true}}\n");
    EXPECT_THAT(
        scenario.notes,
        ElementsAre(HasSubstr("network 'front': the services are on the run's own network; what else is"),
                    HasSubstr("network 'back': the services are on the run's own network; without effect "
                              "on the test: internal")));
}

TEST(Compose, HealthChecks) {
    const Subject web =
        service("    healthcheck: {test: [CMD, curl, x], interval: 1m30s, retries: 3, start_interval: 1s}\n");
    EXPECT_THAT(web.healthcheck->test, ElementsAre("CMD", "curl", "x"));
    EXPECT_EQ(web.healthcheck->interval_ms, 90'000);
    EXPECT_THAT(service("    healthcheck: {disable: true, test: x}\n").healthcheck->test,
                ElementsAre("NONE"));
    EXPECT_THAT(service("    healthcheck: {test: NONE}\n").healthcheck->test,
                ElementsAre("CMD-SHELL", "NONE"));
}

TEST(Compose, ShortSyntaxOfVolumes) {
    const Subject web = service(
        "    volumes: [/anonymous, ./rel:/rel, ../up:/up:ro, ~/home:/home, "
        "'named:/named:ro,nocopy']\nvolumes: {named: }\n");
    ASSERT_EQ(web.mounts.size(), 5U);
    EXPECT_EQ(web.mounts[0].type, MountType::anonymous);
    EXPECT_EQ(web.mounts[1].source, "/project/app/rel");
    EXPECT_EQ(web.mounts[2].source, "/project/up");
    EXPECT_TRUE(web.mounts[2].read_only);
    EXPECT_EQ(web.mounts[3].source, "/home/qa/home");
    EXPECT_EQ(web.mounts[4].source, "app_named");
    EXPECT_TRUE(web.mounts[4].read_only && web.mounts[4].no_copy);
}

TEST(Compose, APartOfAVolume) {
    const Subject web = service(
        "    volumes: ['data:/data:ro', {type: volume, source: data, target: /data/db, volume: {subpath: "
        "db}}, "
        "{type: volume, source: disk, target: /disk, volume: {subpath: a}}]\n"
        "volumes: {data: , disk: {driver_opts: {type: none, o: bind, device: /srv/disk}}}\n");
    ASSERT_EQ(web.mounts.size(), 3U);
    EXPECT_EQ(web.mounts[1].source, "app_data");
    EXPECT_EQ(web.mounts[1].sub_path, "db");
    EXPECT_EQ(web.mounts[2].type, MountType::bind);
    EXPECT_EQ(web.mounts[2].source, "/srv/disk/a");
    EXPECT_EQ(web.mounts[2].sub_path, "");
}

}  // namespace
}  // namespace rogate::spec::test
