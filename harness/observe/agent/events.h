/* What the kernel's side saw, as frames. */
#ifndef ROGATE_AGENT_EVENTS_H
#define ROGATE_AGENT_EVENTS_H

#include <bpf/libbpf.h>
#include <stdbool.h>
#include <stdint.h>

#include "shared.h"

/* Of what has come since the agent began. */
struct seen {
    uint64_t attempts[SLOTS];
    uint64_t unplaced; /* of mount namespaces that could not be looked at in time, or of too many of them */
    uint64_t paths;    /* attempts that named one, of all containers */
    bool canary;
};
extern struct seen seen;

/* Events come while it is consumed or polled. */
extern struct ring_buffer* ring;
bool open_ring(void);

/* Where the runtime has put a mount that was asked for at `target`. */
bool note_target(unsigned int slot, const char* target);
void forget_targets(unsigned int slot);
/* Of what a container still has under way in io_uring: it may have been refused, and nobody has seen it. */
void doubt_requests(unsigned int slot);
/* Everything that the kernel's side has told up to `time` has been taken. */
void looks_are_done(uint64_t time);

void send_root(const struct event* event);
/* How often a mount was used, in the generations before `generation`. */
void send_uses(unsigned int slot, unsigned int generation);
/* How often each attempt was made that was told once. */
void send_counts(unsigned int slot);

#endif
