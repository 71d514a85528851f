// Values that must not be shown: found in the scenario, taken out of a result before anything is rendered.
#pragma once

#include <array>
#include <rogate/result.hpp>
#include <rogate/watch.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace rogate::report {

// The environment values of the subject and of its exec steps, and the headers that carry credentials. A
// value that the scenario also writes in the open, in a mount's target or source or the image's name, is
// none: to hide it there would make the answer wrong ("mount *** read-only"). Neither is one shorter than
// four bytes.
std::set<std::string> secrets_of(const Scenario& scenario);

// Replaces each secret in a text by "***": at each place the longest that fits, so that no rest of one stays.
class Masker {
  public:
    explicit Masker(const std::set<std::string>& secrets);
    bool idle() const { return secrets_.empty(); }
    void mask(std::string& text) const;

  private:
    std::vector<std::string> secrets_;  // the longest first
    std::array<bool, 256> first_{};     // bytes that a secret begins with
};

// Masks every text of the result in place, and empties the environment's values. What is rendered afterwards
// holds none of the secrets, whatever the format.
void hide_secrets(CampaignResult& result, const std::set<std::string>& secrets);
// The same in what a watched container's programs chose.
void hide_secrets(WatchResult& watch, const std::set<std::string>& secrets);

}  // namespace rogate::report
