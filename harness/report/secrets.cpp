#include "report/secrets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "base/masker.hpp"

namespace rogate::report {

namespace {

class Hider {
  public:
    explicit Hider(const Secrets& secrets) : masker_(secrets) {}
    bool idle() const { return masker_.idle(); }

    // A path or a name.
    void hide(std::string& text) const { masker_.mask(text, Masker::In::path); }
    void hide_free(std::string& text) const { masker_.mask(text); }
    // A text that comes a million times is searched once.
    void hide(Word& word) const {
        const auto [at, fresh] = words_.try_emplace(word.str());
        if (fresh) {
            std::string text = word;
            hide(text);
            at->second = text;
        }
        word = at->second;
    }
    // The kernel keeps 15 bytes of a program's name (TASK_COMM_LEN): the rest of a secret is cut off there.
    void hide_comm(Word& comm) const {
        constexpr std::size_t most = 15;
        if (comm.str().size() < most) return hide(comm);
        const auto [at, fresh] = comms_.try_emplace(comm.str());
        if (fresh) at->second = masker_.masked(comm.str(), Masker::In::path, {.back = true});
        comm = at->second;
    }
    bool hides(const std::string& path) const { return masker_.covers(path, Masker::In::path); }
    void hide(std::vector<std::string>& texts) const {
        for (std::string& text : texts) hide(text);
    }
    void hide(Attempt& each) const {
        hide(each.mount), hide(each.path), hide(each.phase);
        hide_comm(each.process.comm), hide(each.process.exe);
        hide(each.operation), hide(each.syscall), hide(each.control);
    }
    // They are shared by runs and mounts: a list is copied only if there is something to hide in it.
    void hide(Attempts& list) const {
        for (std::size_t i = 0; i < list.size(); ++i) {
            Attempt masked = list[i];
            hide(masked);
            if (masked != list[i]) list.edit()[i] = std::move(masked);
        }
    }
    void hide(SharedText& shared) const {
        std::string text = shared.str();
        hide(text);
        if (text != shared.view()) shared = text;
    }
    void hide(WritablePath& each) const {
        hide(each.path), hide(each.mount), hide(each.tmpfs_options), hide(each.reason);
    }
    template <class T>
    void hide(std::vector<T>& all) const {
        for (T& each : all) hide(each);
    }
    void hide(PhaseRecord& each) const {
        hide(each.name), hide_free(each.message), hide_free(each.output);
        if (each.suite)
            for (auto* names : {&each.suite->failed, &each.suite->known})
                for (std::string& name : *names) hide_free(name);
    }
    void hide(PhaseCost& each) const { hide(each.phase); }
    void hide(CapabilityCheck& each) const { hide(each.phase), hide_comm(each.comm); }
    void hide(CapabilityResult& each) const { hide_free(each.reason), hide(each.checks); }
    // Every member is named here, so that a new one does not compile before it is decided on.
    void hide(RunRecord& each) const {
        auto& [plan, passed, phases, attempts, canary, uses, unwritten, made_data, read_back, listed,
               exec_refused, checks, lost_events, exit_code, exited_early, killed, deaf_to_stop, silent_ports,
               could_not_start, observer, observer_problem, services_problem, doubt, log_tail, duration_s,
               unseen_writers, containers, beside, tries, repeated_by, observations, secrets] = each;
        hide(plan.read_only), hide(plan.writable), hide(phases), hide(attempts);
        hide_keys(canary), hide_keys(uses);
        if (read_back) hide_keys(*read_back);
        hide_keys(listed), hide_keys(exec_refused);
        for (auto& [mount, path] : exec_refused) hide(path);
        if (checks) hide(checks->all);
        hide_free(observer_problem), hide_free(services_problem), hide_free(log_tail), hide_free(doubt);
        for (auto& [name, doubt_of_one] : unseen_writers) hide_free(doubt_of_one);
        for (auto& [name, one] : containers) hide_free(one.trouble), hide_free(one.log_tail);
        hide(beside);
        tries.clear(), unwritten.clear(), made_data = {}, observations.clear(),
                                          secrets = {};  // not for reports
    }
    void hide(Mount& each) const {
        hide(each.source), hide(each.sub_path), hide(each.target), hide(each.tmpfs_options),
            hide(each.declared.file);
    }
    void hide(MountResult& each) const {
        auto& [mount, candidate, verdict, reason, attempts, runs, writes, writable, still_failing, costs,
               writes_in_control, difference, watched, made_up, self_made, opened_up] = each;
        hide(mount), hide(reason), hide(attempts), hide(writes), hide(writable), hide(costs);
        if (still_failing) hide(*still_failing);
        hide(difference.left_out), hide(difference.unused), hide(difference.instead), hide(difference.with);
        hide_free(made_up);
    }
    void hide(VaryingName& each) const { hide(each.pattern), hide(each.names); }
    void hide(DataDifference& each) const {
        hide(each.target), hide_free(each.what), hide_free(each.way_out);
    }
    void hide(CampaignResult& result) const;

