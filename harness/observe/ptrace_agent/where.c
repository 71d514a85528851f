#define _GNU_SOURCE
#include "where.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../agent/calls.h"
#include "../agent/paths.h"
#include "../agent/state.h"

#define MAX_MOUNTS 8192

static struct where_mount mounts[MAX_MOUNTS];
static size_t mount_count;

/* ---- mounts
 * ------------------------------------------------------------------------------------------------------ */

static struct where_mount* mount_with(unsigned int id) {
    for (size_t i = 0; i < mount_count; i++)
        if (mounts[i].id == id) return &mounts[i];
    return NULL;
}

static void note_mount(unsigned int id, bool read_only, const char* point) {
    struct where_mount* mount = mount_with(id);
    if (!mount) {
        if (mount_count == MAX_MOUNTS) return;
        mount = &mounts[mount_count++];
    } else {
        free(mount->point);
    }
    *mount = (struct where_mount){id, read_only, strdup(point)};
}

void read_mounts(unsigned int pid) {
    char name[64], *line = NULL;
    size_t size = 0;
    FILE* file;
    if (pid)
        snprintf(name, sizeof name, "/proc/%u/mountinfo", pid);
    else
        snprintf(name, sizeof name, "/proc/self/mountinfo");
    file = fopen(name, "re");
    while (file && getline(&line, &size, file) > 0) {
        struct mount_line read;
        if (read_mount_line(line, &read)) note_mount(read.id, read.read_only, read.point);
    }
    free(line);
    if (file) fclose(file);
}

const struct where_mount* mount_at(size_t index) {
    return index < mount_count ? &mounts[index] : NULL;
}

const struct where_mount* mount_of_path(const char* path) {
    const struct where_mount* best = NULL;
    size_t best_size = 0;
    for (size_t i = 0; i < mount_count; i++) {
        const char* point = mounts[i].point;
        const size_t size = strcmp(point, "/") ? strlen(point) : 0;
        if (strncmp(path, point, size) || (path[size] != '/' && path[size])) continue;
        if (best && size < best_size) continue; /* of two on one point the later one lies on top */
        best = &mounts[i];
        best_size = size;
    }
    return best;
}

static unsigned int mount_id_of(int fd) {
    char name[64], line[256];
    unsigned int id = 0;
    FILE* file;
    snprintf(name, sizeof name, "/proc/self/fdinfo/%d", fd);
    file = fopen(name, "re");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "mnt_id: %u", &id) == 1) break;
    if (file) fclose(file);
    return id;
}

static void set_mount(struct where* found, unsigned int id, unsigned int tid) {
    const struct where_mount* mount = mount_with(id);
    if (!mount && id) {
        read_mounts(0);
        if (!mount_with(id)) read_mounts(tid); /* of a mount namespace of its own */
        mount = mount_with(id);
    }
    found->mount_id = id;
    if (!mount) return;
    snprintf(found->mount, sizeof found->mount, "%s", mount->point);
    found->read_only = mount->read_only;
}

/* ---- paths
 * ------------------------------------------------------------------------------------------------------- */

static int open_of(unsigned int tid, const char* what) {
    char name[64];
    snprintf(name, sizeof name, "/proc/%u/%s", tid, what);
    return open(name, O_PATH | O_CLOEXEC);
}

/* From `base`, absolute paths from the process's own root, without leaving it. */
static int open_from(int base, int root, const char* path, int flags) {
    struct open_how how = {.flags = (unsigned long long)(O_PATH | O_CLOEXEC | flags),
                           .resolve = RESOLVE_IN_ROOT};
    struct stat ours, theirs;
    if (!stat("/", &ours) && !fstat(root, &theirs) && ours.st_dev == theirs.st_dev &&
        ours.st_ino == theirs.st_ino)
        return openat(base, path, O_PATH | O_CLOEXEC | flags);
    if (path[0] == '/') return (int)syscall(SYS_openat2, root, path, &how, sizeof how);
    return openat(base, path, O_PATH | O_CLOEXEC | flags);
}

/* What /proc/self and /dev/fd are depends on who looks. */
static bool of_process(unsigned int tid, const char* path, char* out, size_t size) {
    static const struct {
        const char *prefix, *becomes;
    } own[] = {{"/proc/self/", ""},    {"/proc/thread-self/", ""}, {"/dev/fd/", "fd/"},
               {"/dev/stdin", "fd/0"}, {"/dev/stdout", "fd/1"},    {"/dev/stderr", "fd/2"}};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        const size_t n = strlen(own[i].prefix);
        if (strncmp(path, own[i].prefix, n)) continue;
        snprintf(out, size, "/proc/%u/%s%s", tid, own[i].becomes, path + n);
        return true;
    }
    return false;
}

