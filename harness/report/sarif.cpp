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

// The same for the same mount of the same scenario, whatever its verdict, line or evidence (FNV-1a).
std::string fingerprint(const CampaignResult& result, const MountResult& mount) {
    std::uint64_t hash = 0xcbf29ce484222325ULL;
    const Origin& origin = result.scenario.subject.origin;
    for (const std::string& part : {result.scenario.name, origin.name, origin.container, mount.mount.target})
        for (const char c : part + '\0') hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    return fmt::format("{:016x}", hash);
}

ordered_json rules() {
    ordered_json list = ordered_json::array();
    for (const Verdict verdict : all_verdicts) {
        const std::string name(to_string(verdict));
        const auto [kind, level] = standing(verdict);
        list.push_back({{"id", "rogate/" + name},
                        {"name", name},
                        {"shortDescription", {{"text", "Mount is " + name}}},
                        {"fullDescription", {{"text", std::string(verdict_help(verdict))}}},
                        {"help", {{"text", std::string(verdict_help(verdict))}}},
                        {"defaultConfiguration", {{"level", std::string(level)}}}});
    }
    return list;
}

ordered_json locations(const CampaignResult& result, const MountResult& mount, const SarifOptions& options) {
    ordered_json location = ordered_json::object();
    const SourcePlace& declared = mount.mount.declared;
    const std::string& file = declared.file.empty() ? result.scenario.file : declared.file;
    if (!file.empty()) {
        ordered_json physical = {{"artifactLocation", artifact(file, options)}};
        if (declared.line > 0) {
            physical["region"]["startLine"] = declared.line;
            if (declared.column > 0) physical["region"]["startColumn"] = declared.column;
        }
        location["physicalLocation"] = physical;
    }
    location["logicalLocations"] = ordered_json::array(
        {{{"name", escape_text(mount.mount.target)},
          {"fullyQualifiedName", escape_text(result.scenario.name + ":" + mount.mount.target)},
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
            {"locations", locations(result, mount, options)},
            {"partialFingerprints", {{"rogateMount/v1", fingerprint(result, mount)}}},
            {"properties", evidence(mount)}};
}

ordered_json run(const CampaignResult& result, const SarifOptions& options) {
    ordered_json results = ordered_json::array();
    for (const MountResult& mount : result.mounts) results.push_back(mount_result(result, mount, options));
    ordered_json driver = {{"name", "rogate"}, {"rules", rules()}};
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
