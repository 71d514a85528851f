#define _GNU_SOURCE
#include "resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "calls.h"

#ifndef STATX_MNT_ID
#define STATX_MNT_ID 0x1000U
#endif

/* Under `root` as if it were "/", so that absolute symlinks of the container stay inside it. */
static int open_inside(int root, const char *path, int flags) {
    struct open_how how = {.flags = (unsigned long long)(O_PATH | O_CLOEXEC | flags), .resolve = RESOLVE_IN_ROOT};
    return (int)syscall(SYS_openat2, root, path, &how, sizeof how);
}

static unsigned int mount_of(int fd) {
    struct statx info;
    memset(&info, 0, sizeof info);
    if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &info) || !(info.stx_mask & STATX_MNT_ID)) return 0;
    return (unsigned int)info.stx_mnt_id;
}

/* The names that the BPF program collected, from the root down; the id of the mount nearest to the leaf. */
static unsigned int base_path(const struct event *event, char *out, size_t size) {
    const char *data = event->data + event->name_size;
    const char *names[64];
    unsigned int mount = 0, i = 0, count = 0;
    size_t used = 0;
    while (i < event->base_size) {
        if (data[i] == 0) {
            unsigned int id;
            if (i + 5 > event->base_size) break;
            memcpy(&id, data + i + 1, sizeof id);
            if (!mount) mount = id;
            i += 5;
        } else {
            if (count < sizeof names / sizeof *names) names[count++] = data + i;
            i += (unsigned int)strnlen(data + i, event->base_size - i) + 1;
        }
    }
    out[0] = 0;
    while (count-- > 0) {
        int n = snprintf(out + used, size - used, "/%s", names[count]);
        if (n < 0 || (size_t)n >= size - used) break;
        used += (size_t)n;
    }
    return mount;
}

/* "a/./b/../c" -> "a/c", for paths that cannot be looked up. */
static void normalise(char *path) {
    char *parts[PATH_MAX / 2], *copy = strdup(path), *rest = copy, *part;
    size_t count = 0, used = 0;
    if (!copy) return;
    while ((part = strsep(&rest, "/"))) {
        if (!*part || !strcmp(part, ".")) continue;
        if (!strcmp(part, "..")) {
            if (count) count--;
        } else if (count < sizeof parts / sizeof *parts) {
            parts[count++] = part;
        }
    }
    path[0] = 0;
    for (size_t i = 0; i < count; i++) used += (size_t)sprintf(path + used, "/%s", parts[i]);
    if (!count) strcpy(path, "/");
    free(copy);
}

static void set_mount(struct resolution *found, struct mount_namespace *space, unsigned int id, unsigned int pid) {
    const struct mount_entry *entry = mount_with(space, id);
    if (!entry && id) {
        namespace_refresh(space, pid);
        entry = mount_with(space, id);
    }
    if (!entry) return;
    snprintf(found->mount, sizeof found->mount, "%s", entry->point);
    found->read_only = entry->read_only;
}

/* The longest mount point that `path` lies under. */
static void mount_by_name(struct resolution *found, const struct mount_namespace *space) {
    size_t best = 0;
    for (size_t i = 0; i < space->count; i++) {
        const char *point = space->entries[i].point;
        size_t size = strcmp(point, "/") ? strlen(point) : 0;
        if (strncmp(found->path, point, size) || (found->path[size] != '/' && found->path[size] != 0)) continue;
        if (best && size < best) continue;
        best = size;
        snprintf(found->mount, sizeof found->mount, "%s", point);
        found->read_only = space->entries[i].read_only;
    }
}

static bool same_change(const struct event *event, const struct stat *now) {
    const char *call = call_name(event->number);
    unsigned int first = 0;
    if (strstr(call, "chmod")) {
        first = !strcmp(call, "chmod") || !strcmp(call, "fchmod") ? 1 : 2;
        return (now->st_mode & 07777) == (event->args[first] & 07777);
    }
    if (strstr(call, "chown")) {
        unsigned int owner, group;
        first = !strcmp(call, "fchownat") ? 2 : 1;
        owner = (unsigned int)event->args[first];
        group = (unsigned int)event->args[first + 1];
        return (owner == (unsigned int)-1 || owner == now->st_uid) && (group == (unsigned int)-1 || group == now->st_gid);
    }
    return false;
}

static bool removes(const struct event *event) {
    const char *call = call_name(event->number);
    return !strncmp(call, "unlink", 6) || !strncmp(call, "rmdir", 5) || !strncmp(call, "rename", 6);
}

