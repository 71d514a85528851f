// Variables, files that steps bring along, groups, captures: right and wrong.
#include <fmt/format.h>

#include <algorithm>

#include "unit/spec/support.hpp"

namespace rogate::spec::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

// /project/app holds logo.png; nothing else is looked at.
Surroundings with_files() {
    Surroundings made = surroundings();
    made.folder = ROGATE_SOURCE_DIR "/scenarios/nginx";
    made.read_data = [](const std::string&) -> Result<std::string> {
        return std::string("bytes ${{ x }}\0", 15);
    };
    return made;
}

Result<Scenario> parse_steps(const std::string& steps, const std::string& before = {}) {
    return parse_scenario("subject: {image: a, ports: [80], mounts: [{type: tmpfs, target: /run}]}\n" +
                              before + "steps:\n" + steps,
                          "app/scenario.yaml", with_files());
}

std::vector<Step> steps(const std::string& text, const std::string& before = {}) {
    auto scenario = parse_steps(text, before);
    if (scenario) return std::move(scenario->steps);
    ADD_FAILURE() << text << "\n" << scenario.error().message;
    return std::vector<Step>(9);
}

template <class T>
T first(const std::string& text) {
    const Step step = steps(text).front();
    const T* action = std::get_if<T>(&step.action);
    if (action == nullptr) ADD_FAILURE() << text;
    return action == nullptr ? T{} : *action;
}

TEST(Variables, ArePutInEverywhere) {
    const auto scenario = parse_scenario(
        "vars: {tag: v1, port: 81, who: qa}\n"
        "subject: {image: \"shop:${{ tag }}\", ports: [\"${{port}}\"], environment: {A: \"${{ who }}-$${{ "
        "who }}\"}}\n"
        "steps:\n  - exec: echo ${{ who }} $${{ who }}\n",
        "app/scenario.yaml", with_files());
    ASSERT_TRUE(scenario.has_value()) << scenario.error().message;
    EXPECT_EQ(scenario->subject.image, "shop:v1");
    EXPECT_EQ(scenario->subject.ports.front().container, 81);
    EXPECT_THAT(scenario->subject.environment, ElementsAre(Pair("A", "qa-${{ who }}")));
    // The run resolves what is left in steps.
    EXPECT_EQ(std::get<ExecAction>(scenario->steps.front().action).command.back(), "echo qa $${{ who }}");
    EXPECT_THAT(scenario->variables, ElementsAre(Pair("port", "81"), Pair("tag", "v1"), Pair("who", "qa")));
}

TEST(Variables, OfTheCommandLineComeFirst) {
    Surroundings around = with_files();
    around.variables = {{"tag", "v2"}, {"unused", "x"}};
    const auto scenario =
        parse_scenario("vars: {tag: v1}\nsubject: {image: \"shop:${{ tag }}\"}\n", "s.yaml", around);
    ASSERT_TRUE(scenario.has_value()) << scenario.error().message;
    EXPECT_EQ(scenario->subject.image, "shop:v2");
    EXPECT_THAT(scenario->variables, ElementsAre(Pair("tag", "v2")));
}

TEST(Variables, ThatAreCapturedStayForTheRun) {
    const auto made = steps(
        "  - {http: {path: /}, capture: {id: {json: /id}, where: {header: Location}, t: {regex: "
        "\"t=(.*)\"}}}\n"
        "  - {http: {path: \"/a/${{ id }}\"}, expect: {matches: \"x${{ t }}\"}}\n"
        "  - http: {path: \"${{ where }}\"}\n");
    EXPECT_THAT(made[0].captures, ElementsAre(Capture{"id", Capture::From::json, "/id"},
                                              Capture{"where", Capture::From::header, "Location"},
                                              Capture{"t", Capture::From::regex, "t=(.*)"}));
    EXPECT_EQ(std::get<HttpAction>(made[1].action).path, "/a/${{ id }}");
    EXPECT_EQ(made[2].name, "http GET ${{ where }}");
}

