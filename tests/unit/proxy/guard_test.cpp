#include "proxy/guard.hpp"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

namespace rogate::proxy::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;

Access access_of(const char* method, const char* target) {
    return wanted(method, call_of(method, target)).access;
}

TEST(Guard, PassesWhatTellsOfTheEngine) {
    EXPECT_EQ(access_of("HEAD", "/_ping"), Access::pass);
    EXPECT_EQ(access_of("GET", "/v1.41/version"), Access::pass);
    EXPECT_EQ(access_of("GET", "/v1.41/distribution/library/nginx/json"), Access::pass);
}

// Names, labels and mounts differ in runs that rogate makes itself.
TEST(Guard, KnowsWhatTellsOfTheSystem) {
    for (const char* target : {"/containers/json", "/containers/web/json", "/containers/web/logs", "/events",
                               "/networks", "/networks/net", "/volumes", "/volumes/data", "/images/json",
                               "/images/app/json", "/system/df", "/exec/e1/json"})
        EXPECT_TRUE(tells_of_system(access_of("GET", target))) << target;
    EXPECT_TRUE(tells_of_system(access_of("POST", "/volumes/create")));
    for (const char* target : {"/_ping", "/version", "/info", "/plugins/web"})
        EXPECT_FALSE(tells_of_system(access_of("GET", target))) << target;
    EXPECT_FALSE(tells_of_system(access_of("POST", "/images/create?fromImage=a")));
}

TEST(Guard, KnowsOneContainer) {
    const Wanted inspecting = wanted("GET", call_of("GET", "/v1.41/containers/web/json"));
    EXPECT_EQ(inspecting.access, Access::container);
    EXPECT_EQ(inspecting.object, "web");
    EXPECT_FALSE(inspecting.changes);
    for (const auto& [method, target] :
         std::vector<std::pair<const char*, const char*>>{{"POST", "/containers/web/start"},
                                                          {"POST", "/containers/web/kill?signal=TERM"},
                                                          {"POST", "/v1.41/containers/web/exec"},
                                                          {"PUT", "/containers/web/archive?path=/"},
                                                          {"DELETE", "/containers/web?force=1"}}) {
        const Wanted want = wanted(method, call_of(method, target));
        EXPECT_EQ(want.access, Access::container) << target;
        EXPECT_TRUE(want.changes) << target;
    }
}

// Whatever is new in an engine is not given before somebody has thought about it.
TEST(Guard, RefusesWhatItDoesNotKnow) {
    for (const auto& [method, target] :
         std::vector<std::pair<const char*, const char*>>{{"POST", "/containers/prune"},
                                                          {"POST", "/volumes/prune"},
                                                          {"POST", "/networks/prune"},
                                                          {"POST", "/images/prune"},
                                                          {"DELETE", "/images/nginx"},
                                                          {"POST", "/images/nginx/tag"},
                                                          {"POST", "/images/load"},
                                                          {"GET", "/images/get"},
                                                          {"POST", "/build"},
                                                          {"POST", "/session"},
                                                          {"POST", "/grpc"},
                                                          {"POST", "/commit"},
                                                          {"POST", "/swarm/init"},
                                                          {"POST", "/services/create"},
                                                          {"GET", "/plugins"},
                                                          {"POST", "/libpod/containers/create"},
                                                          {"PATCH", "/containers/web/json"},
                                                          {"PUT", "/containers/web/start"},
                                                          {"GET", "/"},
                                                          {"GET", "/containers/../images/json"},
                                                          {"GET", "/containers/%2e%2e/json"},
                                                          {"POST", "/containers/a%2Fb/start"},
                                                          {"GET", "/new/thing"}})
        EXPECT_EQ(access_of(method, target), Access::refused) << method << ' ' << target;
}

// `docker inspect NAME` goes through all kinds of things.
TEST(Guard, HasNoneOfWhatNoSystemHas) {
    for (const char* kind : {"plugins", "services", "tasks", "nodes", "secrets", "configs"}) {
        const std::string target = std::string("/v1.41/") + kind + "/web";
        EXPECT_EQ(access_of("GET", target.c_str()), Access::absent) << target;
        EXPECT_EQ(access_of("DELETE", target.c_str()), Access::refused) << target;
    }
}

TEST(Guard, WritesATargetInOneWay) {
    EXPECT_EQ(target_of(call_of("GET", "/v1.41//containers/w%65b/json?size=1&all")),
              "/v1.41/containers/web/json?all=&size=1");
    EXPECT_EQ(target_of(call_of("GET", "http://docker/images/a/b:1/json")), "/images/a/b:1/json");
    EXPECT_EQ(target_of(call_of("GET", "/events?filters=%7B%22a%22%3A1%7D")),
              "/events?filters=%7B%22a%22:1%7D");
}

