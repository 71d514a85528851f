#include "init/draft.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <tuple>

#include "audit/looks.hpp"
#include "base/escape.hpp"
#include "base/yaml_text.hpp"
#include "init/pages.hpp"

namespace rogate::init {

namespace {

using Kind = Origin::Kind;

constexpr std::size_t most_mounts = 8, most_ports = 4, most_named = 6, longest_text = 70;

// In a comment: one line, of a bounded length.
std::string shown(std::string_view raw) {
    std::string text = escape_text(raw);
    if (text.size() <= longest_text) return text;
    std::size_t end = longest_text;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;
    return text.substr(0, end) + "…";
}

// Within {…} and […], where these end a plain scalar.
std::string scalar(std::string_view raw) {
    std::string text = yaml_scalar(escape_text(raw));
    if (text.find_first_of("'\"") == 0 || text.find_first_of(",[]{}") == std::string::npos) return text;
    return fmt::format("'{}'", text);
}

std::string list_of(const std::vector<std::string>& texts) {
    std::string list;
    for (const std::string& each : texts) list += (list.empty() ? "" : ", ") + scalar(each);
    return "[" + list + "]";
}

// The first few of them.
std::string some_of(const std::vector<std::string>& names) {
    std::string text;
    for (std::size_t i = 0; i < std::min(names.size(), most_named); ++i)
        text += (i == 0 ? "" : ", ") + shown(names[i]);
    return names.size() > most_named ? fmt::format("{} and {} more", text, names.size() - most_named) : text;
}

std::string name_of(const System& system, const SystemContainer& container) {
    std::string name = system.kind == Kind::compose ? system.name + "-" + container.name : container.name;
    for (char& c : name) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                           c == '.' || c == '_' || c == '-';
        if (!plain) c = '-';
    }
    return name;
}

bool has_healthcheck(const SystemContainer& container) {
    const auto& check = container.subject.healthcheck;
    return check && !check->test.empty() && check->test.front() != "NONE" &&
           container.subject.origin.kind != Kind::kubernetes;  // a cluster passes over it
}

std::vector<std::uint16_t> tcp_ports(const SystemContainer& container) {
    std::vector<std::uint16_t> ports;
    if (container.subject.network_mode == "none") return ports;
    for (const Port& port : container.subject.ports)
        if (port.protocol == "tcp" && std::ranges::find(ports, port.container) == ports.end())
            ports.push_back(port.container);
    return ports;
}

// Whether it is sure to run on until it is told to end, as far as the files tell.
bool goes_on(const SystemContainer& container) {
    if (container.ends || container.role == SystemContainer::Role::init) return false;
    const std::string& policy = container.restart.name;
    const Kind kind = container.subject.origin.kind;
    return kind == Kind::kubernetes || kind == Kind::container || has_healthcheck(container) ||
           !tcp_ports(container).empty() || policy == "always" || policy == "unless-stopped";
}

// As the file declares it, if its source lies beside that file.
Mount without_folder(Mount mount, const std::string& folder) {
    if (!folder.empty() && mount.type == MountType::bind && mount.source.starts_with(folder + "/"))
        mount.source = "." + mount.source.substr(folder.size());
    return mount;
}

class Writer {
  public:
    Writer(const System& system, const SystemContainer& container, const Draft& draft)
        : system_(system), container_(container), draft_(draft) {}

    std::string go() {
        line("# Begun by `{}`. Its steps ask what can be asked without knowing the application.",
             shown(draft_.command));
        line(
            "# A mount that they do not use is 'untested', and what only a user causes is not seen: add it.");
        line("name: {}", yaml_scalar(name_of(system_, container_)));
        subject();
        others();
        mounts();
        readiness();
        steps();
        return std::move(text_);
    }

  private:
    template <class... T>
    void line(fmt::format_string<T...> format, T&&... values) {
        text_ += fmt::format(format, std::forward<T>(values)...) + "\n";
    }

    void subject();
    void others();
    void mounts();
    void readiness();
    void steps();
    struct Question {
        std::string name, what;
    };
    std::vector<Question> ask() const;

