#include "report/sarif.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <rogate/names.hpp>

#include "base/escape.hpp"
#include "report/markup.hpp"
#include "report/terminal.hpp"

namespace rogate::report {

namespace {

using nlohmann::ordered_json;

constexpr std::size_t attempts_shown = 20;
constexpr std::array all_verdicts = {Verdict::safe,       Verdict::tolerated,   Verdict::split,
                                     Verdict::required,   Verdict::untested,    Verdict::ineffective,
                                     Verdict::already_ro, Verdict::inconclusive};

constexpr std::array all_capability_verdicts = {CapabilityVerdict::unused, CapabilityVerdict::tolerated,
                                                CapabilityVerdict::needed, CapabilityVerdict::inconclusive};

struct Standing {
    std::string_view kind, level;  // SARIF: the level is "none" unless the kind is "fail"
};
Standing standing(Verdict verdict) {
    switch (verdict) {
        case Verdict::safe:
        case Verdict::tolerated:
        case Verdict::split:
            return {"fail", "note"};
        case Verdict::untested:
        case Verdict::inconclusive:
            return {"fail", "warning"};
        case Verdict::required:
        case Verdict::ineffective:
            return {"informational", "none"};
        case Verdict::already_ro:
            return {"pass", "none"};
    }
    return {"fail", "warning"};
}

Standing standing(CapabilityVerdict verdict) {
    switch (verdict) {
        case CapabilityVerdict::unused:
        case CapabilityVerdict::tolerated:
            return {"fail", "note"};
        case CapabilityVerdict::inconclusive:
            return {"fail", "warning"};
        case CapabilityVerdict::needed:
            return {"informational", "none"};
    }
    return {"fail", "warning"};
}

std::string_view help(CapabilityVerdict verdict) {
    switch (verdict) {
        case CapabilityVerdict::unused:
            return "The scenario passes without it, and nothing was refused or left out. Drop it.";
        case CapabilityVerdict::tolerated:
            return "The scenario passes without it, though something was refused or left out: look at what.";
        case CapabilityVerdict::needed:
            return "The scenario fails without it.";
        case CapabilityVerdict::inconclusive:
            return "No run tells; the message says why.";
    }
    return {};
}

// A message's text knows "[text](target)" links and "{0}" placeholders; what the subject wrote is neither.
std::string message_text(std::string_view raw) {
    std::string out;
    for (const char c : escape_text(raw)) {
        if (c == '[' || c == ']')
            out.append(1, '\\').append(1, c);
        else if (c == '{' || c == '}')
            out.append(2, c);
        else
            out += c;
    }
    return out;
}

std::string uri_path(std::string_view raw) {
    std::string out;
    for (const char c : raw) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                           std::string_view("/._-~").find(c) != std::string_view::npos;
        out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return out;
}

ordered_json artifact(const std::string& file, const SarifOptions& options) {
    namespace fs = std::filesystem;
    fs::path path = fs::path(file).lexically_normal();
    if (path.is_absolute() && !options.root.empty()) {
        const fs::path relative = path.lexically_relative(options.root);
        if (!relative.empty() && *relative.begin() != "..") path = relative;
    }
    if (path.is_absolute()) return {{"uri", "file://" + uri_path(path.string())}};
    return {{"uri", uri_path(path.string())}, {"uriBaseId", "%SRCROOT%"}};
}

// The same for the same mount or capability of the same scenario, whatever its verdict, line or evidence
// (FNV-1a).
std::string fingerprint(const CampaignResult& result, const std::string& of) {
    std::uint64_t hash = 0xcbf29ce484222325ULL;
    const Origin& origin = result.scenario.subject.origin;
    for (const std::string& part : {result.scenario.name, origin.name, origin.container, of})
        for (const char c : part + '\0') hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    return fmt::format("{:016x}", hash);
}

ordered_json rule(const std::string& id, const std::string& about, std::string_view help, Standing standing) {
    return {{"id", "rogate/" + id},
            {"name", id},
            {"shortDescription", {{"text", about}}},
            {"fullDescription", {{"text", std::string(help)}}},
            {"help", {{"text", std::string(help)}}},
            {"defaultConfiguration", {{"level", std::string(standing.level)}}}};
}

// Those of capabilities only where there are any.
ordered_json rules(const CampaignResult& result) {
    ordered_json list = ordered_json::array();
    for (const Verdict verdict : all_verdicts) {
        const std::string name(to_string(verdict));
        list.push_back(rule(name, "Mount is " + name, verdict_help(verdict), standing(verdict)));
    }
    if (result.capabilities.empty()) return list;
    for (const CapabilityVerdict verdict : all_capability_verdicts) {
        const std::string name(to_string(verdict));
        list.push_back(rule("capability-" + name, "Capability is " + name, help(verdict), standing(verdict)));
    }
    return list;
}

ordered_json locations(const CampaignResult& result, const std::string& of, const SourcePlace& declared,
                       const SarifOptions& options) {
    ordered_json location = ordered_json::object();
    const std::string& file = declared.file.empty() ? result.scenario.file : declared.file;
    if (!file.empty()) {
        ordered_json physical = {{"artifactLocation", artifact(file, options)}};
        if (declared.line > 0) {
            physical["region"]["startLine"] = declared.line;
            if (declared.column > 0) physical["region"]["startColumn"] = declared.column;
        }
        location["physicalLocation"] = physical;
    }
    location["logicalLocations"] =
        ordered_json::array({{{"name", escape_text(of)},
                              {"fullyQualifiedName", escape_text(result.scenario.name + ":" + of)},
                              {"kind", "resource"}}});
    return ordered_json::array({location});
}

ordered_json evidence(const MountResult& mount) {
    ordered_json attempts = ordered_json::array();
    for (std::size_t i = 0; i < std::min(mount.attempts.size(), attempts_shown); ++i) {
        const Attempt& each = mount.attempts[i];
        attempts.push_back({{"operation", escape_text(each.operation)},
                            {"path", escape_text(each.path)},
                            {"errno", errno_name(each.error)},
                            {"class", std::string(to_string(each.cls))},
                            {"phase", escape_text(each.phase)},
                            {"process", escape_text(each.process.comm)},
                            {"count", each.count}});
    }
    return {{"verdict", std::string(to_string(mount.verdict))},
            {"mountType", std::string(to_string(mount.mount.type))},
            {"attempts", attempts},
            {"attemptsLeftOut", mount.attempts.size() - attempts.size()}};
}

ordered_json mount_result(const CampaignResult& result, const MountResult& mount,
                          const SarifOptions& options) {
    const auto [kind, level] = standing(mount.verdict);
    const std::string text = fmt::format("{} is {}: {}", message_text(mount.mount.target),
                                         to_string(mount.verdict), message_text(mount.reason));
    const auto index =
        std::find(all_verdicts.begin(), all_verdicts.end(), mount.verdict) - all_verdicts.begin();
    return {{"ruleId", fmt::format("rogate/{}", to_string(mount.verdict))},
            {"ruleIndex", index},
            {"kind", std::string(kind)},
            {"level", std::string(level)},
            {"message", {{"text", text}}},
            {"locations", locations(result, mount.mount.target, mount.mount.declared, options)},
            {"partialFingerprints", {{"rogateMount/v1", fingerprint(result, mount.mount.target)}}},
            {"properties", evidence(mount)}};
}

ordered_json capability_result(const CampaignResult& result, const CapabilityResult& capability,
                               const SarifOptions& options) {
    const auto [kind, level] = standing(capability.verdict);
    const auto index = std::ranges::find(all_capability_verdicts, capability.verdict) -
                       all_capability_verdicts.begin() + std::ssize(all_verdicts);
    const std::vector<std::string>& files = result.scenario.subject.origin.files;
    const SourcePlace declared{files.empty() ? "" : files.front(), 0, 0};
    return {{"ruleId", fmt::format("rogate/capability-{}", to_string(capability.verdict))},
            {"ruleIndex", index},
            {"kind", std::string(kind)},
            {"level", std::string(level)},
            {"message",
             {{"text", fmt::format("{} is {}: {}", message_text(capability.name),
                                   to_string(capability.verdict), message_text(capability.reason))}}},
            {"locations", locations(result, capability.name, declared, options)},
            {"partialFingerprints", {{"rogateCapability/v1", fingerprint(result, capability.name)}}},
            {"properties", {{"verdict", std::string(to_string(capability.verdict))}}}};
}

ordered_json run(const CampaignResult& result, const SarifOptions& options) {
    ordered_json results = ordered_json::array();
    for (const MountResult& mount : result.mounts) results.push_back(mount_result(result, mount, options));
    for (const CapabilityResult& each : result.capabilities)
        results.push_back(capability_result(result, each, options));
    ordered_json driver = {{"name", "rogate"}, {"rules", rules(result)}};
    if (!options.version.empty()) driver["semanticVersion"] = options.version;
    const bool settled = !result.runs.empty() && result.runs.front().passed;
    return {{"tool", {{"driver", driver}}},
            {"automationDetails", {{"id", "rogate/" + escape_text(result.scenario.name) + "/"}}},
            {"invocations", ordered_json::array({{{"executionSuccessful", settled}}})},
            {"columnKind", "utf16CodeUnits"},
            {"results", results}};
}

}  // namespace

std::string render_sarif(std::span<const CampaignResult> results, const SarifOptions& options) {
    ordered_json runs = ordered_json::array();
    for (const CampaignResult& result : results) runs.push_back(run(result, options));
    const ordered_json log = {
        {"$schema", "https://json.schemastore.org/sarif-2.1.0.json"}, {"version", "2.1.0"}, {"runs", runs}};
    return log.dump(2) + "\n";
}

}  // namespace rogate::report
