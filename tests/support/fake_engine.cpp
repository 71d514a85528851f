// What the fake engine does with containers and execs.
#include "support/fake_engine.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <rogate/labels.hpp>

namespace rogate::test {

using nlohmann::json;

namespace {

// The engine's clock begins here.
constexpr std::int64_t epoch = 1'767'225'600;  // 2026-01-01

std::string rfc3339(double seconds) {
    if (seconds == 0) return "0001-01-01T00:00:00Z";
    const auto whole = static_cast<std::int64_t>(seconds);
    const int thousandths = static_cast<int>((seconds - static_cast<double>(whole)) * 1000);
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(static_cast<std::time_t>(whole)),
                       thousandths);
}

std::string text_of(const json& object, const char* key) {
    const auto at = object.find(key);
    return at == object.end() || !at->is_string() ? std::string() : at->get<std::string>();
}

bool is_true(const json& object, const char* key) {
    const auto at = object.find(key);
    return at != object.end() && at->is_boolean() && at->get<bool>();
}

json part(const json& object, const char* key) {
    const auto at = object.find(key);
    return at == object.end() || at->is_null() ? json::object() : *at;
}

// Of the kinds of signal that rogate sends, those that a program may handle.
bool kills(const std::string& signal) {
    return signal == "KILL" || signal == "SIGKILL" || signal == "9";
}

}  // namespace

FakeEngine::FakeEngine(boost::asio::io_context& context, std::uint64_t seed)
    : context_(context), random_(seed) {}
FakeEngine::~FakeEngine() = default;

double FakeEngine::seconds() const {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return static_cast<double>(epoch) + std::chrono::duration<double>(now).count();
}

std::string FakeEngine::new_id() {
    return fmt::format("{:064x}", ++last_id_);
}

int FakeEngine::calls_with(const std::string& part) const {
    return static_cast<int>(std::ranges::count_if(
        calls_, [&](const std::string& call) { return call.find(part) != std::string::npos; }));
}

FakeContainer* FakeEngine::find(const std::string& name_or_id) {
    for (auto& [id, container] : containers)
        if (id == name_or_id || container.name == name_or_id) return &container;
    return nullptr;
}

std::vector<std::string> FakeEngine::left_of(const std::string& label) const {
    std::vector<std::string> left;
    for (const auto& [id, container] : containers) left.push_back("container " + container.name);
    for (const auto& [name, volume] : volumes)
        if (!volume.labels.contains("user")) left.push_back("volume " + name);
    for (const auto& [name, network] : networks) left.push_back("network " + name);
    for (const auto& [id, image] : images)
        if (image.labels.contains(label)) left.push_back("image " + *image.tags.begin());
    return left;
}

void FakeEngine::handle(Call& call) {
    const auto is = [&](std::initializer_list<const char*> words) {
        return std::equal(call.words.begin(), call.words.end(), words.begin(), words.end());
    };
    if (is({"_ping"})) return reply_raw(call, 200, "OK");
    if (is({"version"}))
        return reply(call, 200,
                     {{"Platform", {{"Name", "Docker Engine"}}},
                      {"Version", "24.0"},
                      {"ApiVersion", api_version},
                      {"MinAPIVersion", "1.12"},
                      {"Os", "linux"},
                      {"Arch", "amd64"}});
    if (is({"info"}))
        return reply(call, 200,
                     {{"ID", "fake"},
                      {"CgroupVersion", "2"},
                      {"KernelVersion", "6.1"},
                      {"DefaultRuntime", default_runtime}});
    if (call.words.empty()) return refuse(call, 404, "page not found");
    if (call.words[0] == "containers") return on_container(call);
    if (call.words[0] == "exec") return on_exec(call);
    if (call.words[0] == "images") return on_image(call);
    if (call.words[0] == "build") return on_build(call);
    if (call.words[0] == "volumes") return on_volume(call);
    if (call.words[0] == "networks") return on_network(call);
    refuse(call, 404, "page not found");
}