    const System& system_;
    const SystemContainer& container_;
    const Draft& draft_;
    std::string text_;
};

void Writer::subject() {
    const Origin& origin = container_.subject.origin;
    const std::string files = draft_.files.size() == 1 ? "file: " + scalar(draft_.files.front())
                                                       : "files: " + list_of(draft_.files);
    const std::string without =
        draft_.left_out.empty() ? "" : fmt::format(", without: {}", list_of(draft_.left_out));
    if (origin.kind == Kind::container) {
        line("subject: {{container: {}}}", scalar(origin.name));
    } else if (origin.kind == Kind::kubernetes) {
        line("subject:");
        line("  kubernetes:");
        line("    {}", files);
        line("    workload: {}", scalar(container_.pod));
        line("    container: {}", scalar(origin.container));
        if (!draft_.left_out.empty()) line("    without: {}", list_of(draft_.left_out));
        line(
            "    # What only the cluster has is made up; fill in what matters: secrets: {{NAME: {{KEY: "
            "text}}}}, "
            "claims: {{NAME: ./folder}}");
        line("    values: {{missing: placeholder, claims: {{\"*\": empty}}}}");
    } else {
        const std::string profiles =
            draft_.profiles.empty() ? "" : fmt::format(", profiles: {}", list_of(draft_.profiles));
        line("subject:");
        line("  compose: {{{}, service: {}{}{}}}", files, scalar(container_.name), profiles, without);
    }
}

void Writer::others() {
    std::vector<std::string> beside, left;
    std::set<std::string> needed{container_.name};
    // Each container stands behind those that it needs.
    for (auto each = system_.containers.rbegin(); each != system_.containers.rend(); ++each)
        if (needed.contains(each->name))
            for (const Dependency& other : each->after) needed.insert(other.service);
    for (const SystemContainer& each : system_.containers) {
        if (&each == &container_) continue;
        const bool of_pod = !container_.pod.empty() && each.pod == container_.pod;
        (of_pod || needed.contains(each.name) ? beside : left).push_back(each.name);
    }
    if (!beside.empty()) line("# Started beside it, and not tried: {}.", some_of(beside));
    std::vector<std::string> all = beside;
    all.insert(all.end(), left.begin(), left.end());
    if (!all.empty())
        line("# Each has mounts of its own: `rogate init … --service NAME`, for {}.", some_of(all));
}

void Writer::mounts() {
    struct Guessed {
        std::string target;
        audit::Guess guess;
        int order = 0;  // negative: not worth trying
        bool is_tmpfs = false;
    };
    std::vector<Guessed> writable;
    for (const Mount& mount : container_.subject.mounts)
        if (!mount.read_only) {
            audit::Guess guess = audit::guess(without_folder(mount, draft_.folder));
            const int order = audit::order_of(guess.looks);
            writable.push_back({mount.target, std::move(guess), order, mount.type == MountType::tmpfs});
        }
    constexpr int last = 1000;
    std::ranges::stable_sort(writable, {},
                             [](const Guessed& each) { return each.order < 0 ? last : each.order; });
    if (writable.empty()) {
        line(
            "# No writable mount is declared: what the image declares (VOLUME) is tried. To try the root as "
            "well:");
        line("# candidates: [/]");
        return;
    }
    line(
        "# Every writable mount is tried, also a VOLUME of the image. To try only some of them, or / as "
        "well:");
    line("# candidates:");
    for (std::size_t i = 0; i < std::min(writable.size(), most_mounts); ++i) {
        const audit::Guess& guess = writable[i].guess;
        line("#   - {}  # {}: {}", shown(writable[i].target), audit::to_string(guess.looks),
             shown(guess.why));
    }
    if (writable.size() > most_mounts)
        line("#   … and {} more, which `rogate plan` lists", writable.size() - most_mounts);
    const auto filled =
        std::ranges::find_if(writable, [](const Guessed& each) { return !each.is_tmpfs && each.order >= 0; });
    if (filled == writable.end()) return;
    line(
        "# The runs have your data, beneath a throw-away layer. To give them others (a local folder, or "
        "empty: true):");
    line("# fixtures:");
    line("#   - {{target: {}, from: ./fixture}}", shown(filled->target));
}

void Writer::readiness() {
    if (container_.subject.origin.kind == Kind::kubernetes && !container_.readiness.checks.empty()) {
        line("# ready: left out, so that its probes say it");
    } else if (has_healthcheck(container_)) {
        line("ready: {{timeout: 60s, healthcheck: healthy}}");
    } else if (!goes_on(container_)) {
        line("# ready: {{timeout: 60s, log: 'fill in: what it says when it is ready'}}");
    } else {
        line("# ready: left out: {}", tcp_ports(container_).empty()
                                          ? "the image's health check or ports, or after a while"
                                          : "when its ports answer");
    }
}

// What can be asked over and over.
std::vector<Writer::Question> Writer::ask() const {
    std::vector<Question> steps;
    if (has_healthcheck(container_))
        steps.push_back({"is healthy", "healthcheck: healthy, retry: {until: 60s}"});
    const auto ports = tcp_ports(container_);
    for (std::size_t i = 0; i < std::min(ports.size(), most_ports); ++i) {
        const std::uint16_t port = ports[i];
        if (const auto page = page_of(container_, port))
            steps.push_back({fmt::format("GET {} of {}", *page, port),
                             fmt::format("http: {{port: {}, path: {}}}, expect: {{status: below 500}}, "
                                         "retry: {{until: 10s}}",
                                         port, *page)});
        else
            steps.push_back(
                {fmt::format("port {} answers", port), fmt::format("tcp: {}, retry: {{until: 10s}}", port)});
    }
    return steps;
}

void Writer::steps() {
    const bool runs_on = goes_on(container_);
    const auto asked = ask();
    const auto put = [&](std::string_view again) {
        for (const Question& each : asked) line("  - {{name: {}{}, {}}}", each.name, again, each.what);
    };
    const std::vector<std::uint16_t> ports = tcp_ports(container_);
    if (!runs_on && !container_.ends && container_.role != SystemContainer::Role::init)
        line(
            "# Nothing in the files tells whether it goes on. If it does, give what can be asked of it, and "
            "a restart:");
    if (!runs_on) {
        if (container_.ends || container_.role == SystemContainer::Role::init)
            line("# It ends by itself, which must be as in the control run; steps would need it to go on.");
        line("# steps:");
        line("#   - {{name: fill in what a user does, exec: [/bin/true]}}");
        line("#   - {{name: restarts, restart: graceful}}");
        return;
    }
    line("steps:");
    put("");
    if (ports.size() > most_ports) line("  # … and {} more ports", ports.size() - most_ports);
    if (ports.empty())
        line(
            "  # - {{name: fill in the port, http: {{port: 8080, path: /}}}}  # or tcp: 8080; no file names "
            "one");
    line(
        "  # Fill in what users do, above all what stores something, and look at it again behind the "
        "restart:");
    line("  # - name: keeps what is sent");
    line("  #   http: {{method: POST, port: {}, path: /fill-in, body: '1'}}",
         ports.empty() ? 8080 : ports.front());
    line("  #   expect: {{status: 201}}");
    line("  - {{name: goes on for a while, wait: 10s}}  # longer, if something is written by a timer");
    line("  - {{name: restarts, restart: graceful}}");
    put(" again");
}

}  // namespace

