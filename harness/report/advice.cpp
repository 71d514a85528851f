#include "report/advice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <rogate/names.hpp>

#include "base/escape.hpp"
#include "base/text.hpp"
#include "base/writable_place.hpp"

namespace rogate::report {

namespace {

bool plain(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("/._-=,:+@%").find(c) != std::string_view::npos;
    });
}

// A field of docker's --mount, which is one record of CSV.
std::string field(std::string_view key, const std::string& value) {
    const std::string whole = fmt::format("{}={}", key, value);
    if (whole.find_first_of(",\"\r\n") == std::string::npos) return whole;
    std::string quoted = "\"";
    for (const char c : whole) quoted += c == '"' ? "\"\"" : std::string(1, c);
    return quoted + '"';
}

std::string mount_flag(std::string_view type, const std::string& source, const std::string& target,
                       bool read_only, const std::string& sub_path = {}) {
    std::string record = fmt::format("type={}", type);
    // Appended piece by piece: g++ 12 at -O3 takes "," + std::string for an overlap (GCC bug 105651).
    if (!source.empty()) record.append(",").append(field("source", source));
    record.append(",").append(field("target", target));
    if (!sub_path.empty()) record.append(",").append(field("volume-subpath", sub_path));
    if (read_only) record += ",readonly";
    return "--mount " + shell_quoted(record);
}

// A name for a volume that has none: the path's letters.
std::string volume_name(const std::string& scenario, const std::string& path) {
    std::string name = scenario + path;
    for (char& c : name) {
        const bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                          c == '-' || c == '_';
        if (!fits) c = '-';
    }
    while (!name.empty() && name[0] == '-') name.erase(0, 1);
    return name.substr(0, 64);
}

void tmpfs_flag(const std::string& path, const std::string& options, DockerFlags& out) {
    if (path.find(':') != std::string::npos)
        out.not_flags.push_back(
            fmt::format("a tmpfs on {}: the path has a colon, which --tmpfs takes for the "
                        "beginning of its options",
                        path));
    else
        out.flags.push_back("--tmpfs " + shell_quoted(options.empty() ? path : path + ":" + options));
}

void read_only_flag(const Mount& mount, const std::string& scenario, DockerFlags& out) {
    switch (mount.type) {
        case MountType::rootfs:
            out.flags.emplace_back("--read-only");
            return;
        case MountType::tmpfs:
            tmpfs_flag(mount.target, mount.tmpfs_options.empty() ? "ro" : "ro," + mount.tmpfs_options, out);
            return;
        case MountType::bind:
            out.flags.push_back(mount_flag("bind", mount.source, mount.target, true));
            return;
        case MountType::volume:
            out.flags.push_back(mount_flag("volume", mount.source, mount.target, true, mount.sub_path));
            return;
        case MountType::anonymous:
            // The engine refuses a read-only anonymous volume; a named one is filled from the image as well.
            out.flags.push_back(
                mount_flag("volume", volume_name(scenario, mount.target), mount.target, true));
            return;
    }
}

void writable_flag(const WritablePath& writable, const CampaignResult& result, DockerFlags& out) {
    const WritablePlace place = writable_place(writable, result);
    switch (place.how) {
        case WritablePlace::How::tmpfs:
            return tmpfs_flag(writable.path, writable.tmpfs_options, out);
        case WritablePlace::How::new_volume:
            out.flags.push_back(
                mount_flag("volume", volume_name(result.scenario.name, writable.path), writable.path, false));
            return;
        case WritablePlace::How::bind:
            out.flags.push_back(
                mount_flag("bind", place.source + (place.source.ends_with('/') ? "" : "/") + place.below,
                           writable.path, false));
            return;
        case WritablePlace::How::subpath:
            out.flags.push_back(
                "--mount " + shell_quoted(fmt::format("type=volume,{},{},{}", field("source", place.source),
                                                      field("target", writable.path),
                                                      field("volume-subpath", place.in_volume()))));
            return;
        case WritablePlace::How::move:
            out.not_flags.push_back(fmt::format(
                "{} has data, and this engine cannot mount a part of a volume (API 1.45, Docker 26): {}",
                writable.path, how_to_move(place, writable.path, result)));
    }
}

}  // namespace

std::string shell_quoted(std::string_view raw) {
    if (plain(raw)) return std::string(raw);
    bool harmless = true;
    std::string doubled;  // backslashes as escape_text writes them
    for (const char c : raw) doubled += c == '\\' ? "\\\\" : std::string(1, c);
    harmless = escape_text(raw) == doubled;
    if (harmless) return in_single_quotes(raw);
    std::string quoted = "$'";
    for (const char c : raw) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '\'' || c == '\\')
            quoted += fmt::format("\\{}", c);
        else if (byte < 0x20 || byte >= 0x7f)
            // Three octal digits end by themselves; \x would go on with a following hex digit.
            quoted += fmt::format("\\{:03o}", byte);
        else
            quoted += c;
    }
    return quoted + "'";
}

