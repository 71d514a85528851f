// Hostile text made inert in Markdown, XML and HTML. All of them take raw bytes and escape them first
// (escape_text).
#pragma once

#include <string>
#include <string_view>

namespace rogate::report {

// A Markdown code span, also good in a table's cell: nothing in it is markup, a link or a mention.
std::string markdown_code(std::string_view raw, std::size_t limit = 300);

// Running Markdown text that is shown as it is written: no emphasis, HTML, link, @mention or #reference.
std::string markdown_text(std::string_view raw, std::size_t limit = 600);

// For XML and HTML, text or a quoted attribute.
std::string xml_text(std::string_view raw, std::size_t limit = std::string_view::npos);

// At most about `limit` bytes: the beginning and, more telling in a path, the end. Cut between code points.
std::string shortened(const std::string& text, std::size_t limit, std::string_view ellipsis = "…");

}  // namespace rogate::report
