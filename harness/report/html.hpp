// The result as one self-contained page: no request leaves it, and nothing in it is run but its own script.
#pragma once

#include <rogate/result.hpp>
#include <span>
#include <string>
#include <vector>

namespace rogate::report {

// Attempts and writes that a page holds; of more, long lists are cut to the same length, and the page
// says so.
inline constexpr std::size_t html_attempts = 200'000;

std::string render_html(std::span<const CampaignResult> results, std::size_t limit = html_attempts);

}  // namespace rogate::report
