// What a command is told, what it writes, the files that it leaves, and the links of pages.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "scenario/junit_files.hpp"
#include "scenario/links.hpp"
#include "scenario/output_lines.hpp"
#include "scenario/places.hpp"

using namespace rogate;
using namespace rogate::scenario;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

TEST(CommandVariables, NameEveryPort) {
    const std::vector<Reached> reached = {
        {.name = "db", .is_subject = true, .port = 5432, .host = "127.0.0.1", .host_port = 1001},
        {.name = "web-front", .is_subject = false, .port = 9443, .host = "127.0.0.1", .host_port = 1002},
        {.name = "web-front", .is_subject = false, .port = 80, .host = "127.0.0.1", .host_port = 1003}};
    EXPECT_THAT(command_variables(reached, Front{"web-front", 80}, {3, "probe"}),
                ElementsAre(Pair("ROGATE_DB_5432", "127.0.0.1:1001"), Pair("ROGATE_RUN", "3"),
                            Pair("ROGATE_RUN_KIND", "probe"), Pair("ROGATE_SUBJECT_5432", "127.0.0.1:1001"),
                            Pair("ROGATE_URL", "http://127.0.0.1:1003"),
                            Pair("ROGATE_WEB_FRONT_80", "127.0.0.1:1003"),
                            Pair("ROGATE_WEB_FRONT_9443", "127.0.0.1:1002")));
}

TEST(CommandVariables, TheUrlIsTheSubjectsWhereNoFrontIsKnown) {
    std::vector<Reached> reached = {
        {.name = "app", .is_subject = true, .port = 9100, .host = "h", .host_port = 1},
        {.name = "app", .is_subject = true, .port = 8080, .host = "h", .host_port = 2},
        {.name = "other", .is_subject = false, .port = 80, .host = "h", .host_port = 3}};
    EXPECT_EQ(command_variables(reached, std::nullopt, {}).at("ROGATE_URL"), "http://h:2");
    EXPECT_EQ(command_variables(reached, Front{"web", 9100}, {}).at("ROGATE_URL"), "http://h:1");
    reached.erase(reached.begin() + 1);
    EXPECT_EQ(command_variables(reached, std::nullopt, {}).at("ROGATE_URL"), "http://h:1");
    EXPECT_FALSE(command_variables({}, std::nullopt, {}).contains("ROGATE_URL"));
    // In a system nobody is the subject.
    for (Reached& each : reached) each.is_subject = false;
    EXPECT_EQ(command_variables(reached, std::nullopt, {}).at("ROGATE_URL"), "http://h:3");
}

TEST(OutputLines, AreShownWholeWithoutSecretsAndControls) {
    Secrets secrets;
    add_secret(secrets, "hush-hush", SecretKind::secret);
    const Masker masker(secrets);
    std::vector<std::string> shown;
    OutputLines lines(masker, [&](const std::string& line) { shown.push_back(line); });
    for (const char* piece : {"one\ntwo is hush-", "hush here\n\x1b[31mred\x1b[0m\r\n", "no end"})
        lines.add(piece);
    EXPECT_THAT(shown, ElementsAre("one", "two is *** here", "red"));
    lines.end();
    EXPECT_EQ(shown.back(), "no end");
    EXPECT_FALSE(lines.cut());
}

