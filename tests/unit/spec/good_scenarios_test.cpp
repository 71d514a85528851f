// Right input: every syntax, and what it becomes.
#include <filesystem>
#include <fstream>

#include "unit/spec/support.hpp"

namespace rogate::spec::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using Words = std::vector<std::string>;

Mount mount(const std::string& item) {
    const auto mounts = subject("  mounts:\n    - " + item + "\n").mounts;
    if (mounts.size() != 1) {
        ADD_FAILURE() << item;
        return {};
    }
    Mount only = mounts.front();
    only.declared = {};  // told by a test of its own
    return only;
}

Mount bind(const std::string& source, const std::string& target) {
    Mount expected;
    expected.source = source;
    expected.target = target;
    return expected;
}

Step step(const std::string& item) {
    const Scenario scenario = good("subject: {image: a, ports: [80]}\nsteps:\n  - " + item + "\n");
    return scenario.steps.empty() ? Step{} : scenario.steps.front();
}

// The defaults (or `base`) with one member set; g++ 12 warns about designated initialisers that leave members
// out.
template <class T, class M, class V>
T with(M T::*member, const V& value, T base = {}) {
    base.*member = M(value);
    return base;
}

template <class T>
T action(const std::string& item) {
    const Step only = step(item);
    if (const T* found = std::get_if<T>(&only.action)) return *found;
    ADD_FAILURE() << item << " is another action";
    return {};
}

TEST(Mounts, ShortSyntax) {
    EXPECT_EQ(mount("./conf:/etc/nginx"), bind("/project/app/conf", "/etc/nginx"));
    EXPECT_EQ(mount("../up/:/etc/nginx/"), bind("/project/up", "/etc/nginx"));
    EXPECT_EQ(mount(".:/src"), bind("/project/app", "/src"));
    EXPECT_EQ(mount("/srv//x/../data:/data:rw"), bind("/srv/data", "/data"));
    EXPECT_EQ(mount("/:/host"), bind("/", "/host"));
    EXPECT_EQ(mount("~/site:/data"), bind("/home/qa/site", "/data"));
    EXPECT_EQ(mount("~:/data"), bind("/home/qa", "/data"));
    EXPECT_EQ(mount("./a:/b:z,cached,rw"), bind("/project/app/a", "/b"));

    Mount expected = bind("/project/app/a", "/b");
    expected.read_only = true;
    expected.propagation = "rslave";
    EXPECT_EQ(mount("./a:/b:ro,rslave,Z"), expected);

    expected = bind("pg-data", "/var/lib/postgresql");
    expected.type = MountType::volume;
    EXPECT_EQ(mount("pg-data:/var/lib/postgresql"), expected);
    expected.no_copy = expected.read_only = true;
    EXPECT_EQ(mount("pg-data:/var/lib/postgresql:ro,nocopy"), expected);

    expected = bind("", "/data");
    expected.type = MountType::anonymous;
    EXPECT_EQ(mount("/data"), expected);
}

TEST(Mounts, LongSyntax) {
    Mount expected = bind("/project/app/conf", "/etc/nginx");
    expected.read_only = true;
    expected.propagation = "rshared";
    EXPECT_EQ(mount("{type: bind, source: ./conf, target: /etc/nginx, read_only: true, "
                    "bind: {propagation: rshared, create_host_path: false}}"),
              expected);
    expected.propagation.clear();
    EXPECT_EQ(mount("{type: bind, src: conf, dst: /etc/nginx, readonly: true}"), expected);
    EXPECT_EQ(mount("{type: bind, src: conf, destination: /etc/nginx/, readonly: true}"), expected);

    expected = bind("data", "/data");
    expected.type = MountType::volume;
    expected.no_copy = true;
    EXPECT_EQ(mount("{type: volume, source: data, target: /data, volume: {nocopy: true}}"), expected);
    expected.no_copy = false;
    expected.sub_path = "eu/db";
    EXPECT_EQ(mount("{type: volume, source: data, target: /data, volume: {subpath: eu//./db/}}"), expected);

    expected = bind("", "/data");
    expected.type = MountType::anonymous;
    EXPECT_EQ(mount("{type: volume, target: /data}"), expected);

    expected = bind("", "/run");
    expected.type = MountType::tmpfs;
    expected.tmpfs_options = "size=67108864,mode=1777";
    EXPECT_EQ(mount("{type: tmpfs, target: /run, tmpfs: {mode: 01777, size: 64m}}"), expected);
}

