#define _GNU_SOURCE
#include "flags.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>

#include "../agent/calls.h"
#include "../protocol.h"

uint32_t flags_of(const struct event* call, const struct where* where, int error) {
    const unsigned int opened = call->open_flags;
    const bool open_call = !strncmp(call_name(call->number), "open", 4) || call->number == SYS_creat;
    uint32_t flags = where->by_fd ? ATTEMPT_BY_FD : 0;
    if (error == EROFS && where->same) flags |= ATTEMPT_NO_OP;
    if (!error && open_call) {
        const bool only_creates =
            (opened & O_ACCMODE) == O_RDONLY && !(opened & O_TRUNC) && (opened & O_CREAT);
        if (where->special || (only_creates && where->exists && (opened & O_TMPFILE) != O_TMPFILE))
            flags |= ATTEMPT_NO_OP;
    }
    if (error == EROFS && (!where->mount[0] || !where->read_only)) flags |= ATTEMPT_DOUBTFUL;
    if (where->lexical) flags |= ATTEMPT_LEXICAL;
    if ((opened & O_CREAT) && !where->exists) flags |= ATTEMPT_CREATES;
    return flags;
}
