#include <rogate/error.hpp>

namespace rogate {

int exit_code(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::scenario:
            return 1;
        case ErrorKind::usage:
            return 2;
        case ErrorKind::not_found:  // named by the user: a missing image or container is an input error of
                                    // the engine's state
        case ErrorKind::engine:
        case ErrorKind::refused:
        case ErrorKind::timeout:
        case ErrorKind::cancelled:
        case ErrorKind::protocol:
        case ErrorKind::io:
        case ErrorKind::internal:
            return 3;
        case ErrorKind::inconclusive:
            return 4;
    }
    return 3;
}

}  // namespace rogate