  private:
    template <class T>
    void hide_keys(std::map<std::string, T>& map) const {
        std::map<std::string, T> masked;
        for (auto& [key, value] : map) {
            std::string name = key;
            hide(name);
            masked.emplace(std::move(name), value);
        }
        map = std::move(masked);
    }

    Masker masker_;
    mutable std::unordered_map<std::string_view, Word> words_, comms_;  // by what Words hold, which stays
};

void Hider::hide(CampaignResult& result) const {
    hide(result.scenario.name), hide_free(result.scenario.description), hide(result.scenario.file);
    hide(result.scenario.unlike_cluster);
    Subject& subject = result.scenario.subject;
    hide(subject.image), hide(subject.mounts);
    hide(subject.origin.files), hide(subject.origin.name), hide(subject.origin.container);
    EngineFacts& engine = result.engine;
    for (std::string* text : {&engine.name, &engine.version, &engine.api_version, &engine.kernel, &engine.os,
                              &engine.cgroup_version, &engine.host, &result.observer.hooks})
        hide(*text);
    hide(result.runs), hide(result.mounts), hide(result.varying_names), hide(result.data_differences);
    hide(result.recommendation.read_only), hide(result.recommendation.writable);
    hide(result.capabilities);
    for (SettingResult& each : result.settings) hide(each.mounts), hide(each.paths), hide_free(each.reason);
}

// What is left has to be what some run had, or nothing is said of a run.
void find_run_again(CampaignResult& result) {
    Recommendation& recommended = result.recommendation;
    recommended.verified_by_run.reset();
    const auto sorted = [](std::vector<std::string> list) {
        std::ranges::sort(list);
        return list;
    };
    const auto paths = [](const std::vector<WritablePath>& list) {
        std::vector<std::string> all;
        for (const WritablePath& each : list) all.push_back(each.path);
        return all;
    };
    if (recommended.read_only.empty() && !recommended.capabilities && !recommended.no_new_privileges) return;
    for (const RunRecord& run : result.runs)
        if (run.passed && run.plan.kind != RunKind::control &&
            run.plan.environment == recommended.environment &&
            run.plan.capabilities == recommended.capabilities &&
            run.plan.no_new_privileges == recommended.no_new_privileges &&
            sorted(run.plan.read_only) == sorted(recommended.read_only) &&
            sorted(paths(run.plan.writable)) == sorted(paths(recommended.writable)))
            recommended.verified_by_run = run.plan.id;
}

// A path that is hidden cannot be applied: "/data/***" would be another directory.
void recommend_nothing_hidden(CampaignResult& result, const Hider& hider) {
    Recommendation& recommended = result.recommendation;
    std::vector<std::string> dropped;
    for (const std::string& target : recommended.read_only) {
        const auto hidden = [&](const WritablePath& each) {
            return each.mount == target && hider.hides(each.path);
        };
        if (hider.hides(target) || std::ranges::any_of(recommended.writable, hidden))
            dropped.push_back(target);
    }
    if (dropped.empty()) return;
    const auto is_dropped = [&](const std::string& target) {
        return std::ranges::find(dropped, target) != dropped.end();
    };
    std::erase_if(recommended.read_only, is_dropped);
    std::erase_if(recommended.writable, [&](const WritablePath& each) { return is_dropped(each.mount); });
    for (MountResult& mount : result.mounts)
        if (is_dropped(mount.mount.target)) {
            std::erase_if(mount.writable, [&](const WritablePath& each) { return hider.hides(each.path); });
            mount.reason +=
                "; not recommended, since a path that has to stay writable holds a secret and cannot be "
                "shown: give "
                "that path another name";
        }
    find_run_again(result);
}

}  // namespace

void hide_secrets(CampaignResult& result, const Secrets& secrets) {
    const auto clear = [](Subject& subject) {
        for (auto& [name, value] : subject.environment) value.clear();
        for (SeedFile& file : subject.files) file.content.clear();
        subject.secrets.clear();
        subject.build_args.clear();
    };
    clear(result.scenario.subject);
    for (Companion& companion : result.scenario.companions) clear(companion.subject);
    for (PodContainer& container : result.scenario.pod.containers) clear(container.subject);
    const Hider hider(secrets);
    if (hider.idle()) return;
    recommend_nothing_hidden(result, hider);
    hider.hide(result);
}

void hide_secrets(WatchResult& watch, const Secrets& secrets) {
    const Hider hider(secrets);
    if (hider.idle()) return;
    hider.hide(watch.container), hider.hide(watch.image), hider.hide_free(watch.problem);
    for (WatchedMount& mount : watch.mounts)
        for (std::vector<Attempt>* list : {&mount.writes, &mount.refused})
            for (Attempt& each : *list) hider.hide(each);
}

}  // namespace rogate::report
