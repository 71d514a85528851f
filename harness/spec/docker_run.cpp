#include "spec/docker_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "spec/env_file.hpp"
#include "spec/mounts.hpp"
#include "spec/nearest_name.hpp"
#include "spec/shell_words.hpp"
#include "spec/subject_reader.hpp"

namespace rogate::spec {

namespace {

enum class Fate { key, list, flag, environment, special, no_effect, no_effect_flag, refused };

// `key`: of a scenario's subject, which means the same.
struct Option {
    std::string_view name;
    char letter = 0;
    Fate fate = Fate::key;
    std::string_view key;
};

constexpr Option options[] = {
    {"volume", 'v', Fate::list, "mounts"},
    {"mount", 0, Fate::special, ""},
    {"tmpfs", 0, Fate::list, "tmpfs"},
    {"read-only", 0, Fate::flag, "read_only"},
    {"env", 'e', Fate::environment, ""},
    {"env-file", 0, Fate::special, ""},
    {"publish", 'p', Fate::list, "ports"},
    {"expose", 0, Fate::special, ""},
    {"user", 'u', Fate::key, "user"},
    {"workdir", 'w', Fate::key, "working_dir"},
    {"hostname", 'h', Fate::key, "hostname"},
    {"entrypoint", 0, Fate::special, ""},
    {"cap-add", 0, Fate::list, "cap_add"},
    {"cap-drop", 0, Fate::list, "cap_drop"},
    {"security-opt", 0, Fate::list, "security_opt"},
    {"init", 0, Fate::flag, "init"},
    {"runtime", 0, Fate::key, "runtime"},
    {"privileged", 0, Fate::flag, "privileged"},
    {"shm-size", 0, Fate::key, "shm_size"},
    {"ulimit", 0, Fate::special, ""},
    {"sysctl", 0, Fate::list, "sysctls"},
    {"stop-signal", 0, Fate::key, "stop_signal"},
    {"health-cmd", 0, Fate::special, ""},
    {"health-interval", 0, Fate::special, ""},
    {"health-timeout", 0, Fate::special, ""},
    {"health-start-period", 0, Fate::special, ""},
    {"health-retries", 0, Fate::special, ""},
    {"no-healthcheck", 0, Fate::special, ""},
    {"add-host", 0, Fate::special, ""},
    {"group-add", 0, Fate::special, ""},
    {"network-alias", 0, Fate::special, ""},
    {"net-alias", 0, Fate::special, ""},
    {"network", 0, Fate::special, ""},
    {"net", 0, Fate::special, ""},
    {"interactive", 'i', Fate::special, ""},
    {"tty", 't', Fate::special, ""},
    {"detach", 'd', Fate::no_effect_flag, ""},
    {"rm", 0, Fate::no_effect_flag, ""},
    {"publish-all", 'P', Fate::no_effect_flag, ""},
    {"sig-proxy", 0, Fate::no_effect_flag, ""},
    {"quiet", 'q', Fate::no_effect_flag, ""},
    {"oom-kill-disable", 0, Fate::no_effect_flag, ""},
    {"disable-content-trust", 0, Fate::no_effect_flag, ""},
    {"name", 0, Fate::no_effect, ""},
    {"restart", 0, Fate::no_effect, ""},
    {"label", 'l', Fate::no_effect, ""},
    {"label-file", 0, Fate::no_effect, ""},
    {"annotation", 0, Fate::no_effect, ""},
    {"attach", 'a', Fate::no_effect, ""},
    {"cidfile", 0, Fate::no_effect, ""},
    {"detach-keys", 0, Fate::no_effect, ""},
    {"log-driver", 0, Fate::no_effect, ""},
    {"log-opt", 0, Fate::no_effect, ""},
    {"memory", 'm', Fate::no_effect, ""},
    {"memory-reservation", 0, Fate::no_effect, ""},
    {"memory-swap", 0, Fate::no_effect, ""},
    {"memory-swappiness", 0, Fate::no_effect, ""},
    {"cpus", 0, Fate::no_effect, ""},
    {"cpu-shares", 'c', Fate::no_effect, ""},
    {"cpu-period", 0, Fate::no_effect, ""},
    {"cpu-quota", 0, Fate::no_effect, ""},
    {"cpuset-cpus", 0, Fate::no_effect, ""},
    {"cpuset-mems", 0, Fate::no_effect, ""},
    {"pids-limit", 0, Fate::no_effect, ""},
    {"blkio-weight", 0, Fate::no_effect, ""},
    {"oom-score-adj", 0, Fate::no_effect, ""},
    {"stop-timeout", 0, Fate::no_effect, ""},
    {"pull", 0, Fate::no_effect, ""},
    {"platform", 0, Fate::no_effect, ""},
    {"cgroup-parent", 0, Fate::no_effect, ""},
    {"cgroupns", 0, Fate::no_effect, ""},
    {"dns", 0, Fate::no_effect, ""},
    {"dns-search", 0, Fate::no_effect, ""},
    {"dns-option", 0, Fate::no_effect, ""},
    {"domainname", 0, Fate::no_effect, ""},
    {"mac-address", 0, Fate::no_effect, ""},
    {"storage-opt", 0, Fate::no_effect, ""},
    {"health-start-interval", 0, Fate::no_effect, ""},
    {"device", 0, Fate::refused, ""},
    {"device-cgroup-rule", 0, Fate::refused, ""},
    {"gpus", 0, Fate::refused, ""},
    {"ip", 0, Fate::refused, ""},
    {"ip6", 0, Fate::refused, ""},
    {"ipc", 0, Fate::refused, ""},
    {"pid", 0, Fate::refused, ""},
    {"uts", 0, Fate::refused, ""},
    {"userns", 0, Fate::refused, ""},
    {"volumes-from", 0, Fate::refused, ""},
    {"volume-driver", 0, Fate::refused, ""},
    {"link", 0, Fate::refused, ""},
};

bool is_flag(const Option& option) {
    return option.fate == Fate::flag || option.fate == Fate::no_effect_flag || option.name == "interactive" ||
           option.name == "tty" || option.name == "no-healthcheck";
}

// Of what stands at `inside` in a text; `otherwise`: that is not to be told.
Place place_in(const Value& text, const ShellPlace& inside, Place otherwise) {
    if (text.text_at.line == 0) return otherwise;
    const int column = text.text_at.column == 0 ? 1 : text.text_at.column + inside.column;
    return {text.text_at.line + inside.line, column, text.text_at.file};
}

class CommandLine {
  public:
    CommandLine(const Value& at, const Context& context, std::vector<std::string>& notes)
        : at_(at), context_(context), notes_(notes), subject_(make(Value::Kind::mapping)) {}

