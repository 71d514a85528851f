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

#include "process.h"

#define MAX_LINKS 40      /* include/linux/namei.h: MAXSYMLINKS */
#define PROC_ROOT_INODE 1 /* include/linux/proc_fs.h: PROC_ROOT_INO */

static bool is_proc(int fd) {
    struct statfs system;
    return !fstatfs(fd, &system) && system.f_type == PROC_SUPER_MAGIC;
}

static bool same_place(int one, int other) {
    struct stat first, second;
    return !fstat(one, &first) && !fstat(other, &second) && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino && mount_id_of(one) == mount_id_of(other);
}

static void move_to(int* at, int fd) {
    close(*at);
    *at = fd;
}

/* /proc/self and /proc/thread-self depend on who looks; what is below /proc/PID is no text, but leads there.
 * True: `text` is what the link says. */
static bool read_link(unsigned int tid, int directory, int link, const char* name, char* text, size_t size) {
    struct stat where;
    if (is_proc(link) && !fstat(directory, &where)) {
        if (where.st_ino != PROC_ROOT_INODE) return false;
        const unsigned int pid = process_of(tid);
        if (!strcmp(name, "self")) return snprintf(text, size, "%u", pid) > 0;
        if (!strcmp(name, "thread-self")) return snprintf(text, size, "%u/task/%u", pid, tid) > 0;
    }
    const ssize_t n = readlinkat(link, "", text, size - 1);
    text[n > 0 ? n : 0] = 0;
    return true;
}

/* Takes the first name, and the slashes behind it, from the path. */
static bool take_name(const char** path, char* name) {
    *path += strspn(*path, "/");
    const size_t size = strcspn(*path, "/");
    if (size > NAME_MAX) return false;
    memcpy(name, *path, size);
    name[size] = 0;
    *path += size;
    return true;
}

struct walk walk(unsigned int tid, int base, int root, const char* path, bool follows) {
    char work[2][2 * PATH_MAX], name[NAME_MAX + 1], text[PATH_MAX];
    struct walk found = {-1, -1, "", 0};
    int at = dup(path[0] == '/' ? root : base), links = 0, turn = 0;
    const char* rest = path;
    while (at >= 0) {
        if (!take_name(&rest, name)) {
            found.error = ENAMETOOLONG;
            break;
        }
        const char* behind = rest + strspn(rest, "/");
        if (!*name) { /* its end */
            found.fd = at;
            return found;
        }
        if (!strcmp(name, ".") || !strcmp(name, "..")) {
            if (name[1] && !same_place(at, root)) move_to(&at, openat(at, "..", O_PATH | O_CLOEXEC));
            found.error = errno;
            continue;
        }
        const int fd = openat(at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        struct stat state;
        const bool links_on = fd >= 0 && !fstat(fd, &state) && S_ISLNK(state.st_mode) && (follows || *rest);
        if (links_on && ++links > MAX_LINKS) {
            close(fd);
            found.error = ELOOP;
            break;
        }
        if (links_on && read_link(tid, at, fd, name, text, sizeof text)) {
            close(fd);
            char* next = work[turn = !turn];
            if (snprintf(next, sizeof work[0], "%s%s%s", text, *rest ? "/" : "", behind) >= (int)sizeof work[0]) {
                found.error = ENAMETOOLONG;
                break;
            }
            rest = next;
            if (text[0] == '/') move_to(&at, dup(root));
            continue;
        }
        const int there = links_on ? openat(at, name, O_PATH | O_CLOEXEC) : fd;
        found.error = errno;
        if (links_on) close(fd);
        if (!*behind) {
            found.fd = there;
            found.directory = at;
            strcpy(found.last, name);
            return found;
        }
        move_to(&at, there);
    }
    if (at >= 0) close(at);
    return found;
}
