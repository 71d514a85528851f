// What `rogate watch` saw, for people and for programs. Pure.
#pragma once

#include <rogate/watch.hpp>
#include <string>

namespace rogate::report {

// A line for each mount, then what was written, and what is worth trying read-only.
std::string render_watch_table(const WatchResult& watch);
// The same as a document to keep.
std::string render_watch_markdown(const WatchResult& watch);
// Schema rogate.watch/1 (scenarios/watch.schema.json).
std::string render_watch_json(const WatchResult& watch);

}  // namespace rogate::report
