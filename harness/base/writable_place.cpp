#include "base/writable_place.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/escape.hpp"
#include "base/text.hpp"

namespace rogate {

namespace {

// "1.45" and later; podman speaks the API without it.
bool mounts_parts_of_volumes(const EngineFacts& engine) {
    if (engine.name.find("odman") != std::string::npos) return false;
    const std::string& text = engine.api_version;
    const std::size_t dot = text.find('.');
    if (dot == std::string::npos) return false;
    int major = 0, minor = 0;
    std::from_chars(text.data(), text.data() + dot, major);
    std::from_chars(text.data() + dot + 1, text.data() + text.size(), minor);
    return major > 1 || (major == 1 && minor >= 45);
}

}  // namespace

WritablePlace writable_place(const WritablePath& writable, const CampaignResult& result) {
    using How = WritablePlace::How;
    if (writable.as == WritableAs::tmpfs) return {.how = How::tmpfs, .source = {}, .below = {}, .within = {}};
    const auto found = std::ranges::find_if(
        result.mounts, [&](const MountResult& each) { return each.mount.target == writable.mount; });
    const bool inside = writable.mount != "/" && writable.path.starts_with(writable.mount + "/");
    if (found == result.mounts.end() || !inside) return {};
    const Mount& mount = found->mount;
    WritablePlace place{.how = How::new_volume,
                        .source = mount.source,
                        .below = writable.path.substr(writable.mount.size() + 1),
                        .within = mount.sub_path};
    if (mount.type == MountType::bind) place.how = How::bind;
    // A directory that is not there yet has no data. Results of before say 'volume' of those with data, too.
    const bool has_data = writable.as == WritableAs::subpath || !writable.needs_mount_point;
    if (mount.type == MountType::volume && has_data)
        place.how = mounts_parts_of_volumes(result.engine) ? How::subpath : How::move;
    return place;
}

std::string how_to_move(const WritablePlace& place, const std::string& path, const CampaignResult& result) {
    std::string name = place.source + "-" + place.in_volume();
    for (char& c : name)
        if (c == '/' || static_cast<unsigned char>(c) <= 0x20 || c == '\'' || c == ':') c = '-';
    const auto quoted = [](const std::string& text) { return in_single_quotes(escape_text(text)); };
    return fmt::format(
        "stop the application, move the data with `docker volume create {0}` and `docker run --rm --user 0 "
        "--entrypoint cp -v {1} -v {2} {3} -a {4} /to/`, mount the volume {0} on {5} (in Compose: "
        "external: true), and run rogate again",
        quoted(name), quoted(place.source + ":/from:ro"), quoted(name + ":/to"),
        quoted(result.scenario.subject.image), quoted("/from/" + place.in_volume() + "/."),
        escape_text(path));
}

}  // namespace rogate
