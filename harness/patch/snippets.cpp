// The change in a form to copy, for reports: what is known is the result, not the file.
#include <fmt/format.h>

#include <algorithm>

#include "patch/docker_run.hpp"
#include "patch/patch.hpp"
#include "patch/scalar_text.hpp"
#include "patch/shell_words.hpp"
#include "patch/volume_entry.hpp"

namespace rogate::patch {

namespace {

const Mount* mount_on(const CampaignResult& result, const std::string& target) {
    const auto found =
        std::ranges::find_if(result.mounts, [&](const auto& each) { return each.mount.target == target; });
    return found == result.mounts.end() ? nullptr : &found->mount;
}

std::string source_of(const CampaignResult& result, const std::string& target) {
    const Mount* mount = mount_on(result, target);
    if (mount != nullptr && !mount->source.empty()) return mount->source;
    return volume_name("", target, '_', {});
}

// Of a writable path: a directory of the same bind, or a volume of its own.
std::string source_below(const CampaignResult& result, const WritablePath& writable) {
    const Mount* parent = mount_on(result, writable.mount);
    if (parent != nullptr && parent->type == MountType::bind &&
        writable.path.starts_with(writable.mount + "/"))
        return parent->source + writable.path.substr(writable.mount.size());
    return volume_name("", writable.path, '_', {});
}

bool is_tmpfs(const CampaignResult& result, const std::string& target) {
    const Mount* mount = mount_on(result, target);
    return mount != nullptr && mount->type == MountType::tmpfs;
}

std::string tmpfs_entry(const std::string& path, std::string options) {
    return options.empty() ? path : path + ":" + options;
}

std::string read_only_tmpfs(const CampaignResult& result, const std::string& target) {
    const std::string& options = mount_on(result, target)->tmpfs_options;
    return tmpfs_entry(target, options.empty() ? "ro" : "ro," + options);
}

std::string yaml(const std::string& text) {
    return plain_will_do(text, false) ? text : in_scalar_quotes(text, '\'');
}

std::string dollars_doubled(const std::string& text) {
    std::string out;
    for (const char c : text) out += c == '$' ? std::string("$$") : std::string(1, c);
    return out;
}

}  // namespace

std::string docker_run_flags(const CampaignResult& result) {
    std::vector<std::string> flags;
    for (const std::string& target : result.recommendation.read_only)
        if (target == "/")
            flags.insert(flags.begin(), "--read-only");
        else if (is_tmpfs(result, target))
            flags.push_back("--tmpfs " + shell_quoted(read_only_tmpfs(result, target)));
        else
            flags.push_back("-v " + shell_quoted(source_of(result, target) + ":" + target + ":ro"));
    for (const WritablePath& writable : result.recommendation.writable)
        flags.push_back(flag_for(writable, source_below(result, writable)));
    return fmt::format("{}", fmt::join(flags, " "));
}

std::string compose_snippet(const CampaignResult& result) {
    std::string root, volumes, tmpfs;
    for (const std::string& target : result.recommendation.read_only)
        if (target == "/")
            root = "read_only: true\n";
        else if (is_tmpfs(result, target))
            tmpfs += "  - " + yaml(dollars_doubled(read_only_tmpfs(result, target))) + "\n";
        else
            volumes +=
                "  - " + yaml(dollars_doubled(source_of(result, target) + ":" + target + ":ro")) + "\n";
    for (const WritablePath& writable : result.recommendation.writable)
        if (writable.as == WritableAs::tmpfs)
            tmpfs +=
                "  - " + yaml(dollars_doubled(tmpfs_entry(writable.path, writable.tmpfs_options))) + "\n";
        else
            volumes +=
                "  - " + yaml(dollars_doubled(source_below(result, writable) + ":" + writable.path)) + "\n";
    return root + (volumes.empty() ? "" : "volumes:\n" + volumes) + (tmpfs.empty() ? "" : "tmpfs:\n" + tmpfs);
}

std::string kubernetes_snippet(const CampaignResult& result) {
    std::string context, mounts, volumes;
    std::vector<std::string> names;
    for (const std::string& target : result.recommendation.read_only)
        if (target == "/")
            context = "securityContext:\n  readOnlyRootFilesystem: true\n";
        else
            mounts += fmt::format("  - name: {}\n    mountPath: {}\n    readOnly: true\n",
                                  yaml(volume_name("", target, '-', {})), yaml(target));
    for (const WritablePath& writable : result.recommendation.writable) {
        names.push_back(volume_name("", writable.path, '-', names));
        mounts += fmt::format("  - name: {}\n    mountPath: {}\n", yaml(names.back()), yaml(writable.path));
        volumes += fmt::format("  - name: {}\n    emptyDir: {}\n", yaml(names.back()),
                               writable.as == WritableAs::tmpfs ? "{medium: Memory}" : "{}");
    }
    std::string out;
    if (!context.empty() || !mounts.empty()) out += "# of the container\n" + context;
    if (!mounts.empty()) out += "volumeMounts:\n" + mounts;
    if (!volumes.empty()) out += "# of the pod\nvolumes:\n" + volumes;
    return out;
}

}  // namespace rogate::patch
