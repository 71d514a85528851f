// A Docker engine in memory, behind the seam engine::Transport: HTTP in, replies out, no sockets. It speaks
// what campaigns and their clean-up speak (containers, execs, archives, images, volumes, networks), mounts
// what the engine would mount, and runs scripts in place of applications. It knows what exists on it, so that
// a test can ask what is left.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "engine/transport.hpp"
#include "rogate/attempt.hpp"
#include "support/fake_disk.hpp"
#include "support/fake_subject.hpp"

namespace rogate::test {

using Labels = std::map<std::string, std::string>;

// What goes wrong with one call.
enum class Fault {
    refused,        // 500, and nothing is done
    broken_before,  // the connection breaks off; nothing is done
    broken_after,   // it is done; the connection breaks off without a reply
    broken_within,  // it is done; the connection breaks off within the reply
    hangs,          // it is neither done nor replied to
    slow,           // it takes half a minute, and is not done for a client that has gone by then
    forgets,        // before it, the engine loses a container or volume of rogate's
    subject_dies,   // before it, the application is killed
    subject_ends    // before it, the application ends by itself with 0
};

// One connection of a client's.
struct Wire {
    explicit Wire(boost::asio::io_context& context) : wake(context) {}
    boost::asio::steady_timer wake;
    std::string received, sent;
    std::size_t taken = 0;  // of `sent`, by the client
    bool is_served = false, is_over = false, client_has_gone = false;
    std::optional<Fault> fault;
    std::function<void()> on_bytes;  // after an upgrade; `received` has them
};
using WirePtr = std::shared_ptr<Wire>;

struct Call {
    std::string method, path;        // without version and query
    std::vector<std::string> words;  // of the path
    std::map<std::string, std::string> query;
    std::string body;
    WirePtr wire;
    std::string name() const { return method + " " + path; }
};

struct FakeMount {
    std::string target, source = {};  // source: a path, or a volume's name
    bool is_volume = false, is_tmpfs = false, read_only = false;
};

struct FakeContainer {
    std::string id, name, image, status = "created", error, network;
    Labels labels;
    std::vector<std::string> command;
    std::vector<FakeMount> mounts;       // in order of target
    std::vector<std::string> anonymous;  // volumes that go with it
    bool read_only_root = false;
    int exit_code = 0, start = 0;  // start: counts them
    std::int64_t pid = 0;
    double started_at = 0, finished_at = 0;  // seconds of the engine's clock; 0: never
    std::vector<std::pair<double, std::string>> log;
    std::vector<std::function<void()>> at_end;  // whoever waits for that
    WirePtr attached;
    bool is_stopping = false;
    bool has_greeted = false;  // of an agent
    bool runs() const { return status == "running"; }
};

struct FakeVolume {
    std::string name;
    Labels options, labels;
};
struct FakeImage {
    std::string id = {};
    std::string created = {};
    std::set<std::string> tags = {};
    Labels labels = {};
    nlohmann::json config = nlohmann::json::object();
    std::optional<Script> script = {};  // absent: no container of it is an application
};
struct FakeNetwork {
    std::string id, name;
    Labels labels;
};

class FakeEngine {
  public:
    // What is random (how long a reply takes) comes from `seed`.
    explicit FakeEngine(boost::asio::io_context& context, std::uint64_t seed = 0);
    ~FakeEngine();
    FakeEngine(const FakeEngine&) = delete;
    FakeEngine& operator=(const FakeEngine&) = delete;
    std::unique_ptr<engine::Transport> transport();

    Disk disk;
    std::string api_version = "1.43";
    std::string default_runtime = "runc";
    bool mounts_overlays = true;
    std::set<std::string> overlay_options = {"redirect_dir", "index", "nfs_export"};  // that the kernel knows
    struct HostMount {
        std::string type = "ext4", device = "8:1";
        bool searched_in_part = false;  // it has more files than are looked at
    };
    std::map<std::string, HostMount> host_mounts;  // by path; everything else is on one file system
    std::chrono::milliseconds slowest{3};          // reply
    // Asked before each call, which is counted from 1.
    std::function<std::optional<Fault>(int number, const Call& call)> fault;

    FakeImage& add_image(const std::string& tag, Script script);
    void add_volume(const std::string& name);

    // Builds so far: what was asked, and the names in the context that was sent.
    struct Build {
        std::map<std::string, std::string> query;
        std::map<std::string, std::string> files;
    };
    std::vector<Build> builds;
    std::string build_error;  // every build says two lines and fails with it; empty: it makes an image

