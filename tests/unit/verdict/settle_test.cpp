#include "verdict/settle.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <random>
#include <set>

#include "verdict/compare.hpp"
#include "verdict/plan.hpp"

namespace rogate::verdict {
namespace {

// An application that writes to /b only once /a is read-only.
TEST(SettlingRun, IsOneInWhichSomethingWasRefused) {
    RunRecord alone, whole, verified;
    alone.plan.read_only = {"/b"};
    whole.plan.read_only = verified.plan.read_only = {"/a", "/b"};
    int id = 2;
    for (RunRecord* run : {&alone, &whole, &verified}) {
        run->plan.id = id++;
        run->plan.kind = run == &verified ? RunKind::verify : RunKind::probe;
        run->passed = true;
        for (const std::string& target : run->plan.read_only) run->canary[target] = Canary::seen;
    }
    RunRecord control;
    EXPECT_EQ(settling_run("/b", {control, alone, whole, verified})->plan.id, 2);
    EXPECT_EQ(settling_run("/b", {control, whole, verified})->plan.id, 3);
    Attempt refused;
    refused.mount = "/b";
    refused.operation = "create";
    refused.path = "/b/log";
    refused.error = EROFS;
    verified.attempts.edit().push_back(refused);
    EXPECT_EQ(settling_run("/b", {control, alone, whole, verified})->plan.id, 4);
    EXPECT_EQ(settling_run("/b", {control, whole, verified})->plan.id, 4);
    EXPECT_EQ(settling_run("/a", {control, whole, verified})->plan.id, 3);
    verified.plan.writable.emplace_back().mount = "/b";  // a part of it only
    EXPECT_EQ(settling_run("/b", {control, alone, whole, verified})->plan.id, 2);
    verified.plan.writable.clear();
    alone.passed = false;  // what it does alone is not made better by others
    EXPECT_EQ(settling_run("/b", {control, alone, whole, verified})->plan.id, 2);
    alone.passed = true;
    verified.lost_events = 1;
    EXPECT_EQ(settling_run("/b", {control, alone, whole, verified})->plan.id, 2);
}

// An application whose mounts are used in turn. For each of them a letter says what it does there:
//   q  reads                               safe
//   t  writes, and puts up with a failure  tolerated
//   f  writes, and ends when that fails    required
//   s  ends when it is read-only, without having tried to write (it asked statvfs): nothing to see
//   e  cannot be read-only: the engine does not start the container
struct Application {
    std::string letters;
    // Of these, the application needs one that it can write; it tries them in this order. In the control run
    // it writes the first.
    std::vector<std::size_t> one_of = {};
    std::set<std::string> no_canary = {};
    bool loses_events_when_shared = false;

    static std::string target(std::size_t i) { return "/m" + std::to_string(100 + i); }

    RunRecord run(const RunPlan& plan) const {
        RunRecord record;
        record.plan = plan;
        record.exit_code = 0;
        record.passed = true;
        record.observer = "ebpf";
        const std::set<std::string> read_only(plan.read_only.begin(), plan.read_only.end());
        for (const std::string& each : read_only)
            record.canary[each] = no_canary.contains(each) ? Canary::failed : Canary::seen;
        if (read_only.size() > 1 && loses_events_when_shared) record.lost_events = 1;
        const auto write = [&](std::size_t i, const char* name) {
            Attempt attempt;
            attempt.mount = target(i);
            attempt.operation = "create";
            attempt.path = target(i) + "/" + name;
            attempt.error = read_only.contains(target(i)) ? EROFS : 0;
            attempt.first_s = static_cast<double>(record.attempts.size());
            record.attempts.edit().push_back(attempt);
            return attempt.error == 0;
        };
        for (std::size_t i = 0; i < letters.size(); ++i)
            if (letters[i] == 'e' && read_only.contains(target(i))) {
                record.could_not_start = true;
                record.passed = false;
                record.phases = {{"entrypoint", false, "mountpoint: read-only file system", 0}};
                return record;
            }
        for (std::size_t i = 0; i < letters.size() && record.passed; ++i) {
            record.uses[target(i)] = 1;
            const bool writable = !read_only.contains(target(i));
            if (letters[i] == 't') write(i, "f");
            if (letters[i] == 'f' && !write(i, "f")) record.passed = false;
            if (letters[i] == 's' && !writable) record.passed = false;
        }
        bool done = one_of.empty() || !record.passed;
        for (std::size_t i : one_of) done = done || write(i, "tmp");
        record.passed = record.passed && done;
        record.phases = {{"ready", record.passed, "no", 0}};
        return record;
    }