Belongings ours() {
    Belongings all;
    all.containers = {"c1"};
    all.networks = {"n1", "net"};
    all.volumes = {"data"};
    all.images = {"sha256:1"};
    all.sources = {"/srv/app"};
    return all;
}

TEST(Guard, LearnsWhatContainersHave) {
    const json list = json::parse(R"([
        {"Id": "c1", "ImageID": "sha256:1", "Labels": {"io.x": "1"},
         "NetworkSettings": {"Networks": {"net": {"NetworkID": "n1"}, "bridge": {"NetworkID": "n0"}}},
         "Mounts": [{"Type": "bind", "Source": "/srv/app"}, {"Type": "volume", "Name": "data"}]},
        {"Id": "c2", "ImageID": "sha256:2", "Labels": {},
         "NetworkSettings": {"Networks": {"others": {"NetworkID": "n2"}}},
         "Mounts": [{"Type": "volume", "Name": "theirs"}]}])");
    Belongings all;
    add_containers(all, list,
                   [](const std::string&, const Labels& labels) { return labels.contains("io.x"); });
    const Belongings expected = ours();
    EXPECT_EQ(all.containers, expected.containers);
    EXPECT_EQ(all.networks, expected.networks);
    EXPECT_EQ(all.volumes, expected.volumes);
    EXPECT_EQ(all.images, expected.images);
    EXPECT_EQ(all.sources, expected.sources);
}

TEST(Guard, ShowsWhatIsOurs) {
    const Belongings all = ours();
    EXPECT_EQ(only_of(all, Access::list_containers, json::parse(R"([{"Id":"c1"},{"Id":"c2"}])")),
              json::parse(R"([{"Id":"c1"}])"));
    EXPECT_EQ(only_of(all, Access::list_images, json::parse(R"([{"Id":"sha256:1"},{"Id":"sha256:2"}])")),
              json::parse(R"([{"Id":"sha256:1"}])"));
    EXPECT_EQ(only_of(all, Access::list_volumes,
                      json::parse(R"({"Volumes":[{"Name":"data"},{"Name":"theirs"}],"Warnings":null})")),
              json::parse(R"({"Volumes":[{"Name":"data"}],"Warnings":null})"));
    EXPECT_EQ(
        only_of(all, Access::list_networks, json::parse(R"([
                  {"Id":"n0","Name":"bridge","Containers":{"c1":{},"c2":{}}},
                  {"Id":"n1","Name":"net"}, {"Id":"n2","Name":"others"}])")),
        json::parse(R"([{"Id":"n0","Name":"bridge","Containers":{"c1":{}}},{"Id":"n1","Name":"net"}])"));
    EXPECT_EQ(only_of(all, Access::list_all, json::parse(R"({"LayersSize":9,"Images":[{"Id":"sha256:2"}],
                  "Containers":[{"Id":"c2"},{"Id":"c1"}],"Volumes":[{"Name":"theirs"}],"BuildCache":[{"ID":"x"}],
                  "News":[1]})")),
              json::parse(
                  R"({"LayersSize":0,"Images":[],"Containers":[{"Id":"c1"}],"Volumes":[],"BuildCache":[]})"));
}

TEST(Guard, TellsOfWhatIsOurs) {
    const Belongings all = ours();
    const auto told = [&](const char* text) { return is_told(all, json::parse(text)); };
    EXPECT_TRUE(told(R"({"Type":"container","Action":"die","Actor":{"ID":"c1"}})"));
    EXPECT_FALSE(told(R"({"Type":"container","Action":"die","Actor":{"ID":"c2"}})"));
    EXPECT_TRUE(told(R"({"Type":"network","Actor":{"ID":"n0","Attributes":{"container":"c1"}}})"));
    EXPECT_FALSE(told(R"({"Type":"network","Actor":{"ID":"n1","Attributes":{"container":"c2"}}})"));
    EXPECT_TRUE(told(R"({"Type":"volume","Actor":{"ID":"data"}})"));
    EXPECT_FALSE(told(R"({"Type":"volume","Actor":{"ID":"theirs"}})"));
    EXPECT_FALSE(told(R"({"Type":"daemon","Actor":{"ID":"c1"}})"));
    EXPECT_FALSE(told("[]"));
}