void FakeEngine::on_container(Call& call) {
    if (call.words.size() < 2) return refuse(call, 404, "page not found");
    if (call.words[1] == "create") return create_container(call);
    if (call.words[1] == "json") return list_containers(call);
    FakeContainer* container = find(call.words[1]);
    if (container == nullptr) return refuse(call, 404, "No such container: " + call.words[1]);
    const std::string what = call.words.size() > 2 ? call.words[2] : "";
    if (call.method == "DELETE") return remove_container(call, *container);
    if (what == "json") return inspect_container(call, *container);
    if (what == "start") return start_container(call, *container);
    if (what == "stop") return stop_container(call, *container);
    if (what == "kill") return kill_container(call, *container);
    if (what == "wait") return wait_for(call, *container);
    if (what == "attach") return attach(call, *container);
    if (what == "logs") return send_log(call, *container);
    if (what == "archive") return on_archive(call, *container);
    if (what == "top") {
        if (!container->runs()) return refuse(call, 409, "container is not running");
        const char* caught = script_of(*container).is_deaf ? "0" : "4002";  // SIGHUP is none of them
        return reply(call, 200, {{"Processes", {{std::to_string(container->pid), caught, "0"}}}});
    }
    if (what == "exec") {
        if (!container->runs()) return refuse(call, 409, "container is not running");
        Exec exec{.id = new_id(), .container = container->id, .pid = 10'000 + last_id_};
        const json body = json::parse(call.body, nullptr, false);
        for (const json& word : part(body, "Cmd")) exec.word = word.get<std::string>();
        reply(call, 201, {{"Id", exec.id}});
        execs_.emplace(exec.id, std::move(exec));
        return;
    }
    refuse(call, 404, "page not found");
}

void FakeEngine::create_container(const Call& call) {
    const json body = json::parse(call.body, nullptr, false);
    FakeContainer made;
    made.name = call.query.contains("name") ? call.query.at("name") : "";
    if (find(made.name) != nullptr)
        return refuse(call, 409, fmt::format("The container name \"/{}\" is already in use", made.name));
    made.image = text_of(body, "Image");
    const FakeImage* image = image_named(made.image);
    if (image == nullptr) return refuse(call, 404, "No such image: " + made.image);
    made.id = new_id();
    made.pid = 1000 + last_id_;
    const json host = part(body, "HostConfig"), labels = part(body, "Labels");
    for (const auto& [key, value] : labels.items()) made.labels.emplace(key, value.get<std::string>());
    for (const json& word : part(body, "Entrypoint")) made.command.push_back(word.get<std::string>());
    made.network = text_of(host, "NetworkMode");
    made.read_only_root = is_true(host, "ReadonlyRootfs");
    std::vector<const FakeMount*> to_fill;
    const json mounts = part(host, "Mounts"), tmpfs = part(host, "Tmpfs");
    for (const json& each : mounts) {
        FakeMount mount{.target = text_of(each, "Target"),
                        .source = text_of(each, "Source"),
                        .is_volume = text_of(each, "Type") == "volume",
                        .read_only = is_true(each, "ReadOnly")};
        if (!mount.is_volume && disk.look(place_on_host(mount.source)) == nullptr)
            return refuse(
                call, 400,
                fmt::format("invalid mount config for type \"bind\": bind source path does not exist: {}",
                            mount.source));
        for (const FakeMount& other : made.mounts)
            if (other.target == mount.target)
                return refuse(call, 400, "Duplicate mount point: " + mount.target);
        made.mounts.push_back(std::move(mount));
    }
    for (const auto& [target, options] : tmpfs.items()) {
        const std::string text = options.get<std::string>();
        made.mounts.push_back({.target = target,
                               .source = "/tmpfs/" + made.id + target,
                               .is_tmpfs = true,
                               .read_only = text == "ro" || text.ends_with(",ro")});
    }
    const json declared = part(image->config, "Volumes");
    for (const auto& [target, nothing] : declared.items())
        if (std::ranges::find(made.mounts, target, &FakeMount::target) == made.mounts.end())
            made.mounts.push_back({.target = target, .source = {}, .is_volume = true});
    std::ranges::sort(made.mounts, {}, &FakeMount::target);
    for (FakeMount& mount : made.mounts) {
        if (!mount.is_volume) continue;
        if (mount.source.empty()) made.anonymous.push_back(mount.source = new_id());
        const auto asked = std::ranges::find_if(
            mounts, [&](const json& each) { return text_of(each, "Target") == mount.target; });
        if (!volumes.contains(mount.source)) {
            FakeVolume& anew = volumes[mount.source] = {.name = mount.source, .options = {}, .labels = {}};
            const json options = asked == mounts.end() ? json() : part(*asked, "VolumeOptions");
            const json its = part(options, "Labels");
            for (const auto& [key, value] : its.items()) anew.labels.emplace(key, value.get<std::string>());
            disk.put(mountpoint(mount.source), folder());
        }
        if (asked == mounts.end() || !is_true(part(*asked, "VolumeOptions"), "NoCopy"))
            fill_from_image(made, mount);
    }
    disk.put("/containers/" + made.id, folder());
    reply(call, 201, {{"Id", made.id}, {"Warnings", json::array()}});
    containers.emplace(made.id, std::move(made));
}

void FakeEngine::start_container(const Call& call, FakeContainer& container) {
    if (container.runs()) return reply(call, 304, {});
    const auto failed = [&](const std::string& why) {
        container.error = why;
        container.exit_code = 128;
        refuse(call, 500, why);
    };
    const bool is_special = container.network.empty() || container.network == "none" ||
                            container.network == "host" || container.network.starts_with("container:");
    const auto named = [&](const auto& each) {
        return each.first == container.network || each.second.id == container.network;
    };
    if (!is_special && std::ranges::none_of(networks, named))
        return refuse(call, 404, fmt::format("network {} not found", container.network));
    if (const std::string why = why_not_mounted(container); !why.empty()) return failed(why);
    for (const FakeMount& mount : container.mounts)
        if (mount.is_tmpfs) disk.remove(mount.source), disk.put(mount.source, folder(01777));
    if (const std::string why = make_mount_points(container); !why.empty()) return failed(why);
    const bool is_program = !container.command.empty() && container.command[0].starts_with("/rogate-");
    if (is_program && container.command[0] == "/rogate-helper-is-never-started")
        return failed("exec: \"/rogate-helper-is-never-started\": no such file or directory");
    container.status = "running";
    container.error.clear();
    container.exit_code = 0;
    container.started_at = seconds();
    container.is_stopping = false;
    ++container.start;
    reply(call, 204, {});
    if (is_program) return run_reader(container);
    if (on_use) on_use(container.id, "/");  // its program
    const Script& script = script_of(container);
    const std::string id = container.id;
    perform(id, container.start, script.at_start,
            [this, id, ends = script.ends_with](std::optional<int> ended) {
                if (ended || ends) end_container(id, ended.value_or(ends.value_or(0)));
            });
}

void FakeEngine::end_container(const std::string& id, int exit_code) {
    FakeContainer* container = find(id);
    if (container == nullptr || !container->runs()) return;
    container->status = "exited";
    container->exit_code = exit_code;
    container->finished_at = seconds();
    for (auto& [exec_id, exec] : execs_)
        if (exec.container == id && exec.running) {
            exec.running = false;
            exec.exit_code = 137;
            if (exec.wire) send(exec.wire, {});
        }
    if (container->attached) send(container->attached, {});
    container->attached.reset();
    for (auto& wake : std::exchange(container->at_end, {})) wake();
}

// By a signal that its program may handle.
void FakeEngine::tell_to_end(FakeContainer& container) {
    const Script& script = script_of(container);
    if (script.is_deaf || script.ignores_signals || container.is_stopping) return;
    container.is_stopping = true;
    const std::string id = container.id;
    perform(id, container.start, script.at_stop,
            [this, id, code = script.exit_code](std::optional<int> ended) {
                end_container(id, ended.value_or(code));
            });
}

void FakeEngine::remove_container(const Call& call, FakeContainer& container) {
    if (container.runs() && !call.query.contains("force"))
        return refuse(call, 409, "You cannot remove a running container");
    end_container(container.id, 137);
    if (call.query.contains("v"))
        for (const std::string& volume : container.anonymous) {
            volumes.erase(volume);
            disk.remove("/var/lib/docker/volumes/" + volume);
        }
    for (const FakeMount& mount : container.mounts)
        if (mount.is_tmpfs) disk.remove(mount.source);
    disk.remove("/containers/" + container.id);
    const std::string id = container.id;
    std::erase_if(execs_, [&](const auto& each) { return each.second.container == id; });
    containers.erase(id);
    reply(call, 204, {});
}

void FakeEngine::stop_container(const Call& call, FakeContainer& container) {
    if (!container.runs()) return reply(call, 304, {});
    const int grace = std::stoi(call.query.at("t"));
    const auto asked = std::make_shared<Call>(call);
    container.at_end.push_back([this, asked] { reply(*asked, 204, {}); });
    after(std::chrono::seconds(grace), [this, id = container.id, start = container.start] {
        const FakeContainer* still = find(id);
        if (still != nullptr && still->start == start) end_container(id, 137);
    });
    tell_to_end(container);
}

void FakeEngine::kill_container(const Call& call, FakeContainer& container) {
    if (!container.runs())
        return refuse(call, 409, fmt::format("Cannot kill container: {}: is not running", container.id));
    const std::string signal = call.query.at("signal");
    if (kills(signal))
        end_container(container.id, 137);
    else if (signal != "HUP" && signal != "SIGHUP")
        tell_to_end(container);
    reply(call, 204, {});
}

void FakeEngine::inspect_container(const Call& call, const FakeContainer& container) {
    json networks_of = json::object();
    networks_of[container.network] = {{"IPAddress", "172.18.0.2"}};
    reply(call, 200,
          {{"Id", container.id},
           {"Name", "/" + container.name},
           {"Image", container.image},
           {"RestartCount", 0},
           {"Config", json::object()},
           {"State",
            {{"Status", container.status},
             {"Running", container.runs()},
             {"Pid", container.runs() ? container.pid : 0},
             {"ExitCode", container.exit_code},
             {"Error", container.error},
             {"StartedAt", rfc3339(container.started_at)},
             {"FinishedAt", rfc3339(container.finished_at)}}},
           {"NetworkSettings", {{"Ports", json::object()}, {"Networks", networks_of}}}});
}

void FakeEngine::wait_for(const Call& call, FakeContainer& container) {
    const auto asked = std::make_shared<Call>(call);
    const auto tell = [this, asked, id = container.id] {
        const FakeContainer* ended = find(id);
        reply(*asked, 200, {{"StatusCode", ended == nullptr ? 137 : ended->exit_code}});
    };
    if (!container.runs()) return tell();
    container.at_end.push_back(tell);
}

void FakeEngine::list_containers(const Call& call) {
    const json filters = json::parse(call.query.contains("filters") ? call.query.at("filters") : "{}");
    json list = json::array();
    for (const auto& [id, container] : containers) {
        bool wanted = true;
        for (const json& label : part(filters, "label")) {
            const std::string text = label.get<std::string>();
            const auto found = container.labels.find(text.substr(0, text.find('=')));
            const bool any_value = text.find('=') == std::string::npos;
            wanted = wanted && found != container.labels.end() &&
                     (any_value || found->second == text.substr(text.find('=') + 1));
        }
        if (wanted)
            list.push_back({{"Id", id},
                            {"Names", {"/" + container.name}},
                            {"State", container.status},
                            {"Labels", container.labels}});
    }
    reply(call, 200, list);
}

void FakeEngine::send_log(const Call& call, const FakeContainer& container) {
    const double since = call.query.contains("since") ? std::stod(call.query.at("since")) : 0;
    std::string text;
    for (const auto& [at, line] : container.log)
        if (at >= since) text += frame(1, line + "\n");
    reply_raw(call, 200, text);
}

void FakeEngine::attach(const Call& call, FakeContainer& container) {
    container.attached = call.wire;
    const std::string id = container.id;
    call.wire->on_bytes = [this, id] {
        if (FakeContainer* asked = find(id); asked != nullptr && asked->runs()) run_reader(*asked);
    };
    upgrade(call);
}

void FakeEngine::on_exec(Call& call) {
    const auto found = call.words.size() < 3 ? execs_.end() : execs_.find(call.words[1]);
    if (found == execs_.end()) return refuse(call, 404, "No such exec instance");
    Exec& exec = found->second;
    if (call.words[2] == "json")
        return reply(call, 200, {{"Running", exec.running}, {"ExitCode", exec.exit_code}, {"Pid", exec.pid}});
    start_exec(call, exec);
}

void FakeEngine::start_exec(const Call& call, Exec& exec) {
    const FakeContainer* container = find(exec.container);
    if (container == nullptr || !container->runs()) return refuse(call, 409, "container is not running");
    exec.running = true;
    exec.wire = call.wire;
    upgrade(call);
    const auto& known = script_of(*container).on_exec;
    const auto acts = known.find(exec.word);
    const std::string id = exec.id;
    perform(container->id, container->start, acts == known.end() ? std::vector<Act>() : acts->second,
            [this, id](std::optional<int> ended) {
                const auto still = execs_.find(id);
                if (still == execs_.end() || !still->second.running) return;
                still->second.running = false;
                still->second.exit_code = ended.value_or(0);
                send(still->second.wire, frame(1, "done\n"));
            });
}

}  // namespace rogate::test
