/* What the tracer inside the subject's container and the relay beside it share: memory that outlives the
 * tracer, which the kernel kills with the container's first process. The tracer never waits for anybody: what
 * does not fit is counted as lost. */
#ifndef ROGATE_PTRACE_ACCOUNT_H
#define ROGATE_PTRACE_ACCOUNT_H

#include <stddef.h>
#include <stdint.h>

#define AGENT_HOME "/.rogate"
#define AGENT_SOCKET "/.rogate/socket"
#define AGENT_BINARY "/.rogate/agent"
#define ACCOUNT_ATTEMPTS 65536u
#define ACCOUNT_PROBLEM 400
#define ACCOUNT_PLACES 256u

/* Only between the two; never sent to rogate: u32 watch descriptor, text: mount point. */
#define FRAME_WATCH 1000
/* Likewise: u32 place, text: mount point: what `uses` counts there. */
#define FRAME_PLACE 1002
/* Likewise: u32 canary_outcome, texts: path, why it failed: a canary that was written before the subject
 * began. */
#define FRAME_PROOF 1001

struct account {
    uint32_t session;          /* the how manyth start of the container's this is */
    uint32_t had_no_new_privs; /* before we came */
    uint32_t phase;            /* of what comes from now on; the relay's */
    uint32_t begun;            /* the subject has been told to go on: what is to be proven before it does has been */
    uint32_t ended;            /* the subject's first process has told the kernel to end it */
    uint64_t lost, attempts;
    uint64_t head, tail;           /* bytes put into and taken out of the ring since the beginning */
    uint64_t ring_bytes;           /* a power of two */
    char problem[ACCOUNT_PROBLEM]; /* why this account is not whole; the first one stays */
    uint64_t uses[ACCOUNT_PLACES];
    uint64_t counts[ACCOUNT_ATTEMPTS]; /* by attempt */
    unsigned char ring[];
};

/* False: no room. */
int account_put(struct account* account, uint16_t type, const void* fixed, size_t fixed_size, const char* const* texts,
                size_t text_count);
void account_problem(struct account* account, const char* text);
/* One more call is not in it. */
void account_lose(struct account* account, const char* why);
/* The next frame, header included; 0: there is none. `frame` has room for PROTOCOL_MAX_FRAME and a header. */
size_t account_take(struct account* account, unsigned char* frame);

#endif