TEST(Mounts, Tmpfs) {
    const auto mounts =
        subject("  tmpfs: [\"/run:size=1m,mode=1777\", /tmp, \"/x:ro,noexec,uid=33,size=50%\"]\n").mounts;
    ASSERT_EQ(mounts.size(), 3U);
    EXPECT_EQ(mounts[0].type, MountType::tmpfs);
    EXPECT_EQ(mounts[0].target, "/run");
    EXPECT_EQ(mounts[0].tmpfs_options, "size=1048576,mode=1777");
    EXPECT_FALSE(mounts[0].read_only);
    EXPECT_EQ(mounts[1].target, "/tmp");
    EXPECT_EQ(mounts[1].tmpfs_options, "");
    EXPECT_TRUE(mounts[2].read_only);
    EXPECT_EQ(mounts[2].tmpfs_options, "noexec,uid=33,size=50%");
    EXPECT_EQ(subject("  tmpfs: /tmp\n").mounts.front().target, "/tmp");
}

TEST(Mounts, SayWhereTheyAreDeclared) {
    const auto mounts =
        subject("  volumes:\n    - /a\n    -  type: tmpfs\n       target: /b\n  tmpfs: /c\n").mounts;
    ASSERT_EQ(mounts.size(), 3U);
    EXPECT_EQ(mounts[0].declared, (SourcePlace{"app/scenario.yaml", 4, 7}));
    EXPECT_EQ(mounts[1].declared, (SourcePlace{"app/scenario.yaml", 5, 8}));
    EXPECT_EQ(mounts[2].declared, (SourcePlace{"app/scenario.yaml", 7, 10}));
}

TEST(SubjectKeys, AreAllRead) {
    const Subject read = subject(R"(  command: ["a", "b c"]
  entrypoint: sh -c "x y"
  user: 33
  working_dir: /srv/
  hostname: web
  stop_signal: sigquit
  init: true
  privileged: true
  read_only: true
  shm_size: 64m
  environment: {A: b, N: 1, PASSED: }
  ports: [80, "53/udp", "8080:80", "127.0.0.1:1:81"]
  cap_add: [NET_ADMIN]
  cap_drop: [ALL]
  security_opt: [no-new-privileges]
  ulimits: {nofile: 1024, core: -1}
  sysctls: {net.core.somaxconn: 1024}
  healthcheck: {test: [CMD, ok], interval: 5s, timeout: 3s, retries: 3, start_period: 0}
)");
    EXPECT_EQ(read.image, "a");
    EXPECT_EQ(read.command, (Words{"a", "b c"}));
    EXPECT_EQ(read.entrypoint, (Words{"sh", "-c", "x y"}));
    EXPECT_EQ(read.user, "33");
    EXPECT_EQ(read.working_dir, "/srv");
    EXPECT_EQ(read.hostname, "web");
    EXPECT_EQ(read.stop_signal, "SIGQUIT");
    EXPECT_TRUE(read.init && read.privileged && read.read_only_rootfs);
    EXPECT_EQ(read.shm_size, 64 * 1024 * 1024);
    EXPECT_THAT(read.environment, ElementsAre(Pair("A", "b"), Pair("N", "1"), Pair("PASSED", "through")));
    EXPECT_EQ(read.ports, (std::vector<Port>{{80, "tcp"}, {53, "udp"}, {81, "tcp"}}));
    EXPECT_THAT(read.cap_add, ElementsAre("NET_ADMIN"));
    EXPECT_THAT(read.cap_drop, ElementsAre("ALL"));
    EXPECT_THAT(read.security_opt, ElementsAre("no-new-privileges"));
    EXPECT_THAT(read.ulimits, ElementsAre(Pair("core", -1), Pair("nofile", 1024)));
    EXPECT_THAT(read.sysctls, ElementsAre(Pair("net.core.somaxconn", "1024")));
    EXPECT_EQ(read.healthcheck, (Healthcheck{{"CMD", "ok"}, 5000, 3000, 0, 3}));
}

