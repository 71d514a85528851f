// What is rogate's own on the engine while runs are given their data: the volume with throw-away layers and
// copies, and the containers that look at data, which the engine's archive calls read and write. What engines
// do differently with archives and volumes stays in here.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "campaign/owners.hpp"
#include "campaign/tar.hpp"
#include "engine/client.hpp"

namespace rogate::campaign {

class Scratch {
  public:
    // `part` tells the names on the engine of several of one session apart. The containers are made of
    // `image`.
    Scratch(engine::Client& client, std::string session, std::string image, std::string part)
        : client_(client), session_(std::move(session)), image_(std::move(image)), part_(std::move(part)) {}

    // The volume, and the helper: a container that is never started, with the volume and `sources`.
    // ErrorKind::usage: the source of one does not exist.
    engine::Task<> make(std::vector<engine::MountSpec> sources);
    // The helper anew, with other sources.
    engine::Task<> make_helper_again(std::vector<engine::MountSpec> sources);
    bool is_made() const { return !helper_.empty(); }
    const std::string& helper() const { return helper_; }

    // A place in the volume, as the helper sees it and as the engine's host does.
    static std::string in_helper(const std::string& place) { return "/rogate/scratch/" + place; }
    std::string on_host(const std::string& place) const { return mountpoint_ + "/" + place; }
    // The mount's source is that place.
    void bind(engine::MountSpec& spec, const std::string& place) const;
    engine::Task<> put_folders(std::vector<TarFolder> folders);
    engine::Task<> put(std::string place, std::string tar);

    // The name on the engine of what is made for this.
    std::string named(std::string_view what) const;
    engine::VolumeSpec volume(std::string name) const;
    // Its archive calls mount what it has.
    engine::ContainerSpec never_started(std::string_view name) const;
    // A container of `image` that is never started and has none of the sources. Its id.
    engine::Task<std::string> container_of_image(std::string image);
    // A container of rogate's own program, which says something of these mounts and ends.
    engine::ContainerSpec reader(std::string_view name, std::string image, std::vector<std::string> words,
                                 std::vector<engine::MountSpec> mounts) const;
    // Runs such a container to its end and removes it: what it said. `deadline`: an ordinary call's time by
    // default.
    engine::Task<std::string> output_of(engine::ContainerSpec spec,
                                        std::optional<engine::Milliseconds> deadline = {});
    // A container that goes on until the session's sweep and has `volumes` mounted. Its id.
    engine::Task<std::string> hold(std::string name, std::vector<engine::MountSpec> volumes);

    // Owner and mode of what is at `path` of a container, and whether it has nothing in it.
    // Whether there is anything but directories below this one; see tar_holds_files.
    engine::Task<bool> holds_files(std::string container, std::string path, bool with_empty_ones);
    engine::Task<FirstEntry> look_at(std::string container, std::string path);
    // All that is at `path` of a container, as a tar; `target` is what an error names. ErrorKind::usage: it
    // is more than is copied.
    engine::Task<std::string> tree_of(std::string container, std::string path, std::string target);
    // From where to where, as the helper sees them.
    struct Pair {
        std::string from, to;
    };
    // Gives what is there all attributes of what it is made after: owner, mode, times, extended attributes,
    // access control lists. By a program of rogate's in a container that has the sources and the volume.
    engine::Task<> make_alike(std::vector<Pair> pairs, std::vector<engine::MountSpec> sources);
    // Copies a tree with all that. ErrorKind::usage: it is more than is copied; `target` is what an error
    // names.
    engine::Task<> copy(Pair pair, std::vector<engine::MountSpec> sources, std::string target);
    // The places of those pairs of files that are alike in bytes, modification time, mode and owner; `from`
    // lies in a source.
    engine::Task<std::vector<std::size_t>> unchanged(std::vector<Pair> pairs,
                                                     std::vector<engine::MountSpec> sources);
    // Mounts the container's volumes, and fills new ones from its image, without a program of its image
    // being started.
    engine::Task<> mount_volumes_of(std::string container);

    // Why an engine would not mount that directory of a volume, as the end of a sentence; empty: it would.
    engine::Task<std::string> wrong_with_part(std::string volume, std::string sub_path);

    // A volume that is an overlay on `lower`, with the layers "PLACE/upper" and "PLACE/work"; `root`: owner
    // and mode of its root; `flags`: what it is mounted with, as ",nosuid". The engine makes it with
    // make_volume().
    engine::VolumeSpec overlay(std::string name, const std::string& lower, const std::string& place,
                               const TarFolder& root, const std::string& flags = {});
    // What the overlays are mounted with beyond their layers. At first folders of the lower layer can be
    // renamed, hard links stay links, and files have handles (redirect_dir, index and nfs_export in
    // Documentation/filesystems/overlayfs.rst); not every kernel and file system has that.
    bool has_fewer_options() const { return options_ + 1 < overlay_options.size(); }
    void use_fewer_options() { ++options_; }
    bool renames_folders() const {
        return has_fewer_options();
    }  // all but the last of them have redirect_dir
    engine::Task<> make_volume(engine::VolumeSpec volume);
    // Whether the engine mounts all of them.
    engine::Task<bool> can_be_mounted(std::vector<std::string> volumes);
    // Before a subject gets them: the overlays whose roots the engine would give to somebody else have their
    // owners.
    engine::Task<> give_back_owners();
    // It is removed, or not to be made.
    void forget(const std::string& volume) { unowned_.erase(volume); }

  private:
    engine::Task<std::string> reader_image();
    static constexpr std::array<const char*, 3> overlay_options = {",redirect_dir=on,index=on,nfs_export=on",
                                                                   ",redirect_dir=on", ""};
    engine::Task<> run_program(std::string name, std::vector<std::string> words,
                               std::vector<engine::MountSpec> mounts, std::string target);
    engine::Task<> make_helper(std::vector<engine::MountSpec> sources);
    engine::Task<> put_roots_below(std::string container, const std::vector<engine::MountSpec>& mounts);
    engine::Task<std::optional<Owners>> owners(std::string container, std::string path, bool below);

    engine::Client& client_;
    std::string session_, image_, part_;
    std::string helper_, mountpoint_;
    std::string holder_image_, reader_image_;
    std::map<std::string, std::string> of_images_;  // containers, by image
    int checks_ = 0;
    std::size_t options_ = 0;  // in overlay_options
    // Overlays whose root the engine will take from the first container's image.
    std::map<std::string, TarFolder> unowned_;
    // Of the containers in which something is looked at.
    std::map<std::string, std::vector<engine::MountSpec>> mounts_of_;
};

}  // namespace rogate::campaign
