#define _GNU_SOURCE
#include "resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "calls.h"
#include "interrupted.h"
#include "paths.h"
#include "programs.h"
#include "state.h"
#include "walk.h"

#ifndef STATX_MNT_ID
#define STATX_MNT_ID 0x1000U
#endif

/* Under `root` as if it were "/", so that absolute symlinks of the container stay inside it. */
static int open_under(int root, const char* path, int flags, unsigned long long resolve) {
    struct open_how how = {.flags = (unsigned long long)(O_PATH | O_CLOEXEC | flags),
                           .resolve = RESOLVE_IN_ROOT | resolve};
    int fd = -1;
    /* At ".." while anybody on the host renames or mounts something: openat2(2). */
    for (int tries = 0; tries < 1000 && fd < 0 && (!tries || errno == EAGAIN); tries++)
        fd = (int)syscall(SYS_openat2, root, path, &how, sizeof how);
    return fd;
}

static int open_inside(int root, const char* path, int flags) {
    return open_under(root, path, flags, 0);
}

static unsigned int mount_of(int fd) {
    struct statx info;
    memset(&info, 0, sizeof info);
    if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &info) || !(info.stx_mask & STATX_MNT_ID)) return 0;
    return (unsigned int)info.stx_mnt_id;
}

/* The names that the BPF program collected, from the root down; where a mount begins there is its id. */
static void join_names(const char* data, unsigned int data_size, char* out, size_t size) {
    const char* names[64];
    unsigned int i = 0, count = 0;
    size_t used = 0;
    while (i < data_size) {
        if (data[i] == 0) {
            i += 5;
        } else {
            if (count < sizeof names / sizeof *names) names[count++] = data + i;
            i += (unsigned int)strnlen(data + i, data_size - i) + 1;
        }
    }
    out[0] = 0;
    while (count-- > 0) {
        int n = snprintf(out + used, size - used, "/%s", names[count]);
        if (n < 0 || (size_t)n >= size - used) break;
        used += (size_t)n;
    }
}

static void base_path(const struct event* event, char* out, size_t size) {
    join_names(event->data + event->name_size, event->base_size, out, size);
}

void exe_path(const struct event* event, char* out, size_t size) {
    join_names(event->data + event->name_size + event->base_size, event->exe_size, out, size);
}

static void take_mount(struct resolution* found, const struct mount_entry* entry) {
    snprintf(found->mount, sizeof found->mount, "%s", entry->point);
    found->mount_id = entry->id;
    found->read_only = entry->read_only;
    found->whole_read_only = entry->whole_read_only;
}

/* The mount of that id, NULL if it is in no table of the namespace, neither the one that we have nor that of
 * now. */
static const struct mount_entry* find_mount(struct mount_namespace* space, unsigned int id, unsigned int pid) {
    const struct mount_entry* entry = mount_with(space, id);
    if (!entry && id && namespace_refresh(space, pid)) entry = mount_with(space, id);
    return entry;
}

static void set_mount(struct resolution* found, struct mount_namespace* space, unsigned int id, unsigned int pid) {
    const struct mount_entry* entry = find_mount(space, id, pid);
    found->other_mount = id && !entry;
    if (entry) take_mount(found, entry);
}

static void mount_by_name(struct resolution* found, const struct mount_namespace* space) {
    const struct mount_entry* entry = mount_by_path(space, found->path);
    if (entry) take_mount(found, entry);
}

/* d_path() marks what was removed between the lookup and the question for its name. A file can be called so,
 * too; then the call most likely said it. */
static void unmark_deleted(char* path, const char* said) {
    static const char mark[] = " (deleted)";
    size_t size = strlen(path);
    if (size < sizeof mark || strcmp(path + size - (sizeof mark - 1), mark) || strstr(said, mark)) return;
    path[size - (sizeof mark - 1)] = 0;
}

/* The state of what the call is about; `fd` is negative, and `error` says why, if nothing is there. */
static void take_state(const struct event* event, int fd, int error, struct resolution* found) {
    struct stat now;
    found->exists = fd >= 0;
    if (fd >= 0 && !fstat(fd, &now)) {
        found->device = now.st_dev;
        found->inode = now.st_ino;
    }
    /* Of a name that was cut off nothing can be said. */
    if (event->result != -EROFS || event->flags & EVENT_TRUNCATED) return;
    if (fd >= 0 || event->flags & EVENT_STATE)
        found->no_op = changes_nothing(event, fd) || opens_without_change(event);
    else
        found->no_op = error == ENOENT && call_removes(event) && !(event->flags & EVENT_SECOND);
}

/* Joins what is in `directory` to the path of that. */
static bool join(char* out, size_t size, const char* directory, const char* name) {
    const int n = snprintf(out, size, "%s/%s", strcmp(directory, "/") ? directory : "", name);
    return n > 0 && (size_t)n < size;
}

