// Errors that a user, an engine or a kernel can cause, and the Result type that carries them across rooms.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace rogate {

// What kind of thing went wrong. The exit code follows from it in one place, exit_code().
enum class ErrorKind {
    usage,         // the command line or an input file is wrong
    engine,        // the engine could not be reached, or its answer broke off
    refused,       // the engine answered that it will not or cannot do it
    not_found,     // the engine does not have the thing that was named (image, container, volume)
    timeout,       // a deadline passed
    cancelled,     // the user (SIGINT, SIGTERM) or a caller asked to stop
    protocol,      // a peer (engine, observer) sent bytes that do not follow its protocol
    io,            // a local file or socket failed
    scenario,      // the application did not do what the scenario expects
    inconclusive,  // nothing can be concluded (observer lost events, canary not seen, …)
    internal       // a broken invariant of rogate's own
};

struct Error {
    ErrorKind kind = ErrorKind::internal;
    std::string
        message;  // whole text for a person: what happened, to what, what to do; no trailing full stop

    // "while starting subject: <message>"; contexts are added on the way up.
    Error with_context(std::string_view context) && {
        message = std::string(context) + ": " + message;
        return std::move(*this);
    }
    bool operator==(const Error&) const = default;
};

template <class T = void>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(ErrorKind kind, std::string message) {
    return tl::unexpected<Error>(Error{kind, std::move(message)});
}
inline tl::unexpected<Error> fail(Error error) {
    return tl::unexpected<Error>(std::move(error));
}

// 0 all as asked · 1 the gate or a scenario says no · 2 usage or input error · 3 engine or infrastructure
// failure · 4 inconclusive.
int exit_code(ErrorKind kind);

}  // namespace rogate
