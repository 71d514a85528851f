// Keeps the user's data out of every run's reach. Each run gets volumes of its own: an overlay of the real
// data with a throw-away upper layer, a copy where an overlay is not possible (single files), or a new volume
// where there are no data. All of it is made through the Engine API, on the engine's host, so it works on a
// remote engine too.
#pragma once

#include <map>
#include <rogate/run.hpp>
#include <rogate/scenario.hpp>
#include <set>
#include <string>
#include <vector>

#include "campaign/engine_sockets.hpp"
#include "campaign/scratch.hpp"
#include "campaign/sources.hpp"
#include "campaign/tar.hpp"
#include "engine/client.hpp"
#include "verdict/split.hpp"

namespace rogate::campaign {

// How one mount is given to the runs.
enum class DataSource {
    fresh,    // a new volume, filled from the image as the engine does
    overlay,  // a `local` volume of type overlay over the real directory
    copy,     // a copy of the real file or directory
    made,     // a new directory on the engine's host, with `made_files` in it
    given,    // prepare() is told
    as_it_is  // the real thing: it is read-only for the subject anyway, a socket, a device or a file system
              // of the kernel's, which cannot be copied, or the user wants it so
};

struct DataMount {
    Mount mount;
    DataSource how = DataSource::fresh;
    bool is_directory = true;
    std::string real_path;        // on the engine's host; empty: it is there only while a container has it
    std::string file_name;        // copy of a single file: its name
    bool seen_in_folder = false;  // the helper has the folder that the source lies in
    struct MissingMountPoint {
        std::string path;  // relative
        bool is_directory = true;
    };
    // Of other mounts; made for runs with it read-only.
    std::vector<MissingMountPoint> missing_mount_points;
    std::optional<Fixture> fixture = {};  // in place of the real data
    std::string special;                  // "a unix socket", "a device", "a FIFO": read-only protects nothing
    std::uint32_t uid = 0, gid = 0, mode = 0755;  // of the directory's root; overlay, copy and made
    std::optional<std::uint32_t> group;           // copy: owns all of it, as a pod's fsGroup does
    std::vector<TarEntry> made_files;             // made only
    SourceFacts facts = {};                       // what the engine's host says of its source
    std::optional<SharedData> shares = {};        // the data are those of this other mount, or a part of them
    // Of the user's data, what the runs are not given: a clause each, and what to do about it.
    struct Lack {
        std::string what, way_out;
    };
    std::vector<Lack> lacks = {};
    // Made for several mounts at once: the target of the one that is nobody's, and which part of it this is.
    std::string of_volume = {}, sub_path = {};
    std::int64_t modified = 0;                   // of the directory's root; overlay and copy
    std::uint32_t nanoseconds = 0;               // of its modification, beyond whole seconds
    bool is_empty = false;                       // a directory with nothing in it
    bool outlasts_pod = true;                    // not an emptyDir, which a new pod has anew
    std::optional<std::uint32_t> mode_when_new;  // a claim: of its root, which nothing is filled into
    bool below_source =
        false;            // no mount of the subject's own: something is mounted below another one's source
    std::string seen_at;  // where the helper has it, if not where each source is
    bool read_only_by_itself = false;  // below_source
    std::string follows;  // below_source: this target's read-only, since this engine's goes all the way down
    std::vector<std::string>
        writable_below;                     // mounts below the source that stay writable when it is read-only
    std::vector<std::string> hidden_below;  // mounts below the source that the runs are not given
};

// overlayfs separates lower directories with ':' and options with ','; the local volume driver passes both on
// unescaped.
bool overlay_can_name(const std::string& path);

// The kernel's own file system as a source: the runs have the real one.
bool is_kernels_own(const DataMount& data);

// Of the user's: a source that can be looked at.
bool has_source(const DataMount& data);

// For what is beside the subject: data in the state of `plan`, and nothing is tried on them.
RunPlan data_of(const RunPlan& plan);

class DataPlane {
  public:
    // `part` tells the names on the engine of several planes of one session apart.
    DataPlane(engine::Client& client, std::string session, std::string image, std::string part = "")
        : client_(client),
          session_(session),
          scratch_(client, std::move(session), std::move(image), std::move(part)) {}