TEST(StepFeatures, Uploads) {
    EXPECT_EQ(first<HttpAction>("  - http: {method: PUT, path: /x, file: html/index.html}\n").body,
              std::string("bytes $${{ x }}\0", 16));
    const auto form = first<HttpAction>(
        "  - http: {method: POST, form: {a: 1, b: {file: html/index.html, type: text/html}, c: {text: x, "
        "filename: y}}}\n");
    EXPECT_THAT(form.form,
                ElementsAre(FormField{"a", "1", std::nullopt, ""},
                            FormField{"b", std::string("bytes $${{ x }}\0", 16), "index.html", "text/html"},
                            FormField{"c", "x", "y", ""}));
}

TEST(StepFeatures, ContainersAndFiles) {
    const auto driver = first<RunContainerAction>(
        "  - run: {image: tests, command: pytest -q, environment: {URL: x}, files: [{from: html, to: "
        "/tests}]}\n");
    EXPECT_EQ(driver.command, (std::vector<std::string>{"pytest", "-q"}));
    EXPECT_EQ(driver.files.front().to, "/tests");
    const auto copy =
        first<CopyAction>("  - copy: {to: /srv/x, text: hello, owner: \"33:34\", mode: 0600}\n");
    EXPECT_EQ(copy.load, (Load{"/srv/x", "", "hello", 33, 34, 0600}));
    const auto made = steps(
        "  - {file: /srv/x, expect: {exists: true, mode: \"0644\", size: 3}, same_as_control: {ignore: "
        "a+}}\n");
    EXPECT_EQ(std::get<FileAction>(made[0].action).path, "/srv/x");
    EXPECT_EQ(made[0].expect.mode, 0644);
    EXPECT_EQ(made[0].expect.size, 3);
    EXPECT_TRUE(made[0].same_as_control);
    EXPECT_THAT(made[0].ignore, ElementsAre("a+"));
}

TEST(StepFeatures, AStatusOrALimitOfIt) {
    const auto made =
        steps("  - {http: {}, expect: {status: 404}}\n  - {http: {}, expect: {status: below 500}}\n");
    EXPECT_EQ(made[0].expect.status, 404);
    EXPECT_EQ(made[1].expect.status, -500);
}

TEST(StepFeatures, JsonExpectations) {
    const auto made = steps(
        "  - {http: {}, expect: {json: {/a/0: 3, /b: \"3\", /c: [x, null], /d: true, \"\": {e: 1.5}}}}\n");
    EXPECT_THAT(made[0].expect.json,
                ElementsAre(Pair("", "{\"e\":1.5}"), Pair("/a/0", "3"), Pair("/b", "\"3\""),
                            Pair("/c", "[\"x\",null]"), Pair("/d", "true")));
}

TEST(StepFeatures, GroupsRepeatAndSkip) {
    const auto made = steps(
        "  - {name: both, parallel: [{exec: a}, {exec: a}], repeat: 3}\n"
        "  - background: {steps: [{http: {path: /}}], interval: 1s}\n"
        "  - {exec: b, skip_if: {exec: test -f /x, vars: {m: quick}}}\n",
        "vars: {m: full}\n");
    const auto& both = std::get<ParallelAction>(made[0].action).steps;
    EXPECT_EQ(both[0].name, "exec a");
    EXPECT_EQ(both[1].name, "exec a (2)");
    EXPECT_EQ(made[0].repeat, 3);
    EXPECT_EQ(std::get<BackgroundAction>(made[1].action).interval_ms, 1000);
    EXPECT_EQ(made[2].skip_if->command.back(), "test -f /x");
    EXPECT_THAT(made[2].skip_if->variables, ElementsAre(Pair("m", "quick")));
}

TEST(StepFeatures, Fixtures) {
    const auto scenario = parse_scenario(
        "subject: {image: a, mounts: [\"/tmp:/a\", \"vol:/b\"]}\n"
        "fixtures: [{target: /a, from: html, owner: 33}, {target: /b, empty: true, mode: 0700}]\n",
        "app/scenario.yaml", with_files());
    ASSERT_TRUE(scenario.has_value()) << scenario.error().message;
    EXPECT_EQ(scenario->fixtures[0].from, ROGATE_SOURCE_DIR "/scenarios/nginx/html");
    EXPECT_EQ(scenario->fixtures[0].gid, 33U);
    EXPECT_EQ(scenario->fixtures[1].mode, 0700);
}

