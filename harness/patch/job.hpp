// What the formats have in common: the files being changed, what is refused, what is said beside the change.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "patch/document.hpp"
#include "patch/editor.hpp"
#include "patch/patch.hpp"

namespace rogate::patch {

struct OpenFile {
    Document document;
    std::unique_ptr<Editor> editor;  // refers to `document`
    bool primary = true;
};

// Paths come from whatever the application did: no control character reaches a terminal raw.
std::string printable(std::string_view text);
// Are they names of one file, as far as its last part tells? A checkout may have moved since the run.
bool same_name(std::string_view a, std::string_view b);

class Job {
  public:
    Job(const CampaignResult& the_result, const Request& the_request)
        : result(the_result), request(the_request) {}

    Result<> open();
    Result<Patch> finish();

    void refuse(const OpenFile& file, const Node& at, const std::string& text) {
        refuse(file, at.begin, text);
    }
    void refuse(const OpenFile& file, std::size_t offset, const std::string& text) {
        refuse(place(file.document, offset) + ": " + text);
    }
    void refuse(const std::string& text) { refusals_.push_back(printable(text)); }
    void note(std::string text);
    // Keeps the error of an edit.
    void take(const Result<>& done) {
        if (!done) failed_.push_back(done.error());
    }

    // What the user has read-only, and what has to be writable: it was made so to settle it, and no smaller
    // arrangement passed.
    std::vector<std::string> opened() const;
    // The mount of the result with this target; null for one that it does not list.
    const Mount* mount(const std::string& target) const;
    // Is `node` where the result says that this mount was declared?
    bool declared_at(const OpenFile& file, const Node& node, const Mount* mount) const;

    const CampaignResult& result;
    const Request& request;
    std::vector<std::unique_ptr<OpenFile>> files;

  private:
    std::vector<std::string> refusals_, notes_;
    std::vector<Error> failed_;
};

// Who else reads a value: other services of the file, other containers of the pod.
struct Sharing {
    std::map<std::string, std::set<const Node*>> others;
    // "'worker', 'beat'"; empty: nobody.
    std::string with(const Node& node) const;
};

// What becomes of the data where a mount gets a volume that it did not have.
std::string new_volume_note(const std::string& target, const std::string& name);
// What the user does about a directory that has to be there before the start.
std::string mount_point_note(const WritablePath& writable, const Mount* parent);

// One function per format; they leave what they found in `job`.
void patch_compose(Job& job);
void patch_scenario(Job& job);
void patch_kubernetes(Job& job);
void patch_docker_run_file(Job& job);

// The new command line.
Result<std::string> patch_command(const CampaignResult& result, const std::string& command,
                                  std::vector<std::string>& notes);

}  // namespace rogate::patch
