// What the subject's data are like when a run begins.
#pragma once

namespace rogate {

enum class DataState {
    current,  // as they are
    fresh,    // new volumes, filled from the image; binds as they are
    used,     // as a full run left them that ended well
    restart,  // the same, and the subject was started anew once it was ready
    crash     // as a run left them that was killed, and the subject was killed once more when it was ready
};

}  // namespace rogate
