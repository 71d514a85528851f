/* What there is to know of the mounts' sources before a campaign, for rogate to read (campaign/sources.hpp):
   what is mounted where in this container, as /proc/self/mountinfo tells it, and then a line for each fact.
   POINT is a mount point as mountinfo writes it, PATH is relative to it; both have bytes up to the space,
   0x7f and the backslash as \ and three octal digits.

   - root POINT MODE UID GID SECONDS NANOSECONDS EMPTY: st_mode in octal; owner and time of modification in
   decimal; 1 for a directory with nothing in it, else 0
   - more POINT: its root has attributes beside these: an access control list, an extended attribute
   - deep POINT PATH: so has this, the first one that was found further down
   - socket POINT PATH: a unix socket that something listens on
   - fifo POINT PATH: a FIFO
   - link POINT FILE PATH: a name of a file that has names below other points as well; FILE is the same for
   all of them
   - cut POINT: not all of it was looked at

   Only mounts below the places that are given are searched; of the others there is the line `root` alone. The
   last line is "end": half a table would hide what is mounted below a source. */
#ifndef ROGATE_SHOW_SOURCES_H
#define ROGATE_SHOW_SOURCES_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "agent/paths.h"
#include "escaped.h"
#include "kernel_file_systems.h"

#define ROGATE_SOURCES "/rogate/source/"
#define ROGATE_SEARCH_LIMIT 2000000 /* files and directories of one mount */
#define ROGATE_LINK_LIMIT 100000    /* names of files that have others, of all mounts */

static struct {
    const char *point, *written; /* as it is, and as mountinfo writes it */
    bool deep, cut;
    long left;
} searched;

/* Names of files that have several; two of one file in two sources are one file, but not in the runs. */
static struct link_name {
    dev_t device;
    ino_t inode;
    const char* written; /* the point */
    char* path;          /* relative to it */
} * link_names;
static size_t link_count;
static const char* links_left_out; /* the first point of which some were not kept */
static size_t points_searched;

static inline void keep_link(const char* path, const struct stat* state) {
    char* copy = NULL;
    if (!link_names) link_names = calloc(ROGATE_LINK_LIMIT, sizeof *link_names);
    path += strlen(searched.point);
    if (link_names && link_count < ROGATE_LINK_LIMIT) copy = strdup(path + (*path == '/'));
    if (copy)
        link_names[link_count++] = (struct link_name){state->st_dev, state->st_ino, searched.written, copy};
    else if (!links_left_out)
        links_left_out = searched.written;
}

static inline int by_file(const void* one, const void* other) {
    const struct link_name *a = one, *b = other;
    if (a->device != b->device) return a->device < b->device ? -1 : 1;
    return a->inode == b->inode ? 0 : a->inode < b->inode ? -1 : 1;
}

/* Those that are in more than one source. */
static inline void show_links(void) {
    if (link_count) qsort(link_names, link_count, sizeof *link_names, by_file);
    for (size_t begin = 0, end; begin < link_count; begin = end) {
        bool several = false;
        for (end = begin; end < link_count && !by_file(&link_names[begin], &link_names[end]); end++)
            several = several || strcmp(link_names[end].written, link_names[begin].written);
        for (size_t i = begin; several && i < end; i++) {
            printf("link %s %zu ", link_names[i].written, begin);
            put_escaped(link_names[i].path);
            putchar('\n');
        }
    }
}

/* What a security module labels everything with is no difference: the engine labels the runs' data too. */
static inline bool has_attributes(const char* path) {
    static char names[65536];
    const ssize_t size = llistxattr(path, names, sizeof names);
    if (size < 0) return errno == ERANGE;
    for (ssize_t at = 0; at < size; at += (ssize_t)strlen(names + at) + 1)
        if (strcmp(names + at, "security.selinux") && strncmp(names + at, "trusted.overlay.", 16))
            return true;
    return false;
}

/* A datagram socket cannot connect to a stream, and so nobody is disturbed: the kernel says EPROTOTYPE where
 * somebody listens, and ECONNREFUSED where nobody does (unix_find_bsd() in net/unix/af_unix.c). */
