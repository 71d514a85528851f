/* A container that runs already: its processes, and what they have open for writing. */
#ifndef ROGATE_AGENT_JOIN_H
#define ROGATE_AGENT_JOIN_H

#include <bpf/libbpf.h>
#include <stdbool.h>
#include <stddef.h>

#include "mounts.h"
#include "shared.h"

/* Whether the process is in the container's cgroup, or in one below it. */
bool is_in_container(unsigned int pid, const char* id);
/* Puts every process of the container into the map, until none is found that is not there: what they start from then on,
 * the kernel's side adds. False: they come faster than they are found. */
bool join_processes(const struct bpf_map* processes, const struct process* as, const char* id);

/* A file that a process can write to without a further call that could be seen. */
struct held_file {
    unsigned int pid, uid, parent, open_flags;
    unsigned int mount_id, mount_namespace;
    const char *comm, *exe, *path, *mount;
};
/* Regular files behind descriptors that are open for writing, and shared mappings that are writable, of the processes of
 * the slot in the map. */
void each_held_file(const struct bpf_map* processes, unsigned int slot,
                    void (*tell)(unsigned int slot, const struct held_file*));

#endif
