// rogate patch: the recommendation of a result -> changes to the files that configure the subject. Pure.
#pragma once

#include <rogate/result.hpp>
#include <string>
#include <vector>

namespace rogate::patch {

enum class Format { compose, kubernetes, docker_run, scenario };

struct SourceFile {
    std::string name;  // as the user (or the result) names it
    std::string text;
    bool primary = true;  // may be changed; others are looked at only
};

struct Request {
    Format format = Format::compose;
    std::vector<SourceFile> files;  // Compose: in the order in which they are merged
    std::string name;  // compose: the service; kubernetes: "Deployment/shop" or "shop"; empty: the only one
    std::string container;       // kubernetes; empty: the only one
    std::string command;         // docker_run: the command line, if it stands in no file
    bool change_shared = false;  // also what other services or containers share by anchors or `extends`
};

struct FileChange {
    std::string name, before, after;
    bool operator==(const FileChange&) const = default;
};

struct Patch {
    std::vector<FileChange> files;   // only those that change
    std::string command;             // docker_run without a file: the new command line
    std::vector<std::string> notes;  // what a person has to know or do beside it, one sentence each
    bool changes_nothing() const { return files.empty(); }
};

// All that is recommended, or an Error of kind usage that names everything that could not be done, one a
// line, with file:line:column and what to do by hand. A part of a recommendation is never applied: only the
// whole was run.
Result<Patch> make_patch(const CampaignResult& result, const Request& request);

// The mounts that the user has read-only and that have to be writable. A patch makes them so.
std::vector<std::string> opened_mounts(const CampaignResult& result);

// The files that a Compose file's `extends` and `include` name, as the user would name them: make_patch()
// wants them too, not as primary ones.
std::vector<std::string> files_referred_to(const SourceFile& file);

}  // namespace rogate::patch
