// What a mount looks like from its names alone: a guess, with its reason.
#pragma once

#include <rogate/subject.hpp>
#include <string>
#include <string_view>

namespace rogate::audit {

enum class Looks {
    static_content,
    configuration,
    libraries,
    logs_to_read,
    host_to_read,
    unknown,
    log_output,
    root,
    cache,
    state,
    socket
};

std::string_view to_string(Looks looks);

struct Guess {
    Looks looks = Looks::unknown;
    std::string why;
    bool operator==(const Guess&) const = default;
};

Guess guess(const Mount& mount);

// Lower is tried first: what is most likely to pass read-only, and tells most when it does. Negative: not
// worth trying.
int order_of(Looks looks);

}  // namespace rogate::audit
