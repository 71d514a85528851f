// Compiled by itself, into a library of its own: rogate does not need GoogleTest.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <map>
#include <rogate/gtest.hpp>
#include <sstream>

#include "base/text.hpp"

namespace rogate::testing {

namespace {

namespace fs = std::filesystem;

std::string variable(const char* name, const char* otherwise = "") {
    const char* value = std::getenv(name);
    return value == nullptr || *value == 0 ? otherwise : value;
}

// A folder that is removed with its owner.
struct Folder {
    Folder() {
        std::string name = (fs::temp_directory_path() / "rogate-gtest-XXXXXX").string();
        if (mkdtemp(name.data()) != nullptr) path = name;
    }
    ~Folder() {
        std::error_code ignored;
        if (!path.empty()) fs::remove_all(path, ignored);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    std::string path;
};

std::string read_all(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

// What the user asked for of this fixture: GoogleTest's filter without what is no test of it.
std::string command(const System& system, const std::string& junit) {
    std::error_code error;
    const std::string self = fs::read_symlink("/proc/self/exe", error).string();
    return fmt::format("exec {} {} {}", in_single_quotes(self),
                       in_single_quotes("--gtest_filter=" + system.name + ".*"),
                       in_single_quotes("--gtest_output=xml:" + junit));
}

Answer run(const System& system) {
    Answer answer;
    const Folder folder;
    if (folder.path.empty()) {
        answer.problem = "no temporary folder can be made";
        return answer;
    }
    const std::string junit = folder.path + "/tests.xml", log = folder.path + "/log",
                      out = folder.path + "/out";
    std::vector<std::string> words{variable("ROGATE_PROGRAM", "rogate"),
                                   "run",
                                   system.path,
                                   "--out",
                                   out,
                                   "--test",
                                   command(system, junit),
                                   "--junit",
                                   junit};
    words.insert(words.end(), system.options.begin(), system.options.end());
    std::string line;
    for (const std::string& word : words) line += in_single_quotes(word) + " ";
    line = fmt::format("{} {} >/dev/null 2>{}", line, variable("ROGATE_OPTIONS"), in_single_quotes(log));
    const int status = std::system(line.c_str());
    answer.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    answer.output = read_all(log);
    auto results = read_results(out);
    if (results)
        answer.results = std::move(*results);
    else
        answer.problem = fmt::format("`rogate run {}` gave no result (exit code {}):\n{}", system.path,
                                     answer.exit_code, answer.output);
    return answer;
}

}  // namespace

bool is_inside() {
    return std::getenv("ROGATE_RUN") != nullptr;
}

const Answer& answer_of(const System& system) {
    static std::map<std::string, Answer> known;
    const auto found = known.find(system.name);
    return found != known.end() ? found->second : known.emplace(system.name, run(system)).first->second;
}

std::string failure_in_control(const Answer& answer, const std::string& test) {
    const auto is_of_test = [&](const std::string& failed) {
        return failed == test || failed.ends_with("." + test);
    };
    for (const CampaignResult& result : answer.results)
        for (const RunRecord& each : result.runs) {
            if (each.plan.kind != RunKind::control || each.passed) continue;
            for (const PhaseRecord& phase : each.phases) {
                if (phase.passed) continue;
                // What is not about a certain test is about all of them.
                if (!phase.suite || std::ranges::any_of(phase.suite->failed, is_of_test))
                    return phase.name + ": " + phase.message;
            }
        }
    return {};
}

::testing::AssertionResult has_verdict(const Answer& answer, const char* container, const char* target,
                                       const std::vector<Verdict>& wanted) {
    if (!answer.problem.empty()) return ::testing::AssertionFailure() << answer.problem;
    const MountResult* mount = find_mount(answer.results, container, target);
    if (mount == nullptr)
        return ::testing::AssertionFailure()
               << container << " has no mount on " << target << " in rogate's result";
    if (std::ranges::find(wanted, mount->verdict) != wanted.end()) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << container << ": " << describe(*mount);
}

void SystemTest::SetUp() {
    if (is_inside()) return;
    const Answer& answer = answer_of(system());
    const ::testing::TestInfo* test = ::testing::UnitTest::GetInstance()->current_test_info();
    if (!answer.problem.empty()) FAIL() << answer.problem;
    const std::string failure = failure_in_control(answer, test->name());
    if (!failure.empty()) FAIL() << "in rogate's control run: " << failure;
    std::size_t runs = 0;
    for (const CampaignResult& result : answer.results) runs += result.runs.size();
    GTEST_SKIP() << "performed by rogate, in " << runs << " runs";
}

std::string SystemTest::endpoint(const std::string& container, int port) {
    std::string name = "ROGATE_" + container + "_" + std::to_string(port);
    for (char& each : name)
        each = std::isalnum(static_cast<unsigned char>(each)) != 0
                   ? static_cast<char>(std::toupper(static_cast<unsigned char>(each)))
                   : '_';
    const std::string value = variable(name.c_str());
    if (value.empty())
        ADD_FAILURE() << "rogate gives no " << name << ": does " << container << " declare that port?";
    return value;
}

std::string SystemTest::url() {
    return variable("ROGATE_URL");
}

void VerdictTest::SetUp() {
    if (is_inside()) GTEST_SKIP() << "for the program outside";
}

}  // namespace rogate::testing
