#define _GNU_SOURCE
#include "flags.h"

#include <errno.h>
#include <fcntl.h>

#include "../agent/calls.h"
#include "../protocol.h"

uint32_t flags_of(const struct event* call, const struct where* where, int error) {
    const unsigned int opened = call->open_flags;
    const bool open_call = call_opens(call);
    uint32_t flags = where->by_fd ? ATTEMPT_BY_FD : 0;
    if (error == EROFS && where->same) flags |= ATTEMPT_NO_OP;
    if (open_call) {
        /* Access mode 3 asks for the right to read and to write, and gives neither: for ioctl(2) on devices.
         */
        const bool writes = (opened & O_ACCMODE) == O_WRONLY || (opened & O_ACCMODE) == O_RDWR || opened & O_TRUNC;
        const bool makes = (opened & O_TMPFILE) == O_TMPFILE || (opened & O_CREAT && !where->exists);
        const bool by_mode = (opened & O_ACCMODE) == O_ACCMODE;
        if (!error && (where->special || (!writes && !makes))) flags |= ATTEMPT_NO_OP;
        if (error == EROFS && by_mode && !writes && !makes) flags |= ATTEMPT_NO_OP;
    }
    if (error == EROFS && (!where->mount[0] || !where->read_only)) flags |= ATTEMPT_DOUBTFUL;
    if (where->lexical) flags |= ATTEMPT_LEXICAL;
    if ((opened & O_CREAT) && !where->exists) flags |= ATTEMPT_CREATES;
    return flags;
}
