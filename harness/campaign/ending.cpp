#include "campaign/ending.hpp"

#include <fmt/format.h>

#include <charconv>
#include <csignal>
#include <cstring>

namespace rogate::campaign {

namespace {

double seconds(std::int64_t ms) {
    return static_cast<double>(ms) / 1000.0;
}

}  // namespace

std::string judge_ending(const Ending& ending, const ExpectedEnding& expected) {
    const std::string& who = ending.who;
    if (ending.oom_killed) return who + " ran out of memory";
    const std::optional<int> wanted = expected.said         ? expected.said
                                      : expected.is_control ? std::nullopt
                                                            : expected.control;
    const char* whose = expected.said ? "expected" : "control run:";
    if (!expected.is_control) {
        if (!ending.told_to && !expected.early)
            return fmt::format("{} had exited by itself with code {}", who, ending.exit_code);
        if (ending.told_to && expected.early)
            return fmt::format(
                "{} ended by itself in the control run, and had not within {:.1f} s here; if it only takes "
                "longer, give it a longer 'shutdown: {{timeout}}'",
                who, seconds(expected.grace_ms));
        if (ending.killed && !expected.killed && !expected.said)
            return fmt::format(
                "{} did not stop within {:.1f} s and was killed, as it was not in the control run; if it "
                "only takes longer, give it a longer 'shutdown: {{timeout}}'",
                who, seconds(expected.grace_ms));
    }
    if (wanted && ending.exit_code != *wanted)
        return fmt::format("{}exit code {} ({} {})", who == Ending().who ? "" : who + ": ", ending.exit_code,
                           whose, *wanted);
    if (!ending.told_to && !wanted && ending.exit_code != 0)
        return fmt::format("{} had exited by itself with code {}", who, ending.exit_code);
    return {};
}

int signal_number(const std::string& name) {
    std::string_view text = name;
    int number = 0;
    if (const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        error == std::errc() && end == text.data() + text.size())
        return number >= 1 && number <= 64 ? number : 0;
    if (text.starts_with("SIG")) text.remove_prefix(3);
    for (int each = 1; each < 32; ++each)
        if (const char* known = sigabbrev_np(each); known != nullptr && text == known) return each;
    // As the kernel counts them, not the C library.
    constexpr int first_real_time = 34, last_real_time = 64;
    for (const auto& [word, from, sign] :
         {std::tuple{"RTMIN", first_real_time, 1}, {"RTMAX", last_real_time, -1}}) {
        if (!text.starts_with(word)) continue;
        std::string_view rest = text.substr(std::strlen(word));
        if (rest.empty()) return from;
        rest.remove_prefix(1);
        int offset = 0;
        const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), offset);
        return error == std::errc() && end == rest.data() + rest.size() ? from + sign * offset : 0;
    }
    return 0;
}

bool is_deaf_to(int signal, const engine::SignalMasks& masks) {
    if (signal < 1 || signal > 64 || signal == SIGKILL) return false;
    return (((masks.caught | masks.blocked) >> static_cast<unsigned>(signal - 1)) & 1U) == 0;
}

std::string killed_note(const std::string& who, const std::string& signal, bool deaf, std::int64_t grace_ms) {
    if (deaf)
        return fmt::format(
            "process 1 of {} has no handler for {}, so that the kernel drops the signal and `docker "
            "stop` "
            "kills it when its grace of {:.1f} s is over, every time (137): whatever it would write on being "
            "told "
            "to end is never written. The runs end it so too, and do not wait for the whole grace. An init "
            "('init: true', docker run --init) would pass the signal on",
            who, signal, seconds(grace_ms));
    return fmt::format(
        "{} had not ended {:.1f} s after {} and was killed, as `docker stop` does it (137): what it "
        "was "
        "writing by then may be cut off, here and in daily use; 'shutdown: {{timeout}}' gives it longer",
        who, seconds(grace_ms), signal);
}

}  // namespace rogate::campaign
