#include "campaign/members.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace rogate::campaign {

namespace {

// Of a control run. What has not settled by then has a fault of its own.
constexpr int most_restarts = 10;
// How many more than in the control run are a matter of chance: who was slower to start this time.
constexpr int more_by_chance = 3;

}  // namespace

std::string quoted(const std::string& member) {
    return fmt::format("{} '{}'", member.find('/') == std::string::npos ? "service" : "container", member);
}

const Member* find_member(const std::vector<Member>& members, const std::string& name) {
    const auto found = std::ranges::find(members, name, &Member::name);
    return found == members.end() ? nullptr : &*found;
}

std::vector<std::vector<std::string>> in_order_of_ending(const std::vector<Member>& members) {
    std::map<std::string, std::size_t> group;
    std::vector<std::vector<std::string>> groups;
    // Each is behind those that it waits for.
    for (auto member = members.rbegin(); member != members.rend(); ++member) {
        const std::size_t own = group[member->name];
        if (groups.size() <= own) groups.resize(own + 1);
        groups[own].push_back(member->name);
        for (const Dependency& other : member->after)
            group[other.service] = std::max(group[other.service], own + 1);
        if (const std::string owner = network_owner(members, *member); !owner.empty())
            group[owner] = std::max(group[owner], own + 1);
    }
    std::erase_if(groups, [](const auto& each) { return each.empty(); });
    return groups;
}

std::string network_owner(const std::vector<Member>& members, const Member& member) {
    std::string owner;
    const Member* each = &member;
    for (std::size_t i = 0; i <= members.size() && each != nullptr; ++i) {
        if (!each->subject.network_mode.starts_with("service:")) break;
        owner = each->subject.network_mode.substr(8);
        each = find_member(members, owner);
    }
    return owner;
}

bool is_required(const std::vector<Member>& members, const std::string& name) {
    return std::ranges::any_of(members, [&](const Member& member) {
        return std::ranges::any_of(
            member.after, [&](const Dependency& each) { return each.service == name && each.required; });
    });
}

bool is_started_again(const RestartPolicy& policy, int exit_code, int restarts,
                      const ContainerRecord* control) {
    if (policy.name.empty() || policy.name == "no") return false;
    if (policy.name == "on-failure" && (exit_code == 0 || (policy.tries > 0 && restarts >= policy.tries)))
        return false;
    if (control == nullptr) return restarts < most_restarts;
    if (control->restarts == 0) return false;
    // One that never settled there is not judged either.
    return control->trouble.empty() ? restarts < control->restarts + more_by_chance
                                    : restarts < control->restarts;
}

}  // namespace rogate::campaign