    void settle() {
        question = {};
        for (std::size_t i = 0; i < letters.size(); ++i) {
            Mount mount;
            mount.target = target(i);
            question.mounts.push_back(mount);
            question.candidates.push_back(mount.target);
        }
        runs.clear();
        for (;;) {
            const NextStep step = next_step(question, runs);
            for (const std::string& path : step.look_at)
                question.facts[path] = {.exists = true, .is_directory = true, .empty = true};
            if (!step.run && step.look_at.empty()) break;
            if (!step.run) continue;
            RunRecord record = run(*step.run);
            if (!runs.empty()) compare_with_control(record, runs.front());
            runs.push_back(std::move(record));
            if (runs.size() > 200) break;
        }
        // What one mount's run says of it, and nothing else in it.
        found.clear();
        for (const MountResult& result : judge_all(question, runs))
            found += result.verdict == Verdict::safe           ? 'q'
                     : result.verdict == Verdict::tolerated    ? 't'
                     : result.verdict == Verdict::required     ? (letters[found.size()] == 'e' ? 'e' : 'f')
                     : result.verdict == Verdict::inconclusive ? 's'
                                                               : '?';
    }

    Question question = {};
    std::vector<RunRecord> runs = {};
    std::string found = {};
};

struct Row {
    const char* name;
    std::string letters;
    std::size_t runs;  // at most, the control run and the verification among them
};

const std::string many(45, 'q');
const Row rows[] = {
    {"nothing_written", many + "qqqqq", 2},
    {"one_put_up_with", many + "qqqqt", 2},
    {"one_needed", many + "qqfqq", 3},
    {"five_put_up_with", many + "ttttt", 2},
    {"five_needed", many + "fffff", 7},
    {"one_needed_last", many + "ttttf", 4},
    {"one_needed_first", many + "ftttt", 3},
    {"two_and_three", many + "tftft", 7},
    {"three_and_two", many + "tftff", 7},
    {"four_and_one", many + "tffff", 7},
    {"one_silent", many + "qqqqs", 15},
    {"one_that_cannot_start", many + "qqqqe", 15},
    {"all_cannot_start", "eee", 6},
    {"alone", "f", 2},
    {"silent_behind_one_that_writes", many + "tsqqq", 17},
};

class Settling : public testing::TestWithParam<Row> {};

TEST_P(Settling, FindsEachInFewRuns) {
    Application application{.letters = GetParam().letters};
    application.settle();
    EXPECT_EQ(application.found, application.letters);
    EXPECT_LE(application.runs.size(), GetParam().runs);
}

INSTANTIATE_TEST_SUITE_P(All, Settling, testing::ValuesIn(rows),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(Settle, FiveThatWriteTakeSevenRunsAtMostWhateverTheyDo) {
    std::size_t worst = 0;
    for (unsigned number = 0; number < 3 * 3 * 3 * 3 * 3; ++number) {
        std::string letters;
        for (unsigned rest = number; letters.size() < 5; rest /= 3) letters += "qtf"[rest % 3];
        Application application{.letters = std::string(15, 'q') + letters};
        application.settle();
        ASSERT_EQ(application.found, application.letters);
        worst = std::max(worst, application.runs.size());
        const Recommendation advice =
            recommend(judge_all(application.question, application.runs), application.runs);
        ASSERT_EQ(advice.read_only.size(),
                  20U - static_cast<std::size_t>(std::count(letters.begin(), letters.end(), 'f')))
            << letters;
    }
    EXPECT_EQ(worst, 7U);
}

// Whatever it does: each mount is settled, and as it is when it is tried alone. Where one of several has to
// be writable, each of them passes alone.
TEST(Settle, SaysOfEachMountWhatARunWithItAloneSays) {
    std::mt19937 random(1);
    for (int round = 0; round < 600; ++round) {
        Application application{.letters = std::string(1 + random() % 9, 'q')};
        for (char& letter : application.letters) letter = "qqttfsetff"[random() % (round % 3 == 0 ? 10 : 5)];
        if (round % 2 == 0)
            for (std::size_t i = 0; i < application.letters.size(); ++i)
                if (random() % 3 == 0) application.one_of.push_back(i);
        application.settle();
        ASSERT_LE(application.runs.size(), 60U);
        for (std::size_t i = 0; i < application.letters.size(); ++i) {
            RunPlan plan;
            plan.kind = RunKind::probe;
            plan.id = 2;
            plan.read_only = {Application::target(i)};
            std::vector<RunRecord> two = {application.run(RunPlan{}), application.run(plan)};
            compare_with_control(two[1], two[0]);
            const Verdict alone = judge_all(application.question, two)[i].verdict;
            const Verdict found = judge_all(application.question, application.runs)[i].verdict;
            // Something can fail on it only since another mount is read-only too.
            const bool stricter = alone == Verdict::safe && found == Verdict::tolerated;
            ASSERT_TRUE(alone == found || stricter)
                << application.letters << " mount " << i << " round " << round << ": "
                << static_cast<int>(found) << " instead of " << static_cast<int>(alone);
        }
    }
}

// /m100 or /m101 has to be writable: the one that failed last is not to blame alone.
TEST(Settle, OneOfTwoIsBlamedForNeither) {
    Application application{.letters = "qqq", .one_of = {0, 1}};
    application.settle();
    EXPECT_EQ(application.found, "tqq");
    EXPECT_EQ(recommend(judge_all(application.question, application.runs), application.runs).read_only.size(),
              2U);
}

// What was lost may have failed anywhere, so a shared run settles nothing by what it saw.
TEST(Settle, NobodyIsBlamedByARunThatLostEvents) {
    Application application{.letters = "qfq", .loses_events_when_shared = true};
    application.settle();
    for (const RunRecord& run : application.runs)
        if (run.plan.read_only.size() > 1) {
            EXPECT_NE(settling_run("/m101", application.runs), &run);
        }
    EXPECT_EQ(application.found, "sfs");
}

TEST(Settle, AMissingCanaryIsNoDoubtAboutTheOthers) {
    Application application{.letters = "qqtq", .no_canary = {"/m101"}};
    application.settle();
    EXPECT_EQ(application.found, "qstq");
    EXPECT_EQ(application.runs.size(), 3U);
}

TEST(Settle, SuspectsComeInTheOrderOfTheirLastFailure) {
    RunRecord run;
    run.plan.read_only = {"/a", "/b", "/c"};
    for (const auto& [mount, time, error] : {std::tuple{"/a", 1.0, EROFS},
                                             {"/b", 2.0, EROFS},
                                             {"/a", 3.0, EROFS},
                                             {"/c", 4.0, 0},
                                             {"/other", 5.0, EROFS}}) {
        Attempt attempt;
        attempt.mount = mount;
        attempt.first_s = time;
        attempt.error = error;
        run.attempts.edit().push_back(attempt);
    }
    EXPECT_EQ(suspects(run), (std::vector<std::string>{"/b", "/a"}));
}

}  // namespace
}  // namespace rogate::verdict
