#include <fmt/format.h>

#include <charconv>
#include <cstring>
#include <ctime>

#include "engine/base64.hpp"
#include "engine/client_impl.hpp"
#include "engine/frames.hpp"
#include "engine/requests.hpp"

namespace rogate::engine {

namespace {

std::string container_path(const std::string& id, const std::string& rest) {
    return "/containers/" + url_escape(id) + rest;
}

// "2026-01-02T03:04:05.678Z" -> "1767323045.678", as the logs call takes it; empty for anything else, and for
// times before 1970, which is what the engine writes for "never".
std::string unix_time(const std::string& rfc3339) {
    std::tm parts{};
    const char* rest = strptime(rfc3339.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
    if (rest == nullptr) return {};
    const std::time_t seconds = timegm(&parts);
    if (seconds < 0) return {};
    const std::string fraction(rest, std::strspn(rest, ".0123456789"));
    return std::to_string(seconds) + fraction;
}

ContainerState state_of(const json& reply) {
    const json state = child(reply, "State");
    ContainerState found;
    found.id = field<std::string>(reply, "Id");
    found.name = field<std::string>(reply, "Name");
    if (found.name.starts_with('/')) found.name.erase(0, 1);
    found.image_id = field<std::string>(reply, "Image");
    found.status = field<std::string>(state, "Status");
    found.running = field<bool>(state, "Running") || field<bool>(state, "Restarting");
    found.restarts = field<int>(reply, "RestartCount");
    found.oom_killed = field<bool>(state, "OOMKilled");
    found.pid = field<std::int64_t>(state, "Pid");
    found.exit_code = field<int>(state, "ExitCode");
    found.error = field<std::string>(state, "Error");
    const json health = child(state, "Health");
    found.health = field<std::string>(health, "Status");
    found.health_checked = !child(health, "Log").empty();
    found.health_interval = std::chrono::nanoseconds(
        field<std::int64_t>(child(child(reply, "Config"), "Healthcheck"), "Interval"));
    if (found.health_interval.count() <= 0) found.health_interval = std::chrono::seconds(30);
    found.started_at = field<std::string>(state, "StartedAt");
    found.finished_at = field<std::string>(state, "FinishedAt");
    const json ports = child(child(reply, "NetworkSettings"), "Ports");
    for (const auto& [port, bindings] : ports.items()) {
        if (!bindings.is_array() || bindings.empty()) continue;
        const std::string host_port = field<std::string>(bindings.front(), "HostPort");
        if (!host_port.empty())
            found.published.emplace(port, static_cast<std::uint16_t>(std::atoi(host_port.c_str())));
    }
    const json networks = child(child(reply, "NetworkSettings"), "Networks");
    for (const auto& [network, settings] : networks.items())
        if (const std::string address = field<std::string>(settings, "IPAddress"); !address.empty())
            found.addresses.emplace(network, address);
    return found;
}

// The raw connection after an upgrade: bytes that came with the reply first.
class RawAttachment : public Attachment {
  public:
    RawAttachment(std::unique_ptr<Stream> stream, const std::string& rest) : stream_(std::move(stream)) {
        frames_.feed(rest);
    }
    ~RawAttachment() override { stream_->close(); }

    // After one that failed, Asio's next write would wait without end for a socket that nobody reads any
    // more.
    Task<> write(std::string_view bytes) override {
        if (write_failed_) co_return fail(*write_failed_);
        auto written = co_await stream_->write_all(asio::buffer(bytes));
        if (!written && written.error().kind != ErrorKind::cancelled) write_failed_ = written.error();
        co_return written;
    }
    Task<> close_write() override { co_return co_await stream_->close_write(); }
    Task<std::optional<Chunk>> read() override {
        for (;;) {
            auto piece = frames_.next();
            if (!piece) co_return fail(std::move(piece.error()));
            if (*piece)
                co_return std::optional<Chunk>(
                    Chunk{static_cast<Channel>((*piece)->channel), std::move((*piece)->bytes)});
            const bool stop = co_await detail::interrupted();
            if (stop) co_return fail(ErrorKind::cancelled, "interrupted");
            std::array<char, 64 * 1024> bytes;  // NOLINT: filled by the read
            auto size = co_await stream_->read_some(asio::buffer(bytes));
            if (!size) co_return fail(std::move(size.error()));
            if (*size == 0) {
                if (frames_.incomplete())
                    co_return fail(ErrorKind::engine, "the engine's stream broke off in a frame");
                co_return std::optional<Chunk>();
            }
            frames_.feed(std::string_view(bytes.data(), *size));
        }
    }
    void close() noexcept override { stream_->close(); }

  private:
    std::unique_ptr<Stream> stream_;
    FrameDecoder frames_;
    std::optional<Error> write_failed_;
};

Task<std::unique_ptr<RawAttachment>> hijack(Client::Impl* impl, HttpRequest request) {
    request.upgrade = true;
    const HttpRequest named = name_of(request);
    auto opened = co_await impl->open(std::move(request));
    if (!opened) co_return fail(std::move(opened.error()));
    const int status = opened->second.status;
    if (status >= 400) {
        auto body = co_await opened->first.read_rest_of_body(body_limit);
        if (!body) co_return fail(std::move(body.error()).with_context("engine: " + call_name(named)));
        co_return fail(engine_error(named, status, *body));
    }
    // 200: an engine, or a proxy before it, that does not know upgrades but hands the connection over all the
    // same.
    if (status != 101 && status != 200)
        co_return fail(ErrorKind::protocol, fmt::format("engine: {}: {} instead of the container's streams",
                                                        call_name(named), status));
    std::string rest = opened->first.take_rest();
    co_return std::make_unique<RawAttachment>(opened->first.take_stream(), std::move(rest));
}

Task<> either(Task<> one, Task<> other) {
    using namespace asio::experimental::awaitable_operators;
    auto first = co_await (std::move(one) || std::move(other));
    co_return first.index() == 0 ? std::get<0>(std::move(first)) : std::get<1>(std::move(first));
}

void append_limited(std::string& to, const std::string& bytes, std::size_t limit, bool& truncated) {
    const std::size_t room = limit > to.size() ? limit - to.size() : 0;
    truncated = truncated || bytes.size() > room;
    to.append(bytes, 0, room);
}

Task<> read_output(RawAttachment* stream, ExecResult* result, std::size_t limit) {
    for (;;) {
        auto chunk = co_await stream->read();
        if (!chunk) co_return fail(std::move(chunk.error()).with_context("engine: POST /exec/start"));
        if (!*chunk) co_return Result<>{};
        std::string& to = (*chunk)->channel == Channel::err ? result->output_stderr : result->output_stdout;
        append_limited(to, (*chunk)->bytes, limit, result->truncated);
    }
}

Task<> read_whole(Attachment* stream, std::string* text) {
    for (;;) {
        auto chunk = co_await stream->read();
        if (!chunk) co_return fail(std::move(chunk.error()));
        if (!*chunk) co_return Result<>{};
        if ((*chunk)->channel != Channel::out) continue;
        if (text->size() + (*chunk)->bytes.size() > body_limit)
            co_return fail(ErrorKind::protocol, fmt::format("more than {} MiB of output", body_limit >> 20U));
        *text += (*chunk)->bytes;
    }
}

// Ends only when it is cancelled, because the output is then complete: the process may end without reading
// all of its input, and that is its own affair.
Task<> write_input(RawAttachment* stream, std::string text) {
    if (!text.empty()) {
        [[maybe_unused]] const auto written = co_await stream->write(text);
        [[maybe_unused]] const auto closed = co_await stream->close_write();
    }
    asio::steady_timer forever(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
    const bool stop = co_await detail::interrupted();
    if (!stop) co_await forever.async_wait(asio::as_tuple(asio::use_awaitable));
    co_return fail(ErrorKind::cancelled, "interrupted");
}

// ErrorKind::timeout is for the process: an engine that does not even start it is the engine's failure.
Error engines_own(Error error) {
    if (error.kind == ErrorKind::timeout) error.kind = ErrorKind::engine;
    return error;
}

// A process that takes too long is told from an engine that has lost its output.
Task<> still_runs(Client::Impl* impl, const std::string& exec, Error timeout) {
    auto state = co_await impl->ask_json(get(impl->path("/exec/" + url_escape(exec) + "/json")));
    if (!state) co_return fail(engines_own(std::move(state.error())));
    if (field<bool>(*state, "Running")) co_return fail(std::move(timeout));
    co_return fail(ErrorKind::engine,
                   "engine: POST /exec/start: the process ended, but the engine did not end its output");
}

Task<std::unique_ptr<RawAttachment>> start_exec(Client::Impl* impl, std::string id, const ExecSpec& spec,
                                                std::string* exec_id) {
    const std::string create = impl->path(container_path(id, "/exec"));
    auto created = co_await impl->ask_json(post_json(create, to_exec_body(spec)));
    if (!created) co_return fail(engines_own(std::move(created.error())));
    *exec_id = field<std::string>(*created, "Id");
    if (exec_id->empty())
        co_return fail(ErrorKind::protocol, "engine: POST /containers/exec: the engine named no exec");
    const json start = {{"Detach", false}, {"Tty", false}};
    auto hijacking = hijack(impl, post_json(impl->path("/exec/" + url_escape(*exec_id) + "/start"), start));
    auto stream = co_await within(impl->timeout, "engine: POST /exec/start", std::move(hijacking));
    if (!stream) co_return fail(engines_own(std::move(stream.error())));
    co_return std::move(*stream);
}

Task<ExecResult> run_exec(Client::Impl* impl, std::string id, ExecSpec spec, Milliseconds deadline,
                          std::size_t limit) {
    ExecResult result;
    auto stream = co_await start_exec(impl, std::move(id), spec, &result.id);
    if (!stream) co_return fail(std::move(stream.error()));
    // Podman forgets the process's number when it has ended; Docker keeps it.
    std::int64_t early_pid = 0;
    if (impl->version.is_podman()) {
        auto state = co_await impl->ask_json(get(impl->path("/exec/" + url_escape(result.id) + "/json")));
        if (!state) co_return fail(engines_own(std::move(state.error())));
        early_pid = field<std::int64_t>(*state, "Pid");
    }
    // Both at a time: a process that answers as it reads would wait for its output to be taken while more
    // input is sent.
    auto output = detail::without_throwing(read_output(stream->get(), &result, limit));
    auto input = detail::without_throwing(write_input(stream->get(), std::move(spec.stdin_text)));
    auto streaming = either(std::move(output), std::move(input));
    Result<> streamed = co_await within(deadline, "engine: POST /exec/start", std::move(streaming));
    if (!streamed && streamed.error().kind == ErrorKind::timeout)
        streamed = co_await still_runs(impl, result.id, std::move(streamed.error()));
    if (!streamed) co_return fail(std::move(streamed.error()));
    // The stream can end a moment before the engine has noted the exit code.
    for (int tries = 0;; ++tries) {
        auto state = co_await impl->ask_json(get(impl->path("/exec/" + url_escape(result.id) + "/json")));
        if (!state) co_return fail(engines_own(std::move(state.error())));
        if (!state->is_object() || !state->contains("Running"))
            co_return fail(ErrorKind::protocol, "engine: GET /exec/json: the reply says nothing of the exec");
        result.pid = field<std::int64_t>(*state, "Pid");
        if (result.pid == 0) result.pid = early_pid;
        result.exit_code = field<int>(*state, "ExitCode", -1);
        if (!field<bool>(*state, "Running")) co_return result;
        if (tries >= 100)
            co_return fail(ErrorKind::engine, "engine: the exec's output ended, but it goes on running");
        auto waited = co_await detail::expire(Milliseconds(20));
        if (!waited) co_return fail(std::move(waited.error()));
    }
}

Task<> read_archive(Client::Impl* impl, HttpRequest request, ByteSink sink) {
    const HttpRequest named = name_of(request);
    auto opened = co_await impl->open(std::move(request));
    if (!opened) co_return fail(std::move(opened.error()));
    if (opened->second.status >= 400) {
        auto body = co_await opened->first.read_rest_of_body(body_limit);
        if (!body) co_return fail(std::move(body.error()).with_context("engine: " + call_name(named)));
        co_return fail(engine_error(named, opened->second.status, *body));
    }
    for (;;) {
        auto piece = co_await opened->first.read_body();
        if (!piece) co_return fail(std::move(piece.error()).with_context("engine: " + call_name(named)));
        if (piece->empty()) co_return Result<>{};
        auto more = sink(*piece);
        if (!more) co_return fail(std::move(more.error()));
        if (!*more) co_return Result<>{};
    }
}

std::optional<std::uint64_t> mask_of(const json& text) {
    if (!text.is_string()) return std::nullopt;
    const std::string digits = text.get<std::string>();
    std::uint64_t bits = 0;
    const char* end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, bits, 16);
    return error == std::errc() && stop == end && !digits.empty() ? std::optional(bits) : std::nullopt;
}

// Of a row of ps that is about `pid`.
std::optional<SignalMasks> masks_in(const json& row, std::int64_t pid) {
    if (!row.is_array() || row.size() < 3 || row[0] != std::to_string(pid)) return std::nullopt;
    const auto caught = mask_of(row[1]), blocked = mask_of(row[2]);
    return caught && blocked ? std::optional(SignalMasks{*caught, *blocked}) : std::nullopt;
}

}  // namespace

Task<std::string> Client::container_create(ContainerSpec spec) {
    const std::string target =
        spec.name.empty() ? "/containers/create" : "/containers/create?name=" + url_escape(spec.name);
    if (spec.health && impl_->version.is_podman())
        spec.health->test = health_test_for_podman(std::move(spec.health->test));
    // Podman takes no lists of such paths, but has an option of its own for them.
    if (spec.unconfined_system_paths && impl_->version.is_podman())
        spec.security_opt.emplace_back("unmask=ALL");
    auto reply = co_await impl_->ask_json(post_json(impl_->path(target), to_create_body(spec)));
    if (!reply) co_return fail(std::move(reply.error()));
    std::string id = field<std::string>(*reply, "Id");
    if (id.empty())
        co_return fail(ErrorKind::protocol, "engine: POST /containers/create: the engine named no container");
    co_return id;
}

Task<> Client::container_start(std::string id) {
    auto reply = co_await impl_->ask(post(impl_->path(container_path(id, "/start"))), Milliseconds(120'000));
    if (!reply) co_return fail(std::move(reply.error()));
    co_return Result<>{};
}

bool Client::Impl::is_health_check_due(const ContainerState& state) {
    if (!version.is_podman() || !state.running || state.health.empty() || state.health == "none")
        return false;
    const auto now = std::chrono::steady_clock::now();
    const auto [at, fresh] = health_checks.try_emplace(state.id, HealthCheck{now});
    HealthCheck& known = at->second;
    if (fresh || (state.health_checked && !known.ours) || now - known.last < state.health_interval)
        return false;
    known = {now, true};
    return true;
}

Task<ContainerState> Client::container_health(std::string id) {
    auto state = co_await container_inspect(id);
    if (!state || !impl_->is_health_check_due(*state)) co_return state;
    auto checked = co_await impl_->ask(get("/v4.0.0/libpod" + container_path(id, "/healthcheck")),
                                       Milliseconds(120'000));
    auto after = co_await container_inspect(std::move(id));
    // It may have ended meanwhile: then podman refuses.
    if (!checked && after && after->running) co_return fail(std::move(checked.error()));
    co_return after;
}

Task<json> Client::container_inspect_raw(std::string id) {
    co_return co_await impl_->ask_json(get(impl_->path(container_path(id, "/json"))));
}

Task<ContainerState> Client::container_inspect(std::string id) {
    auto reply = co_await container_inspect_raw(std::move(id));
    if (!reply) co_return fail(std::move(reply.error()));
    // A container that is taken for one that has ended would be evidence.
    if (field<std::string>(child(*reply, "State"), "Status").empty())
        co_return fail(ErrorKind::protocol,
                       "engine: GET /containers/json: the reply says nothing of the container's state");
    co_return state_of(*reply);
}

Task<int> Client::container_wait(std::string id, Milliseconds deadline) {
    HttpRequest request = post(impl_->path(container_path(id, "/wait")));
    const HttpRequest named = name_of(request);
    auto reply = co_await impl_->ask_within(std::move(request), deadline);
    if (!reply) co_return fail(std::move(reply.error()));
    auto body = parse_json_reply(named, reply->body);
    if (!body) co_return fail(std::move(body.error()));
    if (!body->is_object() || !body->contains("StatusCode"))
        co_return fail(ErrorKind::protocol, "engine: POST /containers/wait: the reply names no exit code");
    co_return field<int>(*body, "StatusCode", -1);
}

Task<> Client::container_stop(std::string id, int grace_seconds) {
    const std::string target = container_path(id, fmt::format("/stop?t={}", grace_seconds));
    const Milliseconds deadline = Milliseconds(grace_seconds * 1000) + impl_->timeout;
    auto reply = co_await impl_->ask_within(post(impl_->path(target)), deadline);
    if (!reply) co_return fail(std::move(reply.error()));
    co_return Result<>{};
}

Task<> Client::container_kill(std::string id, std::string signal) {
    auto reply =
        co_await impl_->ask(post(impl_->path(container_path(id, "/kill?signal=" + url_escape(signal)))));
    if (!reply) co_return fail(std::move(reply.error()));
    co_return Result<>{};
}

Task<> Client::container_remove(std::string id) {
    for (int tries = 0;; ++tries) {
        auto reply = co_await impl_->call(erase(impl_->path(container_path(id, "?force=1&v=1"))),
                                          impl_->scaled(Milliseconds(120'000)));
        if (!reply) co_return fail(std::move(reply.error()));
        if (reply->status < 300 || reply->status == 404) co_return Result<>{};
        // 409: it is being removed already (AutoRemove); gone in a moment. Podman's words for one that ended
        // just before it was to be killed, and for one whose network others have, which are removed beside
        // it.
        const bool passes = reply->status == 409 ||
                            reply->body.find("container state improper") != std::string::npos ||
                            reply->body.find("has dependent containers") != std::string::npos;
        const HttpRequest named = erase(container_path(id, ""));
        if (!passes || tries >= 100) co_return fail(engine_error(named, reply->status, reply->body));
        auto waited = co_await detail::expire(Milliseconds(100));
        if (!waited) co_return fail(std::move(waited.error()));
    }
}

Task<std::vector<ContainerSummary>> Client::container_list(std::string label) {
    // An empty label would be one that no container has.
    const std::string filters =
        label.empty() ? std::string() : "&filters=" + url_escape(json{{"label", {label}}}.dump());
    auto reply = co_await impl_->ask_json(get(impl_->path("/containers/json?all=1" + filters)));
    if (!reply) co_return fail(std::move(reply.error()));
    if (!reply->is_array())
        co_return fail(ErrorKind::protocol, "engine: GET /containers/json: the reply is no list");
    std::vector<ContainerSummary> containers;
    for (const json& each : *reply) {
        const auto names = field<std::vector<std::string>>(each, "Names");
        containers.push_back({field<std::string>(each, "Id"), names.empty() ? "" : names.front(),
                              field<std::string>(each, "State"),
                              field<std::map<std::string, std::string>>(each, "Labels")});
    }
    co_return containers;
}

Task<Client::Log> Client::container_logs(std::string id, std::size_t limit, std::optional<int> tail_entries,
                                         std::string since) {
    std::string target =
        "/logs?stdout=1&stderr=1&tail=" + (tail_entries ? std::to_string(*tail_entries) : "all");
    if (const std::string from = unix_time(since); !from.empty()) target += "&since=" + from;
    FrameDecoder frames;
    Log log;
    std::string& text = log.text;
    const auto keep_end = [&] {
        log.cut = true;
        text.erase(0, text.size() - limit);
    };
    std::string beginning;
    std::optional<bool> is_framed;  // a container with a terminal has one stream, and no frames
    ByteSink sink = [&](std::string_view bytes) -> Result<bool> {
        if (!is_framed) {
            beginning += bytes;
            is_framed = FrameDecoder::begins_with_frame(beginning);
            if (!is_framed) return true;
            bytes = beginning;
        }
        if (!*is_framed) {
            text += bytes;
            if (text.size() > 2 * limit) keep_end();
            return true;
        }
        frames.feed(bytes);
        for (;;) {
            auto piece = frames.next();
            if (!piece) return fail(std::move(piece.error()).with_context("engine: GET /containers/logs"));
            if (!*piece) break;
            text += (*piece)->bytes;
        }
        // Twice the limit at most is held, and cut seldom.
        if (text.size() > 2 * limit) keep_end();
        return true;
    };
    auto reading = read_archive(impl_.get(), get(impl_->path(container_path(id, target))), std::move(sink));
    auto done = co_await within(impl_->timeout, "engine: GET /containers/logs", std::move(reading));
    if (!done) co_return fail(std::move(done.error()));
    if (frames.incomplete())
        co_return fail(ErrorKind::protocol, "engine: GET /containers/logs: the log ends inside a frame");
    if (!is_framed && !beginning.empty())
        co_return fail(ErrorKind::protocol, "engine: GET /containers/logs: the log ends inside a frame");
    if (text.size() > limit) keep_end();
    co_return log;
}

Task<std::optional<SignalMasks>> Client::container_signals(std::string id) {
    auto state = co_await container_inspect(id);
    if (!state) co_return fail(std::move(state.error()));
    auto reply = co_await impl_->ask_json(
        get(impl_->path(container_path(id, "/top?ps_args=-o%20pid,caught,blocked"))));
    std::optional<SignalMasks> masks;
    if (!reply && reply.error().kind == ErrorKind::cancelled) co_return fail(std::move(reply.error()));
    if (!reply) co_return masks;
    for (const json& row : child(*reply, "Processes")) masks = masks ? masks : masks_in(row, state->pid);
    co_return masks;
}

Task<std::unique_ptr<Attachment>> Client::container_attach(std::string id, bool with_stdin) {
    const std::string target = fmt::format("/attach?stream=1&stdout=1&stderr=1&stdin={}", with_stdin ? 1 : 0);
    auto hijacking = hijack(impl_.get(), post(impl_->path(container_path(id, target))));
    auto raw = co_await within(impl_->timeout, "engine: POST /containers/attach", std::move(hijacking));
    if (!raw) co_return fail(std::move(raw.error()));
    std::unique_ptr<Attachment> attachment = std::move(*raw);
    co_return attachment;
}

Task<std::string> Client::container_output(std::string id, std::optional<Milliseconds> deadline) {
    auto attached = co_await container_attach(id, true);
    if (!attached) co_return fail(std::move(attached.error()));
    if (auto started = co_await container_start(id); !started) co_return fail(std::move(started.error()));
    // The engine passes this on once it has the output, too: what is said before nobody hears.
    (void)co_await (*attached)->write("\n");
    std::string text;
    const std::string call = fmt::format("engine: POST /containers/{}/attach", id);
    auto reading = read_whole(attached->get(), &text);
    auto done =
        co_await within(deadline ? impl_->scaled(*deadline) : impl_->timeout, call, std::move(reading));
    if (!done && done.error().kind == ErrorKind::timeout) co_return fail(std::move(done.error()));
    if (!done) co_return fail(std::move(done.error()).with_context(call));
    co_return text;
}

Task<ExecResult> Client::exec(std::string id, ExecSpec spec, Milliseconds deadline,
                              std::size_t output_limit) {
    co_return co_await run_exec(impl_.get(), std::move(id), std::move(spec), deadline, output_limit);
}

Task<std::unique_ptr<Attachment>> Client::exec_attached(std::string id, ExecSpec spec) {
    std::string exec;
    auto raw = co_await start_exec(impl_.get(), std::move(id), spec, &exec);
    if (!raw) co_return fail(std::move(raw.error()));
    std::unique_ptr<Attachment> attachment = std::move(*raw);
    co_return attachment;
}

Task<> Client::archive_put(std::string id, std::string path, std::string tar) {
    HttpRequest request = post(impl_->path(container_path(id, "/archive?path=" + url_escape(path))));
    request.method = "PUT";
    request.content_type = "application/x-tar";
    request.body = std::move(tar);
    auto reply = co_await impl_->ask(std::move(request), long_deadline);
    if (!reply) co_return fail(std::move(reply.error()));
    co_return Result<>{};
}

Task<> Client::archive_get(std::string id, std::string path, ByteSink sink, Milliseconds deadline) {
    auto reading =
        read_archive(impl_.get(), get(impl_->path(container_path(id, "/archive?path=" + url_escape(path)))),
                     std::move(sink));
    co_return co_await within(impl_->scaled(deadline), "engine: GET /containers/archive", std::move(reading));
}

Task<Client::PathStat> Client::archive_stat(std::string id, std::string path) {
    HttpRequest request = get(impl_->path(container_path(id, "/archive?path=" + url_escape(path))));
    request.method = "HEAD";
    auto reply = co_await impl_->ask(std::move(request));
    if (!reply) co_return fail(std::move(reply.error()));
    const auto header = reply->headers.find("x-docker-container-path-stat");
    std::optional<std::string> text;
    if (header != reply->headers.end()) text = base64_decode(header->second);
    const json stat = json::parse(text.value_or(""), nullptr, false);
    if (!stat.is_object())
        co_return fail(ErrorKind::protocol,
                       "engine: HEAD /containers/archive: the reply says nothing of the path");
    PathStat found;
    found.name = field<std::string>(stat, "name");
    found.size = field<std::uint64_t>(stat, "size");
    found.go_mode = field<std::uint32_t>(stat, "mode");
    // Podman names a target for what is no link, too: the path itself.
    constexpr std::uint32_t go_mode_symlink = 1U << 27U;
    if ((found.go_mode & go_mode_symlink) != 0) found.link_target = field<std::string>(stat, "linkTarget");
    co_return found;
}

}  // namespace rogate::engine