/* What `full` is, looked up now. The last component may be missing; then the directory it would be in is looked up. */
static bool look_up(const struct event *event, struct mount_namespace *space, int root, const char *full, struct resolution *found) {
    char work[2 * PATH_MAX], link[64], last[NAME_MAX + 1] = "";
    bool whole = !removes(event) && !call_makes_name(event);
    struct stat now;
    ssize_t size;
    int fd = -1, flags = call_acts_on_link(event) ? O_NOFOLLOW : 0;
    snprintf(work, sizeof work, "%s", full);
    size = (ssize_t)strlen(work);
    while (size > 1 && work[size - 1] == '/') work[--size] = 0;
    fd = open_inside(root, work, flags);
    found->exists = fd >= 0;
    if (fd >= 0 && !fstat(fd, &now) && event->result == -EROFS) found->no_op = same_change(event, &now);
    if (fd < 0 && event->result == -EROFS && removes(event) && errno == ENOENT) found->no_op = true;
    /* A name that is removed, renamed or made is an entry of its directory: a mount on it is not what is written to. */
    if (fd < 0 || !whole) {
        char *slash = strrchr(work, '/');
        if (fd >= 0) close(fd);
        fd = -1;
        if (!slash || !slash[1] || strlen(slash + 1) > NAME_MAX || !strcmp(slash + 1, "..") || !strcmp(slash + 1, ".")) return false;
        strcpy(last, slash + 1);
        slash[slash == work ? 1 : 0] = 0;
        fd = open_inside(root, work, 0);
        if (fd < 0) return false;
    }
    set_mount(found, space, mount_of(fd), event->pid);
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    size = readlink(link, found->path, PATH_MAX);
    close(fd);
    if (size <= 0 || found->path[0] != '/') return false;
    found->path[size] = 0;
    if (last[0]) {
        if (size == 1) size = 0;
        found->path[size] = '/';
        strcpy(found->path + size + 1, last);
    }
    return true;
}

static void resolve_under(int root, const struct event *event, struct mount_namespace *space, struct resolution *found) {
    char base[PATH_MAX], full[2 * PATH_MAX], name[1024 + 1];
    unsigned int base_mount = base_path(event, base, sizeof base);
    memset(found, 0, sizeof *found);
    name[0] = 0;
    if (event->name_size && event->name_size <= sizeof name) memcpy(name, event->data, event->name_size);
    name[sizeof name - 1] = 0;
    if (name[0])
        snprintf(full, sizeof full, "%s/%s", base, name);
    else
        snprintf(full, sizeof full, "%s", base[0] ? base : "/");
    if (!strncmp(full, "/proc/self/", 11)) {
        char own[2 * PATH_MAX];
        snprintf(own, sizeof own, "/proc/%u/%.8000s", event->pid, full + 11);
        /* Through the host's /proc: magic links lead into the process's own files. */
        int fd = open(own, O_PATH | O_CLOEXEC);
        if (fd >= 0) {
            char link[64];
            ssize_t size;
            set_mount(found, space, mount_of(fd), event->pid);
            snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
            size = readlink(link, found->path, PATH_MAX);
            found->path[size > 0 ? size : 0] = 0;
            close(fd);
            if (size > 0 && found->mount[0]) {
                found->exists = true;
                return;
            }
        }
    }
    if (event->flags & EVENT_BY_FD || !name[0]) {
        struct stat now;
        int fd = root >= 0 ? open_inside(root, full, 0) : -1;
        if (fd >= 0 && !fstat(fd, &now) && event->result == -EROFS) found->no_op = same_change(event, &now);
        if (fd >= 0) close(fd);
        found->exists = true;
        snprintf(found->path, sizeof found->path, "%s", full);
        set_mount(found, space, base_mount, event->pid);
        if (!found->mount[0]) mount_by_name(found, space);
        return;
    }
    if (root >= 0 && look_up(event, space, root, full, found)) {
        if (!found->mount[0]) mount_by_name(found, space);
        return;
    }
    found->lexical = true;
    snprintf(found->path, sizeof found->path, "%s", full);
    normalise(found->path);
    mount_by_name(found, space);
}

void resolve(const struct event *event, struct mount_namespace *space, struct resolution *found) {
    char path[64];
    int own = -1;
    if (space->root < 0) {  /* let go of before a restart; the process may still be there */
        snprintf(path, sizeof path, "/proc/%u/root", event->pid);
        own = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    }
    resolve_under(space->root >= 0 ? space->root : own, event, space, found);
    if (own >= 0) close(own);
}
