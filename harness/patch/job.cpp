#include "patch/job.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "patch/extent.hpp"

namespace rogate::patch {

std::string printable(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        out += byte < 0x20 || byte == 0x7f ? fmt::format("\\x{:02x}", byte) : std::string(1, c);
    }
    return out;
}

bool same_name(std::string_view a, std::string_view b) {
    const auto last = [](std::string_view path) { return path.substr(path.rfind('/') + 1); };
    return last(a) == last(b);
}

Result<> Job::open() {
    for (const SourceFile& source : request.files) {
        auto document = read_document(source.name, source.text);
        if (!document) {
            // A file that is only looked at need not be of a kind that is understood.
            if (!source.primary) continue;
            return fail(std::move(document.error()));
        }
        auto file = std::make_unique<OpenFile>();
        file->document = std::move(*document);
        file->editor = std::make_unique<Editor>(file->document);
        file->primary = source.primary;
        files.push_back(std::move(file));
    }
    return {};
}

Result<Patch> Job::finish() {
    if (!failed_.empty() && failed_.front().kind != ErrorKind::usage) return fail(failed_.front());
    for (const Error& error : failed_) refusals_.push_back(error.message);
    if (!refusals_.empty()) {
        std::string all;
        for (const std::string& each : refusals_)
            if (all.find(each) == std::string::npos) all += (all.empty() ? "" : "\n") + each;
        return fail(
            ErrorKind::usage,
            all + "\nnothing was changed: only the whole recommendation has been run, not a part of it");
    }
    Patch patch;
    for (const auto& file : files) {
        if (!file->editor->changed()) continue;
        auto text = file->editor->result();
        if (!text) return fail(std::move(text.error()));
        if (*text != file->document.text)
            patch.files.push_back({file->document.file, file->document.text, std::move(*text)});
    }
    patch.notes = notes_;
    return patch;
}

void Job::note(std::string text) {
    text = printable(text);
    if (std::ranges::find(notes_, text) == notes_.end()) notes_.push_back(std::move(text));
}

std::vector<std::string> Job::opened() const {
    return opened_mounts(result);
}

const Mount* Job::mount(const std::string& target) const {
    const auto found =
        std::ranges::find_if(result.mounts, [&](const auto& each) { return each.mount.target == target; });
    return found == result.mounts.end() ? nullptr : &found->mount;
}

bool Job::declared_at(const OpenFile& file, const Node& node, const Mount* mount) const {
    if (mount == nullptr || mount->declared.line == 0 || node.made) return false;
    if (!same_name(mount->declared.file, file.document.file)) return false;
    const std::size_t at = offset_of(file.document.text, mount->declared.line, mount->declared.column);
    return at != nowhere && (at == node.begin || skip_properties(file.document.text, at) == node.begin);
}

std::string Sharing::with(const Node& node) const {
    std::string names;
    for (const auto& [name, seen] : others)
        if (seen.contains(&node)) names += fmt::format("{}'{}'", names.empty() ? "" : ", ", name);
    return names;
}

std::string new_volume_note(const std::string& target, const std::string& name) {
    return fmt::format(
        "{} gets the new named volume '{}', filled from the image when it is first used; what an earlier "
        "container had there is not in it. It outlives crashes, new containers and new versions of the "
        "image: "
        "what an older version or a crash left there is found again, until the volume is removed",
        target, name);
}

std::string mount_point_note(const WritablePath& writable, const Mount* parent) {
    // Below the root file system the engine makes it in the container's own layer.
    if (!writable.needs_mount_point || writable.mount == "/") return "";
    const std::string below = writable.path.substr(std::min(writable.path.size(), writable.mount.size()));
    if (parent != nullptr && parent->type == MountType::bind)
        return fmt::format(
            "make the directory {}{} on the host before the next start: a mount point below a read-only "
            "mount has to be there",
            parent->source, below);
    return fmt::format(
        "make the directory {} in what is mounted at {} before the next start: a mount point below a "
        "read-only mount has to be there",
        writable.path, writable.mount);
}

}  // namespace rogate::patch
