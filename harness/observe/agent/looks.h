/* Paths that were looked up a moment after their calls, and what anybody changed in between. Pure: what is passed on the way,
 * and what is changed, are numbers here. */
#ifndef ROGATE_AGENT_LOOKS_H
#define ROGATE_AGENT_LOOKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A change that is told later than this after a look was made after it. A call's end is told when it returns to its program,
 * a moment after what it changed can be seen. */
#define LOOK_GRACE_NS 50000000u

/* One name on the way, in the directory in which it was looked up. */
struct passed {
    uint64_t name; /* name_hash() */
    uint64_t device, directory;
    uint64_t seen_device, seen_inode; /* what was called so at the look; 0: nothing was */
    bool last;                        /* the path's last one */
    bool entry; /* … and the call is about that name, not about what a symlink of that name leads to */
};
struct look {
    uint64_t id; /* of the attempt */
    uint64_t called, looked;
    unsigned int slot;
    bool refused;
    bool no_op;             /* since the file was so already: its state counts, too */
    bool mount_known;       /* the kernel has said which mount it was: only the state counts */
    uint64_t device, inode; /* of the file, if it was there */
    const char* what;       /* the attempt in words */
};

enum changed_object { OBJECT_UNKNOWN, OBJECT_DIRECTORY, OBJECT_LINK, OBJECT_OTHER };
struct change {
    uint64_t time;
    bool of_name;   /* of a name: it was moved, taken away, or made; otherwise of a file's mode or owner */
    bool moved_off; /* what was called so has another name now */
    uint64_t name;  /* name_hash() of the last name of its path, 0: it has none */
    bool knows_place;
    uint64_t device, directory;           /* … that the name is in */
    enum changed_object object;           /* what has been moved or made */
    uint64_t object_device, object_inode; /* … if it is known */
    bool knows_file, knows_device;
    uint64_t file_device, inode; /* of the file whose state was changed */
};

struct look_doubts {
    /* The attempt may have led to another mount. */
    void (*of_mount)(const struct look* look);
    /* The attempt's file may have been another one, or in another state. */
    void (*of_state)(const struct look* look);
};

uint64_t name_hash(const char* name);
void looks_add(const struct look* look, const struct passed* names, size_t count, const struct look_doubts* doubts);
void looks_change(const struct change* change, const struct look_doubts* doubts);
/* Everything up to this time has been told. */
void looks_told_until(uint64_t time);
size_t looks_live(void);
/* Those whose names need not be compared any more: the container is forgotten. */
void looks_forget(unsigned int slot);
/* Whether a change can concern a look, so that it is worth while to find out where it was. */
bool looks_want(uint64_t name, bool of_name);

#endif
