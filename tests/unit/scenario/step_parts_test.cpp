// The pure parts of steps: variables, forms, comparison with the control run, tars.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "scenario/form.hpp"
#include "scenario/local_tar.hpp"
#include "scenario/observation.hpp"
#include "scenario/variables.hpp"

namespace rogate::scenario {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Step http_step(HttpAction action = {}) {
    Step step;
    step.action = std::move(action);
    return step;
}

TEST(Resolved, PutsValuesIn) {
    HttpAction action;
    action.path = "/pictures/${{ id }}";
    action.headers = {{"X-Id", "${{ id }}"}};
    action.form = {{.name = "a", .content = "${{ id }}$${{ id }}", .file_name = {}, .type = {}}};
    Step step = http_step(action);
    step.expect.contains = "<${{ id }}>";
    step.expect.matches = "^${{ id }}$";
    step.expect.json = {{"/a", "\"${{ id }}\""}, {"/b", "\"x${{ id }}\""}};
    const Step made = resolved(step, {{"id", "1.5"}});
    const auto& http = std::get<HttpAction>(made.action);
    EXPECT_EQ(http.path, "/pictures/1.5");
    EXPECT_EQ(http.headers.at("X-Id"), "1.5");
    EXPECT_EQ(http.form[0].content, "1.5${{ id }}");
    EXPECT_EQ(made.expect.contains, "<1.5>");
    EXPECT_EQ(made.expect.matches, "^1\\.5$");
    EXPECT_EQ(made.expect.json.at("/a"), "1.5");
    EXPECT_EQ(made.expect.json.at("/b"), "\"x1.5\"");
}

TEST(Resolved, TakesThePathOfALocation) {
    HttpAction action;
    action.path = "${{ where }}";
    const auto path = [&](const std::string& where) {
        return std::get<HttpAction>(resolved(http_step(action), {{"where", where}}).action).path;
    };
    EXPECT_EQ(path("/a?b"), "/a?b");
    EXPECT_EQ(path("http://localhost:80/a/b"), "/a/b");
    EXPECT_EQ(path("http://localhost"), "/");
}

TEST(Captured, FromJsonHeaderAndText) {
    Step step = http_step();
    step.captures = {{"id", Capture::From::json, "/items/0/id"},
                     {"name", Capture::From::json, "/name"},
                     {"where", Capture::From::header, "Location"},
                     {"token", Capture::From::regex, "\"t\": *\"([a-z]+)\""},
                     {"all", Capture::From::regex, "n[a-z]+e"}};
    Observed seen;
    seen.text = R"({"items": [{"id": 7}], "name": "x y", "t": "abc"})";
    seen.headers = {{"location", "/p/7"}};
    Variables variables;
    ASSERT_TRUE(capture(step, seen, variables).has_value());
    EXPECT_EQ(
        variables,
        (Variables{{"all", "name"}, {"id", "7"}, {"name", "x y"}, {"token", "abc"}, {"where", "/p/7"}}));
}

TEST(Captured, WhatIsMissingIsNamed) {
    const auto why = [](Capture::From from, const std::string& what, const std::string& text) {
        Step step = http_step();
        step.captures = {{"v", from, what}};
        Observed seen;
        seen.text = text;
        Variables variables;
        const auto kept = capture(step, seen, variables);
        return kept ? std::string() : kept.error().message;
    };
    EXPECT_EQ(why(Capture::From::json, "/a", "{}"),
              "variable 'v' cannot be captured: there is nothing at /a in \"{}\"");
    EXPECT_EQ(why(Capture::From::json, "/a", "<"), "variable 'v' cannot be captured: \"<\" is not JSON");
    EXPECT_EQ(why(Capture::From::header, "Etag", ""),
              "variable 'v' cannot be captured: the answer has no header 'Etag'");
    EXPECT_EQ(why(Capture::From::regex, "x+", "y"),
              "variable 'v' cannot be captured: /x+/ matches nothing in \"y\"");
}

TEST(Form, IsMultipart) {
    const FormBody made = to_multipart(
        {{.name = "title", .content = "x", .file_name = {}, .type = {}},
         {.name = "p\"", .content = "rogate-boundary-0", .file_name = "a.png", .type = "image/png"}});
    EXPECT_EQ(made.content_type, "multipart/form-data; boundary=rogate-boundary-1");
    EXPECT_EQ(made.body,
              "--rogate-boundary-1\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nx\r\n"
              "--rogate-boundary-1\r\nContent-Disposition: form-data; name=\"p%22\"; filename=\"a.png\"\r\n"
              "Content-Type: image/png\r\n\r\nrogate-boundary-0\r\n--rogate-boundary-1--\r\n");
}

Observed answer(int status, std::string text) {
    Observed seen;
    seen.status = status;
    seen.text = std::move(text);
    return seen;
}

TEST(Difference, OfEqualObservationsIsNothing) {
    EXPECT_EQ(difference(answer(200, "a"), answer(200, "a")), "");
}

TEST(Difference, NamesWhatDiffersFirst) {
    EXPECT_EQ(difference(answer(200, "a"), answer(404, "a")), "status 200 in the control run, 404 here");
    EXPECT_EQ(difference(answer(200, "1\n2\n3"), answer(200, "1\n5\n3")),
              "\"2\" in the control run, \"5\" here");
    EXPECT_EQ(difference(answer(200, "1\n2"), answer(200, "1\n")), "\"2\" in the control run, \"\" here");
    EXPECT_EQ(difference(answer(200, ""), answer(200, "x")), "\"\" in the control run, \"x\" here");
    Observed there, missing;
    there.exists = true;
    missing.exists = false;
    EXPECT_EQ(difference(there, missing), "there in the control run, missing here");
    Observed with_header = answer(200, "a");
    with_header.headers = {{"etag", "1"}};
    EXPECT_EQ(difference(with_header, answer(200, "a")), "header 'etag' is missing here");
    EXPECT_EQ(difference(answer(200, "a"), with_header), "header 'etag' is missing in the control run");
}

TEST(Comparable, LeavesOutWhatIsIgnoredAndNotAsked) {
    Step step = http_step();
    step.ignore = {"[0-9]+"};
    step.expect.headers = {{"ETag", "."}};
    Observed seen = answer(200, "at 12:30\nx\n");
    seen.headers = {{"etag", "v77"}, {"date", "today"}};
    const Observed kept = comparable(step, seen);
    EXPECT_EQ(kept.text, "at *:*\nx\n");
    EXPECT_EQ(kept.headers, (std::map<std::string, std::string>{{"etag", "v*"}}));
}

TEST(Expectation, OfJson) {
    Step step = http_step();
    step.expect.json = {{"/a/0/b", "3"}};
    EXPECT_EQ(mismatch(step, answer(200, R"({"a": [{"b": 3}]})")), "");
    EXPECT_EQ(mismatch(step, answer(200, R"({"a": [{"b": "3"}]})")), "expected 3 at /a/0/b, got \"3\"");
    EXPECT_THAT(mismatch(step, answer(200, "{}")), HasSubstr("expected 3 at /a/0/b, where there is nothing"));
    EXPECT_EQ(mismatch(step, answer(200, "no")), "expected JSON, got \"no\"");
}

TEST(Expectation, OfAFile) {
    Step step;
    step.action = FileAction{"/x"};
    Observed seen;
    seen.exists = false;
    EXPECT_EQ(mismatch(step, seen), "/x is missing");
    step.expect.exists = false;
    EXPECT_EQ(mismatch(step, seen), "");
    seen.exists = true;
    EXPECT_EQ(mismatch(step, seen), "/x is there, and is to be missing");
    step.expect = {};
    step.expect.mode = 0644;
    seen.mode = 0600;
    EXPECT_EQ(mismatch(step, seen), "/x has mode 0600, expected 0644");
    step.expect = {};
    step.expect.size = 3;
    seen.size = 4;
    EXPECT_EQ(mismatch(step, seen), "/x has 4 bytes, expected 3");
}

TEST(LocalTar, HoldsFilesFoldersAndLinks) {
    const auto folder = std::filesystem::temp_directory_path() / "rogate-local-tar-test";
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder / "sub");
    std::ofstream(folder / "sub/file") << "content";
    std::filesystem::create_symlink("sub/file", folder / "link");
    const auto whole = tar_of_content(folder.string(), 33, 33, 0700);
    ASSERT_TRUE(whole.has_value());
    EXPECT_EQ(*text_of_tar(*whole), "link\nsub/\nsub/file\n");
    const auto one =
        tar_of_load({.to = "/x/y", .from = (folder / "sub/file").string(), .text = {}, .mode = {}}, "y");
    ASSERT_TRUE(one.has_value());
    EXPECT_EQ(*text_of_tar(*one), "content");
    EXPECT_EQ(*text_of_tar(*tar_of_load({.to = "/x", .from = {}, .text = "hello", .mode = {}}, "x")),
              "hello");
    EXPECT_EQ(*text_of_tar(*tar_of_content("", 0, 0, {})), "");
    std::filesystem::remove_all(folder);
    EXPECT_FALSE(tar_of_content(folder.string(), 0, 0, {}).has_value());
    EXPECT_FALSE(text_of_tar("no tar at all").has_value());
}

}  // namespace
}  // namespace rogate::scenario