TEST(SubjectKeys, DefaultToTheImages) {
    EXPECT_EQ(subject(""), with(&Subject::image, "a"));
    EXPECT_EQ(subject("  command: []\n").command, Words{});
    EXPECT_EQ(subject("  command: \"\"\n").command, Words{});
}

TEST(SubjectKeys, OtherForms) {
    EXPECT_THAT(subject("  environment: [A=b=c, E=, PASSED]\n").environment,
                ElementsAre(Pair("A", "b=c"), Pair("E", ""), Pair("PASSED", "through")));
    EXPECT_THAT(subject("  sysctls: [a.b=1]\n").sysctls, ElementsAre(Pair("a.b", "1")));
    EXPECT_EQ(subject("  healthcheck: {test: ok || exit 1}\n").healthcheck->test,
              (Words{"CMD-SHELL", "ok || exit 1"}));
    EXPECT_EQ(subject("  healthcheck: {disable: true}\n").healthcheck->test, Words{"NONE"});
    EXPECT_EQ(subject("  healthcheck: {test: [NONE]}\n").healthcheck->test, Words{"NONE"});
}

TEST(Actions, Http) {
    const auto http = action<HttpAction>(
        "http: {method: POST, port: 81, path: \"/a?b=c\", headers: {X-A: b}, body: \"x\\n\"}");
    EXPECT_EQ(http, (HttpAction{"POST", 81, "/a?b=c", {{"X-A", "b"}}, "x\n"}));
    EXPECT_EQ(action<HttpAction>("http: {}"), with(&HttpAction::port, 80));
}

TEST(Actions, Exec) {
    EXPECT_EQ(action<ExecAction>("exec: [redis-cli, ping]").command, (Words{"redis-cli", "ping"}));
    EXPECT_EQ(action<ExecAction>("exec: a | b").command, (Words{"sh", "-c", "a | b"}));
    EXPECT_EQ(action<ExecAction>("exec: {command: a}").command, (Words{"sh", "-c", "a"}));
    const auto exec = action<ExecAction>(
        "exec: {command: [a, 1], user: \"33:33\", working_dir: /srv, environment: [A=b, PASSED], stdin: "
        "\"in\"}");
    EXPECT_EQ(exec.command, (Words{"a", "1"}));
    EXPECT_EQ(exec.user, "33:33");
    EXPECT_EQ(exec.working_dir, "/srv");
    EXPECT_THAT(exec.environment, ElementsAre(Pair("A", "b"), Pair("PASSED", "through")));
    EXPECT_EQ(exec.stdin_text, "in");
}

TEST(Actions, Others) {
    EXPECT_EQ(action<SignalAction>("signal: hup").signal, "HUP");
    EXPECT_EQ(action<SignalAction>("signal: 10").signal, "10");
    EXPECT_FALSE(action<RestartAction>("restart: graceful").kill);
    EXPECT_TRUE(action<RestartAction>("restart: kill").kill);
    EXPECT_TRUE(action<RestartAction>("restart: {kill: true}").kill);
    EXPECT_FALSE(action<RestartAction>("restart: {}").kill);
    EXPECT_EQ(action<WaitAction>("wait: 2s").duration_ms, 2000);
    EXPECT_EQ(action<WaitAction>("wait: 0.5").duration_ms, 500);
    EXPECT_EQ(action<TcpAction>("tcp: 6379").port, 6379);
    EXPECT_EQ(action<TcpAction>("tcp: {port: 6379}").port, 6379);
    EXPECT_EQ(action<TcpAction>("tcp: {}").port, 80);
    action<HealthAction>("healthcheck: healthy");
    action<HealthAction>("healthcheck: true");
    EXPECT_EQ(step("log: \"ready.*\"").expect, with(&Expect::matches, "ready.*"));
    EXPECT_EQ(step("{log: a, expect: {not_contains: b}}").expect,
              with(&Expect::matches, "a", with(&Expect::not_contains, "b")));
    EXPECT_EQ(step("{log: {}, expect: {contains: b}}").expect, with(&Expect::contains, "b"));
}

