#define _GNU_SOURCE
#include "walk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef STATX_MNT_ID
#define STATX_MNT_ID 0x1000U
#endif
#define MAX_LINKS 40      /* include/linux/namei.h: MAXSYMLINKS */
#define PROC_ROOT_INODE 1 /* include/linux/proc_fs.h: PROC_ROOT_INO */

static bool is_proc(int fd) {
    struct statfs system;
    return !fstatfs(fd, &system) && system.f_type == PROC_SUPER_MAGIC;
}

static bool is_same_place(int one, int other) {
    struct statx first, second;
    return !statx(one, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &first) &&
           !statx(other, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &second) && first.stx_ino == second.stx_ino &&
           first.stx_dev_major == second.stx_dev_major && first.stx_dev_minor == second.stx_dev_minor &&
           first.stx_mnt_id == second.stx_mnt_id;
}

static void move_to(int* at, int fd) {
    close(*at);
    *at = fd;
}

static void note_name(struct walk* found, int directory, const char* name, const struct stat* seen, bool last,
                      bool entry) {
    struct stat place;
    if (fstat(directory, &place)) return;
    if (found->count == WALK_NAMES) {
        found->too_many = true;
        return;
    }
    found->names[found->count++] =
        (struct passed){name_hash(name), place.st_dev, place.st_ino, seen->st_dev, seen->st_ino, last, entry};
}

/* What a symlink of /proc is: "self" and "thread-self" depend on who looks, others in its root are texts, and those of the
 * processes lead somewhere whatever their texts are. */
enum proc_link { NO_PROC_LINK, OWN_PROCESS, LEADS_THERE };
static enum proc_link proc_link_of(int directory, int link, const char* name) {
    struct stat where;
    if (!is_proc(link) || fstat(directory, &where)) return NO_PROC_LINK;
    if (where.st_ino != PROC_ROOT_INODE) return LEADS_THERE;
    return !strcmp(name, "self") || !strcmp(name, "thread-self") ? OWN_PROCESS : NO_PROC_LINK;
}

/* As the machine's own /proc has it. Of which thread is not known; what its group has is nearly always the same. */
static int open_own(unsigned int pid, const char* name) {
    char path[64];
    snprintf(path, sizeof path, strcmp(name, "self") ? "/proc/%u/task/%u" : "/proc/%u", pid, pid);
    return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* Takes the first name, and the slashes before it, from the path. */
static bool take_name(const char** path, char* name) {
    size_t size;
    *path += strspn(*path, "/");
    size = strcspn(*path, "/");
    if (size > NAME_MAX) return false;
    memcpy(name, *path, size);
    name[size] = 0;
    *path += size;
    return true;
}

/* The text of the symlink with what is behind it. */
static bool join_link(int link, const char* rest, char* out, size_t size) {
    char text[PATH_MAX];
    const ssize_t n = readlinkat(link, "", text, sizeof text - 1);
    if (n <= 0) return false;
    text[n] = 0;
    return snprintf(out, size, "%s%s", text, rest) < (int)size;
}

void walk(int root, const char* path, unsigned int pid, bool follows, struct walk* found) {
    char work[2][2 * PATH_MAX], name[NAME_MAX + 1];
    const char* rest = path;
    int at = dup(root), links = 0, turn = 0;
    found->fd = found->directory = -1;
    found->last[0] = 0;
    found->error = ENOENT;
    found->steered = found->too_many = false;
    found->count = 0;
    while (at >= 0) {
        enum proc_link kind;
        struct stat state;
        bool is_last, is_link;
        int fd;
        if (!take_name(&rest, name)) {
            found->error = ENAMETOOLONG;
            break;
        }
        if (!*name) { /* its end */
            found->fd = at;
            return;
        }
        is_last = !rest[strspn(rest, "/")];
        if (!strcmp(name, ".")) continue;
        if (!strcmp(name, "..")) {
            found->steered = true;
            if (!is_same_place(at, root)) move_to(&at, openat(at, "..", O_PATH | O_CLOEXEC));
            continue;
        }
        fd = openat(at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        found->error = fd < 0 ? errno : 0;
        if (fd < 0 || fstat(fd, &state)) memset(&state, 0, sizeof state);
        is_link = S_ISLNK(state.st_mode) && (follows || *rest);
        note_name(found, at, name, &state, is_last, is_last && !follows && !*rest);
        if (!is_link) {
            if (is_last) {
                found->fd = fd;
                found->directory = at;
                strcpy(found->last, name);
                return;
            }
            move_to(&at, fd);
            continue;
        }
        found->steered = true;
        if (++links > MAX_LINKS) {
            close(fd);
            found->error = ELOOP;
            break;
        }
        kind = proc_link_of(at, fd, name);
        if (kind == NO_PROC_LINK) {
            char* next = work[turn = !turn];
            const bool joined = join_link(fd, rest, next, sizeof work[0]);
            close(fd);
            if (!joined) {
                found->error = ENAMETOOLONG;
                break;
            }
            if (next[0] == '/') move_to(&at, dup(root));
            rest = next;
            continue;
        }
        close(fd);
        fd = kind == OWN_PROCESS ? open_own(pid, name) : openat(at, name, O_PATH | O_CLOEXEC);
        if (fd < 0) {
            found->error = ESRCH; /* it is there, and where it leads is not known any more */
            break;
        }
        move_to(&at, fd);
        if (is_last) {
            found->fd = at;
            return;
        }
    }
    if (at >= 0) close(at);
}

void end_walk(struct walk* found) {
    if (found->fd >= 0) close(found->fd);
    if (found->directory >= 0) close(found->directory);
    found->fd = found->directory = -1;
}
