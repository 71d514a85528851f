// Keeps the user's data out of every run's reach. Each run gets volumes of its own: an overlay of the real
// data with a throw-away upper layer, a copy where an overlay is not possible (single files), or a new volume
// where there are no data. All of it is made through the Engine API, on the engine's host, so it works on a
// remote engine too.
#pragma once

#include <map>
#include <rogate/scenario.hpp>
#include <set>
#include <string>
#include <vector>

#include "engine/client.hpp"

namespace rogate::campaign {

// How one mount is given to the runs.
enum class DataSource {
    fresh,    // a new volume, filled from the image as the engine does
    overlay,  // a `local` volume of type overlay over the real directory
    copy,     // a copy of the real file or directory
    as_it_is  // the real thing: it is read-only for the subject anyway, or a socket or device, which cannot
              // be copied
};

struct DataMount {
    Mount mount;
    DataSource how = DataSource::fresh;
    bool is_directory = true;
    std::string real_path;  // on the engine's host; overlay only
    std::string file_name;  // copy of a single file: its name
    std::string special;    // "a unix socket", "a device", "a FIFO": read-only protects nothing
    std::uint32_t uid = 0, gid = 0, mode = 0755;  // of the directory's root; overlay only
};

class DataPlane {
  public:
    // `part` tells the names on the engine of several planes of one session apart.
    DataPlane(engine::Client& client, std::string session, std::string image, std::string part = "")
        : client_(client), session_(std::move(session)), image_(std::move(image)), part_(std::move(part)) {}

    // Looks at every mount's source. ErrorKind::usage names a bind source that does not exist.
    // `written_elsewhere` (see source_key): sources that somebody beside the subject writes to.
    engine::Task<> survey(std::vector<Mount> mounts, std::set<std::string> written_elsewhere = {});
    const std::vector<DataMount>& mounts() const { return mounts_; }
    // "overlay", "overlay+copy", "copy", "none": what the result says.
    std::string mode() const;

    // Makes the volumes of run `run` and says how they are mounted, in the order of mounts(); tmpfs and "/"
    // are left out. `read_only`: targets that are read-only in this run.
    engine::Task<std::vector<engine::MountSpec>> prepare(int run, const std::vector<std::string>& read_only);
    // Removes the volumes of run `run`; its container must be gone.
    engine::Task<> release(int run);

  private:
    engine::Task<> survey_source(DataMount& data, std::size_t index);
    engine::Task<> create_helper();
    engine::Task<> read_root_attributes(DataMount& data, std::size_t index);
    engine::Task<> check_overlay(std::size_t index);
    engine::Task<std::string> read_tree(std::size_t index);
    engine::Task<> make_folders(int run);
    std::string volume_name(int run, std::size_t index) const;
    std::string folder(int run, std::size_t index) const;

    engine::Client& client_;
    std::string session_, image_, part_;
    std::set<std::string> written_elsewhere_;
    std::vector<DataMount> mounts_;
    std::string helper_;  // a container that is never started: its archive calls read and write the volumes
    std::string scratch_mountpoint_;  // of the scratch volume, on the engine's host
    std::map<int, std::vector<std::string>> volumes_;
};

}  // namespace rogate::campaign