TEST(Steps, ExpectationsAndTiming) {
    const Step http = step(
        "{http: {}, timeout: 5s, retry: {until: 30s, interval: 100ms}, expect: {status: 404, "
        "contains: 1, not_contains: b, matches: \"^c$\", equals: \"\", headers: {content-type: html}}}");
    EXPECT_EQ(http.expect, (Expect{404, std::nullopt, "1", "b", "^c$", "", {{"content-type", "html"}}}));
    EXPECT_EQ(http.timeout_ms, 5000);
    EXPECT_EQ(http.retry_until_ms, 30'000);
    EXPECT_EQ(http.retry_interval_ms, 100);
    EXPECT_EQ(http.declared, (SourcePlace{"app/scenario.yaml", 3, 5}));
    const Step exec = step("{exec: a, retry: {until: 1}, expect: {exit_code: 3, equals: PONG}}");
    EXPECT_EQ(exec.expect, with(&Expect::equals, "PONG", with(&Expect::exit_code, 3)));
    EXPECT_EQ(exec.timeout_ms, 30'000);
    EXPECT_EQ(exec.retry_interval_ms, 200);
}

// The longest regular expressions that are let through do not overflow the stack of libstdc++'s recursive
// compiler.
TEST(Steps, LongRegularExpressions) {
    for (const std::string& regex : {std::string(2000, 'a'), std::string(1000, '(') + std::string(1000, ')')})
        EXPECT_EQ(step("{exec: a, expect: {matches: \"" + regex + "\"}}").expect.matches, regex);
}

TEST(Steps, AreNamedAfterTheirAction) {
    const std::pair<std::string, std::string> cases[] = {
        {"http: {path: /a}", "http GET /a"},
        {"exec: [a, b c]", "exec a b c"},
        {"exec: a | b", "exec a | b"},
        {"signal: hup", "signal HUP"},
        {"restart: kill", "restart kill"},
        {"restart: {}", "restart graceful"},
        {"wait: 2m", "wait 120s"},
        {"wait: 0.5", "wait 500ms"},
        {"log: x.y", "log x.y"},
        {"tcp: 6379", "tcp 6379"},
        {"healthcheck: true", "healthcheck"},
        {"exec: \"a\\nb\\n\"", "exec a b"},
        {"{name: given, wait: 1s}", "given"},
        {"exec: [" + std::string(100, 'x') + "]", "exec " + std::string(55, 'x') + "…"}};
    for (const auto& [item, name] : cases) EXPECT_EQ(step(item).name, name) << item;
    const Scenario scenario =
        good("subject: {image: a}\nsteps: [wait: 1s, wait: 1s, {name: wait 1s (2), wait: 3s}]\n");
    EXPECT_EQ(scenario.steps[0].name, "wait 1s");
    EXPECT_EQ(scenario.steps[1].name, "wait 1s (3)");
}

TEST(Ready, HasThreeForms) {
    const auto ready = [](const std::string& text) { return good("subject: {image: a}\n" + text).readiness; };
    const Readiness one = ready("ready: {timeout: 5s, exec: [a], expect: {equals: b}}\n");
    ASSERT_EQ(one.checks.size(), 1U);
    EXPECT_EQ(one.timeout_ms, 5000);
    EXPECT_EQ(one.checks[0].timeout_ms, 30'000);
    EXPECT_EQ(one.checks[0].expect.equals, "b");
    EXPECT_EQ(one.checks[0].name, "exec a");
    const Readiness list = ready("ready:\n  - tcp: 1\n  - {name: n, log: x, timeout: 1s}\n");
    ASSERT_EQ(list.checks.size(), 2U);
    EXPECT_EQ(list.timeout_ms, 60'000);
    EXPECT_EQ(list.checks[1].name, "n");
    EXPECT_EQ(list.checks[1].timeout_ms, 1000);
    EXPECT_EQ(list.checks[1].declared, (SourcePlace{"app/scenario.yaml", 4, 5}));
    const Readiness checks =
        ready("ready:\n  timeout: 1m\n  checks:\n    - http: {port: 80}\n    - healthcheck: true\n");
    EXPECT_EQ(checks.checks.size(), 2U);
    EXPECT_EQ(checks.timeout_ms, 60'000);
    EXPECT_THAT(ready("").checks, IsEmpty());
}

TEST(Scenarios, PublishThePortsThatStepsTalkTo) {
    const Scenario scenario = good(
        "subject: {image: a, ports: [80]}\nready: {tcp: 81}\n"
        "steps: [http: {port: 82}, http: {}, tcp: 81]\n");
    EXPECT_EQ(scenario.subject.ports, (std::vector<Port>{{80, "tcp"}, {81, "tcp"}, {82, "tcp"}}));
}

TEST(Scenarios, ReadTheRest) {
    const Scenario scenario = good(R"(
name: web
description: |
  two
  lines
x-defaults: &defaults
  image: nginx
  tmpfs: /run
subject:
  <<: *defaults
  tmpfs: /tmp
candidates: [/data/, /]
shutdown: {signal: QUIT, timeout: 3s, exit_code: 0}
)");
    EXPECT_EQ(scenario.name, "web");
    EXPECT_EQ(scenario.file, "app/scenario.yaml");
    EXPECT_EQ(scenario.description, "two\nlines\n");
    EXPECT_EQ(scenario.subject.image, "nginx");
    EXPECT_EQ(scenario.subject.mounts.at(0).target, "/tmp");
    EXPECT_EQ(scenario.candidates, (Words{"/data", "/"}));
    EXPECT_EQ(scenario.shutdown, (Shutdown{"QUIT", 3000, 0}));
    EXPECT_THAT(scenario.steps, IsEmpty());
}

TEST(Scenarios, SayWhatIsToBeHardened) {
    const auto with = [](const std::string& text) {
        return *parse_scenario("subject: {image: a}\n" + text, "s.yaml");
    };
    const Scenario none = with("");
    EXPECT_FALSE(none.rootfs || none.tries_capabilities || none.tries_no_new_privileges || none.candidates);
    const Scenario all = with("harden: [mounts, root, capabilities, no-new-privileges]\n");
    EXPECT_TRUE(all.rootfs && all.tries_capabilities && all.tries_no_new_privileges);
    EXPECT_FALSE(all.candidates);  // every writable one
    const Scenario capabilities = with("harden: [capabilities]\n");
    EXPECT_TRUE(capabilities.tries_capabilities);
    EXPECT_FALSE(capabilities.rootfs || capabilities.tries_no_new_privileges);
    EXPECT_EQ(capabilities.candidates, Words{});
}

TEST(Scenarios, AreNamedAfterTheirFolderOrFile) {
    const std::string text = "subject: {image: a}\n";
    EXPECT_EQ(parse_scenario(text, "scenarios/nginx/scenario.yaml")->name, "nginx");
    EXPECT_EQ(parse_scenario(text, "x/shop.yaml")->name, "shop");
    EXPECT_EQ(parse_scenario(text, "/scenario.yaml")->name, "scenario");
}

TEST(Scenarios, LoadFromAFolder) {
    namespace fs = std::filesystem;
    std::string pattern = (fs::temp_directory_path() / "rogate-spec-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    const fs::path folder = pattern;
    std::ofstream(folder / "scenario.yml") << "subject: {image: a, mounts: [./d:/data]}\n";
    const auto scenario = load_scenario(folder.string());
    fs::remove_all(folder);
    ASSERT_TRUE(scenario.has_value()) << scenario.error().message;
    EXPECT_EQ(scenario->name, folder.filename());
    EXPECT_EQ(scenario->subject.mounts.at(0).source, (folder / "d").string());
    EXPECT_EQ(scenario->file, (folder / "scenario.yml").string());
}

}  // namespace
}  // namespace rogate::spec::test
