#include "change/compare.hpp"

#include <map>
#include <set>
#include <tuple>

#include "audit/merged.hpp"

namespace rogate::change {

namespace {

using Key = std::tuple<std::string, std::string, std::string, std::string, std::string>;

Key key_of(const audit::Found& found, const std::string& file) {
    return {file, found.kind, found.name, found.container, found.mount.target};
}

}  // namespace

std::vector<Change> made_read_only(const audit::Audit& before, const audit::Audit& now) {
    std::set<std::string> files;
    for (const audit::Found& found : now.mounts) files.insert(found.mount.declared.file);
    std::map<Key, std::vector<bool>> earlier;  // whether each was read-only
    for (const audit::Found& found : before.mounts) {
        const std::string& file = found.mount.declared.file;
        earlier[key_of(found, files.contains(file) ? file : "")].push_back(found.mount.read_only);
    }
    const audit::MergedOver merged(before.mounts);
    std::map<Key, std::size_t> turns;
    std::vector<Change> changes;
    for (const audit::Found& found : now.mounts) {
        const SourcePlace& declared = found.mount.declared;
        Key key = key_of(found, declared.file);
        const std::size_t turn = turns[key]++;
        auto there = earlier.find(key);
        if (there == earlier.end()) there = earlier.find(key_of(found, ""));
        if (!found.mount.read_only) continue;
        if (there == earlier.end()) {
            // New in this file, which may be merged over another one.
            const audit::Found* base = merged.base_of(found);
            if (base == nullptr || base->mount.read_only) continue;
            changes.push_back({found.kind,
                               found.name,
                               found.container,
                               found.mount.target,
                               declared,
                               {},
                               base->mount.declared.file});
            continue;
        }
        const std::vector<bool>& read_only = there->second;
        if (read_only[turn < read_only.size() ? turn : read_only.size() - 1]) continue;
        changes.push_back({found.kind, found.name, found.container, found.mount.target, declared, {}, {}});
    }
    return changes;
}

}  // namespace rogate::change