const SystemContainer* subject_of(const System& system) {
    std::set<std::string> waited_for;
    for (const SystemContainer& each : system.containers)
        for (const Dependency& other : each.after) waited_for.insert(other.service);
    const auto rank = [&](const SystemContainer& each) {
        const auto refused = [&](const NotRun& other) {
            return other.container == each.name || each.name.starts_with(other.container + "/");
        };
        const auto ports = tcp_ports(each);
        const bool has_page =
            std::ranges::any_of(ports, [&](std::uint16_t port) { return page_of(each, port).has_value(); });
        const auto pod = std::ranges::find(system.pods, each.pod, &SystemPod::name);
        return std::tuple(std::ranges::none_of(system.refused, refused),
                          !each.ends && each.role == SystemContainer::Role::service, !ports.empty(),
                          !waited_for.contains(each.name), pod != system.pods.end() && !pod->names.empty(),
                          has_page);
    };
    const SystemContainer* best = nullptr;
    for (const SystemContainer& each : system.containers)  // each behind those that it needs
        if (best == nullptr || rank(each) >= rank(*best)) best = &each;
    return best;
}

Result<const SystemContainer*> subject_of(const System& system, const std::string& name) {
    std::vector<const SystemContainer*> found;
    std::vector<std::string> known;
    for (const SystemContainer& each : system.containers) {
        known.push_back(each.name);
        if (each.name == name) return &each;
        const bool of_pod = !each.pod.empty() && (name == each.pod || each.name.starts_with(name + "/") ||
                                                  name == each.subject.origin.container);
        if (of_pod) found.push_back(&each);
    }
    // Of a workload the one that does its work.
    if (found.size() > 1)
        std::erase_if(
            found, [](const SystemContainer* each) { return each->role != SystemContainer::Role::service; });
    if (found.size() == 1) return found.front();
    return fail(ErrorKind::usage,
                fmt::format("--service {}: {} of {}; write one of: {}", escape_text(name),
                            found.empty() ? "there is no such service or container" : "there are several",
                            fmt::join(system.files, ", "), fmt::join(known, ", ")));
}

std::string text_of(const System& system, const SystemContainer& container, const Draft& draft) {
    return Writer(system, container, draft).go();
}

}  // namespace rogate::init