struct Wrong {
    std::string text;  // the one ^ is taken out, and its place is the place of the problem
    std::string fragment;
};

TEST(StepFeatures, WrongOnesAreNamedWithTheirPlace) {
    const std::vector<Wrong> cases = {
        {"  - exec: ^a ${{ nope }}\n", "unknown variable 'nope'; declare it"},
        {"  - exec: ^a ${{ b c }}\n", "'${{ b c }}' is no reference to a variable"},
        {"  - exec: ^a ${{ b\n", "'${{ b' is no reference"},
        {"  - exec: ^${{ id }}\n  - {http: {}, capture: {id: {json: /i}}}\n", "unknown variable 'id'"},
        {"  - {http: {}, capture: {idx: {json: /i}}}\n  - http: {path: ^\"/${{ id }}\"}\n",
         "unknown variable 'id'; did you mean 'idx'"},
        {"  - {http: {}, capture: {^1a: {json: /i}}}\n", "'1a' cannot name a variable"},
        {"  - {http: {}, capture: {a: {json: ^i}}}\n", "'i' is no JSON pointer"},
        {"  - {http: {}, capture: {a: ^{}}}\n", "has none of json, header and regex"},
        {"  - {exec: a, capture: {a: {^header: X}}}\n", "only the answer of 'http' has headers"},
        {"  - {wait: 1s, ^capture: {a: {json: /a}}}\n",
         "'capture' fits http, exec, run, command, file and log"},
        {"  - {http: {}, expect: {json: {^a: 1}}}\n", "'a' is no JSON pointer"},
        {"  - {wait: 1s, repeat: 2, ^timeout: 1s}\n", "'timeout' does not fit 'wait'"},
        {"  - {http: {}, expect: {status: ^below 50}}\n", "write for example 201, or below 500"},
        {"  - {http: {}, expect: {status: ^-500}}\n", "'status'"},
        {"  - {http: {}, repeat: ^0}\n", "'repeat'"},
        {"  - {restart: kill, ^repeat: 2}\n", "'repeat' does not fit 'restart'"},
        {"  - {wait: 1s, ^same_as_control: true}\n", "'same_as_control' fits http, exec"},
        {"  - {http: {}, same_as_control: ^[a]}\n", "'same_as_control' is a list"},
        {"  - {http: {}, same_as_control: {ignore: [\"a\", ^\"(\"]}}\n", "is not a regular expression"},
        {"  - {http: {}, skip_if: ^{}}\n", "is empty; write exec or vars"},
        {"  - http: {path: /, file: ^missing.png}\n", "there is no"},
        {"  - http: {path: /, body: x, ^form: {a: 1}}\n", "has 'body' and 'form'; keep one"},
        {"  - http: {path: /, form: ^{}}\n", "is empty; write its fields"},
        {"  - http: {path: /, form: {a: ^{}}}\n", "has neither 'file' nor 'text'"},
        {"  - http: {path: /, form: {a: ^{fil: x}}}\n", "has neither"},
        {"  - copy: ^{from: html}\n", "has no 'to'"},
        {"  - copy: ^{to: /x}\n", "has neither 'from' nor 'text'"},
        {"  - copy: {to: ^x, text: y}\n", "'x' is not an absolute path"},
        {"  - copy: {to: /x, text: y, owner: ^root}\n", "'owner' is 'root'; write numbers"},
        {"  - copy: {to: /x, text: y, mode: ^0888}\n", "0888"},
        {"  - file: ^x\n", "'x' is not an absolute path"},
        {"  - ^file: /run/x\n", "lies on the tmpfs /run"},
        {"  - {file: /x, expect: {exists: ^false, size: 1}}\n", "has nothing else"},
        {"  - {file: /x, expect: {^status: 200}}\n", "'status' does not fit 'file'"},
        {"  - run: ^{command: a}\n", "has no 'image'"},
        {"  - run: {image: ^a b}\n", "'a b' is not the name of an image"},
        {"  - run: {image: a, files: [^{to: /x}]}\n", "has neither 'from' nor 'text'"},
        {"  - parallel: ^[]\n", "is not a list of steps"},
        {"  - parallel: [^{restart: kill}]\n", "holds a restart, a signal or a group"},
        {"  - parallel: [^{parallel: [{exec: a}]}]\n", "holds a restart, a signal or a group"},
        {"  - {parallel: [{exec: a}], ^expect: {contains: x}}\n", "'expect' does not fit 'parallel'"},
        {"  - background: ^{interval: 1s}\n", "has no 'steps'"},
        {"  - background: [^{exec: a, same_as_control: true}]\n", "no round has its equal"},
        {"  - {copy: {to: /x, text: y}, ^retry: {until: 1s}}\n", "'retry' does not fit"},
    };
    for (const Wrong& wrong : cases) {
        const std::size_t mark = wrong.text.find('^');
        const auto line = std::count(wrong.text.begin(), wrong.text.begin() + static_cast<long>(mark), '\n');
        const std::size_t start = line == 0 ? 0 : wrong.text.rfind('\n', mark) + 1;
        const auto scenario = parse_steps(wrong.text.substr(0, mark) + wrong.text.substr(mark + 1));
        ASSERT_FALSE(scenario.has_value()) << wrong.text;
        EXPECT_THAT(scenario.error().message, HasSubstr(wrong.fragment)) << wrong.text;
        EXPECT_THAT(scenario.error().message,
                    HasSubstr(fmt::format("app/scenario.yaml:{}:{}: ", line + 3, mark - start + 1)))
            << wrong.text;
    }
}