    // Before survey(): read-only is not to reach what is mounted below a source, whatever the engine does.
    void keep_read_only_above() { reaches_below_ = false; }
    // Before survey(): how everything is given to the runs for which know() says nothing else.
    void use(DataMode mode) { mode_ = mode; }
    // A new volume where the subject has nothing of the image's: its root belongs to root and this group, and
    // has this mode. As the engine makes it by default.
    struct NewRoot {
        std::uint32_t group = 0, mode = 0755;
    };
    void make_new_volumes(NewRoot root) { new_roots_[""] = root; }
    // Of each container of a system.
    void make_new_volumes(std::map<std::string, NewRoot> by_container) {
        new_roots_ = std::move(by_container);
    }
    // What is to be a tmpfs of `plan.writable` is mounted by prepare() as well, since the runtime gives a
    // tmpfs of the container's own the mode that the image has there (runc, libcontainer/rootfs_linux.go), as
    // a kubelet does not.
    bool makes_tmpfs() const { return !new_roots_.empty(); }
    // Before survey(): how the mount with `known.mount.target` is given to the runs (copy, made, given),
    // where that is not to be found out.
    void know(DataMount known) { known_.insert_or_assign(known.mount.target, std::move(known)); }
    // Looks at every mount's source. ErrorKind::usage names a bind source that does not exist and may not be
    // made up. `written_elsewhere` (see source_key): sources that somebody beside the subject writes to.
    engine::Task<> survey(std::vector<Mount> mounts, std::vector<Fixture> fixtures = {},
                          std::set<std::string> written_elsewhere = {});
    const std::vector<DataMount>& mounts() const { return mounts_; }
    // What is at `path` of the subject before any run, in a mount's source or in the image, which must not be
    // given by another plane. Symlinks are not followed.
    engine::Task<verdict::PathFacts> look(std::string path);
    // Before prepare(): what containers get in place of the engine's sockets.
    void put_in(StandIn stand_in) { stand_in_ = std::move(stand_in); }
    // After survey(): of the mounts'.
    const BoundVolumes& bound_volumes() const { return bound_volumes_; }
    // After survey(): the mount of data with that source, if the runs have a layer or a copy of it; and one
    // whose data those of that source overlap otherwise.
    const DataMount* with_source(const SourceFacts& facts) const;
    const DataMount* overlapping(const SourceFacts& facts) const;
    // After survey() of both: files that have a name (a hard link) in a source of either, as pairs of the
    // paths that they have here and there. Each pair of mounts once.
    engine::Task<std::vector<std::pair<std::string, std::string>>> linked_with(const DataPlane& other);
    // Another mount has its data, or a part of them, or more.
    bool is_shared(const std::string& target) const;
    // After a control run: what it did to the data that the runs must be given in another way. True: it has
    // to be made again, and so has every run before it; notes() says why. `places`: where the subject has
    // what this plane has at another path, as pairs of these.
    bool learn_from(const RunRecord& control,
                    const std::vector<std::pair<std::string, std::string>>& places = {});
    // Before survey(): of which image each container is, where the mounts are those of several, by their
    // places (place.hpp). The first mount is "/" then, which is nobody's.
    void know_images(std::map<std::string, std::string> by_container) { images_ = std::move(by_container); }
    // Before survey(): others than the subject may serve the sockets in what is mounted writable.
    void is_of_services() { of_services_ = true; }
    // What the user has to know of them.
    const std::vector<std::string>& notes() const { return notes_; }
    // Targets in whose source directories can be made for a run.
    std::set<std::string> can_make_mount_points() const;
    // Mount points that new volumes of runs were given, by target, relative to it: below a read-only mount
    // the engine makes none.
    const std::map<std::string, std::set<std::string>>& made_in_new_volumes() const {
        return made_in_new_volumes_;
    }
    // "overlay", "copy+overlay", "copy", "live", "none": what the result says.
    std::string mode() const;

    // Whether another plane gives what is at `path` of the subject.
    bool is_given(const std::string& path) const { return mounts_[mount_of(path)].how == DataSource::given; }
    // Whether a run of `plan` has the mount in a directory of its own, which part_of() can give parts of.
    bool is_in_folder(const RunPlan& plan, const std::string& target) const {
        return is_in_folder(plan, mounts_[mount_of(target)]);
    }