DockerFlags docker_run_flags(const CampaignResult& result) {
    DockerFlags out;
    const std::string& scenario = result.scenario.name;
    for (const std::string& target : result.recommendation.read_only) {
        const auto mount = std::find_if(result.mounts.begin(), result.mounts.end(),
                                        [&](const MountResult& m) { return m.mount.target == target; });
        if (mount != result.mounts.end()) read_only_flag(mount->mount, scenario, out);
    }
    for (const auto& [name, value] : result.recommendation.environment)
        out.flags.push_back("--env " + shell_quoted(name + "=" + value));
    if (const auto& kept = result.recommendation.capabilities) {
        out.flags.emplace_back("--cap-drop ALL");
        for (const std::string& each : *kept) out.flags.push_back("--cap-add " + shell_quoted(each));
    }
    if (result.recommendation.no_new_privileges)
        out.flags.emplace_back("--security-opt no-new-privileges:true");
    for (const WritablePath& each : result.recommendation.writable) {
        writable_flag(each, result, out);
        if (each.needs_mount_point)
            out.not_flags.push_back(fmt::format(
                "the directory {} has to be made first: it cannot be made below a read-only mount",
                each.path));
    }
    return out;
}

std::vector<SettingText> setting_texts(const CampaignResult& result) {
    std::vector<SettingText> texts;
    for (const SettingResult& each : result.settings) {
        SettingText text{.is_offered = each.outcome == SettingResult::Outcome::offered,
                         .setting = each.how,
                         .text = each.reason};
        if (each.outcome == SettingResult::Outcome::not_tried)
            text.text = fmt::format("not tried, for {}: {}", fmt::join(each.paths, ", "), each.reason);
        if (!each.cost.empty()) text.text += "; its price: " + each.cost;
        if (!each.since.empty()) text.text += "; from " + each.since + " on";
        texts.push_back(std::move(text));
    }
    std::ranges::stable_partition(texts, &SettingText::is_offered);
    return texts;
}

std::string writable_kind(const WritablePath& path) {
    if (path.as == WritableAs::volume) return "volume";
    if (path.as == WritableAs::subpath) return "a part of what is mounted there now";
    return path.tmpfs_options.empty() ? "tmpfs" : fmt::format("tmpfs ({})", path.tmpfs_options);
}

std::string capabilities_text(const Recommendation& advice) {
    if (!advice.capabilities) return {};
    if (advice.capabilities->empty()) return "drop all";
    return fmt::format("drop all and add {}", fmt::join(*advice.capabilities, ", "));
}

std::string capabilities_headline(const CampaignResult& result) {
    std::size_t all = 0, can = 0, open = 0;
    for (const CapabilityResult& each : result.capabilities) {
        if (each.name == "no-new-privileges") continue;
        ++all;
        can +=
            each.verdict == CapabilityVerdict::unused || each.verdict == CapabilityVerdict::tolerated ? 1 : 0;
        open += each.verdict == CapabilityVerdict::inconclusive ? 1 : 0;
    }
    if (all == 0) return {};
    std::string text =
        fmt::format("{} of {} can be dropped", can, counted(all, "capability", "capabilities"));
    if (open > 0) text += fmt::format(", {} inconclusive", open);
    return text;
}

std::string cost_text(const PhaseCost& cost) {
    return fmt::format("{} {:.1f} s instead of {:.1f} s", cost.phase, cost.read_only_s, cost.control_s);
}

bool can_be_read_only(Verdict verdict) {
    return verdict == Verdict::safe || verdict == Verdict::tolerated || verdict == Verdict::split ||
           verdict == Verdict::already_ro;
}

std::string counted(std::size_t count, std::string_view one, std::string_view many) {
    return fmt::format("{} {}", count, count == 1 ? one : many);
}

std::string failed_run(const CampaignResult& result) {
    for (const RunRecord& run : result.runs) {
        // A run without a capability is to fail where that is needed.
        if (run.passed || run.plan.capabilities || run.plan.no_new_privileges) continue;
        for (const PhaseRecord& phase : run.phases)
            if (!phase.passed)
                return fmt::format("run {} ({}) failed in {}: {}", run.plan.id, to_string(run.plan.kind),
                                   phase.name, phase.message);
        return fmt::format("run {} ({}) did not pass", run.plan.id, to_string(run.plan.kind));
    }
    return {};
}

std::string headline(const CampaignResult& result) {
    std::size_t can = 0, open = 0;
    for (const MountResult& each : result.mounts) {
        can += can_be_read_only(each.verdict) ? 1 : 0;
        open += each.verdict == Verdict::inconclusive ? 1 : 0;
    }
    const std::string beside = capabilities_headline(result);
    if (result.mounts.empty()) {
        if (!failed_run(result).empty()) return "no mount to try, and the application did not run";
        return beside.empty() ? "no mount to try" : beside;
    }
    std::string text =
        fmt::format("{} of {} can be read-only", can, counted(result.mounts.size(), "mount", "mounts"));
    if (open > 0) text += fmt::format(", {} inconclusive", open);
    return beside.empty() ? text : text + "; " + beside;
}

}  // namespace rogate::report
