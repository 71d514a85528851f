// The pure parts by themselves, for very many distinct attempts: reading the observer's stream, comparing and
// judging, writing and reading the result. Not part of the build: `cmake --build build/release --target
// bench_functions`.
#include <benchmark/benchmark.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "observe/decoder.hpp"
#include "observe/recorder.hpp"
#include "report/json.hpp"
#include "verdict/compare.hpp"
#include "verdict/judge.hpp"

namespace rogate {
namespace {

std::string path_of(std::int64_t i) {
    return "/data/d" + std::to_string(i % 1000) + "/file-" + std::to_string(i);
}

template <class T>
std::string bytes_of(const T& value) {
    std::string bytes(sizeof value, '\0');
    std::memcpy(bytes.data(), &value, sizeof value);
    return bytes;
}

std::string text(std::string_view value) {
    return bytes_of(static_cast<std::uint16_t>(value.size())) + std::string(value);
}

// What the agent sends for `count` refused creates.
std::string stream_of(std::int64_t count) {
    std::string stream = PROTOCOL_MAGIC + bytes_of(static_cast<std::uint16_t>(PROTOCOL_VERSION));
    for (std::int64_t i = 0; i < count; ++i) {
        frame_attempt fixed{};
        fixed.id = static_cast<std::uint64_t>(i) + 1;
        fixed.error = EROFS;
        fixed.pid = fixed.root = 100;
        fixed.open_flags = 0101;
        const std::string payload = bytes_of(fixed) + text("app") + text("/usr/sbin/app") + text("openat") +
                                    text(path_of(i)) + text("/data");
        stream +=
            bytes_of(frame_header{static_cast<std::uint32_t>(payload.size()), FRAME_ATTEMPT, 0}) + payload;
    }
    return stream;
}

void read_stream(benchmark::State& state) {
    const std::string stream = stream_of(state.range(0));
    constexpr std::size_t piece = 64U << 10U;  // as much as one read from the engine gives
    for (auto round : state) {
        observe::Decoder decoder;
        // A recording holds so many at most.
        constexpr std::ptrdiff_t most = 200'000;
        std::ptrdiff_t in_this = 0, in_all = 0;
        std::optional<observe::Recorder> recorder;
        const auto finish = [&] {
            if (recorder) in_all += std::ssize(recorder->finish().attempts);
            recorder.emplace(std::vector<std::string>{"/data"}, std::vector<std::string>{"entrypoint"});
            in_this = 0;
        };
        finish();
        for (std::size_t at = 0; at < stream.size(); at += piece) {
            decoder.feed(std::string_view(stream).substr(at, piece));
            for (;;) {
                auto frame = decoder.next();
                if (!frame) return state.SkipWithError(frame.error().message.c_str());
                if (!*frame) break;
                auto* event = std::get_if<observe::AttemptEvent>(&**frame);
                if (event == nullptr) continue;
                if (in_this == most) finish();
                ++in_this;
                recorder->take(std::move(*event));
            }
        }
        finish();
        if (in_all != state.range(0)) state.SkipWithError("attempts are missing");
    }
}

RunRecord run_of(RunKind kind, std::int64_t count) {
    RunRecord run;
    run.plan.kind = kind;
    run.passed = true;
    run.phases = {{.name = "ready", .passed = true, .message = {}, .duration_s = 0}};
    run.uses["/data"] = 1;
    if (kind != RunKind::control) {
        run.plan.id = 2;
        run.plan.read_only = {"/data"};
        run.canary["/data"] = Canary::seen;
    }
    std::vector<Attempt> attempts;
    attempts.reserve(static_cast<std::size_t>(count));  // as a recorder does
    for (std::int64_t i = 0; i < count; ++i) {
        Attempt attempt;
        attempt.mount = "/data";
        attempt.path = path_of(i);
        attempt.operation = "create";
        attempt.syscall = "openat";
        attempt.error = kind == RunKind::control ? 0 : EROFS;
        attempt.phase = "ready";
        attempt.process = {.pid = 100, .comm = "app", .exe = "/usr/sbin/app", .uid = 0, .parent = 1};
        attempts.push_back(std::move(attempt));
    }
    run.attempts = std::move(attempts);
    return run;
}

MountResult judged(RunRecord& probe, const RunRecord& control) {
    verdict::compare_with_control(probe, control);
    verdict::MountEvidence evidence;
    evidence.mount.target = "/data";
    evidence.control = &control;
    evidence.probe = &probe;
    return verdict::judge(evidence);
}

void judge_attempts(benchmark::State& state) {
    const RunRecord control = run_of(RunKind::control, state.range(0));
    RunRecord probe = run_of(RunKind::probe, state.range(0));
    for (auto round : state) {
        const MountResult result = judged(probe, control);
        if (result.verdict != Verdict::tolerated) state.SkipWithError("not the verdict that it should be");
    }
}

CampaignResult result_of(std::int64_t count) {
    const RunRecord control = run_of(RunKind::control, count);
    RunRecord probe = run_of(RunKind::probe, count);
    CampaignResult result;
    result.scenario.name = "bench";
    result.mounts.push_back(judged(probe, control));
    return result;
}

void write_result(benchmark::State& state) {
    const CampaignResult result = result_of(state.range(0));
    for (auto round : state) benchmark::DoNotOptimize(report::render_json(result));
}

void read_result(benchmark::State& state) {
    const std::string text = report::render_json(result_of(state.range(0)));
    for (auto round : state)
        if (auto read = report::parse_json(text); !read) state.SkipWithError(read.error().message.c_str());
}

constexpr std::int64_t small = 100'000, large = 1'000'000;
BENCHMARK(read_stream)->Arg(small)->Arg(large)->Unit(benchmark::kSecond);
BENCHMARK(judge_attempts)->Arg(small)->Arg(large)->Unit(benchmark::kSecond);
BENCHMARK(write_result)->Arg(small)->Arg(large)->Unit(benchmark::kSecond);
BENCHMARK(read_result)->Arg(small)->Arg(large)->Unit(benchmark::kSecond);

}  // namespace
}  // namespace rogate

BENCHMARK_MAIN();
