// Which container of a run is which of the control run. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "wrap/create.hpp"

namespace rogate::wrap {

// A container of the control run.
struct Known {
    std::string key;  // short, of one container only, and good in a path: "web", "redis-2"
    std::string how;  // "by its Compose service web", for the result
    Asked asked;
    bool operator==(const Known&) const = default;
};

// The containers of the control run, in the order in which they were created.
class Roster {
  public:
    const Known& add(Asked asked);
    const std::vector<Known>& all() const { return known_; }
    // Of a container that the control run has started.
    void add_mounts(const std::string& key, std::vector<Mount> mounts) {
        mounts_.insert_or_assign(key, std::move(mounts));
    }
    const std::vector<Mount>* mounts(const std::string& key) const {
        const auto found = mounts_.find(key);
        return found == mounts_.end() ? nullptr : &found->second;
    }

  private:
    std::string free_key(std::string wanted) const;
    std::vector<Known> known_;
    std::map<std::string, std::vector<Mount>> mounts_;  // by key
};

// One later run: each container of the control run is found once.
class Roll {
  public:
    explicit Roll(const std::vector<Known>& known) : known_(known), taken_(known.size()) {}
    // Null: it was not there in the control run.
    //
    // By what is surest first: the Compose service (and its number); the name that the caller gave, with the
    // same image; image, command, environment and mounts; the same without the environment, which may hold
    // what is new each time. Of several that are alike, the order counts.
    const Known* find(const Asked& asked);
    // It was not created after all.
    void give_back(const Known* known) { taken_[static_cast<std::size_t>(known - known_.data())] = false; }

  private:
    template <class Alike>
    const Known* first(Alike alike);

    const std::vector<Known>& known_;
    std::vector<bool> taken_;
};

}  // namespace rogate::wrap
