#include "suite/judge.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace rogate::suite {

namespace {

using Status = TestOutcome::Status;

constexpr std::size_t most_named = 5;

bool is_known(const std::vector<std::string>& known, const std::string& name, const TestOutcome& test) {
    return std::ranges::any_of(known,
                               [&](const std::string& each) { return each == name || each == test.plain; });
}

struct Failure {
    std::string name, why;
};

std::string told(const std::vector<Failure>& failures, std::size_t total) {
    if (failures.empty()) return {};
    std::string text = fmt::format("{} of {} test{} fail{}: ", failures.size(), total, total == 1 ? "" : "s",
                                   failures.size() == 1 ? "s" : "");
    for (std::size_t i = 0; i < std::min(failures.size(), most_named); ++i) {
        text += fmt::format("{}{}", i == 0 ? "" : "; ", failures[i].name);
        if (!failures[i].why.empty()) text += fmt::format(" ({})", failures[i].why);
    }
    if (failures.size() > most_named) text += fmt::format("; and {} more", failures.size() - most_named);
    return text;
}

constexpr std::size_t most_known_told = 10;

std::string told(const std::vector<std::string>& names) {
    std::string text;
    for (std::size_t i = 0; i < std::min(names.size(), most_known_told); ++i)
        text += (i == 0 ? "" : ", ") + names[i];
    return names.size() > most_known_told
               ? fmt::format("{} and {} more", text, names.size() - most_known_told)
               : text;
}

}  // namespace

Tests by_name(std::vector<TestCase> cases) {
    std::ranges::stable_sort(cases, {}, [](const TestCase& each) { return each.outcome.status; });
    Tests tests;
    std::map<std::string, int> counts;
    for (TestCase& each : cases) {
        int& count = counts[each.name];
        std::string name;
        do {
            name = ++count == 1 ? each.name : fmt::format("{} ({})", each.name, count);
        } while (tests.contains(name));
        tests.emplace(std::move(name), std::move(each.outcome));
    }
    return tests;
}

Judgement judge(const Tests& here, const Tests* control, const std::vector<std::string>& known) {
    std::map<std::string, std::string> failed;
    Judgement judgement;
    for (const auto& [name, outcome] : here) {
        if (outcome.status != Status::failed) continue;
        if (is_known(known, name, outcome))
            judgement.suite.known.push_back(name);
        else
            failed.emplace(name, outcome.message);
    }
    judgement.suite.total = here.size();
    if (control != nullptr) {
        judgement.suite.total = std::max(here.size(), control->size());
        for (const auto& [name, outcome] : *control) {
            if (outcome.status != Status::passed || is_known(known, name, outcome)) continue;
            const auto found = here.find(name);
            if (found == here.end())
                failed.emplace(name, "it passed in the control run, and was not run here");
            else if (found->second.status == Status::skipped)
                failed.emplace(name, "it passed in the control run, and was skipped here");
        }
    }
    std::vector<Failure> failures;
    for (auto& [name, why] : failed) {
        judgement.suite.failed.push_back(name);
        failures.push_back({name, std::move(why)});
    }
    judgement.message = told(failures, judgement.suite.total);
    return judgement;
}

std::vector<std::string> unused(const std::vector<std::string>& known, const Tests& tests) {
    std::vector<std::string> found;
    for (const std::string& each : known)
        if (std::ranges::none_of(
                tests, [&](const auto& test) { return each == test.first || each == test.second.plain; }))
            found.push_back(each);
    return found;
}

std::string about_known(const std::vector<std::string>& known, const SuiteRecord& suite, const Tests& tests) {
    std::string text;
    if (!suite.known.empty()) text = fmt::format("known to fail, and left out: {}", told(suite.known));
    const auto missing = unused(known, tests);
    if (!missing.empty())
        text += fmt::format("{}no test is called {}", text.empty() ? "" : "; ", told(missing));
    return text;
}

bool is_excused(int code, const Judgement& judged, std::optional<int> control, bool has_control) {
    if (code == 0 || code >= 128 || !judged.suite.failed.empty() || judged.suite.known.empty()) return false;
    if (!has_control || code == 1 || static_cast<std::size_t>(code) == judged.suite.known.size()) return true;
    return control == 0 || control == code;
}

}  // namespace rogate::suite
