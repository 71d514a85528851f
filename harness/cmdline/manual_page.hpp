// Manual pages and help, made of the parser's own options, so that they cannot differ from what is parsed.
#pragma once

#include <CLI/App.hpp>
#include <string>

#include "cmdline/topics.hpp"

namespace rogate::cmdline {

struct PageFacts {
    std::string version;  // "0.1.0"
    std::string date;     // YYYY-MM-DD, of the version; empty: none is shown
};

// rogate.1 (`command` is nullptr) or the page of one command, in roff for man(1).
std::string manual_page(const CLI::App& app, const CLI::App* command, const PageFacts& facts);

// A topic for the terminal: lines of at most `width` characters.
std::string topic_text(const Topic& topic, std::size_t width = 80);

}  // namespace rogate::cmdline
