// The disk is a sorted table of paths. A place with several layers is looked up as overlayfs does it, with
// whiteouts, but without opaque folders: no subject of a test removes a folder.
#include "support/fake_disk.hpp"

#include <archive.h>
#include <archive_entry.h>

#include "base/tar.hpp"

namespace rogate::test {

Node folder(std::uint32_t mode, std::uint32_t uid, std::uint32_t gid) {
    return {.kind = Node::Kind::folder, .uid = uid, .gid = gid, .mode = mode};
}

Node file(std::string content) {
    return {.kind = Node::Kind::file, .content = std::move(content)};
}

Place Place::inside(std::string_view rest) const {
    Place place = *this;
    for (std::string& layer : place.layers) layer += rest;
    return place;
}

void Disk::put(const std::string& path, Node node) {
    for (std::size_t end = path.find('/', 1); end != std::string::npos; end = path.find('/', end + 1))
        nodes_.try_emplace(path.substr(0, end), folder());
    nodes_.insert_or_assign(path, std::move(node));
}

const Node* Disk::find(const std::string& path) const {
    static const Node root = folder();
    if (path.empty() || path == "/") return &root;
    const auto found = nodes_.find(path);
    return found == nodes_.end() ? nullptr : &found->second;
}

void Disk::remove(const std::string& path) {
    nodes_.erase(path);
    const std::string inside = path + "/";
    auto at = nodes_.lower_bound(inside);
    while (at != nodes_.end() && at->first.starts_with(inside)) at = nodes_.erase(at);
}

std::map<std::string, Node> Disk::below(const std::string& path) const {
    std::map<std::string, Node> found;
    if (const Node* itself = find(path)) found.emplace("", *itself);
    const std::string inside = path + "/";
    for (auto at = nodes_.lower_bound(inside); at != nodes_.end() && at->first.starts_with(inside); ++at)
        found.emplace(at->first.substr(path.size()), at->second);
    return found;
}

const Node* Disk::look(const Place& place) const {
    for (const std::string& layer : place.layers)
        if (const Node* node = find(layer)) return node->kind == Node::Kind::gone ? nullptr : node;
    return nullptr;
}

std::map<std::string, Node> Disk::below(const Place& place) const {
    std::map<std::string, Node> all;
    for (const std::string& layer : place.layers)
        for (auto& [path, node] : below(layer)) all.emplace(path, std::move(node));
    std::erase_if(all, [](const auto& each) { return each.second.kind == Node::Kind::gone; });
    return all;
}

void Disk::write(const Place& place, Node node) {
    put(place.layers.front(), std::move(node));
}

void Disk::unlink(const Place& place) {
    remove(place.layers.front());
    if (look(place) != nullptr) put(place.layers.front(), {.kind = Node::Kind::gone});
}

std::string to_tar(const std::map<std::string, Node>& tree, const std::string& name) {
    TarWriter tar;
    for (const auto& [path, node] : tree) {
        if (node.kind == Node::Kind::socket || node.kind == Node::Kind::fifo) continue;
        TarEntry entry{.name = name + path,
                       .uid = node.uid,
                       .gid = node.gid,
                       .mode = node.mode,
                       .modified = node.modified};
        if (node.kind == Node::Kind::folder) {
            entry.type = TarEntry::Type::folder;
            entry.name += '/';
        } else if (node.kind == Node::Kind::link) {
            entry.type = TarEntry::Type::link;
            entry.target = node.content;
        } else {
            entry.content = node.content;
        }
        if (!tar.add(entry)) return {};
    }
    return tar.finish().value_or("");
}

Result<std::vector<std::pair<std::string, Node>>> from_tar(std::string_view tar) {
    std::vector<std::pair<std::string, Node>> entries;
    const ArchivePtr reader(archive_read_new());
    archive_read_support_format_tar(reader.get());
    archive_read_support_format_empty(reader.get());
    archive_read_open_memory(reader.get(), tar.data(), tar.size());
    archive_entry* entry = nullptr;
    int status = ARCHIVE_OK;
    while ((status = archive_read_next_header(reader.get(), &entry)) == ARCHIVE_OK ||
           status == ARCHIVE_WARN) {
        Node node{.uid = static_cast<std::uint32_t>(archive_entry_uid(entry)),
                  .gid = static_cast<std::uint32_t>(archive_entry_gid(entry)),
                  .mode = static_cast<std::uint32_t>(archive_entry_perm(entry)),
                  .modified = archive_entry_mtime(entry)};
        if (archive_entry_filetype(entry) == AE_IFDIR) node.kind = Node::Kind::folder;
        if (archive_entry_filetype(entry) == AE_IFLNK) {
            node.kind = Node::Kind::link;
            node.content = archive_entry_symlink(entry);
        }
        if (node.kind == Node::Kind::file) {
            node.content.resize(static_cast<std::size_t>(archive_entry_size(entry)));
            if (archive_read_data(reader.get(), node.content.data(), node.content.size()) < 0) break;
        }
        std::string path = archive_entry_pathname(entry);
        if (path.starts_with("./")) path.erase(0, 2);
        while (path.ends_with('/')) path.pop_back();
        if (!path.empty() && path != ".") entries.emplace_back("/" + path, std::move(node));
    }
    if (status != ARCHIVE_EOF) return fail(ErrorKind::protocol, "no tar");
    return entries;
}

}  // namespace rogate::test
