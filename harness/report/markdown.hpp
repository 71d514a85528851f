// The result for a pull request's comment or a CI step's summary.
#pragma once

#include <rogate/result.hpp>
#include <string>

namespace rogate::report {

// GitHub refuses a comment of more than 65,536 characters; GitLab's limit is higher.
inline constexpr std::size_t markdown_limit = 65'000;

// GitHub-flavoured Markdown of at most `limit` bytes. What does not fit is left out (evidence first, then
// rows of the verdict table, those that need no attention first), and the text says what and how much.
std::string render_markdown(const CampaignResult& result, std::size_t limit = markdown_limit);

}  // namespace rogate::report