/* The call's path is what it said if nothing on the way led elsewhere; else its directory is asked for its name. The last
 * name is what the call said, not what the file is called now, since the program may have renamed it in the meantime. */
static bool name_entry(const struct walk* way, const char* full, struct resolution* found) {
    char above[PATH_MAX];
    if (!way->steered) {
        snprintf(found->path, sizeof found->path, "%s", full);
        path_normalise(found->path);
        return true;
    }
    if (!path_of_fd(way->directory, above, sizeof above)) return false;
    unmark_deleted(above, full);
    return join(found->path, sizeof found->path, above, way->last);
}

static bool take_way(const struct event* event, struct mount_namespace* space, const struct walk* way, const char* full,
                     struct resolution* found) {
    /* A name that is removed, renamed or made is an entry of its directory: a mount on it is not what is
     * written to. */
    const bool entry = call_removes(event) || call_makes_name(event);
    found->steered = way->steered;
    if (way->directory >= 0) {
        take_state(event, way->fd, way->error, found);
        set_mount(found, space, mount_of(way->fd >= 0 && !entry ? way->fd : way->directory), event->pid);
        return name_entry(way, full, found);
    }
    /* It ends in "/", "." or "..": it is a directory, whose name is not in the path. Or in a link of /proc. */
    take_state(event, way->fd, way->error, found);
    if (way->fd < 0) return false;
    found->steered = true;
    set_mount(found, space, mount_of(way->fd), event->pid);
    if (!path_of_fd(way->fd, found->path, PATH_MAX)) return false;
    unmark_deleted(found->path, full);
    return true;
}

/* What `full` is, looked up now: its directory, and in that its last component, whether it is there or not. */
static bool look_up(const struct event* event, struct mount_namespace* space, int root, const char* full,
                    struct resolution* found) {
    bool known;
    walk(root, full, event->pid, call_follows_last(event), &found->way);
    known = take_way(event, space, &found->way, full, found);
    end_walk(&found->way);
    found->walked = true;
    return known;
}

/* What the call said, joined to where it begins. True: it had a name. */
bool full_path(const struct event* event, char* full, size_t size) {
    char base[PATH_MAX], name[1024 + 1];
    base_path(event, base, sizeof base);
    name[0] = 0;
    if (event->name_size && event->name_size <= sizeof name) memcpy(name, event->data, event->name_size);
    name[sizeof name - 1] = 0;
    if (name[0])
        snprintf(full, size, "%s%s%s", base, name[0] == '/' ? "" : "/", name);
    else
        snprintf(full, size, "%s", base[0] ? base : "/");
    return name[0];
}

/* The kernel said which mount refused. If that is another one than the path leads to now, a symlink, a name
 * or a mount has changed since then; and the path is only what the call said. A file system that is read-only
 * as a whole refuses before the kernel asks a mount: then what it said belongs to an earlier call. */
static bool believe_kernel(const struct event* event, struct mount_namespace* space, struct resolution* found) {
    const struct mount_entry* entry;
    if (!event->refused_mount) return false;
    if (event->refused_mount == found->mount_id) return true;
    if (found->mount[0] && found->whole_read_only) return false;
    entry = find_mount(space, event->refused_mount, event->pid);
    if (!entry) return false; /* of another namespace, or inside a file system that is made of others */
    take_mount(found, entry);
    found->lexical = true;
    found->no_op = false;
    full_path(event, found->path, sizeof found->path);
    path_normalise(found->path);
    return true;
}

static void resolve_under(int root, const struct event* event, struct mount_namespace* space,
                          struct resolution* found) {
    char full[2 * PATH_MAX];
    bool named;
    memset(found, 0, offsetof(struct resolution, path));
    found->path[0] = found->mount[0] = 0;
    named = full_path(event, full, sizeof full);
    if (event->flags & EVENT_OPENED) { /* it is the file's own path, its mount known */
        found->exists = !(event->flags & EVENT_CREATED);
        found->no_op = (event->flags & EVENT_NO_CHANGE) != 0;
        snprintf(found->path, sizeof found->path, "%s", full);
        set_mount(found, space, event->mount_id, event->pid);
        if (!found->mount[0]) mount_by_name(found, space);
        return;
    }
    if (event->flags & EVENT_BY_FD || !named) {
        int fd = root >= 0 ? open_inside(root, full, O_NOFOLLOW) : -1; /* it can be a symlink itself */
        take_state(event, fd, errno, found);
        if (fd >= 0) close(fd);
        found->exists = true;
        snprintf(found->path, sizeof found->path, "%s", full);
        set_mount(found, space, event->mount_id, event->pid);
        if (!found->mount[0]) mount_by_name(found, space);
        return;
    }
    if (root >= 0 && look_up(event, space, root, full, found)) {
        if (!found->mount[0]) mount_by_name(found, space);
        return;
    }
    found->lexical = true;
    snprintf(found->path, sizeof found->path, "%s", full);
    path_normalise(found->path);
    mount_by_name(found, space);
}