    // What is on it. Volumes and networks by name, containers and images by id.
    std::map<std::string, FakeContainer> containers;
    std::map<std::string, FakeVolume> volumes;
    std::map<std::string, FakeNetwork> networks;
    std::map<std::string, FakeImage> images;
    // "container NAME", "volume NAME", …: everything with that label, or that appeared without one.
    std::vector<std::string> left_of(const std::string& label) const;
    static std::string mountpoint(const std::string& volume);
    const std::vector<std::string>& calls() const { return calls_; }
    int calls_with(const std::string& part) const;
    // Calls for which the client still waits.
    std::size_t open_wires() const;

    // What is at `path` of a container.
    Place place(const FakeContainer& container, const std::string& path) const;
    // The mount that it lies on; "/" if it is none.
    std::string mount_of(const FakeContainer& container, const std::string& path) const;
    FakeContainer* find(const std::string& name_or_id);

    // The agent of an observer (/rogate-observer), in bytes as frame() makes them: what it says when it
    // starts, and what to each line that it is sent; nothing: it ends. Absent: none can be started.
    struct Agent {
        std::string greeting;
        std::function<std::optional<std::string>(const std::string& line)> answer;
    };
    std::optional<Agent> agent;

    Truth truth;
    // Who watches: told of what applications do, with everything but the phase.
    std::function<void(const std::string& container, const Attempt& attempt)> on_attempt;
    std::function<void(const std::string& container, const std::string& mount)> on_use;

    // Of the wire.
    void serve(const WirePtr& wire);
    boost::asio::io_context& context() { return context_; }

  private:
    struct Exec {
        std::string id, container, word = {};
        bool running = false;
        int exit_code = 0;
        std::int64_t pid = 0;
        WirePtr wire = {};
    };
    using Done = std::function<void(std::optional<int> ended)>;

    void after(std::chrono::milliseconds time, std::function<void()> what);
    void receive(Call call);
    void handle(Call& call);
    void apply(Fault fault);
    void send(const WirePtr& wire, std::string text, bool over = true);
    void reply(const Call& call, int status, const nlohmann::json& body, const std::string& headers = {});
    void reply_raw(const Call& call, int status, const std::string& body, const std::string& headers = {});
    void refuse(const Call& call, int status, const std::string& message);
    void upgrade(const Call& call);

    void on_container(Call& call);
    void create_container(const Call& call);
    void start_container(const Call& call, FakeContainer& container);
    void remove_container(const Call& call, FakeContainer& container);
    void stop_container(const Call& call, FakeContainer& container);
    void kill_container(const Call& call, FakeContainer& container);
    void inspect_container(const Call& call, const FakeContainer& container);
    void wait_for(const Call& call, FakeContainer& container);
    void send_log(const Call& call, const FakeContainer& container);
    void attach(const Call& call, FakeContainer& container);
    void on_exec(Call& call);
    void start_exec(const Call& call, Exec& exec);
    void on_archive(const Call& call, FakeContainer& container);
    void on_image(Call& call);
    void on_build(const Call& call);
    void on_volume(Call& call);
    void on_network(Call& call);
    void list_containers(const Call& call);
    void list_images(const Call& call);

    // Empty: it is mounted.
    std::string why_not_mounted(const FakeContainer& container) const;
    std::string make_mount_points(FakeContainer& container);
    static bool is_bound(const FakeVolume& volume);
    Place place_of_volume(const FakeVolume& volume) const;
    Place place_on_host(const std::string& path) const;
    Place place_of(const FakeMount& mount) const;
    void fill_from_image(const FakeContainer& container, const FakeMount& mount);
    const FakeImage* image_named(const std::string& reference) const;
    const HostMount& host_mount_of(const std::string& path, std::string* at) const;

    void end_container(const std::string& id, int exit_code);
    void tell_to_end(FakeContainer& container);
    void perform(std::string container, int start, std::vector<Act> acts, Done done);
    bool is_refused(FakeContainer& container, const Act& act);
    void wrote(const FakeContainer& container, const Act& act);
    void note(const FakeContainer& container, const Act& act, const char* operation, int error);
    const Script& script_of(const FakeContainer& container) const;
    void run_reader(FakeContainer& container);
    void run_agent(FakeContainer& container);
    std::string account_of_sources(const FakeContainer& container) const;
    std::string copy_in(const FakeContainer& container);
    double seconds() const;
    std::string new_id();
    void forget_something();
    void end_subject(int exit_code);

    boost::asio::io_context& context_;
    std::mt19937_64 random_;
    std::vector<std::string> calls_;
    std::vector<std::weak_ptr<Wire>> wires_;
    std::map<std::string, Exec> execs_;
    int last_id_ = 0;
};

std::string frame(char channel, const std::string& bytes);
bool is_mounted_at(const std::string& path, const std::string& target);

}  // namespace rogate::test