std::string beyond_of(const char* body) {
    const auto reach = reach_of(json::parse(body));
    if (!reach) return reach.error().message;
    return beyond(ours(), *reach);
}

TEST(Guard, LetsAContainerReachWhatIsOurs) {
    EXPECT_THAT(beyond_of(R"({"Image":"x"})"), IsEmpty());
    EXPECT_THAT(
        beyond_of(R"({"HostConfig":{"Binds":["/srv/app:/a","/srv/app/sub:/b:ro","data:/c","/anonymous"],
                               "NetworkMode":"net","Mounts":[{"Type":"tmpfs","Target":"/t"},
                               {"Type":"volume","Target":"/v"}],"CapAdd":null,"SecurityOpt":[],"IpcMode":"private"},
                               "NetworkingConfig":{"EndpointsConfig":{"n1":{}}}})"),
        IsEmpty());
    EXPECT_THAT(beyond_of(R"({"HostConfig":{"NetworkMode":"default"}})"), IsEmpty());
    // Made from another one's inspection, as watchtower does it.
    EXPECT_THAT(
        beyond_of(R"({"HostConfig":{"MaskedPaths":["/proc/asound","/proc/acpi","/proc/kcore","/proc/keys",
                      "/proc/timer_list","/sys/firmware"],"ReadonlyPaths":["/proc/bus","/proc/fs","/proc/irq",
                      "/proc/sys","/proc/sysrq-trigger"]}})"),
        IsEmpty());
}

TEST(Guard, KeepsAContainerFromWhatIsOfOthers) {
    for (const auto& [body, what] : std::vector<std::pair<const char*, const char*>>{
             {R"({"HostConfig":{"Binds":["/etc:/x"]}})", "/etc"},
             {R"({"HostConfig":{"Binds":["/srv/app/../other:/x"]}})", "other"},
             {R"({"HostConfig":{"Binds":["/srv/application:/x"]}})", "application"},
             {R"({"HostConfig":{"Binds":["theirs:/x"]}})", "theirs"},
             {R"({"HostConfig":{"Mounts":[{"Type":"bind","Source":"/","Target":"/x"}]}})", "'/'"},
             {R"({"HostConfig":{"Mounts":[{"Type":"volume","Source":"theirs","Target":"/x"}]}})", "theirs"},
             {R"({"HostConfig":{"Mounts":[{"Type":"image","Source":"x","Target":"/x"}]}})", "image"},
             {R"({"HostConfig":{"Mounts":[{"Type":"volume","Target":"/x","VolumeOptions":{"DriverConfig":
                 {"Options":{"type":"none","o":"bind","device":"/etc"}}}}]}})",
              "/etc"},
             {R"({"HostConfig":{"NetworkMode":"others"}})", "others"},
             {R"({"NetworkingConfig":{"EndpointsConfig":{"others":{}}}})", "others"},
             {R"({"HostConfig":{"NetworkMode":"host"}})", "network 'host'"},
             {R"({"NetworkingConfig":{"EndpointsConfig":{"host":{}}}})", "network 'host'"},
             {R"({"HostConfig":{"Privileged":true}})", "privileged"},
             {R"({"HostConfig":{"PidMode":"host"}})", "PidMode"},
             {R"({"HostConfig":{"Devices":[{"PathOnHost":"/dev/sda"}]}})", "Devices"},
             {R"({"HostConfig":{"CapAdd":["SYS_ADMIN"]}})", "CapAdd"},
             {R"({"HostConfig":{"MaskedPaths":null,"ReadonlyPaths":[]}})", "/proc/bus"},
             {R"({"HostConfig":{"MaskedPaths":["/proc/kcore"]}})", "/proc/keys"},
             {R"({"hostconfig":{"Binds":["/etc:/x"]}})", "HostConfig"},
             {R"({"HostConfig":{"binds":["/etc:/x"]}})", "Binds"},
             {R"({"HostConfig":{"Mounts":[{"type":"bind","source":"/etc","target":"/x"}]}})", "Source"},
             {R"({"HostConfig":{"Bind\u017f":["/etc:/x"]}})", "no key"},
             {R"({"HostConfig":{"Networ\u212aMode":"host"}})", "no key"}})
        EXPECT_THAT(beyond_of(body), HasSubstr(what)) << body;
}

TEST(Guard, NamesTheContainersThatOneWouldJoin) {
    const auto reach = reach_of(json::parse(
        R"({"HostConfig":{"NetworkMode":"container:a","PidMode":"container:b","VolumesFrom":["c:ro"],"Links":["d:e"]},
            "NetworkingConfig":{"EndpointsConfig":{"net":{"Links":["f:g"]}}}})"));
    ASSERT_TRUE(reach);
    std::vector<std::string> containers = reach->containers;
    std::ranges::sort(containers);
    EXPECT_THAT(containers, testing::ElementsAre("a", "b", "c", "d", "f"));
}

