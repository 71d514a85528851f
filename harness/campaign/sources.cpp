#include "campaign/sources.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <sstream>

#include "base/text.hpp"
#include "observe/kernel_file_systems.h"

namespace rogate::campaign {

namespace {

bool says_read_only(const std::string& options) {
    return options == "ro" || options.starts_with("ro,");
}

std::optional<SourceRoot> root_of(const std::string& mode, std::istringstream& rest) {
    SourceRoot root;
    const auto read = std::from_chars(mode.data(), mode.data() + mode.size(), root.mode, 8);
    rest >> root.uid >> root.gid >> root.modified >> root.nanoseconds >> root.is_empty;
    if (read.ec != std::errc() || !rest) return std::nullopt;
    return root;
}

}  // namespace

std::vector<Submount> submounts_below(std::string_view directory, std::string_view mountinfo) {
    std::map<std::string, Submount> found;
    std::istringstream lines{std::string(mountinfo)};
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string id, parent, device, root, point, options, word, type, source, of_file_system;
        words >> id >> parent >> device >> root >> point >> options;
        while (words >> word && word != "-") {
        }
        words >> type >> source >> of_file_system;
        const std::string path = without_octal(point);
        if (!path.starts_with(directory) || path.size() <= directory.size() || path[directory.size()] != '/')
            continue;
        found[path] = {path, type, says_read_only(options) || says_read_only(of_file_system)};
    }
    std::vector<Submount> mounts;
    mounts.reserve(found.size());
    for (auto& [path, mount] : found) mounts.push_back(std::move(mount));
    return mounts;
}

std::optional<std::string_view> whole_account(std::string_view said) {
    static constexpr std::string_view last =
        "\nend\n";  // no other line is that, nor has a name a newline in it
    if (!said.ends_with(last)) return std::nullopt;
    return said.substr(0, said.size() - (last.size() - 1));
}

std::optional<std::vector<std::size_t>> unchanged_of(std::string_view said) {
    std::vector<std::size_t> places;
    std::istringstream lines{std::string(said)};
    for (std::string line; std::getline(lines, line);) {
        if (line == "end") return places;
        std::istringstream words(line);
        std::string same;
        std::size_t place = 0;
        if (!(words >> same >> place) || same != "same") return std::nullopt;
        places.push_back(place);
    }
    return std::nullopt;
}

std::map<std::string, SourceFacts> source_facts(std::string_view account) {
    std::map<std::string, SourceFacts> found;
    std::istringstream lines{std::string(account)};
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string first, second, third;
        words >> first >> second >> third;
        SourceFacts* of = nullptr;
        if (const auto known = found.find(without_octal(second)); known != found.end()) of = &known->second;
        if (first == "root" && of != nullptr) of->itself = root_of(third, words);
        if (first == "more" && of != nullptr) of->more_attributes = true;
        if (first == "deep" && of != nullptr) of->deep_attributes = without_octal(third);
        if (first == "cut" && of != nullptr) of->searched_in_part = true;
        if (std::string path; first == "link" && of != nullptr) {
            words >> path;
            of->links.emplace_back(without_octal(path), third);
        }
        if ((first == "socket" || first == "fifo") && of != nullptr)
            of->live.push_back({without_octal(third), first == "socket"});
        if (first.find_first_not_of("0123456789") != std::string::npos) continue;
        std::string root, point, options, word, type, source, of_file_system;
        words >> root >> point >> options;
        while (words >> word && word != "-") {
        }
        words >> type >> source >> of_file_system;
        if (of_file_system.empty()) continue;
        SourceFacts facts;
        facts.device = third;
        facts.root = without_octal(root);
        facts.type = type;
        facts.read_only = says_read_only(of_file_system);
        for (const char* flag : {"nosuid", "nodev", "noexec"})
            if (("," + options + ",").find(fmt::format(",{},", flag)) != std::string::npos)
                facts.flags += fmt::format(",{}", flag);
        found.insert_or_assign(without_octal(point), std::move(facts));
    }
    for (auto& [point, facts] : found) std::ranges::sort(facts.live);
    return found;
}

bool holds_data(std::string_view type) {
    return std::ranges::find(kernel_file_systems, type) == std::end(kernel_file_systems);
}

std::vector<std::optional<SharedData>> shared_data(const std::vector<DataPlace>& places) {
    std::vector<std::optional<SharedData>> shared(places.size());
    const auto part_of = [&](std::size_t inner, std::size_t outer) {
        const std::string& root = places[outer].root;
        return places[inner].root.substr(root == "/" ? 0 : root.size());
    };
    const auto lies_in = [&](std::size_t inner, std::size_t outer) {
        return places[inner].device == places[outer].device && places[inner].root != places[outer].root &&
               is_or_below(places[inner].root, places[outer].root);
    };
    const auto is_same = [&](std::size_t one, std::size_t other) {
        return !places[one].device.empty() && places[one].device == places[other].device &&
               places[one].root == places[other].root;
    };
    // Some mount of that source has its place in a mount of the other one.
    const auto is_in_place = [&](std::size_t inner, std::size_t outer) {
        for (std::size_t i = 0; i < places.size(); ++i)
            for (std::size_t o = 0; o < places.size(); ++o)
                if (is_same(i, inner) && is_same(o, outer) &&
                    places[i].target == places[o].target + part_of(inner, outer))
                    return true;
        return false;
    };
    for (std::size_t i = 0; i < places.size(); ++i) {
        if (places[i].device.empty()) continue;
        std::optional<std::size_t> outermost;
        for (std::size_t o = 0; o < places.size(); ++o)
            if (!places[o].device.empty() && lies_in(i, o) && !is_in_place(i, o) &&
                (!outermost || places[o].root.size() < places[*outermost].root.size()))
                outermost = o;
        if (outermost) {
            shared[i] = SharedData{*outermost, part_of(i, *outermost)};
            continue;
        }
        for (std::size_t o = 0; o < i && !shared[i]; ++o)
            if (is_same(i, o)) shared[i] = SharedData{o, {}};
    }
    // Each leads to one with data of its own: the roots get shorter, or the index does.
    for (std::optional<SharedData>& each : shared)
        while (each && shared[each->with])
            each = SharedData{shared[each->with]->with, shared[each->with]->part + each->part};
    return shared;
}

}  // namespace rogate::campaign