/* If `last` in `directory` is a symlink: the path that it leads to, from there. */
static bool follow(int directory, const char* last, char* out, size_t size) {
    ssize_t n = readlinkat(directory, last, out, size - 1);
    if (n <= 0) return false;
    out[n] = 0;
    return true;
}

static void take_state(const struct event* call, int fd, struct where* found) {
    struct stat now;
    if (fstat(fd, &now)) return;
    found->same = changes_nothing(call, fd);
    found->special =
        S_ISCHR(now.st_mode) || S_ISBLK(now.st_mode) || S_ISFIFO(now.st_mode) || S_ISSOCK(now.st_mode);
}

/* The last component may be missing; then the directory it would be in is looked up, and if it is a symlink
 * to something missing, the directory that this would be in (open(2) with O_CREAT follows such links). */
static bool look_up(unsigned int tid, const struct event* call, int base, int root, const char* path,
                    bool second, struct where* found) {
    char work[2 * PATH_MAX], last[NAME_MAX + 1] = "";
    const bool whole = !call_removes(call) && !call_makes_name(call),
               follows = whole && !call_acts_on_link(call);
    int fd = -1, from = dup(base);
    size_t size;
    snprintf(work, sizeof work, "%s", path);
    for (int links = 0; links < 40; links++) {
        char mine[2 * PATH_MAX];
        if (of_process(tid, work, mine, sizeof mine)) strcpy(work, mine);
        last[0] = 0;
        fd = open_from(from, root, work, follows ? 0 : O_NOFOLLOW);
        found->exists = fd >= 0;
        if (fd >= 0) take_state(call, fd, found);
        if (fd < 0 && call_removes(call) && errno == ENOENT && !second) found->same = true;
        if (fd >= 0 && whole) break;
        /* A name that is removed, renamed or made is an entry of its directory: a mount on it is not what is
         * written to. */
        if (fd >= 0) close(fd);
        fd = -1;
        if (!path_split_last(work, last)) break;
        fd = open_from(from, root, work, 0);
        if (fd < 0 || !follows || !follow(fd, last, work, sizeof work)) break;
        close(from);
        from = fd;
        fd = -1;
    }
    close(from);
    if (fd < 0) return false;
    set_mount(found, mount_id_of(fd), tid);
    if (!path_of_fd(fd, found->path, PATH_MAX)) found->path[0] = 0;
    close(fd);
    if (!found->path[0]) return false;
    if (!last[0]) return true;
    size = strcmp(found->path, "/") ? strlen(found->path) : 0;
    snprintf(found->path + size, sizeof found->path - size, "/%s", last);
    return true;
}

void find_where(unsigned int tid, const struct event* call, int fd, int dirfd, const char* path, bool second,
                struct where* found) {
    char name[32], base_path[PATH_MAX] = "";
    int base, root;
    memset(found, 0, sizeof *found);
    if (fd >= 0 || !path[0]) {
        if (fd < 0 && dirfd == AT_FDCWD)
            snprintf(name, sizeof name, "cwd");
        else
            snprintf(name, sizeof name, "fd/%d", fd >= 0 ? fd : dirfd);
        found->by_fd = true;
        base = open_of(tid, name);
        if (base < 0) return;
        found->exists = true;
        take_state(call, base, found);
        set_mount(found, mount_id_of(base), tid);
        if (!path_of_fd(base, found->path, PATH_MAX)) found->path[0] = 0;
        close(base);
        return;
    }
    if (dirfd == AT_FDCWD)
        snprintf(name, sizeof name, "cwd");
    else
        snprintf(name, sizeof name, "fd/%d", dirfd);
    root = open_of(tid, "root");
    base = path[0] == '/' ? dup(root) : open_of(tid, name);
    if (root >= 0 && base >= 0 && look_up(tid, call, base, root, path, second, found)) {
        close(base);
        close(root);
        return;
    }
    found->lexical = true;
    if (base >= 0) path_of_fd(base, base_path, sizeof base_path);
    snprintf(found->path, sizeof found->path, "%s/%.4090s", base_path, path);
    path_normalise(found->path);
    if (!found->mount[0]) {
        const struct where_mount* mount = base_path[0] ? mount_of_path(found->path) : NULL;
        if (mount) {
            snprintf(found->mount, sizeof found->mount, "%s", mount->point);
            found->read_only = mount->read_only;
            found->mount_id = mount->id;
        }
    }
    if (base >= 0) close(base);
    if (root >= 0) close(root);
}
