// Wrong input: each case marks with ^ where the problem is to be reported, and gives what the message must
// contain.
#include <fmt/format.h>

#include <algorithm>

#include "unit/spec/support.hpp"

namespace rogate::spec::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

struct Wrong {
    std::string name;
    std::string text;  // the one ^ is taken out, and its place is the place of the problem
    std::string fragment;
};

void PrintTo(const Wrong& wrong, std::ostream* out) {
    *out << wrong.name;
}

const std::string image = "subject: {image: a}\n";

std::string in_subject(const std::string& more) {
    return "subject:\n  image: a\n" + more;
}
std::string in_mounts(const std::string& item) {
    return in_subject("  mounts:\n    - " + item + "\n");
}
std::string in_steps(const std::string& item) {
    return image + "steps:\n  - " + item + "\n";
}

const std::vector<Wrong>& cases() {
    static const std::vector<Wrong> all = {
        // the document
        {"list", "^- a\n", "the scenario is a list; write a mapping"},
        {"scalar", "^hello\n", "the scenario is a single value; write a mapping"},
        {"top_level_key", image + "^step: []\n", "unknown key 'step' in the scenario; did you mean 'steps'?"},
        {"compose_file", image + "^services: {}\n",
         "unknown key 'services' in the scenario; known here: name, description, subject, candidates"},
        {"no_subject", "^name: x\n", "the scenario has no 'subject'"},
        {"empty_subject", "^subject:\n", "'subject' of the scenario has no value"},
        {"duplicate_key", image + "name: x\n^name: y\n", "key 'name' is already given at line 2; keep one"},
        {"name_of_two_lines", image + "name: ^\"a\\nb\"\n", "'name' is more than one line; write one line"},
        {"name_list", image + "name: ^[a]\n", "'name' is a list; write a single value"},
        {"empty_harden", image + "harden: ^[]\n", "'harden' is not a list"},
        {"unknown_harden", image + "harden: [mounts, ^capability]\n",
         "unknown entry 'capability' of 'harden'; did you mean 'capabilities'?"},
        {"candidates_and_no_mounts", image + "candidates: [/data]\nharden: ^[root]\n", "add 'mounts' to it"},
        {"empty_candidates", image + "candidates: ^[]\n", "'candidates' is not a list of targets"},
        {"one_candidate", image + "candidates: ^/data\n", "'candidates' is not a list of targets"},
        {"relative_candidate", image + "candidates: [/, ^data]\n", "'data' is not an absolute path"},
        {"candidate_twice", image + "candidates: [/data, ^/data/]\n", "candidate '/data' is listed twice"},
        // the subject
        {"no_image", "subject: ^{user: root}\n", "'subject' has no 'image'; write the image to start"},
        {"image_with_space", "subject: {image: ^a b}\n", "'a b' is not the name of an image"},
        {"image_list", "subject: {image: ^[a]}\n", "'image' is a list; write a single value"},
        {"image_empty", "subject: {image: ^\"\"}\n", "'image' is empty; write one line"},
        {"subject_list", "subject: ^[a]\n", "'subject' is a list; write a mapping"},
        {"subject_key", in_subject("  ^comand: x\n"),
         "unknown key 'comand' in 'subject'; did you mean 'command'?"},
        {"command_quote", in_subject("  command: ^echo \"x\n"), "a \" is never closed"},
        {"command_pipe", in_subject("  command: ^a | b\n"), "unquoted '|' in a command that no shell runs"},
        {"command_mapping", in_subject("  command: ^{a: b}\n"),
         "'command' is a mapping; write a list of words"},
        {"command_item", in_subject("  command: [a, ^[b]]\n"), "an entry of 'command' is a list"},
        {"command_null_item", in_subject("  command: [a, ^null]\n"),
         "an entry of 'command' is empty; give it a value"},
        {"entrypoint_no_value", in_subject("  ^entrypoint:\n"), "'entrypoint' of 'subject' has no value"},
        {"working_dir", in_subject("  working_dir: ^srv\n"), "'srv' is not an absolute path"},
        {"stop_signal", in_subject("  stop_signal: ^SIGQIT\n"),
         "unknown signal 'SIGQIT'; did you mean 'QUIT'?"},
        {"signal_number", in_subject("  stop_signal: ^65\n"),
         "'65' is not a signal; signals are numbered from 1 to 64"},
        {"init", in_subject("  init: ^yes\n"), "'init' is 'yes'; write true or false"},
        {"read_only", in_subject("  read_only: ^1\n"), "'read_only' is '1'; write true or false"},
        {"shm_size", in_subject("  shm_size: ^lots\n"), "'lots' is not a size; write for example 64m"},
        {"environment_unset", in_subject("  environment: [A=b, ^C]\n"),
         "variable 'C' has no value here and is not set"},
        {"environment_null", in_subject("  environment:\n    ^C:\n"),
         "variable 'C' has no value here and is not set"},
        {"environment_twice", in_subject("  environment: [A=b, ^A=c]\n"), "'A' is already given at line 3"},
        {"environment_name", in_subject("  environment: [^=b]\n"), "'' is not the name of a variable"},
        {"environment_scalar", in_subject("  environment: ^A=b\n"),
         "'environment' is a single value; write a mapping"},
        {"environment_value", in_subject("  environment: {A: ^[b]}\n"),
         "'A' is a list; write a single value"},
        {"ports_scalar", in_subject("  ports: ^80\n"), "'ports' is a single value; write a list"},
        {"port_zero", in_subject("  ports: [^0]\n"), "'0' is not a port; write for example 80"},
        {"port_range", in_subject("  ports: [^8000-8010]\n"),
         "'8000-8010' is not a port; a range is not supported"},
        {"port_protocol", in_subject("  ports: [^80/http]\n"), "the protocol is tcp, udp or sctp"},
        {"cap_add_scalar", in_subject("  cap_add: ^SYS_ADMIN\n"),
         "'cap_add' is a single value; write a list"},
        {"ulimit_name", in_subject("  ulimits: {^nofiles: 1}\n"),
         "unknown ulimit 'nofiles'; did you mean 'nofile'?"},
        {"ulimit_value", in_subject("  ulimits: {nofile: ^many}\n"),
         "'nofile': 'many' is not a whole number"},
        {"ulimit_pair", in_subject("  ulimits: {nofile: ^{soft: 1, hard: 2}}\n"),
         "write one number for both"},
        {"sysctl", in_subject("  sysctls: [^net.core.somaxconn]\n"),
         "'net.core.somaxconn' has no value; write NAME"},
        {"health_key", in_subject("  healthcheck: {^intervall: 1s}\n"),
         "unknown key 'intervall' in 'healthcheck' of 'subject'; did you mean 'interval'?"},
        {"health_test", in_subject("  healthcheck: {test: ^[curl, x]}\n"),
         "begins with CMD, CMD-SHELL or NONE"},
        {"health_test_empty", in_subject("  healthcheck: {test: ^[]}\n"),
         "begins with CMD, CMD-SHELL or NONE"},
        {"health_test_no_command", in_subject("  healthcheck: {test: ^[CMD]}\n"),
         "the 'test' has no command"},
        {"health_disable", in_subject("  healthcheck: {test: x, ^disable: true}\n"), "keep one of the two"},
        {"health_retries", in_subject("  healthcheck: {retries: ^0}\n"), "'retries': '0' is out of range"},
        // mounts, short
        {"mount_short_name", in_mounts("^c:/data"), "'c' is not the name of a volume; write './c'"},
        {"mounts_mapping", in_subject("  mounts: ^{a: b}\n"), "'mounts' is a mapping; write a list"},
        {"mounts_and_volumes", in_subject("  mounts: [/a]\n  ^volumes: [/b]\n"),
         "'mounts' and 'volumes' mean the same"},
        {"mount_option", in_mounts("^./a:/b:rr"), "unknown mount option 'rr'; did you mean 'ro'?"},
        {"mount_options", in_mounts("^./a:/b:ro,fast"),
         "unknown mount option 'fast'; known here: ro, rw, z, Z"},
        {"mount_ro_rw", in_mounts("^./a:/b:ro,rw"), "cannot be both 'ro' and 'rw'"},
        {"mount_anonymous_ro", in_mounts("^/data:ro"), "'ro' is an option where the target should be"},
        {"mount_relative_target", in_mounts("^./a:data"), "'data' is not an absolute path"},
        {"mount_dots", in_mounts("^./a:/b/../c"), "path '/b/../c' contains '..'"},
        {"mount_root", in_mounts("^./a:/"), "a mount cannot be the root filesystem; write 'read_only: true'"},
        {"mount_parts", in_mounts("^a:/b:ro:z"), "mount 'a:/b:ro:z' has more than three parts"},
        {"mount_no_source", in_mounts("^\":/b\""), "mount ':/b' has no source"},
        {"mount_path_as_name", in_mounts("^conf/a:/b"),
         "'conf/a' is not the name of a volume; write './conf/a'"},
        {"mount_nocopy", in_mounts("^./a:/b:nocopy"), "'nocopy' is for volumes only"},
        {"mount_propagation", in_mounts("^data:/b:rslave"), "'rslave' is for paths of the host only"},
        {"mount_propagations", in_mounts("^./a:/b:rslave,shared"), "both 'rslave' and 'shared' are given"},
        {"mount_user_home", in_mounts("^~root/a:/b"), "'~root/a' names another user's home"},
        {"mount_list", in_mounts("^[a]"), "a mount is a list; write a single value"},
        {"equal_targets", in_mounts("./a:/data\n    - ./b:/x\n    - ^cc:/data/"),
         "two mounts on '/data': at line 4 and at line 6; keep one"},
        {"equal_target_of_tmpfs", in_subject("  mounts: [/run]\n  tmpfs: ^/run\n"),
         "two mounts on '/run': at line 3 and at line 4"},
        // mounts, long
        {"long_key", in_mounts("{type: bind, source: /a, ^taget: /b, target: /c}"),
         "unknown key 'taget' in a mount; did"},
        {"long_no_type", in_mounts("^source: /a\n      target: /b"), "a mount has no 'type'; write bind"},
        {"long_type", in_mounts("{type: ^bnd, source: /a, target: /b}"),
         "unknown type of mount 'bnd'; did you mean 'bind'?"},
        {"long_no_target", in_mounts("^{type: volume, source: ab}"), "a mount has no 'target'"},
        {"long_no_source", in_mounts("^{type: bind, target: /b}"), "a bind mount has no 'source'"},
        {"long_two_names", in_mounts("{type: bind, source: /a, ^src: /a, target: /b}"),
         "'source' and 'src' mean the same"},
        {"long_two_targets", in_mounts("{type: tmpfs, target: /a, ^dst: /a}"),
         "'target' and 'dst' mean the same"},
        {"long_tmpfs_source", in_mounts("{type: tmpfs, source: ^/a, target: /b}"), "a tmpfs has no source"},
        {"long_volume_path", in_mounts("{type: volume, source: ^./a, target: /b}"),
         "write type: bind for a path"},
        {"long_section", in_mounts("{type: bind, source: /a, target: /b, ^tmpfs: {size: 1m}}"),
         "'tmpfs' does not fit"},
        {"long_propagation", in_mounts("{type: bind, source: /a, target: /b, bind: {propagation: ^slav}}"),
         "unknown propagation 'slav'; did you mean 'slave'?"},
        {"long_volume_key", in_mounts("{type: volume, target: /b, volume: {^no_copy: true}}"),
         "unknown key 'no_copy' in 'volume' of a mount; did you mean 'nocopy'?"},
        {"long_anonymous_ro", in_mounts("^{type: volume, target: /b, read_only: true}"),
         "read-only anonymous volume"},
        {"long_size", in_mounts("{type: tmpfs, target: /b, tmpfs: {size: ^big}}"),
         "tmpfs option 'size': 'big' is not a"},
        {"long_mode", in_mounts("{type: tmpfs, target: /b, tmpfs: {mode: ^999}}"), "'999' is not a mode"},
        // tmpfs
        {"tmpfs_option", in_subject("  tmpfs: ^/run:sise=1m\n"),
         "unknown tmpfs option 'sise'; did you mean 'size'?"},
        {"tmpfs_flag", in_subject("  tmpfs: [/a, ^/run:noexe]\n"),
         "unknown tmpfs option 'noexe'; did you mean 'noexec'?"},
        {"tmpfs_no_value", in_subject("  tmpfs: ^/run:size\n"), "tmpfs option 'size' has no value"},
        {"tmpfs_uid", in_subject("  tmpfs: ^/run:uid=www\n"),
         "tmpfs option 'uid': 'www' is not a whole number"},
        {"tmpfs_relative", in_subject("  tmpfs: ^run\n"), "'run' is not an absolute path"},
        {"tmpfs_mapping", in_subject("  tmpfs: ^{a: b}\n"), "an entry of 'tmpfs' is a mapping"},
        // readiness
        {"ready_scalar", image + "ready: ^5s\n", "'ready' is a single value; write a mapping"},
        {"ready_nothing", image + "ready: ^{timeout: 5s}\n",
         "'ready' checks nothing; write one of http, tcp"},
        {"ready_key", image + "ready: {^chekcs: [], tcp: 1}\n",
         "unknown key 'chekcs' in 'ready'; did you mean 'checks'?"},
        {"ready_two", image + "ready: {tcp: 1, ^log: x}\n", "'ready' has two actions, 'tcp' and 'log'"},
        {"ready_both", image + "ready: {tcp: 1, ^checks: [tcp: 2]}\n",
         "'ready' has 'checks' and a check of its own"},
        {"ready_wait", image + "ready: [tcp: 1, {^wait: 2s, tcp: 2}]\n",
         "unknown key 'wait' in readiness check 2; known"},
        {"ready_timeout", image + "ready: {timeout: ^25h, tcp: 1}\n", "duration '25h' is more than 24 hours"},
        {"ready_zero", image + "ready: {timeout: ^0, tcp: 1}\n", "'timeout' is zero; write a time"},
        // steps
        {"steps_mapping", image + "steps: ^{wait: 1s}\n", "'steps' is a mapping; write a list"},
        {"step_scalar", in_steps("^reload"), "step 1 is a single value; write a mapping"},
        {"step_key", in_steps("name: upload\n    ^htpp: {port: 80}\n    wait: 1s"),
         "unknown key 'htpp' in step 'upload'; did you mean 'http'?"},
        {"exec_key", in_steps("name: upload\n    exec: {command: a, ^comand: a}"),
         "unknown key 'comand' in 'exec' of step 'upload'; did you mean 'command'?"},
        {"step_no_action", in_steps("^name: idle"),
         "step 'idle' has no action; write one of http, exec, signal"},
        {"step_two_actions", in_steps("wait: 1s\n    ^signal: HUP"),
         "step 1 has two actions, 'signal' and 'wait'"},
        {"step_action_empty", in_steps("^http:"), "'http' of step 1 has no value; give it one"},
        {"step_names", in_steps("{name: a, wait: 1s}\n  - ^{name: a, wait: 2s}"),
         "two steps are named 'a': at line 3 and at line 4"},
        {"step_timeout", in_steps("{tcp: 1, timeout: ^-1s}"), "duration '-1s' is negative; write"},
        {"http_no_port", in_steps("http: ^{path: /}"), "'http' of step 1 has no 'port'; write it"},
        {"http_ambiguous_port", in_subject("  ports: [80, 81]\nsteps:\n  - http: ^{path: /}\n"),
         "declare exactly one tcp"},
        {"http_port", in_steps("http: {port: ^65536}"),
         "'port': '65536' is out of range; write a number from 1 to 65535"},
        {"http_port_word", in_steps("http: {port: ^http}"), "'port': 'http' is not a whole number"},
        {"http_method", in_steps("http: {port: 80, method: ^get}"),
         "unknown method 'get'; did you mean 'GET'?"},
        {"http_path", in_steps("http: {port: 80, path: ^index.html}"),
         "'index.html' is not the path of a request"},
        {"http_header", in_steps("http: {port: 80, headers: {^A b: x}}"),
         "'A b' is not the name of a header"},
        {"http_header_line", in_steps("http: {port: 80, headers: {A: ^\"x\\r\\nB: y\"}}"),
         "'A' is more than one line"},
        {"http_list", in_steps("http: ^[80]"), "'http' of step 1 is a list; write a mapping"},
        {"exec_empty", in_steps("exec: ^[]"), "the command is empty; write a list of words"},
        {"exec_blank", in_steps("exec: ^\" \""), "the command is empty; write a list of words"},
        {"exec_no_command", in_steps("exec: ^{user: root}"), "'exec' of step 1 has no 'command'"},
        {"exec_env", in_steps("exec: {command: a, environment: [^B]}"), "variable 'B' has no value here"},
        {"exec_dir", in_steps("exec: {command: a, working_dir: ^a}"), "'a' is not an absolute path"},
        {"signal", in_steps("signal: ^USR3"), "unknown signal 'USR3'; did you mean 'USR1'?"},
        {"restart", in_steps("restart: ^gracefull"),
         "unknown kind of restart 'gracefull'; did you mean 'graceful'?"},
        {"restart_key", in_steps("restart: {^kil: true}"),
         "unknown key 'kil' in 'restart' of step 1; did you mean 'kill'?"},
        {"wait", in_steps("wait: ^soon"), "'soon' is not a duration; write for example 500ms"},
        {"wait_zero", in_steps("wait: ^0s"), "'wait' is zero; write a time"},
        {"wait_timeout", in_steps("{wait: 1s, ^timeout: 2s}"), "'timeout' does not fit 'wait'"},
        {"log_nothing", in_steps("log: ^{}"), "'log' of step 1 expects nothing; write log: \"regex\""},
        {"log_key", in_steps("log: {^matches: x}\n    expect: {contains: y}"),
         "unknown key 'matches' in 'log' of step 1; nothing is"},
        {"log_regex", in_steps("log: ^\"(x\""), "'(x' is not a regular expression"},
        {"log_twice", in_steps("{log: ^x, expect: {matches: y}}"), "a pattern in 'log' and in 'expect'"},
        {"tcp", in_steps("tcp: ^0"), "'tcp': '0' is out of range"},
        {"healthcheck", in_steps("healthcheck: ^unhealthy"),
         "'unhealthy' cannot be waited for; write healthcheck: healthy"},
        // expectations
        {"expect_status_of_exec", in_steps("{exec: a, expect: {^status: 200}}"),
         "'status' does not fit 'exec'; what fits: exit_code"},
        {"expect_exit_of_http", in_steps("{http: {port: 80}, expect: {^exit_code: 0}}"),
         "'exit_code' does not fit 'http'; what fits: status"},
        {"expect_headers_of_log", in_steps("{log: x, expect: {^headers: {A: b}}}"),
         "'headers' does not fit 'log'"},
        {"expect_of_wait", in_steps("{wait: 1s, ^expect: {contains: x}}"), "'expect' does not fit 'wait'"},
        {"expect_of_tcp", in_steps("{tcp: 80, ^expect: {contains: x}}"), "'expect' does not fit 'tcp'"},
        {"expect_key", in_steps("{exec: a, expect: {^contain: x}}"),
         "unknown key 'contain' in 'expect' of step 1; did you mean 'contains'?"},
        {"expect_status", in_steps("{http: {port: 80}, expect: {status: ^2xx}}"),
         "'status': '2xx' is not a whole number"},
        {"expect_status_range", in_steps("{http: {port: 80}, expect: {status: ^600}}"), "from 100 to 599"},
        {"expect_exit_code", in_steps("{exec: a, expect: {exit_code: ^-1}}"),
         "'exit_code': '-1' is out of range"},
        {"expect_regex", in_steps("{exec: a, expect: {matches: ^\"[\"}}"), "'[' is not a regular expression"},
        {"expect_long_regex", in_steps("{exec: a, expect: {matches: ^" + std::string(2001, 'a') + "}}"),
         "2000 is the most"},
        {"expect_header_regex", in_steps("{http: {port: 80}, expect: {headers: {A: ^\"*\"}}}"),
         "'*' is not a regular"},
        {"expect_null", in_steps("{exec: a, expect: {^equals: }}"),
         "'equals' of 'expect' of step 1 has no value"},
        {"expect_list", in_steps("{exec: a, expect: ^[x]}"), "'expect' of step 1 is a list; write a mapping"},
        // retry, shutdown
        {"retry_no_until", in_steps("{tcp: 1, retry: ^{interval: 1s}}"), "'retry' of step 1 has no 'until'"},
        {"retry_key", in_steps("{tcp: 1, retry: {until: 1s, ^intervall: 1s}}"), "did you mean 'interval'?"},
        {"retry_of_signal", in_steps("{signal: HUP, ^retry: {until: 1s}}"), "'retry' does not fit 'signal'"},
        {"shutdown_key", image + "shutdown: {^exitcode: 0}\n",
         "unknown key 'exitcode' in 'shutdown'; did you mean 'exit_code'?"},
        {"shutdown_signal", image + "shutdown: {signal: ^STOPP}\n",
         "unknown signal 'STOPP'; did you mean 'STOP'?"},
        {"shutdown_exit_code", image + "shutdown: {exit_code: ^256}\n", "'exit_code': '256' is out of range"},
        {"shutdown_timeout", image + "shutdown: {timeout: ^1 s}\n", "'1 s' is not a duration"},
    };
    return all;
}

