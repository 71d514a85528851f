// One function per command: it wires the rooms together and prints; the logic is theirs.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace rogate::cli {

struct Global {
    std::optional<std::string> host;  // --host
    bool verbose = false;
    std::string colour = "auto";  // auto, always, never
};

struct RunOptions {
    std::vector<std::string> scenarios;
    std::string out;                    // --out DIR; empty: no files
    bool quiet = false;                 // no progress
    std::string service;                // of a Compose file
    std::vector<std::string> profiles;  // of a Compose file
    std::size_t ring_bytes = 16U << 20U;
};

struct CleanOptions {
    bool dry_run = false;
    std::string session;  // empty: every session's
};

// Each returns the exit code.
int run_command(const Global& global, const RunOptions& options);
int clean_command(const Global& global, const CleanOptions& options);
int report_command(const Global& global, const std::string& result_file, const std::string& format);
int doctor_command(const Global& global);

}  // namespace rogate::cli
