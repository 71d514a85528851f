// What the tests of a command say, held against what they said in the control run. Pure.
#pragma once

#include <map>
#include <optional>
#include <rogate/observation.hpp>
#include <rogate/run.hpp>
#include <string>
#include <vector>

#include "suite/junit.hpp"

namespace rogate::suite {

using Tests = std::map<std::string, TestOutcome>;

// By name. Several of one name are numbered behind the first ("name (2)"), those that passed first, so that
// the order in which a runner takes them does not matter. A test whose name is among `known` (with its class
// or without) is kept under it as any other.
Tests by_name(std::vector<TestCase> cases);

struct Judgement {
    SuiteRecord suite;
    std::string message;  // "3 of 214 tests fail: …"; empty: none does
};

// A test fails if it does so here, or if it passed in the control run and was skipped or is missing here.
// `control` is null in the control run. `known`: names of tests whose failures count for nothing.
Judgement judge(const Tests& here, const Tests* control, const std::vector<std::string>& known);

// Those of `known` that name no test: nobody is to believe that something was left out.
std::vector<std::string> unused(const std::vector<std::string>& known, const Tests& tests);

// What is left out, and what was to be and is not there; empty: nothing.
std::string about_known(const std::vector<std::string>& known, const SuiteRecord& suite, const Tests& tests);

// A runner exits with an error if a test fails, also one that counts for nothing; but not by a signal, and by
// no other code than in the control run: some tell of trouble of their own so, when all tests are done
// (pytest: 3). It may be the number of those that fail. `control`: the control run's code.
bool is_excused(int code, const Judgement& judged, std::optional<int> control, bool has_control);

}  // namespace rogate::suite