    Subject read(std::vector<ShellWord> words);

  private:
    std::shared_ptr<Value> make(Value::Kind kind, std::string text = {}) const {
        auto made = std::make_shared<Value>();
        made->kind = kind;
        made->place = at_.place;
        made->text = std::move(text);
        return made;
    }
    void set(std::string_view key, ValuePtr value) {
        std::erase_if(subject_->pairs, [&](const auto& pair) { return pair.first->text == key; });
        subject_->pairs.emplace_back(make(Value::Kind::scalar, std::string(key)), std::move(value));
    }
    void add(std::string_view key, ValuePtr item) {
        auto& list = lists_[std::string(key)];
        if (!list) set(key, list = make(Value::Kind::sequence));
        list->items.push_back(std::move(item));
    }
    // The next word; problems and mounts are at its place from then on.
    std::string take();
    bool has_next() const { return next_ < words_.size(); }
    void option(const std::string& word);
    void letters(const std::string& word);
    void apply(const Option& option, const std::string& value);
    void special(std::string_view name, const std::string& value);
    void mount(const std::string& value);
    void ulimit(const std::string& value);
    void variable(const std::string& text);
    void env_file(const std::string& path);
    void network(const std::string& name);
    void problem(std::string text) const { context_.problem(at_, std::move(text)); }

