#include "patch/patch.hpp"

#include <algorithm>

#include "patch/job.hpp"

namespace rogate::patch {

namespace {

Result<Patch> once(const CampaignResult& result, const Request& request) {
    Job job(result, request);
    if (auto opened = job.open(); !opened) return fail(std::move(opened.error()));
    switch (request.format) {
        case Format::compose:
            patch_compose(job);
            break;
        case Format::kubernetes:
            patch_kubernetes(job);
            break;
        case Format::docker_run:
            patch_docker_run_file(job);
            break;
        case Format::scenario:
            patch_scenario(job);
            break;
    }
    return job.finish();
}

}  // namespace

std::vector<std::string> opened_mounts(const CampaignResult& result) {
    std::vector<std::string> targets;
    for (const MountResult& each : result.mounts)
        if (each.opened_up && each.verdict == Verdict::required) targets.push_back(each.mount.target);
    return targets;
}

Result<Patch> make_patch(const CampaignResult& result, const Request& request) {
    const Recommendation& advice = result.recommendation;
    const bool advises = !advice.read_only.empty() || !advice.writable.empty() || advice.capabilities ||
                         advice.no_new_privileges;
    const std::vector<std::string> opened = opened_mounts(result);
    if (!advises && opened.empty()) return Patch{};
    if (!opened.empty() && (request.format == Format::kubernetes || request.format == Format::docker_run)) {
        std::string names;
        for (const std::string& each : opened) names += (names.empty() ? "" : ", ") + printable(each);
        return fail(
            ErrorKind::usage,
            names +
                ": read-only here, and it has to be writable, which a patch of this format does not do; "
                "take 'readOnly' or ':ro' away by hand, and run again");
    }
    if (advises && !advice.verified_by_run)
        return fail(
            ErrorKind::usage,
            "no run of this result had just what it recommends; run rogate again, and patch with its result");
    if (request.format == Format::docker_run && !request.command.empty()) {
        Patch patch;
        auto command = patch_command(result, request.command, patch.notes);
        if (!command) return fail(command.error().kind, printable(command.error().message));
        for (std::string& note : patch.notes) note = printable(note);
        patch.command = std::move(*command);
        return patch;
    }
    auto patch = once(result, request);
    if (!patch || patch->files.empty()) return patch;
    // What was changed must need no change any more: a second opinion on every edit.
    Request again = request;
    for (SourceFile& file : again.files)
        for (const FileChange& change : patch->files)
            if (change.name == file.name) file.text = change.after;
    const auto second = once(result, again);
    if (second && !second->files.empty())
        return fail(ErrorKind::internal,
                    "the change to " + second->files.front().name +
                        " does not do all that is recommended; nothing was changed, please report "
                        "this with the file");
    return patch;
}

}  // namespace rogate::patch