    // Makes the volumes of run `run` and says how they are mounted, in the order of mounts(); tmpfs and "/"
    // are left out, and what is to be a volume of `plan.writable` follows.
    // `given`: of the mounts that another plane makes, by target, and what is writable below them.
    engine::Task<std::vector<engine::MountSpec>> prepare(RunPlan plan,
                                                         std::map<std::string, engine::MountSpec> given = {});
    // A directory or file inside of what run `run` has at `target` (copy, made), for a mount of its own; a
    // directory is made where there is nothing. ErrorKind::usage: a symbolic link is in the way, which could
    // lead anywhere on the engine's host.
    engine::Task<engine::MountSpec> part_of(int run, std::string target, std::string sub_path);
    // Where a container that has ended has a mount.
    struct SeenIn {
        std::string container, path;
    };
    // After a run whose plan leaves its data, with all its containers ended: what later runs need to begin
    // with them. `seen_in`: by target; what no container has had is left out. The volumes stay until the
    // session's sweep, and so must the container `subject`, if there is one.
    engine::Task<> keep(RunPlan plan, std::string subject, std::map<std::string, SeenIn> seen_in);
    // After run `plan`, whose container has ended and whose volumes are still there: which of these files of
    // the subject are, in the run's layer, as they are below it: bytes, modification time, mode and owner.
    // What has no layer, or was not opened for writing, is not among them.
    engine::Task<std::set<std::string>> unwritten(RunPlan plan, std::vector<std::string> paths);
    // After prepare(), for containers that end at different times: whoever is started later finds the layers
    // that it shares with one which has ended as they were. An engine unmounts a volume when nobody has it
    // any more, and whoever watches keeps the old mount of it: a second one of the same layers is refused
    // (fs/overlayfs: "upperdir is in-use").
    engine::Task<> hold_shared(RunPlan plan);
    // Removes the volumes of run `run`; its container must be gone.
    engine::Task<> release(int run);

  private:
    // What a run left, by mount.
    struct Left {
        std::string lower;  // what an overlay of it lies on; empty: it has to be copied
        SeenIn seen_in;     // copied: from there, in the helper
        TarFolder root;
    };
    struct LeftBehind {
        std::string subject;
        std::map<std::size_t, Left> mounts;
    };