/* Whether the mount that the path leads to now may be another one than it led to in the call. */
static bool is_guess(const struct event* event, struct mount_namespace* space, const struct resolution* found) {
    if (found->other_mount || found->lexical) return true;
    /* The kernel asked one that is in no table, and the file system does not refuse by itself. */
    if (event->refused_mount && !found->whole_read_only) return true;
    if (event->flags & EVENT_BY_FD) return false; /* the file's own mount */
    if (event->flags & EVENT_TRUNCATED) return true;
    /* We follow symlinks and ".." from the namespace's root, the call did from another one. */
    if (event->flags & EVENT_CHROOTED && found->steered) return true;
    /* Where the path begins has been taken away from where it was mounted, or never was mounted. */
    return event->mount_id && !find_mount(space, event->mount_id, event->pid);
}

/* Says the place on the mount of the beginning in place of the one on the subject's own view of it. */
static void show_origin(unsigned int slot, const struct mount_namespace* space, struct resolution* found) {
    const struct mount_entry* view = mount_with(space, found->mount_id);
    const struct mount_entry* origin = view ? origin_of(slot, view) : NULL;
    char path[2 * PATH_MAX];
    if (!origin || !path_is_within(found->path, view->point)) return;
    snprintf(path, sizeof path, "%s%s%s", strcmp(origin->point, "/") ? origin->point : "",
             path_below(view->root, origin->root), path_below(found->path, view->point));
    path_normalise(path);
    snprintf(found->path, sizeof found->path, "%s", path);
    take_mount(found, origin);
}

void resolve(const struct event* event, struct mount_namespace* space, struct resolution* found) {
    bool told;
    resolve_under(space->root, event, space, found);
    if (!event->result) {
        /* A path that begins on a mount which is nowhere in the tree (open_tree(2)) is not below our root. */
        if (event->mount_id && space->count && !(event->flags & EVENT_CHROOTED) &&
            !find_mount(space, event->mount_id, event->pid))
            found->other_mount = true;
        if (!call_mounting(event)) show_origin(event->slot, space, found); /* where it was mounted is asked for */
    }
    if (event->result != -EROFS) return;
    if (found->mount[0] && !found->read_only) { /* remounted since the table was read? */
        namespace_refresh(space, event->pid);
        resolve_under(space->root, event, space, found);
    }
    told = trusts_refusals(programs) && believe_kernel(event, space, found);
    found->told = told;
    /* A mount that is not read-only has refused nothing. One of the subject's own making is read-only because
     * of another one, and what was mounted where is only known as it is now. */
    found->doubtful = !found->mount[0] || !found->read_only || (!told && is_guess(event, space, found)) ||
                      has_mounted_over(event->slot, event->mount_namespace, found->path) ||
                      has_mounted_over(event->slot, event->mount_namespace, found->mount);
}

void find_where_it_ends(const struct event* event, const struct mount_namespace* space, struct resolution* found) {
    char full[2 * PATH_MAX], *last;
    const struct mount_entry* entry = NULL;
    int fd = -1;
    if (!found->lexical) return;
    found->mount[0] = 0;
    full_path(event, full, sizeof full);
    while (space->root >= 0 && fd < 0 && (last = strrchr(full, '/')) && last != full) {
        *last = 0;
        fd = open_inside(space->root, full, 0);
    }
    if (fd < 0 && space->root >= 0) fd = open_inside(space->root, "/", 0);
    if (fd < 0) return;
    entry = mount_with(space, mount_of(fd));
    close(fd);
    if (entry) snprintf(found->mount, sizeof found->mount, "%s", entry->point);
}

bool is_kept_from_executing(const struct event* event, const struct mount_namespace* space,
                            const struct resolution* found) {
    struct statvfs system;
    struct stat now;
    int fd = space->root >= 0 ? open_inside(space->root, found->path, 0) : -1;
    bool kept = false, may = true;
    if (fd >= 0 && !(event->flags & EVENT_BY_FD) && !fstat(fd, &now))
        may = S_ISREG(now.st_mode) && now.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH);
    if (fd < 0 && found->mount[0] && space->root >= 0) fd = open_inside(space->root, found->mount, 0);
    if (fd >= 0) kept = !fstatvfs(fd, &system) && system.f_flag & ST_NOEXEC;
    if (fd >= 0) close(fd);
    return kept && may;
}

bool find_target(const struct mount_namespace* space, const char* target, char* point, size_t size) {
    const struct mount_entry* entry;
    char path[PATH_MAX];
    int fd = space->root >= 0 ? open_inside(space->root, target, 0) : -1;
    bool known;
    if (fd < 0) return false;
    entry = mount_with(space, mount_of(fd));
    known = entry && path_of_fd(fd, path, sizeof path) && !strcmp(path, entry->point);
    close(fd);
    if (known) snprintf(point, size, "%s", entry->point);
    return known;
}
