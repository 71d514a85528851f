// What a seed stands for. Whoever adds something that is chosen here changes what all seeds stand for.
#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "support/simulated_campaign.hpp"

namespace rogate::test {

namespace {

class Dice {
  public:
    explicit Dice(std::uint64_t seed) : random_(seed * 2'654'435'761U + 1) {}
    int upto(int most) { return static_cast<int>(random_() % static_cast<std::uint64_t>(most + 1)); }
    bool chance(int percent) { return upto(99) < percent; }
    template <class T>
    const T& one_of(const std::vector<T>& all) {
        return all[static_cast<std::size_t>(upto(static_cast<int>(all.size()) - 1))];
    }

  private:
    std::mt19937_64 random_;
};

ExecAction does(const std::string& word) {
    ExecAction action;
    action.command = {"do", word};
    return action;
}

class Maker {
  public:
    explicit Maker(std::uint64_t seed) : dice_(seed) { made_.seed = seed; }

    Simulation make() {
        scene();
        mounts();
        subject();
        engine();
        trouble();
        return std::move(made_);
    }

  private:
    void scene() {
        Scenario& scenario = made_.scenario;
        scenario.name = fmt::format("seed {}", made_.seed);
        scenario.file = "seed.yaml";
        scenario.subject.image = "app:1";
        scenario.shutdown.timeout_ms = 2000;
        scenario.readiness.timeout_ms = 5000;
        made_.repeat = dice_.chance(15) ? 2 : 1;
        if (dice_.chance(15)) scenario.data = DataMode::copy;
        if (dice_.chance(15))
            scenario.states = dice_.one_of<std::vector<DataState>>({{DataState::fresh},
                                                                    {DataState::current, DataState::used},
                                                                    {DataState::restart},
                                                                    {DataState::current, DataState::crash}});
    }

    std::string user_folder(int number) {
        std::string path = fmt::format("/srv/{}", number);
        made_.user_data[path] = folder(0755, 33, 33);
        made_.user_data[path + "/a"] = file("a of the user's");
        made_.user_data[path + "/sub"] = folder();
        made_.user_data[path + "/sub/b"] = file("b of the user's");
        if (dice_.chance(8)) made_.user_data[path].has_attributes = true;
        if (dice_.chance(10)) made_.user_data[path + "/live.sock"] = {.kind = Node::Kind::socket};
        return path;
    }

    void mounts() {
        const int count = 1 + dice_.upto(3);
        std::vector<std::string> folders;  // of the user's, that are mounted
        for (int i = 0; i < count; ++i) {
            Mount mount;
            mount.target = fmt::format("/m{}", i);
            if (i > 0 && dice_.chance(12)) mount.target = made_.scenario.subject.mounts[0].target + "/inner";
            mount.read_only = dice_.chance(8);
            switch (dice_.upto(7)) {
                case 0:
                    mount.source = fmt::format("/srv/{}.conf", i);
                    made_.user_data[mount.source] = file("conf of the user's");
                    if (mount.target.ends_with("/inner")) mount.target = fmt::format("/m{}", i);
                    mount.target += ".conf";
                    break;
                case 1:
                    mount.type = MountType::volume;
                    mount.source = fmt::format("vol{}", i);
                    made_.user_volumes.push_back(mount.source);
                    break;
                case 2:
                    mount.type = MountType::volume;
                    mount.source = fmt::format("new{}", i);
                    break;
                case 3:
                    mount.type = dice_.chance(50) ? MountType::anonymous : MountType::tmpfs;
                    break;
                case 4:
                    mount.source =
                        folders.empty() ? user_folder(i) : folders.front() + (dice_.chance(50) ? "/sub" : "");
                    break;
                default:
                    mount.source = user_folder(i);
                    folders.push_back(mount.source);
            }
            if (std::ranges::find(made_.scenario.subject.mounts, mount.target, &Mount::target) ==
                made_.scenario.subject.mounts.end())
                made_.scenario.subject.mounts.push_back(std::move(mount));
        }
        if (dice_.chance(15)) {
            made_.scenario.candidates.emplace();
            for (const Mount& mount : made_.scenario.subject.mounts)
                if (dice_.chance(70)) made_.scenario.candidates->push_back(mount.target);
            if (dice_.chance(30)) made_.scenario.candidates->push_back("/");
        }
    }

    std::string in(const std::string& target, const char* name) {
        return target.ends_with(".conf") ? target : (target == "/" ? "" : target) + "/" + name;
    }