    // Where the helper sees the file at `path` below the run's layer, and in it.
    std::optional<Scratch::Pair> layered(const RunPlan& plan, const std::string& path) const;
    void take_volume(DataMount& data, const engine::VolumeInfo& volume);
    engine::Task<> find_part(DataMount& data);
    engine::Task<> survey_source(DataMount& data, std::size_t index);
    // If it is not there yet.
    engine::Task<> make_scratch();
    engine::Task<> reach_single_files();
    engine::Task<> put_fixture(std::size_t index);
    // All of them, read-only; `in_folders`: with the folder in place of a file that archive calls do not
    // reach.
    std::vector<engine::MountSpec> source_mounts(bool in_folders = false) const;
    // Where the helper sees the data that runs begin with.
    std::string seen_by_helper(std::size_t index) const;
    engine::Task<std::string> read_account();
    engine::Task<std::string> account_of(std::string name, std::vector<std::string> words,
                                         std::vector<engine::MountSpec> mounts);
    engine::Task<> learn_of_sources();
    void find_shared();
    void share_volumes();
    std::optional<NewRoot> new_root(const std::string& path) const;
    bool is_written(std::size_t index) const;
    // The mount that has the data of this one, and which part of them this is.
    SharedData owner_of(std::size_t index) const;
    bool is_shared(std::size_t index) const;
    const std::string& real_source(const DataMount& data) const;
    void check_attributes(DataMount& data);
    void tell_of_live();
    struct LinkedName {
        std::size_t owner;  // of the data
        std::string path;   // as the subject sees it
    };
    std::map<std::string, std::vector<LinkedName>> linked_names() const;
    void doubt_linked_files();
    std::vector<LiveEntry> live_of(std::size_t index) const;
    engine::Task<> give_shared(int run, std::vector<std::pair<std::size_t, engine::MountSpec*>> shared);
    engine::Task<std::string> held(int run, std::string volume);
    void give_live(const RunPlan& plan, std::vector<engine::MountSpec>& specs) const;
    engine::Task<> try_overlays(const std::vector<std::size_t>& overlays, bool* all_work);
    engine::Task<> forget_overlays(const std::vector<std::size_t>& overlays);
    void take_submount(std::size_t index, const Submount& submount, std::size_t how_many, bool follows);
    engine::Task<SourceRoot> root_of_source(const DataMount& data, std::size_t index);
    engine::Task<> check_overlays();
    engine::Task<std::string> read_tree(std::size_t index);
    engine::Task<> make_plain_folders(int run);
    engine::Task<> fill(int run, std::size_t index);
    engine::Task<> make_folders(const RunPlan& plan);
    engine::Task<> find_missing_mount_points();
    engine::Task<> source_for(const RunPlan& plan, std::size_t index, engine::MountSpec* made_so);
    engine::Task<> source_left(const RunPlan& plan, std::size_t index, engine::MountSpec* made_so);
    engine::Task<engine::MountSpec> volume_for(const RunPlan& plan, const WritablePath& path,
                                               std::size_t number);
    engine::Task<engine::MountSpec> tmpfs_for(const RunPlan& plan, const WritablePath& path,
                                              std::size_t number);
    engine::Task<engine::MountSpec> writable_left(const RunPlan& plan, const WritablePath& path,
                                                  std::size_t number);
    engine::Task<> copy_into_folder(int run, std::size_t index, TarFolder root, SeenIn from);
    engine::Task<> hold_volumes(const RunPlan& plan, std::map<std::string, SeenIn>* seen_in);
    engine::Task<> keep_copy(const RunPlan& plan, std::size_t index, Left& left);
    engine::Task<> copy_left(const RunPlan& plan, std::size_t index, engine::MountSpec* made_so);
    engine::Task<> empty_claim(const RunPlan& plan, std::size_t index, engine::MountSpec* made_so);
    engine::Task<> make_mount_points(const RunPlan& plan, std::size_t index, engine::MountSpec volume);
    engine::Task<bool> can_be_overlaid(const RunPlan& plan, const std::string& volume);
    // In this run the mount is a new volume, whatever the user's holds.
    static bool starts_empty(const RunPlan& plan, const DataMount& data);
    // Later runs can begin with what a run leaves there.
    static bool is_kept(const DataMount& data);
    std::string volume_of_run(const RunPlan& plan, std::size_t index) const;
    // The run has it in a folder of the scratch volume.
    static bool is_in_folder(const RunPlan& plan, const DataMount& data);
    // The mount that `path` lies on; mounts() has "/" among them.
    std::size_t mount_of(const std::string& path) const;
    // Where a container of rogate's has what the subject has at `path`.
    engine::Task<SeenIn> seen_at(std::string path);
    std::string volume_name(int run, std::size_t index) const;
    std::string new_volume_name(int run, std::size_t index) const;
    std::string folder(int run, std::size_t index) const;
    // Of a mount that is in a folder of the run's: the directory or file that is mounted.
    std::string data_place(int run, std::size_t index) const;
    std::string writable_folder(int run, std::size_t number) const;

    engine::Client& client_;
    std::string session_;
    Scratch scratch_;
    DataMode mode_ = DataMode::overlay;
    std::map<std::string, NewRoot> new_roots_;  // by container; the subject's by ""
    StandIn stand_in_;
    BoundVolumes bound_volumes_;
    bool reaches_below_ = true, of_services_ = false;
    std::set<std::string> written_elsewhere_;
    std::map<std::string, DataMount> known_;
    std::map<std::string, std::string> images_;
    std::vector<DataMount> mounts_;
    std::vector<std::string> notes_;
    std::map<int, std::vector<std::string>> volumes_;
    std::set<std::string> tried_;  // volumes of the first run that are there already
    std::map<int, LeftBehind> left_;
    std::map<int, std::vector<std::string>> holders_;  // containers that keep volumes mounted for a run
    // Of owners: sockets and FIFOs that the application makes itself.
    std::set<std::pair<std::size_t, std::string>> made_by_subject_;
    std::optional<bool> new_volumes_can_be_overlaid_;
    std::map<std::string, std::set<std::string>> made_in_new_volumes_;
    int runs_with_folders_ = 0;  // runs below this one have the folders that every run has
    verdict::Facts facts_;       // of the paths that were looked at
};

}  // namespace rogate::campaign
