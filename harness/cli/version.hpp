// What was built: the version is that of the project in CMakeLists.txt, the rest is found out by
// version.cmake as it is built.
#pragma once

#include <string>

namespace rogate::cli {

std::string version();       // "0.1.0"
std::string version_date();  // of the commit, YYYY-MM-DD; empty: not known
// "rogate 0.1.0", then a line with commit and build: "commit 58a2fc8 of 2026-11-30, Release, GNU 12.2.0,
// x86_64".
std::string version_text();

}  // namespace rogate::cli
