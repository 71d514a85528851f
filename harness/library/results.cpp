#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <rogate/names.hpp>
#include <rogate/place.hpp>
#include <rogate/results.hpp>
#include <sstream>

#include "base/escape.hpp"
#include "report/json.hpp"

namespace rogate {

namespace fs = std::filesystem;

Result<CampaignResult> read_result(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    if (!in) return fail(ErrorKind::io, file + ": cannot be read");
    auto result = report::parse_json(text.view());
    if (!result) return fail(std::move(result.error()).with_context(file));
    return result;
}

Result<std::vector<CampaignResult>> read_results(const std::string& folder) {
    std::vector<std::string> files;
    std::error_code error;
    for (fs::recursive_directory_iterator each(folder, error), end; !error && each != end;
         each.increment(error))
        if (each->path().filename() == "result.json") files.push_back(each->path().string());
    if (error) return fail(ErrorKind::io, folder + ": " + error.message());
    if (files.empty()) return fail(ErrorKind::usage, folder + ": there is no result.json in it");
    std::ranges::sort(files);
    std::vector<CampaignResult> results;
    for (const std::string& file : files) {
        auto result = read_result(file);
        if (!result) return fail(std::move(result.error()));
        results.push_back(std::move(*result));
    }
    return results;
}

std::string container_of(const CampaignResult& result, const MountResult& mount) {
    const std::string_view container = container_of(std::string_view(mount.mount.target));
    if (!container.empty()) return std::string(container);
    const Origin& origin = result.scenario.subject.origin;
    return origin.container.empty() ? origin.name : origin.container;
}

const MountResult* find_mount(const std::vector<CampaignResult>& results, std::string_view container,
                              std::string_view target) {
    for (const CampaignResult& result : results)
        for (const MountResult& mount : result.mounts)
            if (path_in(mount.mount.target) == target &&
                (container.empty() || container == container_of(result, mount)))
                return &mount;
    return nullptr;
}

std::string describe(const MountResult& mount) {
    constexpr std::size_t shown = 5;
    std::string text =
        fmt::format("{} is {}: {}", mount.mount.target, to_string(mount.verdict), mount.reason);
    std::size_t count = 0;
    for (const Attempt& each : mount.attempts) {
        if (++count > shown) break;
        text += fmt::format("\n  {} {} by {} in {}", std::string_view(each.operation),
                            escape_text(each.path.view()), escape_text(std::string_view(each.process.comm)),
                            std::string_view(each.phase));
    }
    if (mount.attempts.size() > shown) text += fmt::format("\n  and {} more", mount.attempts.size() - shown);
    return text;
}

}  // namespace rogate