TEST(OutputLines, KeepTheEnd) {
    OutputLines lines({}, {});
    for (int i = 0; i < 300; ++i) lines.add(std::string(10'000, static_cast<char>('a' + i % 26)));
    lines.add("the end");
    lines.end();
    EXPECT_TRUE(lines.cut());
    EXPECT_LE(lines.kept().size(), 1U << 20U);
    EXPECT_TRUE(lines.kept().ends_with("the end"));
}

namespace {

class JunitFolder : public testing::Test {
  protected:
    void SetUp() override {
        folder_ = std::filesystem::temp_directory_path() /
                  ("rogate-unit-junit-" +
                   std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
        std::filesystem::remove_all(folder_);
        std::filesystem::create_directories(folder_ / "r/deep");
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }
    void write(const std::string& name, const std::string& test) {
        std::ofstream(folder_ / name) << "<testsuite><testcase name='" + test + "'/></testsuite>";
    }
    std::vector<std::string> names(const JunitFiles& files) {
        auto tests = files.read();
        std::vector<std::string> found;
        if (!tests) return {tests.error().message};
        for (const auto& [name, outcome] : *tests) found.push_back(name);
        return found;
    }
    std::filesystem::path folder_;
};

}  // namespace

TEST_F(JunitFolder, HasWhatWasWrittenMeanwhile) {
    write("r/old.xml", "old"), write("r/again.xml", "before");
    const JunitFiles files(folder_.string(), {"r/*.xml"});
    EXPECT_THAT(names(files), ElementsAre(HasSubstr("those that are there are of an earlier time")));
    write("r/new.xml", "new"), write("r/again.xml", "again"), write("r/deep/no.xml", "no"),
        write("r/no.txt", "no");
    EXPECT_THAT(names(files), ElementsAre("again", "new"));
    EXPECT_THAT(names(JunitFiles(folder_.string(), {"nothing.xml"})),
                ElementsAre(HasSubstr("wrote no JUnit file")));
}

TEST_F(JunitFolder, EveryPatternHasToMatchAndNoFileCountsTwice) {
    const JunitFiles files(folder_.string(), {"r/*.xml", "r/new.xml", "**/no.xml"});
    write("r/new.xml", "new");
    EXPECT_THAT(names(files), ElementsAre(HasSubstr("no.xml")));
    write("r/deep/no.xml", "deep");
    EXPECT_THAT(names(files), ElementsAre("deep", "new"));
}

TEST_F(JunitFolder, NoTestIsNoResult) {
    const JunitFiles files(folder_.string(), {"r/*.xml"});
    std::ofstream(folder_ / "r/a.xml") << "<testsuite/>";
    EXPECT_THAT(names(files), ElementsAre("no test is in the JUnit that the command wrote"));
}

TEST(Links, StayOnTheOriginAndChangeNothing) {
    const auto to = [](const char* link) { return followed(link, "/shop/list?n=1", 8080); };
    EXPECT_EQ(to("/about"), "/about");
    EXPECT_EQ(to("item?id=3#top"), "/shop/item?id=3");
    EXPECT_EQ(to("../img/./a.png"), "/img/a.png");
    EXPECT_EQ(to("../../../x/"), "/x/");
    EXPECT_EQ(to("?n=2&amp;m=3"), "/shop/list?n=2&m=3");
    EXPECT_EQ(to("http://localhost:8080/x"), "/x");
    EXPECT_EQ(to("//localhost:8080"), "/");
    for (const char* elsewhere :
         {"http://example.org/", "//example.org/x", "https://localhost:9/x", "mailto:a@b",
          "javascript:void(0)", "data:text/plain,x", "#top", "", "http://localhost:80801/x"})
        EXPECT_EQ(to(elsewhere), "") << elsewhere;
    for (const char* changing :
         {"/logout", "/Log-Out", "/users/sign_out", "/item/3/delete", "/cart?remove=3", "/admin/reset"})
        EXPECT_EQ(to(changing), "") << changing;
    for (const char* varying : {"/x?csrf=abc", "/f/3f2a9c1b8e7d4f60a1b2", "/x?session=1"})
        EXPECT_EQ(to(varying), "") << varying;
    EXPECT_EQ(to("/documentation/introduction"), "/documentation/introduction");
}

TEST(Links, AreFoundInAPage) {
    EXPECT_THAT(
        links_in(
            "<A HREF = \"/a\">x</A><img src='b.png'><link href=c.css rel=x><a data-href=\"/no\" href=\"/a\">"
            "<script>x = '/no'</script><a href=\"/unclosed",
            "/", 80),
        ElementsAre("/a", "/b.png", "/c.css"));
    EXPECT_THAT(links_in("href", "/", 80), IsEmpty());
    EXPECT_THAT(links_in("<a href=", "/", 80), IsEmpty());
}
