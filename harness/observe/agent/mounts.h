/* The mount namespaces of the watched containers, pinned while their processes may come and go. */
#ifndef ROGATE_AGENT_MOUNTS_H
#define ROGATE_AGENT_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>

struct mount_entry {
    unsigned int id;
    char* point; /* as the namespace's processes see it */
    bool read_only;
    bool whole_read_only; /* the file system is, not only this mount of it */
    char device[32];      /* of the file system, as mountinfo has it */
    char* root;           /* the directory of the file system that is mounted there */
};
struct mount_namespace {
    unsigned int slot, inode, pid; /* pid: the process by which it was pinned */
    int root;                      /* O_PATH descriptor of the root directory, -1: the process was gone already */
    /* Without this one the namespace ends with its last process: its mounts are taken apart, and a path below `root` would
     * lead into the bare root file system, whatever was mounted there. */
    int pin;
    bool released; /* not to be pinned again */
    bool first;    /* that of the container's first process */
    struct mount_entry* entries;
    size_t count;
};

/* The namespace, pinned and read from /proc/PID if it is not known yet; 0: not from any. Never NULL for a container with a
 * root process. */
struct mount_namespace* namespace_of(unsigned int slot, unsigned int inode, unsigned int pid);
/* The namespace of a process that just became the container's first one; those of before, if it was started again, are
 * forgotten. */
struct mount_namespace* begin_namespace(unsigned int slot, unsigned int inode, unsigned int pid);
/* The container's own one: that of its first process, after a restart of the last such. */
struct mount_namespace* first_namespace(unsigned int slot);
/* Lets go of what is pinned; the mount tables are kept. */
void release_namespaces(unsigned int slot);
/* Reads the mount table again, since mounts come and go. False: it is as it was, neither `pid` nor the process by which the
 * namespace was pinned being there any more. */
bool namespace_refresh(struct mount_namespace* space, unsigned int pid);
/* A mount is exactly there. */
bool mount_at(const struct mount_namespace* space, const char* path);
/* The one with the longest mount point that `path` lies under, NULL if there is none. */
const struct mount_entry* mount_by_path(const struct mount_namespace* space, const char* path);
const struct mount_entry* mount_with(const struct mount_namespace* space, unsigned int id);
/* What is mounted anew is often a view of what was mounted there from the beginning: a bind of the subject's own, or a copy in
 * a mount namespace of its own. The mount of the beginning, NULL if it is none of them or such a one itself. */
const struct mount_entry* origin_of(unsigned int slot, const struct mount_entry* view);
/* A process in that namespace has mounted something at `path`, or has taken a mount away. By the time that a refusal is looked
 * at, it can be otherwise again. False: there are too many of them. */
bool note_mounting(unsigned int slot, unsigned int inode, const char* path);
/* `path` is such a place, or lies below one; in this namespace or in one that there was before it, of which it may be a copy. */
bool has_mounted_over(unsigned int slot, unsigned int inode, const char* path);
void forget_namespaces(unsigned int slot);

#endif
