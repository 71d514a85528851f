/* Paths and lines of mountinfo, as texts. */
#ifndef ROGATE_AGENT_PATHS_H
#define ROGATE_AGENT_PATHS_H

#include <stdbool.h>
#include <stddef.h>

/* "/a/./b/../c" -> "/a/c", for absolute paths that cannot be looked up. */
void path_normalise(char* path);
/* `path` is `place` or lies below it. */
bool path_is_within(const char* path, const char* place);
/* What of `path` lies below `place`, from the slash on. */
const char* path_below(const char* path, const char* place);
/* Cuts `path` into the directory, which stays in it ("." if there is none), and the last component. False: it
 * ends in no name that an entry of a directory can have ("/", "..", ".", a longer one than NAME_MAX); slashes
 * at its end are gone all the same. `last` has room for NAME_MAX + 1. */
bool path_split_last(char* path, char* last);
/* The path of an open descriptor as its own mount namespace sees it: d_path() stops at the root of the
 * namespace that a mount belongs to, not at ours. False: it has none (a pipe, a socket). */
bool path_of_fd(int fd, char* out, size_t size);
/* mountinfo writes space, tab, newline and backslash as \ooo (proc(5)). */
void path_unescape(char* text);

struct mount_line {
    unsigned int id;
    const char* point; /* in the line */
    bool read_only;
    bool whole_read_only; /* the file system is, not only this mount of it */
};
/* What a line of mountinfo says (proc(5)); it is changed by this. */
bool read_mount_line(char* line, struct mount_line* out);

#endif
