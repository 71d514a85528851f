// What runs in the fake engine's containers: applications, which follow their script, and rogate's own
// programs.
#include "support/fake_subject.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <rogate/labels.hpp>
#include <rogate/place.hpp>

#include "support/fake_engine.hpp"

namespace rogate::test {

namespace {

// By the name of its container, "rogate-SESSION-runN-NAME"; of a pod's there is a '_' in place of the '/'.
std::string placed(const FakeContainer& container, const std::string& path) {
    const std::size_t run = container.name.find("-run");
    const std::size_t name = run == std::string::npos ? run : container.name.find('-', run + 1);
    if (name == std::string::npos) return path;
    std::string own = container.name.substr(name + 1);
    std::ranges::replace(own, '_', '/');
    return place_in(own, path);
}

}  // namespace

const Script& FakeEngine::script_of(const FakeContainer& container) const {
    static const Script nothing;
    const FakeImage* image = image_named(container.image);
    return image == nullptr || !image->script ? nothing : *image->script;
}

void FakeEngine::perform(std::string container, int start, std::vector<Act> acts, Done done) {
    if (acts.empty())
        return after(std::chrono::milliseconds(1),
                     [this, id = std::move(container), start, done = std::move(done)] {
                         const FakeContainer* still = find(id);
                         if (still != nullptr && still->runs() && still->start == start) done(std::nullopt);
                     });
    const auto time = acts.front().after;
    after(time,
          [this, id = std::move(container), start, acts = std::move(acts), done = std::move(done)]() mutable {
              FakeContainer* still = find(id);
              if (still == nullptr || !still->runs() || still->start != start) return;
              const Act act = acts.front();
              acts.erase(acts.begin());
              const bool refused = is_refused(*still, act);
              if (refused && act.refused == Act::Refused::end) return done(act.number);
              if (refused && act.refused == Act::Refused::skip) {
                  const auto most = std::min(acts.size(), static_cast<std::size_t>(act.number));
                  for (std::size_t i = 0; i < most; ++i)
                      if (acts[i].kind == Act::Kind::write)
                          truth.left_out.push_back({placed(*still, act.path), placed(*still, acts[i].path)});
                  acts.erase(acts.begin(), acts.begin() + static_cast<std::ptrdiff_t>(most));
              }
              perform(std::move(id), start, std::move(acts), std::move(done));
          });
}

void FakeEngine::note(const FakeContainer& container, const Act& act, const char* operation, int error) {
    if (!on_attempt) return;
    Attempt attempt;
    attempt.mount = mount_of(container, act.path);
    attempt.operation = operation;
    attempt.path = act.path;
    attempt.syscall = act.kind == Act::Kind::ask ? "faccessat" : "openat";
    attempt.error = error;
    attempt.cls = act.kind == Act::Kind::ask ? AttemptClass::access_check : AttemptClass::write;
    attempt.process = {.pid = static_cast<std::uint32_t>(container.pid), .comm = "app", .exe = "/app"};
    attempt.first_s = seconds() - container.started_at;
    on_attempt(container.id, attempt);
}

void FakeEngine::wrote(const FakeContainer& container, const Act& act) {
    const auto run = container.labels.find("io.rogate.run");
    truth.written.push_back(
        {run == container.labels.end() ? 0 : std::stoi(run->second), placed(container, act.path)});
}

bool FakeEngine::is_refused(FakeContainer& container, const Act& act) {
    const Place at = place(container, act.path);
    const Node* there = disk.look(at);
    const int refusal = at.read_only ? EROFS : 0;
    switch (act.kind) {
        case Act::Kind::read:
            if (there != nullptr && on_use) on_use(container.id, mount_of(container, act.path));
            return false;
        case Act::Kind::need:
            if (there != nullptr && on_use) on_use(container.id, mount_of(container, act.path));
            return there == nullptr;
        case Act::Kind::say:
            container.log.emplace_back(seconds(), act.path);
            return false;
        case Act::Kind::look:
            return at.read_only;
        case Act::Kind::ask:
            note(container, act, "access", refusal);
            return at.read_only;
        case Act::Kind::mkdir:
            // fs/namei.c, filename_create(): EROFS is returned after the lookup, so EEXIST wins.
            if (there == nullptr) wrote(container, act);
            note(container, act, "mkdir", there != nullptr ? EEXIST : refusal);
            if (there == nullptr && !at.read_only) disk.write(at, folder());
            return there == nullptr && at.read_only;
        case Act::Kind::unlink:
            if (there == nullptr) return false;
            wrote(container, act);
            note(container, act, "unlink", refusal);
            if (!at.read_only) disk.unlink(at);
            return at.read_only;
        case Act::Kind::bind:
            wrote(container, act);
            note(container, act, "bind", refusal);
            if (!at.read_only) disk.write(at, {.kind = Node::Kind::socket});
            return at.read_only;
        case Act::Kind::write:
            wrote(container, act);
            note(container, act, there == nullptr ? "create" : "open-write", refusal);
            if (!at.read_only) disk.write(at, file("written by " + container.name));
            return at.read_only;
    }
    return false;
}

void FakeEngine::end_subject(int exit_code) {
    for (auto& [id, container] : containers)
        if (container.runs() && container.labels[role_label] == "subject")
            return end_container(id, exit_code);
}

// An engine keeps the volumes that a container has.
void FakeEngine::forget_something() {
    std::vector<std::string> ids;
    for (const auto& [id, container] : containers)
        if (container.labels.contains(session_label)) ids.push_back(id);
    for (const auto& [name, volume] : volumes)
        if (volume.labels.contains(session_label) &&
            std::ranges::none_of(containers, [&, own = name](const auto& each) {
                return std::ranges::any_of(each.second.mounts, [&](const FakeMount& mount) {
                    return mount.is_volume && mount.source == own;
                });
            }))
            ids.push_back(name);
    if (ids.empty()) return;
    const std::string id = ids[random_() % ids.size()];
    if (volumes.erase(id) > 0) {
        disk.remove(mountpoint(id));
        return;
    }
    end_container(id, 137);
    for (const std::string& volume : containers.at(id).anonymous) volumes.erase(volume);
    containers.erase(id);
}

// Says hello, and answers line by line.
void FakeEngine::run_agent(FakeContainer& container) {
    const std::string id = container.id;
    const auto say = [this, id](std::optional<std::string> said) {
        after(std::chrono::milliseconds(2), [this, id, said = std::move(said)] {
            const FakeContainer* still = find(id);
            if (still == nullptr || !still->runs()) return;
            if (!said) return end_container(id, 1);
            if (still->attached && !said->empty()) send(still->attached, *said, false);
        });
    };
    if (!container.has_greeted) {
        container.has_greeted = true;
        say(agent->greeting);
    }
    if (!container.attached) return;
    std::string& received = container.attached->received;
    for (std::size_t end = 0; (end = received.find('\n')) != std::string::npos;) {
        const std::string line = received.substr(0, end);
        received.erase(0, end + 1);
        say(agent->answer(line));
    }
}

// A program of rogate's: it answers when it has read a line, and ends.
void FakeEngine::run_reader(FakeContainer& container) {
    if (agent && container.command[0] == "/rogate-observer") return run_agent(container);
    if (container.command.size() < 2 || !container.attached || container.attached->received.empty()) return;
    const std::string said =
        container.command[1] == "sources" ? account_of_sources(container) : copy_in(container);
    const std::string id = container.id;
    after(std::chrono::milliseconds(2), [this, id, said] {
        FakeContainer* still = find(id);
        if (still == nullptr || !still->runs()) return;
        if (still->attached) send(still->attached, frame(1, said), false);
        end_container(id, 0);
    });
}

namespace {

std::uint32_t mode_of(const Node& node) {
    switch (node.kind) {
        case Node::Kind::folder:
            return S_IFDIR | node.mode;
        case Node::Kind::socket:
            return S_IFSOCK | node.mode;
        case Node::Kind::fifo:
            return S_IFIFO | node.mode;
        default:
            return S_IFREG | node.mode;
    }
}

}  // namespace

// observe/show_sources.h
std::string FakeEngine::account_of_sources(const FakeContainer& container) const {
    std::string lines, facts;
    int number = 30;
    const auto line = [&](const std::string& point, const std::string& source, bool read_only) {
        std::string at;
        const HostMount& host = host_mount_of(source, &at);
        std::string root = source.substr(at.size());
        lines += fmt::format("{} 1 {} {} {} {},relatime - {} dev rw\n", number++, host.device,
                             root.empty() ? "/" : root, point, read_only ? "ro" : "rw", host.type);
        if (host.searched_in_part) facts += fmt::format("cut {}\n", point);
    };
    for (const FakeMount& mount : container.mounts) {
        if (mount.is_tmpfs) continue;
        const auto volume = mount.is_volume ? volumes.find(mount.source) : volumes.end();
        const bool bound = volume != volumes.end() && is_bound(volume->second);
        const std::string source = bound             ? volume->second.options.at("device")
                                   : mount.is_volume ? mountpoint(mount.source)
                                                     : mount.source;
        line(mount.target, source, mount.read_only);
        if (!mount.is_volume)
            for (const auto& [path, host] : host_mounts)
                if (path.starts_with(source + "/"))
                    line(mount.target + path.substr(source.size()), path, false);
        const auto all = disk.below(place_of(mount));
        for (const auto& [path, node] : all) {
            if (path.empty())
                facts += fmt::format("root {} {:o} {} {} {} 0 {}\n", mount.target, mode_of(node), node.uid,
                                     node.gid, node.modified,
                                     node.kind == Node::Kind::folder && all.size() == 1 ? 1 : 0);
            if (node.has_attributes && path.empty()) facts += fmt::format("more {}\n", mount.target);
            if (!node.linked.empty())
                facts += fmt::format("link {} {} {}\n", mount.target, node.linked,
                                     path.substr(path.empty() ? 0 : 1));
            if (node.kind == Node::Kind::socket && !path.empty())
                facts += fmt::format("socket {} {}\n", mount.target, path.substr(1));
        }
    }
    return lines + facts + "end\n";
}

// observe/copy_tree.h
std::string FakeEngine::copy_in(const FakeContainer& container) {
    const auto& words = container.command;
    const std::size_t first = words[1] == "copy" ? 3 : 2;
    for (std::size_t i = first; i + 1 < words.size(); i += 2) {
        const Place from = place(container, words[i]), to = place(container, words[i + 1]);
        if (to.read_only) return words[i + 1] + ": Read-only file system\n";
        for (auto& [path, node] : disk.below(from)) {
            if (words[1] == "like" && !path.empty()) continue;
            if (node.kind != Node::Kind::socket) disk.write(to.inside(path), std::move(node));
        }
    }
    return "end\n";
}

}  // namespace rogate::test
