/* clang-format off */
/* The stream from the observer's agent to rogate. Shared by both sides; C, so that the agent can use it.
 *
 * It begins with PROTOCOL_MAGIC and a u16 version. Then frames follow, each a struct frame_header and
 * `length` bytes of payload. Integers are little endian. A text in a payload is a u16 length and that many
 * bytes, not terminated.
 *
 * Commands go the other way as lines of text, each answered by one FRAME_REPLY with its number:
 *
 *   N arm SLOT CONTAINER_ID        Watch what this container does from its first instruction on.
 *   N join SLOT CONTAINER_ID PID   The same for a container that runs already, whose first process is PID: what its
 *                                  processes have open for writing is sent at once, and they are never stopped.
 *   N target SLOT PATH             After `arm`, for each mount: where the runtime has put it is told by FRAME_TARGET if a
 *                                  symbolic link of the image leads elsewhere.
 *   N looks SLOT                   To the eBPF agent, after `arm`: whoever looks for a name is told as well.
 *   N phase SLOT NUMBER            What comes from now on belongs to this phase.
 *   N canary SLOT PATH             Try to write on the mount at PATH (%XX-escaped), inside the container's mount namespace.
 *   N prove SLOT PATH              To the ptrace agent, after `arm`: the same at each start of the container, before the
 *                                  subject's first instruction. The first `canary` after it is answered from that.
 *   N release SLOT                 Let go of the mount namespace: the container is about to be started anew, and its
 *                                  overlays must not be mounted twice.
 *   N flush SLOT                   Send counts, uses and statistics, and forget the container. The answer's text says why
 *                                  the account is not whole, if it is not.
 *
 * The agent ends when its standard input does. */
/* clang-format on */
#ifndef ROGATE_OBSERVE_PROTOCOL_H
#define ROGATE_OBSERVE_PROTOCOL_H

#include <stdint.h>

#define PROTOCOL_MAGIC "ROGATE"
#define PROTOCOL_VERSION 5
#define PROTOCOL_SLOTS 64u /* containers that the eBPF agent watches at once */
#define PROTOCOL_MAX_FRAME (64u * 1024u)

enum frame_type {
    FRAME_HELLO = 1,   /* text: the hooks that run; text: kernel release */
    FRAME_REPLY = 2,   /* struct frame_reply, text: why not */
    FRAME_ATTEMPT = 3, /* struct frame_attempt, texts: comm, exe, syscall, path, mount point */
    FRAME_COUNT =
        4,         /* struct frame_count: how often the attempts with this id were made in all; none: once */
    FRAME_USE = 5, /* u64 count, text: mount point */
    FRAME_STATS = 6,   /* struct frame_stats */
    FRAME_ROOT = 7,    /* struct frame_root, text: comm: a process that the engine put into the container */
    FRAME_ERROR = 8,   /* text: the agent cannot go on */
    FRAME_DOUBT = 9,   /* struct frame_doubt, text: what was seen, and cannot be relied on */
    FRAME_TARGET = 10, /* texts: a mount's target as it was asked for, and where it is */
    FRAME_CAPABILITY = 12, /* struct frame_capability, texts: comm, call */
    FRAME_CHECKS =
        13,         /* struct frame_checks: the agent sees checks of capabilities; behind the last of them */
    FRAME_READ = 11 /* u64, u64, text: mount point: of the uses that were told last, files that can have been
                     * read and were there before the container's last start; and directories */
};

enum attempt_flags {
    ATTEMPT_NO_OP = 1, /* changes nothing: refused, by the file's state then; or done, but to a device, a FIFO
                        * or what O_CREAT found to be there */
    ATTEMPT_BY_FD = 2, /* the call named no path, but an open file */
    ATTEMPT_LEXICAL =
        4, /* the path could not be looked up any more; it is what the call said, joined to its base */
    ATTEMPT_TRUNCATED = 8, /* the path was longer than what is kept */
    ATTEMPT_IO_URING = 16,
    ATTEMPT_CREATES = 32,  /* the file did not exist when the call was refused, or was made by it */
    ATTEMPT_DOUBTFUL = 64, /* refused with EROFS, but the mount it seems to be on is not read-only: it is on
                            * another one, and it is told, not lost */
    ATTEMPT_HELD = 256,    /* no call: was open for writing when the container was joined */
    ATTEMPT_LOOK = 1024,   /* no write: it looked for a name, successfully or not; after `looks` only */
    ATTEMPT_NOEXEC = 2048, /* no write: a file was not executed, or not mapped for that, since its mount does
                              not allow it */
    ATTEMPT_READ_INSTEAD = 512, /* no write: it opened for reading what this process had been refused (EROFS)
                                 * to open for reading and writing; one for each such refusal at most */
    ATTEMPT_SECOND = 128 /* where a rename leads to; another attempt with the same id says what is renamed */
};

enum doubt_kind {
    DOUBT_RUN = 0,  /* of the whole run: the text says why */
    DOUBT_STATE = 1 /* the attempts with this id were taken for no-ops, but the file has been changed
                       meanwhile; no text */
};

/* What a reply to `canary` says in `value`. */
enum canary_outcome { CANARY_SEEN = 0, CANARY_NOT_SEEN = 1, CANARY_NOT_REFUSED = 2, CANARY_FAILED = 3 };

struct frame_header {
    uint32_t length;
    uint16_t type;
    uint16_t slot;
};
struct frame_reply {
    uint32_t number;
    int32_t status; /* 0: done */
    int32_t value;
    uint32_t reserved;
};
struct frame_attempt {
    uint64_t id;
    uint64_t time; /* nanoseconds, of the same clock as a root's */
    uint32_t phase, flags;
    uint32_t pid, parent, root, uid;
    int32_t error; /* errno, 0: it succeeded */
    uint32_t open_flags;
    uint32_t mount_id, mount_namespace;
};
struct frame_count {
    uint64_t id, count;
};
struct frame_doubt {
    uint64_t id; /* of the attempt, 0: of none */
    uint32_t kind, reserved;
};
struct frame_stats {
    uint64_t lost, attempts;
};
/* Checks of a capability that agree in all but the process. */
struct frame_capability {
    uint64_t count;
    uint32_t phase, root, uid;
    int32_t capability; /* its number; -1: none, a call was refused */
    int32_t error;      /* 0: the process had it */
    uint32_t reserved;
};
struct frame_checks {
    uint64_t lost;
    uint32_t audited_only; /* what the kernel checks for its own information is left out */
    uint32_t reserved;
};
struct frame_root {
    uint64_t time;
    uint32_t pid;
    uint32_t pid_inside; /* 1: the container's first process */
};

#ifdef __cplusplus
#define ROGATE_SIZE(type, size) static_assert(sizeof(type) == (size), "layout of " #type)
#else
#define ROGATE_SIZE(type, size) _Static_assert(sizeof(type) == (size), "layout of " #type)
#endif
ROGATE_SIZE(struct frame_header, 8);
ROGATE_SIZE(struct frame_reply, 16);
ROGATE_SIZE(struct frame_attempt, 56);
ROGATE_SIZE(struct frame_count, 16);
ROGATE_SIZE(struct frame_stats, 16);
ROGATE_SIZE(struct frame_root, 16);
ROGATE_SIZE(struct frame_doubt, 16);
ROGATE_SIZE(struct frame_capability, 32);
ROGATE_SIZE(struct frame_checks, 16);
#undef ROGATE_SIZE

#endif
