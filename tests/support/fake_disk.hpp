// What lies on the disk of a fake engine's host: the user's data, volumes, images, layers. Everything is in
// memory.
#pragma once

#include <cstdint>
#include <map>
#include <rogate/error.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace rogate::test {

struct Node {
    enum class Kind {
        folder,
        file,
        link,
        socket,
        fifo,
        gone
    };  // gone: hides what lower layers have (a whiteout)
    Kind kind = Kind::file;
    std::uint32_t uid = 0, gid = 0, mode = 0644;
    std::int64_t modified = 0;
    std::string content = {};     // of a file; of a link, where it leads
    bool has_attributes = false;  // beside owner, mode and time
    std::string linked = {};      // the same for all names of one file
    bool operator==(const Node&) const = default;
};

Node folder(std::uint32_t mode = 0755, std::uint32_t uid = 0, std::uint32_t gid = 0);
Node file(std::string content);

// Where something lies: in one folder of the host, or in several above each other. What is written goes to
// the first.
struct Place {
    std::vector<std::string> layers;
    bool read_only = false;
    Place inside(std::string_view rest) const;  // "" or "/a/b"
};

class Disk {
  public:
    const std::map<std::string, Node>& nodes() const { return nodes_; }
    // By absolute path; the folders above it are made where they are missing.
    void put(const std::string& path, Node node);
    const Node* find(const std::string& path) const;
    void remove(const std::string& path);  // with everything below it
    // What is at `path` and below it, by path relative to it ("" is itself).
    std::map<std::string, Node> below(const std::string& path) const;

    const Node* look(const Place& place) const;
    // Without what is gone.
    std::map<std::string, Node> below(const Place& place) const;
    void write(const Place& place, Node node);
    void unlink(const Place& place);

  private:
    std::map<std::string, Node> nodes_;
};

// As the engine's archive calls read and write them. `name`: what the entry at "" is called; "." for what is
// in a folder.
std::string to_tar(const std::map<std::string, Node>& tree, const std::string& name);
// By path relative to where it is unpacked, in order.
Result<std::vector<std::pair<std::string, Node>>> from_tar(std::string_view tar);

}  // namespace rogate::test
