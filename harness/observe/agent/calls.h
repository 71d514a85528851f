/* The system calls that can change a file system, and how each names what it changes. */
#ifndef ROGATE_AGENT_CALLS_H
#define ROGATE_AGENT_CALLS_H

#include <stdbool.h>
#include <sys/stat.h>

#include "shared.h"

void fill_rules(struct call_rule *rules, struct call_rule *i386_rules);
const char *call_name(int number);
/* The call acts on a symlink itself, not on what it points to. */
bool call_acts_on_link(const struct event *event);
/* The call makes a name that must not exist, so that its last component is not looked up. */
bool call_makes_name(const struct event *event);
/* The call removes or renames something. */
bool call_removes(const struct event *event);
enum mounting {
    NO_MOUNTING,
    MAKES_MOUNT, /* where the event's path leads there is another mount afterwards */
    TAKES_MOUNT, /* … and there was one before that is there no more */
    MOVES_ROOT,
    CHANGES_MOUNT /* at most its flags */
};
/* What the call does to the table of mounts where this path of it leads, when it succeeds. */
enum mounting call_mounting(const struct event *event);
/* The call would set a mode or an owner that the file has already. */
bool call_keeps(const struct event *event, const struct stat *now);

#endif
