// What holds for every format, and what each of them promises.
#include "report/formats.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/escape.hpp"
#include "report/advice.hpp"
#include "report/html.hpp"
#include "report/json.hpp"
#include "report/junit.hpp"
#include "report/markdown.hpp"
#include "report/markup.hpp"
#include "report/secrets.hpp"
#include "unit/report/sample.hpp"

namespace rogate::report {
namespace {

using testing::HasSubstr;
using testing::Not;

FormatOptions options() {
    FormatOptions options;
    options.sarif = {.version = "0.1.0", .root = "/repository"};
    return options;
}

Result<std::string> render(const std::string& format, const std::vector<CampaignResult>& results,
                           const FormatOptions& how) {
    std::string text;
    const auto written = write(format, results, how, [&](std::string_view piece) -> Result<> {
        text += piece;
        return {};
    });
    if (!written) return fail(Error(written.error()));
    return text;
}

std::string rendered(const std::string& format, const CampaignResult& result) {
    auto text = render(format, {result}, options());
    EXPECT_TRUE(text.has_value()) << format;
    return text.value_or("");
}

// The sample with a recommendation, costs, writes and splits.
CampaignResult whole() {
    CampaignResult result = sample();
    hide_secrets(result, {{"very-secret-value", SecretKind::secret}});
    MountResult& split = result.mounts.back();
    split.writable = {kept_writable()};
    split.costs = {{.phase = "ready", .control_s = 0.5, .read_only_s = 1.5}};
    Attempt wrote = attempt("create", "/srv/app/run/app.pid");
    wrote.error = 0;
    split.writes = {wrote};
    result.recommendation.writable = {kept_writable()};
    return result;
}

TEST(Golden, EveryFormat) {
    const std::pair<const char*, const char*> files[] = {{"markdown", "report.md"},
                                                         {"junit", "junit.xml"},
                                                         {"sarif", "results.sarif"},
                                                         {"requirements", "write-requirements.md"},
                                                         {"terminal", "terminal_split.txt"}};
    for (const auto& [format, file] : files) expect_golden(file, rendered(format, whole()));
}

// Of the page, what it is given: the rest are its sources.
TEST(Golden, DataOfTheHtmlPage) {
    const std::string page = rendered("html", whole());
    const std::string begin = "id=\"data\">";
    const std::size_t from = page.find(begin) + begin.size();
    const std::string data = page.substr(from, page.find("</script>", from) - from);
    expect_golden("html_data.json", nlohmann::ordered_json::parse(data).dump(1) + "\n");
}

// Raw bytes as a subject may choose them for a path, a process or its output.
const std::string hostile_texts[] = {
    "/a\nb\r\n# heading\n- list",
    "/\x1b[2J\x1b]0;title\x07\x9b"
    "31m",
    "/</script><script>alert(1)</script><img src=x onerror=alert(1)>",
    "/<!--<script>-->]]>&amp;\"'",
    "/`code```|pipe\\| **bold** [link](javascript:alert(1)) ![i](http://192.0.2.1/x) @team #1 <b>",
    "/\xff\xfe\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80",
    "/\xe2\x80\xae"
    "gpj.exe\xe2\x81\xa6\xe2\x80\xa8\xe2\x80\xa9\xd8\x9c\xef\xbf\xbf",
    "/" + std::string(4095, 'x'),
    "/" + std::string(4000, '\n'),
    "/{0}{{data}}{{title}}{}%s%n",
    std::string("/nul\0byte", 9),
    "",
    " ",
    "-->\n\n| a | b |\n<!-- rogate.requirement {}",
};

CampaignResult hostile(const std::string& text) {
    CampaignResult result = sample();
    Attempt bad = attempt(text, text);
    bad.phase = bad.process.comm = bad.process.exe = bad.syscall = bad.control = text;
    const WritablePath path{
        .path = text, .as = WritableAs::tmpfs, .mount = text, .tmpfs_options = text, .reason = text};
    MountResult made = mount(text, Verdict::split, text, {bad});
    made.mount.source = made.mount.declared.file = text;
    made.writes = {bad};
    made.writable = {path};
    made.costs = {{.phase = text, .control_s = 1, .read_only_s = 2}};
    result.mounts = {made};
    result.recommendation = {.read_only = {text}, .writable = {path}, .verified_by_run = 2};
    result.scenario.name = result.scenario.file = result.scenario.subject.image = text;
    result.engine.kernel = result.engine.name = result.engine.version = text;
    for (RunRecord& run : result.runs) {
        run.passed = false;
        run.log_tail = run.observer_problem = run.services_problem = text;
        run.plan.read_only = {text};
        run.phases = {{.name = text, .passed = false, .message = text, .duration_s = 0}};
    }
    return result;
}

TEST(EveryFormat, HoldsNothingThatATerminalOrAnEditorActsOn) {
    for (const std::string& text : hostile_texts)
        for (const std::string& format : format_names) {
            const std::string out = rendered(format, hostile(text));
            EXPECT_NO_THROW((void)nlohmann::json(out).dump())
                << format << " is no UTF-8 for " << escape_text(text);
            for (const char c : out)
                ASSERT_TRUE(c == '\n' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f))
                    << format << " has " << static_cast<int>(c) << " for " << escape_text(text);
            for (const char* turn :
                 {"\xe2\x80\xae", "\xe2\x81\xa6", "\xe2\x80\xa8", "\xd8\x9c", "\xef\xbf\xbf"})
                EXPECT_EQ(out.find(turn), std::string::npos) << format;
        }
}

TEST(EveryFormat, HasNoMarkupOfTheSubjects) {
    for (const std::string& text : hostile_texts) {
        for (const char* format : {"html", "junit"}) {
            const std::string out = rendered(format, hostile(text));
            EXPECT_THAT(out, Not(HasSubstr("<script>alert"))) << format;
            EXPECT_THAT(out, Not(HasSubstr("<img"))) << format;
            EXPECT_THAT(out, Not(HasSubstr("]]>"))) << format;
        }
        const auto count = [](const std::string& in, const std::string& what) {
            std::size_t n = 0;
            for (std::size_t at = 0; (at = in.find(what, at)) != std::string::npos; ++at) ++n;
            return n;
        };
        const std::string page = rendered("html", hostile(text)), plain = rendered("html", hostile("x"));
        for (const char* mark : {"<script", "</script", "<!--", "-->"})
            EXPECT_EQ(count(page, mark), count(plain, mark)) << escape_text(text);
        // A requirement's memory is one line, and one for each mount.
        const std::string document = rendered("requirements", hostile(text));
        EXPECT_EQ(count(document, "\n<!-- rogate.requirement "), 1U);
        EXPECT_EQ(count(document, " -->\n"), 1U);
    }
}

// Code spans are taken out; what stays must not hold live markup.
TEST(Markdown, HoldsNoLiveMarkupOfTheSubjects) {
    const std::string out = rendered("markdown", hostile(hostile_texts[4]));
    const std::string text = markdown_text(hostile_texts[4]);
    EXPECT_EQ(text,
              "/\\`code\\`\\`\\`\\|pipe\\\\\\\\\\| \\*\\*bold\\*\\* \\[link\\](javascript:alert(1)) "
              "\\!\\[i\\](http&#8203;://192.0.2.1/x) @&#8203;team #&#8203;1 &lt;b&gt;");
    EXPECT_THAT(out, HasSubstr(text.substr(0, 30)));
    EXPECT_EQ(markdown_code("a`b``c|d"), "```a`b``c\\|d```");
    EXPECT_EQ(markdown_code("`"), "`` ` ``");
    EXPECT_EQ(markdown_code(""), "`  `");
}

TEST(EveryFormat, HoldsNoSecret) {
    for (const std::string& format : format_names) {
        CampaignResult result = hostile("prefix very-secret-value suffix");
        result.scenario.description = "x";
        hide_secrets(result, {{"very-secret-value", SecretKind::secret}});
        const std::string out = rendered(format, result);
        EXPECT_EQ(out.find("very-secret-value"), std::string::npos) << format;
    }
}

TEST(Secrets, OfAVariableAreNoReasonToHideAPath) {
    CampaignResult result = sample();
    result.runs[0].log_tail = "cannot use bin-of-app";
    Attempt& made = result.mounts[0].attempts.edit().front();
    made.path = "/data/bin-of-app/x";
    hide_secrets(result, {{"bin-of-app", SecretKind::environment}});
    EXPECT_EQ(made.path, "/data/bin-of-app/x");
    EXPECT_EQ(result.runs[0].log_tail, "cannot use ***");
}

// The kernel cuts a program's name.
TEST(Secrets, AreHiddenInNamesThatAreCut) {
    CampaignResult result = sample();
    Attempt& made = result.mounts[0].attempts.edit().front();
    made.process.comm = "x-very-secret-v";
    hide_secrets(result, {{"very-secret-value", SecretKind::secret}});
    EXPECT_EQ(made.process.comm, "x-***");
}

TEST(Secrets, InAPathThatHasToStayWritableAreNotRecommended) {
    CampaignResult result = sample();
    result.mounts.resize(2);
    result.mounts[0].mount.target = "/data";
    result.mounts[0].reason = "why";
    result.mounts[0].writable.resize(1);
    result.mounts[0].writable[0].path = "/data/hunter22";
    result.mounts[0].writable[0].mount = "/data";
    result.mounts[1].mount.target = "/etc/app";
    result.recommendation.read_only = {"/data", "/etc/app"};
    result.recommendation.writable = result.mounts[0].writable;
    result.recommendation.verified_by_run = 9;
    result.runs.resize(2);
    result.runs[1].plan = RunPlan();
    result.runs[1].plan.id = 2;
    result.runs[1].plan.kind = RunKind::probe;
    result.runs[1].plan.read_only = {"/etc/app"};
    result.runs[1].passed = true;
    hide_secrets(result, {{"hunter22", SecretKind::secret}});
    EXPECT_EQ(result.recommendation.read_only, std::vector<std::string>{"/etc/app"});
    EXPECT_TRUE(result.recommendation.writable.empty());
    EXPECT_TRUE(result.mounts[0].writable.empty());
    EXPECT_EQ(result.recommendation.verified_by_run, 2);
    EXPECT_NE(result.mounts[0].reason.find("not recommended, since a path"), std::string::npos);
}

CampaignResult with_mounts(std::size_t mounts, std::size_t attempts) {
    CampaignResult result = sample();
    result.mounts.clear();
    for (std::size_t i = 0; i < mounts; ++i) {
        const std::string target = "/mount/" + std::to_string(i);
        std::vector<Attempt> list;
        for (std::size_t n = 0; n < attempts; ++n)
            list.push_back(attempt("create", target + "/" + std::string(200, 'p') + std::to_string(n)));
        result.mounts.push_back(mount(target, i == 1 ? Verdict::required : Verdict::safe,
                                      std::string(500, 'r') + " @someone", std::move(list)));
        result.recommendation.read_only.push_back(target);
    }
    return result;
}

TEST(Markdown, StaysBelowTheLimitAndSaysWhatIsLeftOut) {
    for (const auto& [mounts, attempts] :
         {std::pair<std::size_t, std::size_t>{50, 100}, {1000, 2}, {5, 5000}, {3000, 0}}) {
        const std::string text = render_markdown(with_mounts(mounts, attempts));
        EXPECT_LE(text.size(), markdown_limit);
        EXPECT_THAT(text, HasSubstr("`/mount/1`")) << "the required one stays";
        EXPECT_THAT(text, HasSubstr("result.json"));
    }
    EXPECT_THAT(render_markdown(with_mounts(3000, 0)), HasSubstr("mounts are left out"));
}

TEST(Markdown, SeveralResultsFitTogether) {
    const std::vector<CampaignResult> results(6, with_mounts(40, 40));
    EXPECT_LE(render("markdown", results, options())->size(), markdown_limit);
}

TEST(Junit, OutcomesOfVerdictsAndPhases) {
    CampaignResult result = sample();
    result.mounts = {mount("/a", Verdict::required, "r"), mount("/b", Verdict::inconclusive, "r"),
                     mount("/c", Verdict::untested, "r"), mount("/d", Verdict::tolerated, "r")};
    const std::string text = render_junit(std::vector{result});
    EXPECT_THAT(text, HasSubstr("tests=\"4\" failures=\"0\" errors=\"1\" skipped=\"1\""));
    EXPECT_THAT(text, HasSubstr("<skipped message=\"fails with these mounts read-only: "));
    result.runs.front().phases.front().passed = false;
    EXPECT_THAT(render_junit(std::vector{result}),
                HasSubstr("<testsuites name=\"rogate\" tests=\"6\" failures=\"1\" errors=\"1\""));
}

TEST(Sarif, PlacesAndFingerprints) {
    CampaignResult result = sample();
    result.mounts = {mount("/a", Verdict::safe, "r"), mount("/b", Verdict::required, "r")};
    result.mounts[0].mount.declared = {"/repository/deploy/my compose.yaml", 3, 9};
    result.mounts[1].mount.declared = {"/elsewhere/x.yaml", 1, 0};
    const auto first = nlohmann::json::parse(rendered("sarif", result))["runs"][0]["results"];
    const auto place = first[0]["locations"][0]["physicalLocation"];
    EXPECT_EQ(place["artifactLocation"]["uri"], "deploy/my%20compose.yaml");
    EXPECT_EQ(place["region"], (nlohmann::json{{"startLine", 3}, {"startColumn", 9}}));
    EXPECT_EQ(first[1]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
              "file:///elsewhere/x.yaml");
    EXPECT_EQ(first[0]["level"], "note");
    EXPECT_EQ(first[1]["level"], "none");
    result.mounts[0].verdict = Verdict::required;
    result.mounts[0].mount.declared.line = 99;
    const auto second = nlohmann::json::parse(rendered("sarif", result))["runs"][0]["results"];
    EXPECT_EQ(first[0]["partialFingerprints"], second[0]["partialFingerprints"]);
    EXPECT_NE(first[0]["partialFingerprints"], first[1]["partialFingerprints"]);
}

TEST(Requirements, KeepDatesWhileTheModeStays) {
    CampaignResult old = whole(), now = whole();
    now.started_at = "2027-05-06T00:00:00Z";
    now.mounts[1].verdict = Verdict::required;  // /etc/shop
    for (const std::string& previous : {render_requirements(old), render_json(old)}) {
        const auto history = read_history(previous);
        ASSERT_TRUE(history.has_value()) << history.error().message;
        const std::string text = render_requirements(now, *history);
        EXPECT_THAT(text, HasSubstr("| `/data` | bind | read-write | required | 2026-01-01 |"));
        EXPECT_THAT(text, HasSubstr("| `/etc/shop` | bind | read-write | required | 2027-05-06 |"));
    }
    EXPECT_THAT(read_history("# Something else").error().message, HasSubstr("neither"));
    EXPECT_THAT(
        read_history("# Write requirements of x\n\n<!-- rogate.requirement {nonsense} -->\n").error().message,
        HasSubstr("line 3"));
}

// Its pieces, and how many were asked for.
struct Pieces {
    std::string_view rest;
    std::size_t size, given = 0;
    Source source() {
        return [this]() -> Result<std::string_view> {
            const std::string_view piece = rest.substr(0, size);
            rest.remove_prefix(piece.size());
            ++given;
            return piece;
        };
    }
};

TEST(Requirements, HistoryIsReadInPiecesOfAnySizeEachOnce) {
    for (const std::string& previous : {render_requirements(whole()), render_json(whole())}) {
        const auto at_once = read_history(previous);
        ASSERT_TRUE(at_once.has_value()) << at_once.error().message;
        EXPECT_EQ(at_once->size(), whole().mounts.size());
        for (const std::size_t size : {1U, 7U, 64U, 1000U}) {
            Pieces pieces{.rest = previous, .size = size};
            const auto history = read_history(pieces.source());
            ASSERT_TRUE(history.has_value()) << history.error().message;
            EXPECT_EQ(*history, *at_once) << size;
            EXPECT_EQ(pieces.given, (previous.size() + size - 1) / size + 1)
                << "and the empty one at the end";
        }
    }
}

TEST(Requirements, HistoryIsReadNoFurtherThanItsFirstMistake) {
    const std::string line = "<!-- rogate.requirement {nonsense} -->\n";
    for (const std::size_t more : {1000U, 100'000U}) {
        const std::string text = "# Write requirements of x\n\n" + line + std::string(more, '\n');
        Pieces pieces{.rest = text, .size = 10};
        EXPECT_THAT(read_history(pieces.source()).error().message, HasSubstr("line 3"));
        EXPECT_EQ(pieces.given, (text.size() - more + 9) / 10);
    }
    Pieces wrong{.rest = "# Something else\nand more of it", .size = 10};
    EXPECT_THAT(read_history(wrong.source()).error().message, HasSubstr("neither"));
    EXPECT_EQ(wrong.given, 2U);
    const auto broken =
        read_history([]() -> Result<std::string_view> { return fail(ErrorKind::io, "gone"); });
    EXPECT_EQ(broken.error().message, "gone");
}

TEST(Requirements, AreTheSameForRunsThatFoundTheSame) {
    const auto with = [](const char* suffix, std::uint64_t count, std::uint32_t pid) {
        CampaignResult result = sample();
        Attempt made = attempt("create", std::string("/data/tmp.") + suffix);
        made.count = count, made.process.pid = pid, made.first_s = static_cast<double>(pid);
        result.mounts = {
            mount("/data", Verdict::required, "failed " + std::to_string(count) + " times", {made})};
        result.duration_s = static_cast<double>(count);
        return render_requirements(result);
    };
    EXPECT_EQ(with("48213", 3, 7), with("99177", 4, 8));
    EXPECT_EQ(with("0a1b2c3d4e", 3, 7), with("9f8e7d6c5b4a", 4, 8));
    EXPECT_THAT(with("48213", 3, 7), HasSubstr("`/data/tmp.{number}`: create by `app` in step upload"));
    EXPECT_NE(with("first", 1, 1), with("second", 1, 1));
}

TEST(Requirements, NameWhatTheRunsShowedToVary) {
    const auto with = [](const char* name, std::string phase, std::vector<VaryingName> varying) {
        CampaignResult result = sample();
        Attempt made = attempt("create", std::string("/data/") + name);
        made.phase = std::move(phase);
        result.mounts = {mount("/data", Verdict::required, "r", {made})};
        result.varying_names = std::move(varying);
        const auto read = parse_json(render_json(result));
        EXPECT_TRUE(read.has_value()) << read.error().message;
        EXPECT_EQ(read->varying_names, result.varying_names);
        return render_requirements(*read);
    };
    const std::vector<VaryingName> varying = {{"/data/foo{random:6}", {}},
                                              {"/data/x\\x0a{number}", {"x\n7"}}};
    EXPECT_EQ(with("fooabcdef", "entrypoint", varying), with("fooAb3XyZ", "ready", {}));
    EXPECT_THAT(with("fooabcdef", "ready", varying),
                HasSubstr("`/data/foo{random:6}`: create by `app` in start"));
    EXPECT_THAT(with("x\n7", "ready", varying), HasSubstr("`/data/x\\x0a{number}`"));
}

TEST(Advice, FlagsAreWhatAShellTakes) {
    CampaignResult result = sample();
    result.scenario.name = "shop";
    result.mounts = {mount("/a b", Verdict::safe, "r"), mount("/c,d\"", Verdict::safe, "r"),
                     mount("/", Verdict::safe, "r"),    mount("/t", Verdict::safe, "r"),
                     mount("/v", Verdict::safe, "r"),   mount("/x'\n", Verdict::safe, "r")};
    result.mounts[2].mount.type = MountType::rootfs;
    result.mounts[3].mount.type = MountType::tmpfs;
    result.mounts[4].mount.type = MountType::anonymous;
    result.recommendation.read_only = {"/a b", "/c,d\"", "/", "/t", "/v", "/x'\n"};
    WritablePath colon = kept_writable();
    colon.path = "/a:b";
    colon.needs_mount_point = false;
    result.recommendation.writable = {kept_writable(), colon};
    const DockerFlags flags = docker_run_flags(result);
    EXPECT_EQ(flags.flags, (std::vector<std::string>{
                               "--mount 'type=bind,source=/srv,target=/a b,readonly'",
                               "--mount 'type=bind,source=/srv,\"target=/c,d\"\"\",readonly'", "--read-only",
                               "--tmpfs /t:ro", "--mount type=volume,source=shop-v,target=/v,readonly",
                               "--mount $'type=bind,source=/srv,\"target=/x\\'\\012\",readonly'",
                               "--tmpfs /srv/app/run:uid=33,gid=33,mode=0755"}));
    ASSERT_EQ(flags.not_flags.size(), 2U);
    EXPECT_THAT(flags.not_flags[1], HasSubstr("colon"));
}

nlohmann::json data_of(const std::string& page) {
    const std::string begin = "id=\"data\">";
    const std::size_t from = page.find(begin) + begin.size();
    return nlohmann::json::parse(page.substr(from, page.find("</script>", from) - from));
}

TEST(Html, HoldsAPartOfWhatIsTooMuchAndKnowsHowMuchThereIs) {
    const nlohmann::json data = data_of(render_html(std::vector{with_mounts(3, 100)}, 60));
    for (const auto& each : data["results"][0]["mounts"]) {
        EXPECT_EQ(each["failed"], 100);
        EXPECT_EQ(each["rows"].size(), 20U);
    }
}

TEST(Html, WhatShortListsLeaveIsTheLongOnes) {
    CampaignResult result = with_mounts(3, 100);
    result.mounts[1].attempts.edit().resize(7);
    result.mounts[2].attempts.edit().resize(3);
    const auto rows = [&](std::size_t limit, std::size_t at) {
        return data_of(render_html(std::vector{result}, limit))["results"][0]["mounts"][at]["rows"].size();
    };
    EXPECT_EQ(rows(110, 0), 100U) << "all of them have room";
    EXPECT_EQ(rows(60, 0), 50U);
    EXPECT_EQ(rows(60, 1), 7U);
    EXPECT_EQ(rows(60, 2), 3U);
    result.mounts[0].writes = result.mounts[0].attempts;
    EXPECT_EQ(rows(60, 0), 50U) << "of both lists";
}

TEST(Json, AttemptsComeBackWithoutATreeOfThem) {
    CampaignResult result = with_mounts(3, 50);
    result.mounts[1].writes = result.mounts[0].attempts;
    for (Attempt& each : result.mounts[1].writes.edit()) each.mount = "/mount/1";
    for (MountResult& each : result.mounts)
        for (Attempt& one : each.attempts.edit()) one.mount = each.mount.target;
    const auto back = parse_json(render_json(result));
    ASSERT_TRUE(back.has_value()) << back.error().message;
    EXPECT_EQ(back->mounts, result.mounts);
}

TEST(Json, IsOneResult) {
    EXPECT_FALSE(render("json", {sample(), sample()}, options()).has_value());
    EXPECT_FALSE(render("nonsense", {sample()}, options()).has_value());
}

}  // namespace
}  // namespace rogate::report