class WrongScenario : public testing::TestWithParam<Wrong> {};

TEST_P(WrongScenario, IsReportedAtItsPlace) {
    std::string text = GetParam().text;
    const std::size_t mark = text.find('^');
    ASSERT_NE(mark, std::string::npos);
    text.erase(mark, 1);
    const auto line_start = text.rfind('\n', mark == 0 ? std::string::npos : mark - 1);
    const std::size_t column = mark == 0 || line_start == std::string::npos ? mark + 1 : mark - line_start;
    const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(mark), '\n');

    const auto scenario = parse(text);
    ASSERT_FALSE(scenario.has_value()) << text;
    EXPECT_EQ(scenario.error().kind, ErrorKind::usage);
    const std::string& message = scenario.error().message;
    EXPECT_THAT(message, StartsWith(fmt::format("app/scenario.yaml:{}:{}: ", line, column))) << text;
    EXPECT_THAT(message, HasSubstr(GetParam().fragment)) << text;
    EXPECT_THAT(message, HasSubstr("; ")) << "says what would be right";
    EXPECT_EQ(std::ranges::count(message, '\n'), 0) << "one mistake, one message: " << message;
}

INSTANTIATE_TEST_SUITE_P(All, WrongScenario, testing::ValuesIn(cases()),
                         [](const auto& tested) { return tested.param.name; });

