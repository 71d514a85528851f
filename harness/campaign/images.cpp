#include "campaign/images.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <ctime>
#include <rogate/labels.hpp>

#include "campaign/base_images.hpp"
#include "campaign/build_context.hpp"
#include "campaign/build_log.hpp"
#include "campaign/compose_build.hpp"

namespace rogate::campaign {

namespace asio = boost::asio;
using engine::Task;

namespace {

// Empty: the engine says none, or one that nobody means (of an image that is built alike each time).
std::string age_of(const std::string& created) {
    std::tm time{};
    if (strptime(created.c_str(), "%Y-%m-%dT%H:%M:%S", &time) == nullptr) return {};
    constexpr std::int64_t year_2000 = 946684800;
    const std::int64_t then = timegm(&time);
    return then < year_2000 ? std::string() : time_ago(then, std::time(nullptr));
}

std::string place_of(const SourcePlace& at) {
    return fmt::format("{}:{}:{}", at.file, at.line, at.column);
}

// All that an image follows from, but not who asks for it.
std::string key_of(const Subject& subject) {
    const ImageBuild& build = subject.built->build;
    std::string key;
    const auto add = [&](std::string_view text) { key += fmt::format("{}:{},", text.size(), text); };
    for (const std::string& text : {build.context, build.dockerfile, build.inline_dockerfile, build.target,
                                    build.network, build.platform})
        add(text);
    const auto add_all = [&](const std::map<std::string, std::string>& settings) {
        add(std::to_string(settings.size()));
        for (const auto& [name, value] : settings) {
            add(name);
            add(value);
        }
    };
    add_all(subject.build_args);
    add_all(build.labels);
    for (const auto& list : {build.extra_hosts, build.cache_from})
        add(fmt::format("{}", fmt::join(list, "\n")));
    add(std::to_string(build.shm_size.value_or(-1)));
    add(build.no_cache ? "no cache" : "");
    // What they are may differ from service to service.
    if (!build.beyond_the_api.empty()) add(subject.built->service);
    return key;
}

bool can_be_built(const Subject& subject) {
    return subject.built && !subject.built->build.context.empty();
}

bool can_compose(const BuiltImage& built) {
    return !built.build.files.empty();
}

}  // namespace

std::string built_name(const std::string& project, const std::string& service, const std::string& tag) {
    std::string name;
    for (const char c : project + "-" + service) {
        const bool is_upper = c >= 'A' && c <= 'Z';
        const bool is_word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        // Separators stand alone between words.
        if (is_upper || is_word)
            name += is_upper ? static_cast<char>(c - 'A' + 'a') : c;
        else if (!name.empty() && name.back() != '-')
            name += '-';
    }
    while (name.ends_with('-')) name.pop_back();
    return fmt::format("rogate/{}:{}", name.empty() ? "image" : name, tag);
}

std::string time_ago(std::int64_t then, std::int64_t now) {
    constexpr std::pair<std::int64_t, const char*> units[] = {
        {365LL * 86400, "year"}, {30LL * 86400, "month"}, {86400, "day"}, {3600, "hour"}, {60, "minute"}};
    for (const auto& [seconds, name] : units)
        if (const std::int64_t count = (now - then) / seconds; count > 0)
            return fmt::format("{} {}{} ago", count, name, count == 1 ? "" : "s");
    return "less than a minute ago";
}

struct Images::Making {
    bool is_over = false;
    Result<> outcome;
};

Images::Images(ImageOptions options, std::string session) : options_(options), session_(std::move(session)) {}
Images::~Images() = default;

Task<> Images::once(std::string what, std::function<Task<>()> work) {
    for (;;) {
        if (const auto known = making_.find(what); known != making_.end()) {
            const std::shared_ptr<Making> making = known->second;
            if (making->is_over) co_return making->outcome;
            asio::steady_timer pause(co_await asio::this_coro::executor, std::chrono::milliseconds(100));
            auto [error] = co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
            if (error) co_return fail(ErrorKind::cancelled, "interrupted");
            continue;
        }
        const auto making = std::make_shared<Making>();
        making_.emplace(what, making);
        auto doing = work();
        making->outcome = co_await std::move(doing);
        making->is_over = true;
        // Whoever waits for it was not interrupted.
        if (!making->outcome && making->outcome.error().kind == ErrorKind::cancelled) making_.erase(what);
        co_return making->outcome;
    }
}

Task<std::map<std::string, std::string>> Images::settle(engine::Client& client, Scenario& scenario,
                                                        Status& status) {
    std::map<std::string, std::string> not_built;
    for (Member& member : scenario.members) {
        auto settling = settle_one(client, member.subject, status);
        auto settled = co_await std::move(settling);
        if (settled) continue;
        const bool is_its_own = settled.error().kind == ErrorKind::not_found && can_be_built(member.subject);
        if (!is_its_own) co_return fail(std::move(settled.error()));
        not_built.emplace(member.name, std::move(settled.error().message));
    }
    std::vector<Subject*> subjects;
    if (scenario.members.empty()) subjects.push_back(&scenario.subject);
    for (Companion& companion : scenario.companions) subjects.push_back(&companion.subject);
    for (PodContainer& container : scenario.pod.containers) subjects.push_back(&container.subject);
    for (Subject* each : subjects) {
        auto settling = settle_one(client, *each, status);
        auto settled = co_await std::move(settling);
        if (!settled) co_return fail(std::move(settled.error()));
    }
    co_return not_built;
}

Task<> Images::settle_one(engine::Client& client, Subject& subject, Status& status) {
    if (!can_be_built(subject)) {
        if (!options_.pull) co_return Result<>{};
        auto pulling = pull_anew(client, subject.image, status);
        co_return co_await std::move(pulling);
    }
    const bool always = (options_.build || subject.built->build.always) && !options_.no_build;
    if (!always) {
        auto taking = take_what_is_there(client, subject, status);
        auto taken = co_await std::move(taking);
        if (!taken) co_return fail(std::move(taken.error()));
        if (*taken) co_return Result<>{};
    }
    auto building = build_once(client, subject, status);
    co_return co_await std::move(building);
}

Task<bool> Images::take_what_is_there(engine::Client& client, Subject& subject, Status& status) {
    const BuiltImage& built = *subject.built;
    std::vector<std::string> names{subject.image};
    if (!built.other_name.empty()) names.push_back(built.other_name);
    for (const std::string& name : names) {
        auto info = co_await client.image_inspect(name);
        if (!info && info.error().kind != ErrorKind::not_found) co_return fail(std::move(info.error()));
        if (!info) continue;
        subject.image = name;
        const std::string age = age_of(info->created);
        const bool is_told = !making_.try_emplace("told " + name, std::make_shared<Making>()).second;
        if (!is_told && !age.empty())
            status.note(fmt::format("image {} was built {}; --build makes it anew", name, age));
        co_return true;
    }
    if (built.other_name.empty()) {
        // As docker compose has it: an image with a name may be had from a registry.
        status.preparing(fmt::format("pulling {}", subject.image));
        auto pulled = co_await client.image_pull(subject.image);
        if (pulled) co_return true;
        if (pulled.error().kind == ErrorKind::cancelled) co_return fail(std::move(pulled.error()));
    }
    if (options_.no_build)
        co_return fail(
            ErrorKind::usage,
            fmt::format("{}: the image of service '{}' is built, and the engine has neither '{}'{}; "
                        "leave out --no-build, or build it first: docker compose build {}",
                        place_of(built.declared), built.service, names.front(),
                        names.size() == 1 ? " nor any registry" : fmt::format(" nor '{}'", names.back()),
                        built.service));
    co_return false;
}

Task<> Images::build_once(engine::Client& client, Subject& subject, Status& status) {
    const std::string key = client.endpoint().to_string() + " " + key_of(subject);
    const auto [name, is_new] = names_.try_emplace(key);
    if (is_new) {
        // Two services of one name may differ in what they are built with (scenarios of several projects).
        const auto taken = static_cast<std::size_t>(
            std::ranges::count_if(names_, [&](const auto& each) { return !each.second.empty(); }));
        name->second = built_name(subject.built->build.project, subject.built->service,
                                  taken == 0 ? session_ : fmt::format("{}-{}", session_, taken + 1));
    }
    const std::string image = name->second;
    auto making = once("build " + key, [&, image] { return make(client, subject, image, status); });
    auto made = co_await std::move(making);
    if (!made) co_return made;
    asked_.try_emplace({subject.built->service, image}, subject.image);
    subject.image = image;
    co_return Result<>{};
}

Task<> Images::make(engine::Client& client, const Subject& subject, std::string name, Status& status) {
    const BuiltImage& built = *subject.built;
    const ImageBuild& build = built.build;
    bool through_compose = false;
    if (can_compose(built)) {
        auto has = co_await has_docker_compose();
        if (!has) co_return fail(std::move(has.error()));
        through_compose = *has;
    }
    if (!through_compose && !build.beyond_the_api.empty()) {
        const auto& [key, at] = build.beyond_the_api.front();
        co_return fail(
            ErrorKind::usage,
            fmt::format("{}: '{}' of 'build' of service '{}' takes docker compose, which the docker "
                        "client here does not have: the Engine API alone cannot pass it on; install "
                        "docker's compose plugin, or build the image first: docker compose build {}",
                        place_of(at), key, built.service, built.service));
    }
    std::map<std::string, std::string> labels = build.labels;
    labels.insert_or_assign(role_label, "image");
    if (!options_.keep) labels.insert_or_assign(session_label, session_);
    BuildLog log;
    bool needs_buildkit = false;
    status.preparing(fmt::format("building the image of {} from {}", built.service, build.shown));
    const auto line = [&](const std::string& text) {
        log.add(text);
        if (BuildLog::is_step(text)) status.preparing(fmt::format("building {}: {}", built.service, text));
        if (text.find("requires BuildKit") != std::string::npos) needs_buildkit = true;
    };
    Result<> made;
    has_tried_ = true;
    if (through_compose) {
        auto building = build_with_compose(client.endpoint(), built, name, labels, options_.pull, line);
        made = co_await std::move(building);
    } else {
        auto building = make_through_api(client, subject, name, labels, line);
        made = co_await std::move(building);
    }
    if (made) {
        built_.push_back(name);
        co_return made;
    }
    Error error = std::move(made.error());
    if (error.kind == ErrorKind::cancelled) co_return fail(std::move(error));
    needs_buildkit = needs_buildkit || error.message.find("requires BuildKit") != std::string::npos;
    const std::string end = log.end();
    // The engine's own trouble is nothing that the service has done.
    const bool was_refused = error.kind == ErrorKind::refused || error.kind == ErrorKind::not_found;
    co_return fail(
        error.kind == ErrorKind::usage ? ErrorKind::usage
        : was_refused                  ? ErrorKind::not_found
                                       : ErrorKind::engine,
        fmt::format("{}: the image of service '{}' was not built: {}{}{}{}", place_of(built.declared),
                    built.service, error.message,
                    needs_buildkit ? fmt::format("; the Engine API's builder does not have that: install "
                                                 "docker's compose plugin, or build the image first: "
                                                 "docker compose build {}",
                                                 built.service)
                                   : "",
                    end.empty() ? "" : "; its log ends:", end));
}

Task<> Images::make_through_api(engine::Client& client, const Subject& subject, std::string name,
                                std::map<std::string, std::string> labels,
                                std::function<void(const std::string&)> line) {
    const ImageBuild& build = subject.built->build;
    engine::BuildSpec spec;
    spec.name = std::move(name);
    spec.target = build.target;
    spec.network = build.network;
    spec.platform = build.platform;
    spec.args = subject.build_args;
    spec.labels = std::move(labels);
    spec.extra_hosts = build.extra_hosts;
    spec.cache_from = build.cache_from;
    spec.shm_size = build.shm_size;
    spec.pull = build.pull || options_.pull;
    spec.no_cache = build.no_cache;
    engine::ByteSource pieces;
    std::optional<BuildContext> context;
    if (build.is_remote) {
        spec.remote = build.context;
        spec.dockerfile = build.dockerfile;
    } else {
        auto looked = BuildContext::of(build.context, build.dockerfile, build.inline_dockerfile);
        if (!looked) co_return fail(std::move(looked.error()));
        context = std::move(*looked);
        spec.dockerfile = context->dockerfile();
        spec.bases = base_images(context->dockerfile_text());
        pieces = [&context]() -> Task<std::string> { co_return context->next(); };
    }
    auto building = client.image_build(std::move(spec), std::move(pieces), std::move(line));
    co_return co_await std::move(building);
}

Task<> Images::pull_anew(engine::Client& client, std::string image, Status& status) {
    const std::string what = fmt::format("pull {} {}", client.endpoint().to_string(), image);
    auto pulling = once(what, [&]() -> Task<> {
        status.preparing(fmt::format("pulling {}", image));
        auto pulled = co_await client.image_pull(image);
        if (!pulled && pulled.error().kind != ErrorKind::cancelled)
            co_return fail(
                ErrorKind::not_found,
                fmt::format("--pull: the image '{}' could not be pulled: {}; leave out --pull to take "
                            "the one that the engine has",
                            image, pulled.error().message));
        co_return pulled;
    });
    co_return co_await std::move(pulling);
}

void Images::name_as_in_files(Scenario& scenario) const {
    const auto rename = [&](Subject& subject) {
        if (!subject.built) return;
        const auto asked = asked_.find({subject.built->service, subject.image});
        if (asked != asked_.end()) subject.image = asked->second;
    };
    rename(scenario.subject);
    for (Companion& companion : scenario.companions) rename(companion.subject);
    for (Member& member : scenario.members) rename(member.subject);
}

Task<engine::ImageInfo> need_image(engine::Client& client, const std::string& image, Status& status) {
    auto info = co_await client.image_inspect(image);
    if (info || info.error().kind != ErrorKind::not_found) co_return info;
    status.preparing(fmt::format("pulling {}", image));
    auto pulled = co_await client.image_pull(image);
    if (!pulled) {
        Error error = std::move(pulled.error());
        if (error.kind == ErrorKind::cancelled) co_return fail(std::move(error));
        co_return fail(
            ErrorKind::not_found,
            fmt::format(
                "the image '{}' is not on the engine and could not be pulled: {}; build it or check its name",
                image, error.message));
    }
    co_return co_await client.image_inspect(image);
}

}  // namespace rogate::campaign
