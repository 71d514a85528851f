#include "report/overview.hpp"

#include <gmock/gmock.h>

namespace rogate::report {
namespace {

CampaignResult result(const std::string& name, std::vector<std::pair<std::string, Verdict>> mounts,
                      bool passed = true) {
    CampaignResult made;
    made.scenario.name = name;
    made.runs.resize(2);
    made.runs.front().passed = passed;
    for (const auto& [target, verdict] : mounts) {
        MountResult mount;
        mount.mount.target = target;
        mount.verdict = verdict;
        made.mounts.push_back(std::move(mount));
    }
    return made;
}

TEST(Overview, HasALineForEachSubject) {
    const std::vector<OverviewLine> lines{
        overview_of(result("web", {{"/b", Verdict::required}, {"/a", Verdict::safe}, {"/c", Verdict::safe}})),
        overview_of(result("worker", {})),
        overview_of(result("db", {{"/data", Verdict::inconclusive}}, false)),
        {.name = "odd\nname", .mounts = {}, .runs = 0, .trouble = "no such image\nand more"}};
    EXPECT_EQ(render_overview(lines),
              "SUBJECT      RUNS  VERDICTS\n"
              "web             2  safe: /a, /c; required: /b\n"
              "worker          2  no mount to try\n"
              "db              2  the run with everything as configured failed\n"
              "odd\\x0aname     0  no such image\n");
}

}  // namespace
}  // namespace rogate::report
