// Steps that work on the subject from outside: copies, looks at files, and containers beside it.
#include <fmt/format.h>

#include <rogate/labels.hpp>

#include "base/text.hpp"
#include "scenario/local_tar.hpp"
#include "scenario/outcome.hpp"

namespace rogate::scenario {

using engine::Milliseconds;
using engine::Task;

namespace {

constexpr std::size_t looked_at_limit = 16U << 20U;

// "/a/b/c" -> "/a/b" and "c".
std::pair<std::string, std::string> split_path(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

bool wants_content(const Step& step) {
    const Expect& expect = step.expect;
    return expect.contains || expect.not_contains || expect.matches || expect.equals ||
           !expect.json.empty() || !step.captures.empty() || step.same_as_control;
}

// Go's os.FileMode -> the permission bits of stat(2).
std::uint32_t unix_mode(std::uint32_t go_mode) {
    std::uint32_t mode = go_mode & 0777U;
    if ((go_mode & (1U << 23U)) != 0) mode |= 04000U;
    if ((go_mode & (1U << 22U)) != 0) mode |= 02000U;
    if ((go_mode & (1U << 20U)) != 0) mode |= 01000U;
    return mode;
}

}  // namespace

// The engine reads and writes files below the container's root as the host sees it. A tmpfs is in the
// container's mount namespace alone: it would be the directory below it that is looked at, and a file be
// missing that is there.
std::string StepRunner::out_of_reach(const std::string& path) const {
    const std::pair<const std::string, bool>* nearest = nullptr;
    for (const auto& mount : mounts_) {
        const std::string& target = mount.first;
        if (is_or_below(path, target) && (nearest == nullptr || target.size() > nearest->first.size()))
            nearest = &mount;
    }
    if (nearest == nullptr || !nearest->second) return {};
    return fmt::format(
        "{} is on the tmpfs {}, which the engine does not reach from outside; use exec (test -e, cat, "
        "tee) or give that path a volume",
        path, nearest->first);
}

Task<StepOutcome> StepRunner::copy(const CopyAction& action) {
    if (std::string why = out_of_reach(action.load.to); !why.empty()) co_return miss(std::move(why));
    const auto [folder, name] = split_path(action.load.to);
    auto tar = tar_of_load(action.load, name);
    if (!tar) co_return fail(std::move(tar.error()).with_context("copying into the subject"));
    auto put = co_await client_.archive_put(container_, folder, std::move(*tar));
    if (put) co_return pass();
    if (put.error().kind != ErrorKind::refused && put.error().kind != ErrorKind::not_found)
        co_return fail(std::move(put.error()));
    co_return miss(
        fmt::format("{} (it is rogate that copies, not the application: what a read-only mount is to hold "
                    "belongs into 'fixtures')",
                    put.error().message));
}

Task<StepOutcome> StepRunner::file(const Step& step, const FileAction& action) {
    if (std::string why = out_of_reach(action.path); !why.empty()) co_return miss(std::move(why));
    Observed observed;
    auto stat = co_await client_.archive_stat(container_, action.path);
    if (!stat && stat.error().kind != ErrorKind::not_found) co_return fail(std::move(stat.error()));
    observed.exists = stat.has_value();
    if (stat) {
        observed.mode = unix_mode(stat->go_mode);
        if (!stat->is_directory()) observed.size = stat->size;
    }
    if (stat && wants_content(step)) {
        std::string tar;
        bool too_large = false;
        engine::ByteSink sink = [&](std::string_view bytes) -> Result<bool> {
            too_large = tar.size() + bytes.size() > looked_at_limit;
            if (!too_large) tar.append(bytes);
            return !too_large;
        };
        auto got = co_await client_.archive_get(container_, action.path, sink);
        if (!got) co_return fail(std::move(got.error()));
        if (too_large)
            co_return miss(fmt::format("{} is larger than the {} MiB that can be looked into; use exec",
                                       action.path, looked_at_limit >> 20U));
        auto text = text_of_tar(tar);
        if (!text) co_return fail(std::move(text.error()));
        observed.text = std::move(*text);
    }
    co_return judged(step, std::move(observed), memory_.masker);
}

Task<std::string> StepRunner::make_neighbour(const RunContainerAction& action) {
    auto image = co_await client_.image_inspect(action.image);
    if (!image && image.error().kind != ErrorKind::not_found) co_return fail(std::move(image.error()));
    if (!image)
        if (auto pulled = co_await client_.image_pull(action.image); !pulled)
            co_return fail(
                std::move(pulled.error())
                    .with_context(fmt::format("the image '{}' is not on the engine and could not be pulled",
                                              action.image)));
    engine::ContainerSpec spec;
    spec.name = fmt::format("{}-driver{}", neighbourhood_.name, ++neighbours_);
    spec.image = action.image;
    spec.cmd = action.command;
    spec.entrypoint = action.entrypoint;
    spec.user = action.user;
    spec.working_dir = action.working_dir;
    for (const auto& [name, value] : action.environment) spec.env.push_back(name + "=" + value);
    spec.labels = labels(neighbourhood_.session, "driver");
    spec.network_mode = neighbourhood_.network;
    co_return co_await client_.container_create(std::move(spec));
}

Task<StepOutcome> StepRunner::watch_neighbour(const Step& step, const std::string& id,
                                              const std::string& image) {
    auto started = co_await client_.container_start(id);
    if (!started) {
        auto could_not = co_await start_was_refused(client_, id, started.error());
        if (!could_not) co_return fail(std::move(could_not.error()));
        co_return miss(started.error().message);
    }
    auto ended = co_await client_.container_wait(id, Milliseconds(step.timeout_ms));
    if (!ended && ended.error().kind != ErrorKind::timeout) co_return fail(std::move(ended.error()));
    auto output = co_await client_.container_logs(id);
    if (!output) co_return fail(std::move(output.error()));
    std::string text = whole_secrets(std::move(*output), memory_.masker);
    if (!ended)
        co_return miss(fmt::format("'{}' did not end within {} ms; its output: \"{}\"", image,
                                   step.timeout_ms, excerpt_of_end(text, memory_.masker, 500)));
    Observed observed;
    observed.exit_code = *ended;
    observed.text = std::move(text);
    co_return judged(step, std::move(observed), memory_.masker);
}

Task<StepOutcome> StepRunner::run(const Step& step, const RunContainerAction& action) {
    auto id = co_await make_neighbour(action);
    if (!id) co_return fail(std::move(id.error()));
    Result<StepOutcome> outcome = pass();
    for (const Load& load : action.files) {
        // From the root, so that folders which the image does not have are made.
        auto tar = tar_of_load(load, load.to.substr(1));
        if (!tar) outcome = fail(std::move(tar.error()));
        if (!tar) break;
        auto put = co_await client_.archive_put(*id, "/", std::move(*tar));
        if (!put) outcome = fail(std::move(put.error()).with_context("copying into " + action.image));
        if (!put) break;
    }
    if (outcome) outcome = co_await watch_neighbour(step, *id, action.image);
    // After an interruption nothing more can be asked of the engine here; the sweep removes it.
    if (!outcome && outcome.error().kind == ErrorKind::cancelled) co_return outcome;
    auto removed = co_await client_.container_remove(*id);
    if (outcome && !removed) co_return fail(std::move(removed.error()));
    co_return outcome;
}

}  // namespace rogate::scenario