    Value at_;  // where the reading is
    Place option_at_;
    const Context& context_;
    std::vector<std::string>& notes_;
    std::vector<ShellWord> words_;
    std::size_t next_ = 0;
    std::shared_ptr<Value> subject_;
    std::map<std::string, std::shared_ptr<Value>> lists_;
    std::vector<std::pair<std::string, std::string>> health_;
    std::map<std::string, std::int64_t> soft_, hard_;
    Variables file_variables_, variables_;
    std::vector<std::string> hosts_, groups_, aliases_, exposed_;
    std::optional<std::string> entrypoint_;
    std::vector<std::string> without_effect_;
    std::vector<std::string> unset_;
    std::set<std::string> short_mounts_;  // targets of -v
    bool open_stdin_ = false, tty_ = false, alone_ = false;
};

void CommandLine::mount(const std::string& text) {
    auto mapping = make(Value::Kind::mapping);
    auto tmpfs = make(Value::Kind::mapping), bind = make(Value::Kind::mapping),
         volume = make(Value::Kind::mapping);
    bool has_type = false;
    for (std::size_t start = 0; start <= text.size();) {
        const std::size_t end = std::min(text.find(',', start), text.size());
        const std::string part = text.substr(start, end - start);
        start = end + 1;
        const std::size_t equals = part.find('=');
        const std::string key = part.substr(0, equals);
        const std::string value = equals == std::string::npos ? "true" : part.substr(equals + 1);
        const auto into = [&](const std::shared_ptr<Value>& where, std::string name, std::string set) {
            where->pairs.emplace_back(make(Value::Kind::scalar, std::move(name)),
                                      make(Value::Kind::scalar, std::move(set)));
        };
        has_type = has_type || key == "type";
        if (key == "tmpfs-size" || key == "tmpfs-mode")
            into(tmpfs, key.substr(6), value);
        else if (key == "bind-propagation")
            into(bind, "propagation", value);
        else if (key == "volume-nocopy")
            into(volume, "nocopy", value == "1" ? "true" : value);
        else if (key == "volume-subpath")
            into(volume, "subpath", value);
        else if (key == "ro" || key == "readonly" || key == "read_only")
            into(mapping, "readonly", value == "1" ? "true" : value == "0" ? "false" : value);
        else if (key != "consistency" && key != "volume-label")
            into(mapping, key, value);
    }
    for (const auto& [name, section] : {std::pair{"tmpfs", tmpfs}, {"bind", bind}, {"volume", volume}})
        if (!section->pairs.empty()) mapping->pairs.emplace_back(make(Value::Kind::scalar, name), section);
    if (!has_type)
        mapping->pairs.emplace_back(make(Value::Kind::scalar, "type"), make(Value::Kind::scalar, "volume"));
    add("mounts", mapping);
}

void CommandLine::ulimit(const std::string& text) {
    const std::size_t equals = text.find('='), colon = text.find(':');
    const std::string name = text.substr(0, equals);
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    const std::string soft = equals == std::string::npos ? "" : text.substr(equals + 1, colon - equals - 1);
    const std::string hard = colon == std::string::npos ? soft : text.substr(colon + 1);
    const auto low = parse_integer(soft, -1, most), high = parse_integer(hard, -1, most);
    if (!low || !high) return problem(fmt::format("--ulimit {}: write NAME=SOFT or NAME=SOFT:HARD", text));
    soft_[name] = *low;
    if (*high != *low) hard_[name] = *high;
}

void CommandLine::variable(const std::string& text) {
    const std::size_t equals = text.find('=');
    const std::string name = text.substr(0, equals);
    if (equals != std::string::npos)
        variables_[name] = text.substr(equals + 1);
    else if (auto value = context_.surroundings.environment(name))
        variables_[name] = std::move(*value);
    else
        unset_.push_back(name);
}

void CommandLine::env_file(const std::string& path) {
    const auto host = read_host_path(at_, path, context_);
    if (!host) return;
    const auto text = context_.surroundings.read_file(*host);
    if (!text) return problem(fmt::format("--env-file {}: {}", in_quotes(path), text.error().message));
    const int file = context_.problems.add_file(path);
    for (const auto& [name, value] :
         parse_raw_env_file(*text, context_.surroundings.environment, file, context_.problems))
        file_variables_[name] = value;
}

void CommandLine::network(const std::string& name) {
    if (name == "none")
        alone_ = true;
    else if (name == "host" || name.starts_with("container:"))
        problem(fmt::format(
            "--network {} is not supported: the subject is on the run's own network; leave it out",
            in_quotes(name)));
    else
        without_effect_.push_back("--network");
}

void CommandLine::special(std::string_view name, const std::string& value) {
    if (name == "mount") return mount(value);
    if (name == "env-file") return env_file(value);
    if (name == "ulimit") return ulimit(value);
    if (name == "network" || name == "net") return network(value);
    if (name == "expose") exposed_.push_back(value);
    if (name == "entrypoint") entrypoint_ = value;
    if (name == "add-host") hosts_.push_back(value);
    if (name == "group-add") groups_.push_back(value);
    if (name == "network-alias" || name == "net-alias") aliases_.push_back(value);
    if (name == "interactive") open_stdin_ = value == "true";
    if (name == "tty") tty_ = value == "true";
    if (name == "no-healthcheck" && value == "true") health_.emplace_back("disable", "true");
    if (name == "health-cmd") health_.emplace_back("test", value);
    if (name.starts_with("health-") && name != "health-cmd") {
        std::string key(name.substr(7));
        std::ranges::replace(key, '-', '_');
        health_.emplace_back(key, value);
    }
}

void CommandLine::apply(const Option& option, const std::string& value) {
    switch (option.fate) {
        case Fate::key:
            return set(option.key, make(Value::Kind::scalar, value));
        case Fate::flag:
            return set(option.key, make(Value::Kind::scalar, value));
        case Fate::list:
            if (option.key == "mounts")
                if (const std::size_t colon = value.find(':'); colon != std::string::npos)
                    if (const auto target = parse_container_path(
                            value.substr(colon + 1, value.find(':', colon + 1) - colon - 1)))
                        short_mounts_.insert(*target);
            return add(option.key, make(Value::Kind::scalar, value));
        case Fate::environment:
            return variable(value);
        case Fate::special:
            return special(option.name, value);
        case Fate::no_effect:
        case Fate::no_effect_flag:
            return without_effect_.push_back(fmt::format("--{}", option.name));
        case Fate::refused:
            return context_.problems.add(
                option_at_,
                fmt::format("--{} is not supported: the test run would not be what you run; leave it out",
                            option.name));
    }
}

void CommandLine::option(const std::string& word) {
    const std::size_t equals = word.find('=');
    const std::string name = word.substr(2, equals == std::string::npos ? equals : equals - 2);
    const auto found = std::ranges::find(options, name, &Option::name);
    if (found == std::end(options)) {
        std::vector<std::string_view> known;
        for (const Option& each : options) known.push_back(each.name);
        const std::string_view near = nearest_name(name, known);
        return problem(fmt::format(
            "unknown option --{}{}", name,
            near.empty() ? "; see docker run --help" : fmt::format("; did you mean --{}?", near)));
    }
    if (equals != std::string::npos) return apply(*found, word.substr(equals + 1));
    if (is_flag(*found)) return apply(*found, "true");
    if (!has_next()) return problem(fmt::format("--{} has no value; write --{} VALUE", name, name));
    apply(*found, take());
}

// "-it", "-v/a:/b", "-p 80:80", "-e=A=b"
void CommandLine::letters(const std::string& word) {
    for (std::size_t i = 1; i < word.size(); ++i) {
        const auto found = std::ranges::find(options, word[i], &Option::letter);
        if (found == std::end(options))
            return problem(fmt::format("unknown option -{}; see docker run --help", word[i]));
        if (is_flag(*found)) {
            apply(*found, "true");
            continue;
        }
        std::string value = word.substr(i + 1);
        if (value.starts_with('=')) value.erase(0, 1);
        if (i + 1 == word.size()) {
            if (!has_next())
                return problem(fmt::format("-{} has no value; write -{} VALUE", word[i], word[i]));
            value = take();
        }
        return apply(*found, value);
    }
}

std::string CommandLine::take() {
    const ShellWord& word = words_[next_++];
    at_.place = place_in(at_, word.place, at_.place);
    return word.text;
}

Subject CommandLine::read(std::vector<ShellWord> words) {
    words_ = std::move(words);
    const auto next_is = [&](std::initializer_list<std::string_view> names) {
        return has_next() && std::ranges::find(names, words_[next_].text) != names.end();
    };
    for (const auto& before :
         {std::initializer_list<std::string_view>{"sudo"}, {"docker", "podman"}, {"container"}})
        if (next_is(before)) take();
    if (!next_is({"run", "create"})) {
        problem("this is not a 'docker run' command; write docker run [OPTIONS] IMAGE [COMMAND]");
        return {};
    }
    take();
    while (has_next() && words_[next_].text.size() > 1 && words_[next_].text.starts_with('-')) {
        const std::string word = take();
        option_at_ = at_.place;
        if (word == "--") break;
        word.starts_with("--") ? option(word) : letters(word);
    }
    if (!has_next()) {
        problem("the command names no image; write docker run [OPTIONS] IMAGE [COMMAND]");
        return {};
    }
    set("image", make(Value::Kind::scalar, take()));
    while (has_next()) add("command", make(Value::Kind::scalar, take()));
    if (!lists_.contains("ports"))
        for (const std::string& port : exposed_) add("ports", make(Value::Kind::scalar, port));
    if (!health_.empty()) {
        auto health = make(Value::Kind::mapping);
        for (const auto& [key, value] : health_)
            health->pairs.emplace_back(make(Value::Kind::scalar, key), make(Value::Kind::scalar, value));
        set("healthcheck", health);
    }
    auto limits = make(Value::Kind::mapping);
    for (const auto& [name, value] : soft_)
        limits->pairs.emplace_back(make(Value::Kind::scalar, name),
                                   make(Value::Kind::scalar, std::to_string(value)));
    if (!soft_.empty()) set("ulimits", limits);
    Subject subject = read_subject(*subject_, context_, "docker run");
    subject.origin.kind = Origin::Kind::docker_run;
    subject.origin.files = {context_.file};
    subject.environment = std::move(file_variables_);
    for (auto& [name, value] : variables_) subject.environment[name] = value;
    // One word, unlike Compose's; an empty one clears the image's.
    if (entrypoint_)
        subject.entrypoint =
            entrypoint_->empty() ? std::vector<std::string>{} : std::vector<std::string>{*entrypoint_};
    subject.ulimits_hard = std::move(hard_);
    subject.extra_hosts = std::move(hosts_);
    subject.group_add = std::move(groups_);
    subject.aliases = std::move(aliases_);
    subject.open_stdin = open_stdin_;
    subject.tty = tty_;
    subject.unset_environment = std::move(unset_);
    if (alone_) subject.network_mode = "none";
    // Of -v, the engine makes a missing source a directory; of --mount, it does not.
    for (Mount& mount : subject.mounts)
        mount.made_if_missing = mount.type == MountType::bind && short_mounts_.contains(mount.target);
    if (!without_effect_.empty())
        notes_.push_back(
            fmt::format("docker run: without effect on the test: {}", fmt::join(without_effect_, ", ")));
    return subject;
}

}  // namespace

Subject read_docker_run(const Value& value, const Context& context, std::vector<std::string>& notes) {
    const auto text = read_text(value, "'docker_run'", context);
    if (!text) return {};
    ShellPlace wrong_at;
    const auto words = split_shell_text(
        *text,
        [&](const std::string& name) {
            return name == "PWD" ? std::optional(context.folder) : context.surroundings.environment(name);
        },
        &wrong_at);
    if (words) return CommandLine(value, context, notes).read(*words);
    context.problems.add(place_in(value, wrong_at, value.place), words.error());
    return {};
}

}  // namespace rogate::spec