static inline bool is_listened_on(const char* path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int file = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC),
              client = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool there = false;
    if (file >= 0 && client >= 0) {
        snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d", file);
        there = !connect(client, (struct sockaddr*)&address, sizeof address) || errno != ECONNREFUSED;
    }
    if (file >= 0) close(file);
    if (client >= 0) close(client);
    return there;
}

static inline void show_fact(const char* what, const char* path) {
    printf("%s %s", what, searched.written);
    if (path) {
        putchar(' ');
        put_escaped(path + strlen(searched.point) + (path[strlen(searched.point)] == '/'));
    }
    putchar('\n');
}

static inline int search_one(const char* path, const struct stat* state, int kind, struct FTW* where) {
    struct stat now;
    /* Data in use change: what is gone by now need not be looked at. */
    if ((kind == FTW_DNR || kind == FTW_NS) && (!lstat(path, &now) || errno != ENOENT)) searched.cut = true;
    if (--searched.left < 0) searched.cut = true;
    if (searched.left < 0) return 1;
    if (kind == FTW_NS) return 0;
    if (S_ISREG(state->st_mode) && state->st_nlink > 1) keep_link(path, state);
    if (where->level == 0) {
        if (has_attributes(path)) show_fact("more", NULL);
        return 0;
    }
    if (!searched.deep && has_attributes(path)) {
        searched.deep = true;
        show_fact("deep", path);
    }
    if (S_ISFIFO(state->st_mode)) show_fact("fifo", path);
    if (S_ISSOCK(state->st_mode) && is_listened_on(path)) show_fact("socket", path);
    return 0;
}

static inline bool is_empty_folder(const char* path) {
    DIR* folder = opendir(path);
    int entries = 0;
    if (!folder) return false;
    while (entries <= 2 && readdir(folder)) entries++;
    closedir(folder);
    return entries == 2; /* "." and ".." */
}

static inline void show_root(const char* point, const char* written) {
    struct stat state;
    if (!lstat(point, &state))
        printf("root %s %o %u %u %lld %ld %d\n", written, state.st_mode, state.st_uid, state.st_gid,
               (long long)state.st_mtim.tv_sec, state.st_mtim.tv_nsec, is_empty_folder(point));
}

static inline void search(const char* point, const char* written) {
    searched.point = point, searched.written = strdup(written);
    if (!searched.written) exit(1);
    searched.deep = searched.cut = false;
    searched.left = ROGATE_SEARCH_LIMIT;
    points_searched++;
    if (nftw(point, search_one, 32, FTW_PHYS | FTW_MOUNT) < 0) searched.cut = true;
    if (searched.cut) show_fact("cut", NULL);
}

static inline bool is_kernels_own(const char* type) {
    for (size_t i = 0; i < sizeof kernel_file_systems / sizeof *kernel_file_systems; i++)
        if (!strcmp(type, kernel_file_systems[i])) return true;
    return false;
}

static inline bool is_below_one(const char* point, int count, char** places) {
    for (int i = 0; i < count; i++)
        if (!strncmp(point, places[i], strlen(places[i])) &&
            (point[strlen(places[i])] == '/' || !point[strlen(places[i])]))
            return true;
    return false;
}

static inline int show_sources(int count, char** places) {
    static char line[16384], written[8192], point[8192], type[256];
    FILE* file = fopen("/proc/self/mountinfo", "re");
    if (!file) return 1;
    while (fgets(line, sizeof line, file)) fputs(line, stdout);
    rewind(file);
    while (fgets(line, sizeof line, file)) {
        const char* rest = strstr(line, " - ");
        if (!rest || sscanf(line, "%*s %*s %*s %*s %8191s", written) != 1 ||
            sscanf(rest, " - %255s", type) != 1)
            continue;
        strcpy(point, written);
        path_unescape(point);
        if (strncmp(point, ROGATE_SOURCES, strlen(ROGATE_SOURCES))) continue;
        show_root(point, written);
        if (!is_kernels_own(type) && is_below_one(point, count, places)) search(point, written);
    }
    fclose(file);
    show_links();
    if (links_left_out && points_searched > 1) printf("cut %s\n", links_left_out);
    return puts("end") < 0 || fflush(stdout) != 0;
}

#endif