    // What is done on one mount.
    void act_on(const std::string& target, std::vector<Act>& acts) {
        const auto add = [&](Act act) {
            act.after = std::chrono::milliseconds(dice_.upto(dice_.chance(10) ? 400 : 5));
            acts.push_back(std::move(act));
        };
        const auto refused = [&] {
            const int which = dice_.upto(9);
            return which < 5 ? Act::Refused::go_on : which < 8 ? Act::Refused::end : Act::Refused::skip;
        };
        const int what = dice_.upto(11);
        if (what > 1) add({.kind = Act::Kind::read, .path = in(target, "a")});
        if (what == 6 || what == 7)
            add({.kind = Act::Kind::write, .path = in(target, "a"), .refused = refused()});
        if (what == 8) add({.kind = Act::Kind::write, .path = in(target, "tmp/new"), .refused = refused()});
        if (what == 9 && !target.ends_with(".conf"))
            add({.kind = dice_.chance(50) ? Act::Kind::mkdir : Act::Kind::unlink,
                 .path = in(target, "sub/b"),
                 .refused = refused()});
        if (what == 10 || what == 11) {
            // It finds out that it must not write there, and leaves out what it does elsewhere.
            add({.kind = what == 10 ? Act::Kind::ask : Act::Kind::look,
                 .path = in(target, "a"),
                 .refused = Act::Refused::skip});
            std::vector<std::string> writable{"/"};
            for (const Mount& mount : made_.scenario.subject.mounts)
                if (!mount.read_only && !mount.target.ends_with(".conf")) writable.push_back(mount.target);
            // By another name each time: a write that is made at another time all the same is not left out.
            const std::string name = fmt::format("elsewhere{}", elsewhere_++);
            add({.kind = Act::Kind::write, .path = in(dice_.one_of(writable), name.c_str())});
        }
        if (what == 5 && dice_.chance(30) && !target.ends_with(".conf"))
            add({.kind = Act::Kind::bind, .path = in(target, "live.sock")});
    }

    void subject() {
        Script& script = made_.script;
        for (const Mount& mount : made_.scenario.subject.mounts) act_on(mount.target, script.at_start);
        if (dice_.chance(20)) act_on("/", script.at_start);
        const int steps = dice_.upto(3);
        for (int i = 0; i < steps; ++i) {
            Step step;
            step.name = fmt::format("step{}", i);
            switch (dice_.upto(5)) {
                case 0:
                    step.action = WaitAction{100};
                    break;
                case 1:
                    step.action = RestartAction{dice_.chance(40)};
                    break;
                case 2:
                    step.action = SignalAction{"HUP"};
                    break;
                default:
                    step.action = does(step.name);
                    act_on(dice_.one_of(made_.scenario.subject.mounts).target, script.on_exec[step.name]);
            }
            made_.scenario.steps.push_back(std::move(step));
        }
        if (dice_.chance(30)) {
            script.at_start.push_back({.kind = Act::Kind::say, .path = "ready"});
            Step check;
            check.name = "log";
            check.action = LogAction{};
            check.expect.contains = "ready";
            made_.scenario.readiness.checks.push_back(std::move(check));
        }
        if (steps == 0 && dice_.chance(50)) script.ends_with = dice_.chance(85) ? 0 : 3;
        if (dice_.chance(20)) act_on(dice_.one_of(made_.scenario.subject.mounts).target, script.at_stop);
        script.exit_code = dice_.chance(20) ? 143 : 0;
        script.ignores_signals = dice_.chance(5);
        script.is_deaf = dice_.chance(8);
    }

    void engine() {
        made_.api_version = dice_.chance(50) ? "1.43" : "1.45";
        made_.mounts_overlays = !dice_.chance(8);
        made_.overlay_options = {"redirect_dir", "index", "nfs_export"};
        if (dice_.chance(10)) made_.overlay_options = {"redirect_dir"};
        if (dice_.chance(5)) made_.overlay_options = {};
    }

    void trouble() {
        Trouble& trouble = made_.trouble;
        const int faults = dice_.chance(40) ? 0 : dice_.chance(70) ? 1 : 1 + dice_.upto(3);
        for (int i = 0; i < faults; ++i)
            trouble.calls[1 + dice_.upto(dice_.chance(50) ? 60 : 200)] = static_cast<Fault>(dice_.upto(8));
        if (dice_.chance(12)) trouble.cancelled_at = 1 + dice_.upto(120);
        if (dice_.chance(5)) trouble.observer.fails_at = 1 + dice_.upto(30);
        if (dice_.chance(4)) trouble.observer.loses_events = 1 + dice_.upto(3);
        if (dice_.chance(4)) trouble.observer.misses_canary = 1 + dice_.upto(3);
    }

    Dice dice_;
    int elsewhere_ = 0;
    Simulation made_;
};

}  // namespace

Simulation simulation_of(std::uint64_t seed) {
    return Maker(seed).make();
}

}  // namespace rogate::test
