#include "report/secrets.hpp"

#include <algorithm>
#include <unordered_map>

namespace rogate::report {

namespace {

constexpr std::size_t shortest_secret = 4;

bool carries_credentials(std::string name) {
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return name == "authorization" || name == "proxy-authorization" || name == "cookie" ||
           name.find("token") != std::string::npos || name.find("key") != std::string::npos ||
           name.find("secret") != std::string::npos;
}

void secrets_of_step(const Step& step, std::set<std::string>& found) {
    if (const auto* exec = std::get_if<ExecAction>(&step.action))
        for (const auto& [name, value] : exec->environment) found.insert(value);
    if (const auto* driver = std::get_if<DriverAction>(&step.action))
        for (const auto& [name, value] : driver->environment) found.insert(value);
    if (const auto* inside = steps_inside(step))
        for (const Step& each : *inside) secrets_of_step(each, found);
    if (const auto* http = std::get_if<HttpAction>(&step.action))
        for (const auto& [name, value] : http->headers)
            if (carries_credentials(name)) found.insert(value);
}

void secrets_of_subject(const Subject& subject, std::set<std::string>& found) {
    for (const auto& [name, value] : subject.environment) found.insert(value);
    for (const SeedFile& file : subject.files) {
        found.insert(file.content);
        // An application shows a secret without the line break that its file ends with.
        const std::size_t end = file.content.find_last_not_of("\r\n");
        if (end != std::string::npos) found.insert(file.content.substr(0, end + 1));
    }
}

bool in_the_open(const Scenario& scenario, const std::string& value) {
    const auto holds = [&](const std::string& text) { return text.find(value) != std::string::npos; };
    // A path on a mount is where the application's data lie, no secret:
    // PGDATA=/var/lib/postgresql/data/pgdata.
    const auto on_mount = [&](const Mount& m) {
        return holds(m.target) || holds(m.source) ||
               (m.target.size() > 1 && value.starts_with(m.target + "/"));
    };
    return holds(scenario.subject.image) || holds(scenario.name) ||
           std::any_of(scenario.subject.mounts.begin(), scenario.subject.mounts.end(), on_mount);
}

class Hider {
  public:
    explicit Hider(const std::set<std::string>& secrets) : masker_(secrets) {}
    bool idle() const { return masker_.idle(); }

    void hide(std::string& text) const { masker_.mask(text); }
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
    void hide(std::vector<std::string>& texts) const {
        for (std::string& text : texts) hide(text);
    }
    void hide(Attempt& each) const {
        hide(each.mount), hide(each.path), hide(each.phase);
        hide(each.process.comm), hide(each.process.exe);
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
    void hide(PhaseRecord& each) const { hide(each.name), hide(each.message); }
    void hide(PhaseCost& each) const { hide(each.phase); }
    void hide(RunRecord& each) const {
        hide(each.plan.read_only), hide(each.plan.writable), hide(each.phases), hide(each.attempts);
        hide_keys(each.canary), hide_keys(each.uses);
        hide(each.observer_problem), hide(each.services_problem), hide(each.log_tail);
    }
    void hide(Mount& each) const {
        hide(each.source), hide(each.target), hide(each.tmpfs_options), hide(each.declared.file);
    }
    void hide(MountResult& each) const {
        hide(each.mount), hide(each.reason), hide(each.attempts), hide(each.writes);
        hide(each.writable), hide(each.costs);
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
    mutable std::unordered_map<std::string_view, Word> words_;  // by what Words hold, which stays
};

void Hider::hide(CampaignResult& result) const {
    hide(result.scenario.name), hide(result.scenario.description), hide(result.scenario.file);
    Subject& subject = result.scenario.subject;
    hide(subject.image), hide(subject.mounts);
    hide(subject.origin.files), hide(subject.origin.name), hide(subject.origin.container);
    EngineFacts& engine = result.engine;
    for (std::string* text : {&engine.name, &engine.version, &engine.api_version, &engine.kernel, &engine.os,
                              &engine.cgroup_version, &engine.host, &result.observer.hooks})
        hide(*text);
    hide(result.runs), hide(result.mounts);
    hide(result.recommendation.read_only), hide(result.recommendation.writable);
}

}  // namespace

std::set<std::string> secrets_of(const Scenario& scenario) {
    std::set<std::string> found(scenario.pod.secrets.begin(), scenario.pod.secrets.end());
    secrets_of_subject(scenario.subject, found);
    for (const Companion& companion : scenario.companions) secrets_of_subject(companion.subject, found);
    for (const Step& step : scenario.readiness.checks) secrets_of_step(step, found);
    for (const Step& step : scenario.steps) secrets_of_step(step, found);
    std::erase_if(found, [&](const std::string& value) {
        return value.size() < shortest_secret || in_the_open(scenario, value);
    });
    return found;
}

Masker::Masker(const std::set<std::string>& secrets) {
    for (const std::string& secret : secrets) {
        if (secret.size() < shortest_secret) continue;
        secrets_.push_back(secret);
        first_[static_cast<unsigned char>(secret[0])] = true;
    }
    std::stable_sort(secrets_.begin(), secrets_.end(),
                     [](const std::string& a, const std::string& b) { return a.size() > b.size(); });
}

void Masker::mask(std::string& text) const {
    if (secrets_.empty()) return;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (!first_[static_cast<unsigned char>(text[at])]) continue;
        for (const std::string& secret : secrets_) {
            if (text.compare(at, secret.size(), secret) != 0) continue;
            text.replace(at, secret.size(), "***");
            at += 2;
            break;
        }
    }
}

void hide_secrets(CampaignResult& result, const std::set<std::string>& secrets) {
    const auto clear = [](Subject& subject) {
        for (auto& [name, value] : subject.environment) value.clear();
        for (SeedFile& file : subject.files) file.content.clear();
    };
    clear(result.scenario.subject);
    for (Companion& companion : result.scenario.companions) clear(companion.subject);
    const Hider hider(secrets);
    if (!hider.idle()) hider.hide(result);
}

void hide_secrets(WatchResult& watch, const std::set<std::string>& secrets) {
    const Hider hider(secrets);
    if (hider.idle()) return;
    for (WatchedMount& mount : watch.mounts)
        for (std::vector<Attempt>* list : {&mount.writes, &mount.refused})
            for (Attempt& each : *list)
                hider.hide(each.path), hider.hide(each.process.comm), hider.hide(each.process.exe);
}

}  // namespace rogate::report