TEST(WrongScenarios, AreReportedAllAtOnceInTheOrderOfTheFile) {
    const auto scenario = parse("subject:\n  imge: a\n  init: 1\nsteps:\n  - wait: x\nfoo: 1\n");
    ASSERT_FALSE(scenario.has_value());
    EXPECT_EQ(
        scenario.error().message,
        "app/scenario.yaml:2:3: 'subject' has no 'image'; write the image to start, for example nginx:1.27\n"
        "app/scenario.yaml:2:3: unknown key 'imge' in 'subject'; did you mean 'image'?\n"
        "app/scenario.yaml:3:9: 'init' is '1'; write true or false\n"
        "app/scenario.yaml:5:11: 'x' is not a duration; write for example 500ms, 2s, 1m30s, or a number of "
        "seconds\n"
        "app/scenario.yaml:6:1: unknown key 'foo' in the scenario; known here: name, description, subject, "
        "candidates, ready, steps, shutdown, vars, fixtures, states, data, "
        "scenarios, harden");
}

TEST(WrongScenarios, StopAfterTwenty) {
    std::string text = image + "steps:\n";
    for (int i = 0; i < 30; ++i) text += "  - wait: never\n";
    const auto scenario = parse(text);
    ASSERT_FALSE(scenario.has_value());
    EXPECT_EQ(std::ranges::count(scenario.error().message, '\n'), 20);
    EXPECT_THAT(scenario.error().message, testing::EndsWith("and 10 more problems; mend these first"));
}

TEST(WrongScenarios, ShowControlCharactersEscaped) {
    const auto scenario = parse("subject: {image: \"a b\\e[31m\"}\n");
    ASSERT_FALSE(scenario.has_value());
    EXPECT_EQ(scenario.error().message.find('\x1b'), std::string::npos);
}

TEST(WrongScenarios, FilesThatCannotBeRead) {
    const auto missing = load_scenario("/nonexistent/scenario.yaml");
    ASSERT_FALSE(missing.has_value());
    EXPECT_EQ(missing.error().kind, ErrorKind::usage);
    EXPECT_THAT(missing.error().message,
                StartsWith("/nonexistent/scenario.yaml: No such file or directory; name a"));
    const auto endless = load_scenario("/dev/zero");
    ASSERT_FALSE(endless.has_value());
    EXPECT_THAT(endless.error().message, HasSubstr("larger than 67108864 bytes"));
}

}  // namespace
}  // namespace rogate::spec::test