TEST(StepFeatures, States) {
    const auto scenario = parse_steps("  - exec: a\n", "states: [crash, fresh]\n");
    ASSERT_TRUE(scenario.has_value()) << scenario.error().message;
    EXPECT_THAT(scenario->states, ElementsAre(DataState::crash, DataState::fresh));
}

TEST(StepFeatures, WrongAtTheTop) {
    const std::vector<Wrong> cases = {
        {"vars: [a]\n", "'vars' is a list"},
        {"vars: {a-b: 1}\n", "'a-b' cannot name a variable"},
        {"vars: {a: [1]}\n", "'a' is a list"},
        {"fixtures: {target: /a}\n", "'fixtures' is a mapping"},
        {"fixtures: [{from: html}]\n", "has no 'target'"},
        {"fixtures: [{target: /a}]\n", "has neither 'from' nor 'empty'"},
        {"fixtures: [{target: /a, from: nowhere}]\n", "there is no"},
        {"fixtures: [{target: /run, empty: true}]\n", "'/run' is a tmpfs"},
        {"fixtures: [{target: /a, empty: true}, {target: /a, from: html}]\n", "two fixtures are for '/a'"},
        {"name: ${{ x }}\n", "unknown variable 'x'"},
        {"states: []\n", "'states' is not a list of states"},
        {"states: fresh\n", "'states' is not a list of states"},
        {"states: [fresh, used, fresh]\n", "state 'fresh' is listed twice"},
        {"states: [crashed]\n", "unknown state 'crashed'; did you mean 'crash'?"},
        {"data: alive\n",
         "unknown way to give the runs their data 'alive'; write overlay (the default), copy or live"},
        {"data: live\nstates: [fresh]\n", "it cannot have other 'states'"},
        {"data: live\nfixtures: [{target: /a, empty: true}]\n", "it cannot have 'fixtures'"},
    };
    for (const Wrong& wrong : cases) {
        const auto scenario = parse_steps("  - exec: a\n", wrong.text);
        ASSERT_FALSE(scenario.has_value()) << wrong.text;
        EXPECT_THAT(scenario.error().message, HasSubstr(wrong.fragment)) << wrong.text;
    }
    const auto both = parse_steps("  - {http: {}, capture: {a: {json: /a}}}\n", "vars: {a: 1}\n");
    ASSERT_FALSE(both.has_value());
    EXPECT_THAT(both.error().message,
                HasSubstr("app/scenario.yaml:4:26: variable 'a' is captured here, and given by"));
}

}  // namespace
}  // namespace rogate::spec::test
