// Frames of one run -> its Recording: mounts, operations, classes and phases by their names. Pure.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "observe/decoder.hpp"
#include "observe/observer.hpp"

namespace rogate::observe {

// The target among `targets` that a mount point belongs to: the longest that it is or lies below. Empty for
// /proc, /sys and /dev unless one of the targets is there: what the engine mounts there is no mount of the
// user's.
std::string target_of(const std::string& mount_point, const std::vector<std::string>& targets);

// "create", "open-write", "truncate", "unlink", …; see Attempt::operation.
std::string operation_of(const AttemptEvent& event);

class Recorder {
  public:
    // Of what one run's recording holds; what comes beyond counts as lost.
    struct Limits {
        std::size_t kinds = 200'000;
        std::size_t text_bytes = 64U << 20U;
    };

    Recorder() = default;
    Recorder(std::vector<std::string> targets, std::vector<std::string> phases)
        : targets_(std::move(targets)), phases_(std::move(phases)) {}
    Recorder(std::vector<std::string> targets, std::vector<std::string> phases, Limits limits)
        : limits_(limits), targets_(std::move(targets)), phases_(std::move(phases)) {}

    // There are no other mounts than the targets, these below them, and the engine's own: what is refused on
    // one that the subject has made is doubted.
    void know_all(std::set<std::string> below) { below_ = std::move(below); }
    // The number that the next phase has in the stream.
    std::uint32_t add_phase(std::string name);
    void own_processes(const std::vector<std::int64_t>& pids);
    void take(AttemptEvent event);
    void take(const CountEvent& event);
    void take(const UseEvent& event);
    void take(const ReadEvent& event);
    void take(const StatsEvent& event) { lost_ = event.lost; }
    void take(const CapabilityEvent& event);
    void take(const ChecksEvent& event);
    void take(const RootEvent& event);
    void take(DoubtEvent event);
    // Where the runtime has put a mount, whose target leads through a symlink of the image's.
    void take(const TargetEvent& event) { places_[event.target] = event.point; }

    // Events that agree in all but the process' number are one attempt.
    Recording finish();

  private:
    using Opener = std::tuple<std::string, std::string, std::string, std::string, std::string>;
    Opener opener_of(const AttemptEvent& event) const;
    std::set<Opener> readers() const;
    std::string phase_of(const AttemptEvent& event) const;
    std::string phase_of(std::uint32_t phase, std::uint32_t root) const;
    std::optional<CapabilityChecks> checks() const;
    bool is_refused_on_unknown(const AttemptEvent& event, const Word& target) const;
    std::uint64_t count_of(const AttemptEvent& event) const;
    std::string as_asked_for(std::string path) const;
    std::string problem_of(const AttemptEvent& event, const std::string& target) const;
    std::optional<std::map<std::string, std::uint64_t>> read_back() const;
    bool was_anything_left(const std::string& mount) const;

    Limits limits_;
    std::vector<std::string> targets_, phases_;
    std::optional<std::set<std::string>> below_;
    std::vector<AttemptEvent> events_;
    std::map<std::uint64_t, std::uint64_t> counts_;
    std::map<std::string, std::string> places_;  // by target, where it is another place
    std::set<std::uint64_t> changed_;  // attempts whose file has been changed before it was looked at
    std::string doubt_;                // the first one that the agent has told
    std::map<std::string, std::uint64_t> uses_;
    struct Reads {
        std::uint64_t files = 0, directories = 0;
    };
    std::map<std::string, Reads> reads_of_start_;  // by mount point, since it was first started anew
    std::vector<CapabilityEvent> checks_;
    std::optional<ChecksEvent> checks_end_;
    std::set<std::uint32_t> first_processes_;
    std::set<std::int64_t> own_;
    std::uint64_t lost_ = 0;     // as the agent says
    std::uint64_t dropped_ = 0;  // here
    std::size_t text_bytes_ = 0;
    std::optional<std::uint64_t> started_;    // when the container's first process ran its program
    std::optional<std::uint64_t> restarted_;  // when that of the last start did, if it is another one
};

}  // namespace rogate::observe
