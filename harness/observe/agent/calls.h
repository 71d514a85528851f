/* The system calls that can change a file system, and how each names what it changes. */
#ifndef ROGATE_AGENT_CALLS_H
#define ROGATE_AGENT_CALLS_H

#include <stdbool.h>
#include <sys/stat.h>

#include "shared.h"

/* The last call of the tables that we know (arch/x86/entry/syscalls/syscall_64.tbl: listns, Linux 6.19).
 * From 403 on, every architecture has the same numbers. */
#define NEWEST_CALL 470

/* The rules of all calls by their number, SYSCALLS of them each: the architecture's own, and those of its 32-bit programs. */
void fill_rules(struct call_rule* rules, struct call_rule* compat_rules);
/* Here and below a call is its row (rows.h), or URING_NUMBER and an operation of io_uring. "?": it has none. */
const char* call_name(int row);
/* The call opens a file. */
bool call_opens(const struct event* event);
/* The call sets a file's owner, which takes its capabilities away, too. */
bool call_sets_owner(const struct event* event);
/* Without a path, the call is about its descriptor. */
bool call_needs_no_path(const struct event* event);
/* The call acts on a symlink itself, not on what it points to. */
bool call_acts_on_link(const struct event* event);
/* The call makes a name that must not exist, so that its last component is not looked up. */
bool call_makes_name(const struct event* event);
/* The call removes or renames something. */
bool call_removes(const struct event* event);
enum mounting {
    NO_MOUNTING,
    MAKES_MOUNT, /* where the event's path leads there is another mount afterwards */
    TAKES_MOUNT, /* … and there was one before that is there no more */
    MOVES_ROOT,
    CHANGES_MOUNT /* at most its flags */
};
/* What the call does to the table of mounts where this path of it leads, when it succeeds. */
enum mounting call_mounting(const struct event* event);
/* Of a call whose kind is CALL_OTHER or CALL_NEWER: whether it changes anything when it succeeds. */
bool call_changes_unlooked(const struct event* event);
/* Of a call that has been made: it has moved a name, taken it away, made it, or mounted something there; otherwise it has
 * changed a file's state. */
bool call_changes_name(const struct event* event);
/* … what was called so has another name now. */
bool call_moves_off(const struct event* event);
/* A symlink at the end of the call's path is followed. */
bool call_follows_last(const struct event* event);
/* The call would set a mode or an owner that the file has already. */
bool call_keeps(const struct event* event, const struct stat* now);

#endif