TEST(Guard, AVolumeCanBeABind) {
    const auto of = [](const char* body) {
        const auto reach = reach_of_volume(json::parse(body));
        return reach ? beyond(ours(), *reach) : reach.error().message;
    };
    EXPECT_THAT(of(R"({"Name":"new"})"), IsEmpty());
    EXPECT_THAT(of(R"({"Name":"new","Driver":"local","DriverOpts":{"type":"tmpfs","device":"tmpfs"}})"),
                IsEmpty());
    EXPECT_THAT(of(R"({"Name":"new","DriverOpts":{"type":"none","o":"bind","device":"/etc"}})"),
                HasSubstr("/etc"));
    EXPECT_THAT(of(R"({"Name":"new","DriverOpts":{"type":"nfs","device":":/export"}})"),
                HasSubstr("file system"));
    EXPECT_THAT(of(R"({"Name":"new","Driver":"rexray"})"), HasSubstr("rexray"));
    EXPECT_THAT(
        of(R"({"Name":"new","DriverOpts":{"type":"tmpfs","device":"tmpfs","o":"size=1m,uid=9,nodev"}})"),
        IsEmpty());
    EXPECT_THAT(of(R"({"Name":"new","DriverOpts":{"type":"none","o":"bind,ro","device":"/srv/app"}})"),
                IsEmpty());
    // To the kernel it is a bind, and the type is nothing.
    EXPECT_THAT(of(R"({"Name":"new","DriverOpts":{"type":"tmpfs","o":"size=1m,rbind","device":"/etc"}})"),
                HasSubstr("/etc"));
    EXPECT_THAT(of(R"({"Name":"new","DriverOpts":{"type":"overlay","device":"/srv/app",
                      "o":"lowerdir=/etc,upperdir=/srv/app/u,workdir=/srv/app/w"}})"),
                HasSubstr("lowerdir"));
    EXPECT_THAT(of(R"({"Name":"new","DriverOpts":{"type":"ext4","device":"/srv/app"}})"),
                HasSubstr("file system"));
}

TEST(Guard, GivesANetworkThatIsNobodyElses) {
    const auto of = [](const char* body) {
        const auto checked = check_network(json::parse(body, nullptr, false));
        return checked ? std::string() : checked.error().message;
    };
    EXPECT_THAT(of(R"({"Name":"new","Driver":"bridge","Options":{"com.docker.network.driver.mtu":"9"}})"),
                IsEmpty());
    EXPECT_THAT(of(R"({"Name":"new","Driver":"macvlan","Options":{"parent":"eth0"}})"), HasSubstr("macvlan"));
    EXPECT_THAT(of(R"({"Name":"new","Options":{"com.docker.network.bridge.name":"docker0"}})"),
                HasSubstr("bridge"));
    EXPECT_THAT(of(R"({"Name":"new","labels":{}})"), HasSubstr("Labels"));
    // An engine reads up to the end of the object, and would make it without a label.
    EXPECT_THAT(of(R"({"Name":"new"} more)"), HasSubstr("no object"));
}

TEST(Guard, GivesAnExecNoMoreThanItsContainerHas) {
    EXPECT_TRUE(check_exec(json::parse(R"({"Cmd":["true"],"Privileged":false})")));
    EXPECT_FALSE(check_exec(json::parse(R"({"Cmd":["true"],"Privileged":true})")));
    EXPECT_FALSE(check_exec(json::parse(R"({"Cmd":["true"],"privileged":true})")));
}

TEST(Guard, ReadsWhoJoinsANetworkAsTheEngineDoes) {
    EXPECT_EQ(*container_to_join(json::parse(R"({"Container":"c1"})")), "c1");
    EXPECT_FALSE(container_to_join(json::parse(R"({"Container":"c1","container":"theirs"})")));
}

TEST(Guard, KnowsVersionsInWhichAStartHasNoMounts) {
    for (const char* version : {"", "v1.24", "v1.41", "v4.3.1"})
        EXPECT_TRUE(is_known_version(version)) << version;
    for (const char* version : {"v1.23", "v1.023", "v1", "v1.", "v.41", "v0.99"})
        EXPECT_FALSE(is_known_version(version)) << version;
}

}  // namespace
}  // namespace rogate::proxy::test
