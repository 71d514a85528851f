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
    bool canary;
};
extern struct seen seen;

/* Events come while it is consumed or polled. */
extern struct ring_buffer* ring;
bool open_ring(void);

void send_root(const struct event* event);
/* How often a mount was used, in the generations before `generation`. */
void send_uses(unsigned int slot, unsigned int generation);
/* How often each attempt was made that was told once. */
void send_counts(unsigned int slot);

#endif
