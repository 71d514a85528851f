// What came of each of several campaigns, on a line. Pure.
#pragma once

#include <rogate/result.hpp>
#include <string>
#include <vector>

namespace rogate::report {

struct OverviewLine {
    std::string name;  // the scenario's
    std::vector<std::pair<Verdict, std::string>> mounts;
    int runs = 0;
    std::string trouble;  // why there is no answer; empty: there is one
};

OverviewLine overview_of(const CampaignResult& result);

// "SUBJECT  RUNS  VERDICTS", and one row for each, in the order given.
std::string render_overview(const std::vector<OverviewLine>& lines);

}  // namespace rogate::report
