/* Who owns what, for rogate to read (campaign/owners.hpp), where the engine's archives do not tell: "UID GID
   PATH" for each path given, and with `below` for all that is below it, relative to it; what is not there is
   left out. Bytes up to the space, 0x7f and the backslash are written as \ and three octal digits. The last
   line is "end". */
#ifndef ROGATE_SHOW_OWNERS_H
#define ROGATE_SHOW_OWNERS_H

#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "escaped.h"

static size_t owners_skip; /* of each path */

static inline void show_owner(const char* path, const struct stat* state) {
    printf("%u %u ", (unsigned)state->st_uid, (unsigned)state->st_gid);
    put_escaped(path);
    putchar('\n');
}

static inline int show_owner_below(const char* path, const struct stat* state, int kind, struct FTW* where) {
    (void)where;
    if (kind == FTW_NS) return 1;
    path += owners_skip;
    show_owner(*path == '/' ? path + 1 : path, state);
    return 0;
}

static inline int show_owners(int below, int count, char** paths) {
    for (int i = 0; i < count; i++) {
        struct stat state;
        if (lstat(paths[i], &state)) continue;
        owners_skip = strlen(paths[i]);
        if (!below)
            show_owner(paths[i], &state);
        else if (nftw(paths[i], show_owner_below, 32, FTW_PHYS))
            return 1;
    }
    return puts("end") < 0 || fflush(stdout) != 0;
}

#endif
