// Compose files and docker run lines that are wrong or ask for what cannot be run as the user runs it: each
// case marks with ^ where the problem is to be reported, and gives what the message must contain.
#include <fmt/format.h>

#include <algorithm>

#include "unit/spec/support.hpp"

namespace rogate::spec::test {
namespace {

using testing::HasSubstr;

struct Wrong {
    std::string name;
    std::string text;  // the one ^ is taken out, and its place is the place of the problem
    std::string fragment;
};
void PrintTo(const Wrong& wrong, std::ostream* out) {
    *out << wrong.name;
}

std::string web(const std::string& more) {
    return "services:\n  web:\n    image: a\n    " + more + "\n";
}
// A command in a block.
std::string run(const std::string& lines) {
    return "subject:\n  docker_run: |\n" + lines + "\n";
}

const std::vector<Wrong>& cases() {
    static const std::vector<Wrong> all = {
        // the file
        {"services_list", "services: ^[a]\n", "'services' is a list; write a mapping"},
        {"no_services", "^include: []\n", "the Compose file has no 'services'"},
        {"top_key", "^service: {}\nservices: {web: {image: a}}\n",
         "unknown key 'service' in the Compose file"},
        {"top_models", "^models: {}\nservices: {web: {image: a}}\n", "'models' is not supported"},
        {"networks_list", web("user: a\nnetworks: ^[x]"), "'networks' is a list; write a mapping"},
        {"network_key", web("user: a\nnetworks:\n  back: {^intrnal: true}"),
         "unknown key 'intrnal' in network 'back'; did you mean 'internal'?"},
        {"network_flag", web("user: a\nnetworks:\n  back: {internal: ^perhaps}"),
         "'internal' of network 'back' is 'perhaps'; write true or false"},
        {"network_scalar", web("user: a\nnetworks:\n  back: ^bridge"), "network 'back' is a single value"},
        {"volume_key", web("user: a\nvolumes:\n  data: {^extrnal: true}"),
         "unknown key 'extrnal' in volume 'data'; did you mean 'external'?"},
        {"volume_external", web("user: a\nvolumes:\n  data: {external: ^maybe}"),
         "'external' of volume 'data' is 'maybe'; write true or false"},
        {"volume_driver", web("volumes: ['dd:/d']\nvolumes: {dd: {driver: ^nfs}}"),
         "a volume of the driver 'nfs'"},
        {"volume_options", web("volumes: ['dd:/d']\nvolumes: {dd: {driver_opts: ^{type: nfs}}}"),
         "these options of a volume are not supported"},
        {"secret_key", web("secrets: [k]\nsecrets:\n  k: {^fil: ./k}"),
         "unknown key 'fil' in secret 'k'; did you mean 'file'?"},
        {"config_key", web("user: a\nconfigs:\n  k: {^contents: x}"),
         "unknown key 'contents' in config 'k'; did you mean 'content'?"},
        {"include_missing", "include: [^no.yaml]\nservices: {web: {image: a}}\n",
         "Compose file 'no.yaml' cannot be read: No such file or directory"},
        {"include_key", "include: [{^paht: no.yaml, path: no.yaml}]\nservices: {web: {image: a}}\n",
         "unknown key 'paht' in an entry of 'include'; did you mean 'path'?"},
        {"include_nothing", "include: [^{env_file: a}]\nservices: {web: {image: a}}\n", "names no file"},
        {"include_scalar", "include: ^a.yaml\nservices: {web: {image: a}}\n",
         "'include' is a single value; write a list"},
        {"yaml", "services:\n  web: {image: a\n  db^: {}\n", "not valid YAML"},
        {"two_documents", web("user: a\n^---\nservices: {}"), "one file holds one Compose file"},
        {"twice_a_key", web("user: a\n    ^user: b"), "key 'user' is already given at line 4"},
        // the service
        {"service_scalar", "services:\n  web: ^nginx\n", "service 'web' is a single value; write a mapping"},
        {"no_image", "services:\n  web: ^{user: root}\n", "service 'web' has no 'image'"},
        {"key", web("^comand: x"), "unknown key 'comand' in service 'web'; did you mean 'command'?"},
        {"service_network", "services:\n  web:\n    ^image: a\n    network_mode: service:db\n",
         "service 'web' needs 'db', which the project does not have"},
        {"pid", web("^pid: host"), "'pid' of service 'web' is not supported"},
        {"devices", web("^devices: [/dev/fuse]"), "'devices' of service 'web' is not supported"},
        {"hook", web("^post_start: [{command: a}]"), "hooks are not run"},
        {"flag", web("read_only: ^maybe"), "'read_only' is 'maybe'; write true or false"},
        {"container_name", web("container_name: ^[a]"), "'container_name' of service 'web' is a list"},
        {"profiles", web("profiles: ^{a: b}"), "'profiles' of service 'web' is a mapping; write a list"},
        {"group_add", web("group_add: ^[{a: b}]"),
         "'group_add' of service 'web' is a list with something else"},
        {"restart", web("restart: ^allways"),
         "'restart' of service 'web' is 'allways'; write \"no\", always, on-failure, on-failure:TRIES or "
         "unless-stopped"},
        {"restart_tries", web("restart: ^on-failure:x"), "'restart' of service 'web': 'x'"},
        {"restart_tries_of_always", web("restart: ^always:3"), "is 'always:3'"},
        {"grace", web("stop_grace_period: ^soon"), "'soon' is not a duration"},
        {"depends_on_key", web("depends_on:\n      b: {^conditon: service_healthy}\n  b: {image: b}"),
         "unknown key 'conditon' in 'b' in 'depends_on' of service 'web'; did you mean 'condition'?"},
        {"depends_on_condition", web("depends_on:\n      b: {condition: ^well}\n  b: {image: b}"),
         "unknown condition 'well'"},
        {"depends_on_scalar", web("depends_on: ^b\n  b: {image: b}"),
         "'depends_on' of service 'web' is a single value"},
        {"depends_on_required", web("depends_on:\n      b: {required: ^perhaps}\n  b: {image: b}"),
         "'required' of 'b' in 'depends_on' of service 'web' is 'perhaps'; write true or false"},
        {"needs", "services:\n  web: ^{image: a, depends_on: [db]}\n",
         "service 'web' needs 'db', which the project does not have"},
        {"extends", web("extends: ^base"), "service 'web' extends 'base', which compose.yaml does not have"},
        {"extends_key", web("extends: {service: web, ^fiel: a}"),
         "unknown key 'fiel' in 'extends' of service 'web'; did you mean 'file'?"},
        {"extends_itself", web("extends: ^web"), "service 'web' extends itself"},
        {"extends_file", web("extends: {file: ^no.yaml, service: a}"),
         "Compose file 'no.yaml' cannot be read"},
        {"env_file", web("env_file: ^no.env"), "env file 'no.env' cannot be read: No such file or directory"},
        {"env_file_key", web("env_file: [{path: no.env, required: false, ^formt: raw}]"),
         "unknown key 'formt' in an entry of 'env_file' of service 'web'; did you mean 'format'?"},
        {"env_file_format", web("env_file: [{path: a, format: ^json}]"),
         "unknown format 'json' of an env file"},
        {"environment", web("environment: ^a"), "'environment' of service 'web' is a single value"},
        {"healthcheck_key", web("healthcheck: {^tset: a}"), "unknown key 'tset'"},
        {"healthcheck_time", web("healthcheck: {test: a, interval: ^often}"), "'often' is not a duration"},
        {"networks_single", web("networks: ^back"), "'networks' of service 'web' is a single value"},
        {"networks_key", web("networks:\n      back: {^aliasses: [x]}\nnetworks: {back: }"),
         "unknown key 'aliasses' in 'back' in 'networks' of service 'web'; did you mean 'aliases'?"},
        {"networks_aliases", web("networks:\n      back: {aliases: ^{a: b}}\nnetworks: {back: }"),
         "'aliases' of 'back' in 'networks' of service 'web' is a mapping"},
        {"ports_key", web("ports: [{target: 80, ^publish: 80}]"),
         "unknown key 'publish' in an entry of 'ports' of service 'web'; did you mean 'published'?"},
        {"ports_target", web("ports: [^{published: 80}]"), "has no 'target'"},
        {"ports_range", web("ports: [^'90-80']"), "is not a range of ports"},
        {"ulimits_key", web("ulimits: {nofile: {soft: 1, hard: 2, ^sfot: 3}}"), "unknown key 'sfot'"},
        {"ulimits_half", web("ulimits: {nofile: ^{soft: 1}}"), "needs both 'soft' and 'hard'"},
        {"undeclared_volume", web("volumes: [^'data:/d']"), "volume 'data' is not declared"},
        {"volumes_scalar", web("volumes: ^/d"), "'volumes' is a single value; write a list"},
        {"mount_key", web("volumes: [{type: bind, source: /a, target: /b, ^raed_only: true}]"),
         "unknown key 'raed_only'"},
        {"mount_bind_key", web("volumes: [{type: bind, source: /a, target: /b, bind: {^propagaton: x}}]"),
         "unknown key 'propagaton'"},
        {"mount_subpath",
         web("volumes: [{type: volume, source: d, target: /d, volume: {subpath: ^a/../../b}}]\nvolumes: {d: "
             "}"),
         "'a/../../b' is no path within the volume"},
        {"mount_subpath_absolute",
         web("volumes: [{type: volume, source: d, target: /d, volume: {subpath: ^/a}}]\nvolumes: {d: }"),
         "'/a' is no path within the volume"},
        {"mount_subpath_anonymous", web("volumes: [{type: volume, target: /d, volume: {subpath: ^a}}]"),
         "a new volume has no directories"},
        {"mount_image", web("volumes: [{type: ^image, source: d, target: /d}]"),
         "a mount of type 'image' is not supported"},
        {"mount_twice", web("volumes: ['/a:/d']\n    tmpfs: ^/d"), "two mounts on '/d'"},
        {"secret_external", web("secrets: [k]\nsecrets: {k: ^{external: true}}"),
         "a config or secret that the engine would have to provide"},
        {"secret_undeclared", web("secrets: [^k]"), "secret 'k' is not declared"},
        {"secret_grant_key", web("secrets: [{source: k, ^taget: x}]\nsecrets: {k: {file: ./k}}"),
         "unknown key 'taget' in an entry of 'secrets' of service 'web'; did you mean 'target'?"},
        {"secret_variable", web("secrets: [k]\nsecrets: {k: {environment: ^NOT_SET}}"),
         "variable 'NOT_SET' is not set"},
        {"volumes_from_outside", web("volumes_from: [^'container:x']"), "a container outside of the project"},
        {"volumes_from_mode", web("volumes_from: [^'db:rx']\n  db: {image: d}"), "'rx' is not a mode"},
        {"variable_required", web("user: ^${WHO:?who}"), "variable 'WHO' is required: who"},
        {"variable_open", web("user: ^${WHO"), "a '${' is never closed"},
        {"dollar", web("user: ^a${"), "a '${' is never closed"},
        // docker run
        {"not_docker", run("    ^docker ps"), "this is not a 'docker run' command"},
        {"no_run_image", run("    docker run \\\n      ^-d"), "the command names no image"},
        {"option", run("    docker run \\\n      ^--volum a:b nginx"),
         "unknown option --volum; did you mean --volume?"},
        {"letter", run("    docker run \\\n      -d \\\n      ^-Z nginx"), "unknown option -Z"},
        {"option_value", run("    docker run -d \\\n      ^-p"), "-p has no value"},
        {"run_network", run("    docker run -d \\\n      --network ^host nginx"),
         "--network 'host' is not supported"},
        {"run_device", run("    docker run -d \\\n      ^--device /dev/fuse nginx"),
         "--device is not supported"},
        {"run_volumes_from", run("    docker run -d \\\n      ^--volumes-from db nginx"),
         "--volumes-from is not supported"},
        {"run_parts", run("    docker run -d \\\n      -v ^a:b:c:d nginx"), "has more than three parts"},
        {"run_mount", run("    docker run -d \\\n      --mount ^type=bind,dst=/x nginx"),
         "a bind mount has no 'source'"},
        {"run_mount_key", run("    docker run -d \\\n      --mount ^type=volume,srcc=a,dst=/x nginx"),
         "unknown key 'srcc'"},
        {"run_ulimit", run("    docker run -d \\\n      --ulimit ^nofile nginx"),
         "--ulimit nofile: write NAME=SOFT"},
        {"run_env_file", run("    docker run -d \\\n      --env-file ^no.env nginx"),
         "--env-file 'no.env': No such file"},
        {"run_pipe", "subject:\n  docker_run: docker run nginx ^| cat\n", "unquoted '|'"},
        {"run_quote", "subject:\n  docker_run: docker run nginx ^'a\n", "a ' is never closed"},
        {"run_variable", "subject:\n  docker_run: docker run -e A=^$NOT_SET nginx\n",
         "variable 'NOT_SET' of the shell is not set"},
        {"run_output", "subject:\n  docker_run: docker run -v ^$(ls):/x nginx\n", "the output of a command"},
        {"run_quoted", "subject:\n  docker_run: 'docker run ^--device x nginx'\n",
         "--device is not supported"},
        {"run_escaped", "subject:\n  docker_run: ^\"docker run\\t--device x nginx\"\n",
         "--device is not supported"},
        {"run_folded", "subject:\n  docker_run: ^>\n    docker run\n    --device x nginx\n",
         "--device is not supported"},
        {"run_blank_line", run("\n    docker run --name a \\\n        ^--device x nginx"),
         "--device is not supported"},
        {"run_list", "subject:\n  docker_run: ^[docker, run]\n", "'docker_run' is a list"},
        // the scenario around them
        {"beside_compose", "subject:\n  compose: c.yaml\n  ^image: a\n", "'image' does not fit 'compose'"},
        {"beside_run", "subject:\n  docker_run: docker run a\n  ^user: a\n",
         "'user' does not fit 'docker_run'"},
        {"compose_key", "subject:\n  compose: {^fiel: c.yaml, file: c.yaml}\n", "unknown key 'fiel'"},
        {"compose_no_file", "subject:\n  compose: ^{service: web}\n",
         "has no 'file'; write for example compose.yaml"},
        {"compose_missing", "subject:\n  compose: {file: ^no.yaml}\n", "Compose file"},
    };
    return all;
}

class WrongSubject : public testing::TestWithParam<Wrong> {};

TEST_P(WrongSubject, IsReportedAtItsPlace) {
    std::string text = GetParam().text;
    const std::size_t mark = text.find('^');
    ASSERT_NE(mark, std::string::npos);
    text.erase(mark, 1);
    const std::string before = text.substr(0, mark);
    const auto line = 1 + std::ranges::count(before, '\n');
    const std::size_t start = before.rfind('\n');
    const std::size_t column = before.size() - (start == std::string::npos ? 0 : start + 1) + 1;
    ComposeOptions options;
    if (text.find("subject:") == std::string::npos) options.services = {"web"};
    Surroundings around = surroundings();
    around.read_file = [](const std::string&) -> Result<std::string> {
        return fail(ErrorKind::not_found, "No such file or directory");
    };
    const auto scenario = parse_scenario(text, "compose.yaml", around, options);
    ASSERT_FALSE(scenario.has_value()) << text;
    const std::string& message = scenario.error().message;
    EXPECT_EQ(scenario.error().kind, ErrorKind::usage);
    EXPECT_THAT(message, HasSubstr(fmt::format("compose.yaml:{}:{}: ", line, column))) << text;
    EXPECT_THAT(message, HasSubstr(GetParam().fragment)) << text;
}

INSTANTIATE_TEST_SUITE_P(All, WrongSubject, testing::ValuesIn(cases()),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace rogate::spec::test
