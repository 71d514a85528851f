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
#include "paths.h"
#include "state.h"

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
static const struct mount_entry* find_mount(struct mount_namespace* space, unsigned int id,
                                            unsigned int pid) {
    const struct mount_entry* entry = mount_with(space, id);
    if (!entry && id && namespace_refresh(space, pid)) entry = mount_with(space, id);
    return entry;
}

static void set_mount(struct resolution* found, struct mount_namespace* space, unsigned int id,
                      unsigned int pid) {
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

static bool leads_up(const char* path) {
    for (const char* at = path; (at = strstr(at, "/..")); at += 3)
        if (!at[3] || at[3] == '/') return true;
    return false;
}

/* `path`, which has room for PATH_MAX, is left as what the directory is called; negative: it is not there, or
 * has no name. `steered`: there was a symlink on the way, or something that leads back up. If there is none,
 * the kernel need not be asked for the name. */
static int open_directory(int root, char* path, const char* said, bool* steered) {
    int directory;
    if (!leads_up(path)) {
        path_normalise(path);
        directory = open_under(root, path, 0, RESOLVE_NO_SYMLINKS);
        if (directory >= 0 || errno != ELOOP) return directory;
    }
    *steered = true;
    directory = open_inside(root, path, 0);
    if (directory < 0) return directory;
    if (path_of_fd(directory, path, PATH_MAX)) {
        unmark_deleted(path, said);
        return directory;
    }
    close(directory);
    return -1;
}

/* The state of what the call is about; `fd` is negative, and errno set, if nothing is there. */
static void take_state(const struct event* event, int fd, struct resolution* found) {
    found->exists = fd >= 0;
    /* Of a name that was cut off nothing can be said. */
    if (event->result != -EROFS || event->flags & EVENT_TRUNCATED) return;
    if (fd >= 0)
        found->no_op = changes_nothing(event, fd);
    else
        found->no_op = errno == ENOENT && call_removes(event) && !(event->flags & EVENT_SECOND);
}

/* `full` ends in "/", "." or "..": it is a directory, whose name is not in the path. */
static bool look_up_directory(const struct event* event, struct mount_namespace* space, int root,
                              const char* full, struct resolution* found) {
    int fd = open_inside(root, full, 0);
    bool known;
    found->steered = true;
    take_state(event, fd, found);
    if (fd < 0) return false;
    set_mount(found, space, mount_of(fd), event->pid);
    known = path_of_fd(fd, found->path, PATH_MAX);
    close(fd);
    if (known) unmark_deleted(found->path, full);
    return known;
}

/* Joins what is in `directory` to the path of that. */
static bool join(char* out, size_t size, const char* directory, const char* name) {
    const int n = snprintf(out, size, "%s/%s", strcmp(directory, "/") ? directory : "", name);
    return n > 0 && (size_t)n < size;
}

/* What is there under the last name of a path. */
enum entry { IS_MISSING, IS_LINK, IS_OTHER };

/* `target`: where a symlink leads to, as seen from `above`, the path of the directory. */
static enum entry read_entry(int directory, const char* above, const char* name, char* target, size_t size) {
    char text[PATH_MAX];
    ssize_t n = readlinkat(directory, name, text, sizeof text - 1);
    if (n < 0 && errno == ENOENT) return IS_MISSING;
    if (n <= 0) return IS_OTHER;
    text[n] = 0;
    if (text[0] == '/') return snprintf(target, size, "%s", text) < (int)size ? IS_LINK : IS_OTHER;
    return join(target, size, above, text) ? IS_LINK : IS_OTHER;
}

/* What is called `last` in `directory`, whether it is there or not: what the call said, not what the file is
 * called now, since the program may have renamed it in the meantime. */
static void look_up_entry(const struct event* event, struct mount_namespace* space, int directory,
                          const char* last, bool missing, struct resolution* found) {
    const bool entry = call_removes(event) || call_makes_name(event);
    int fd = missing ? -1 : openat(directory, last, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (missing) errno = ENOENT;
    take_state(event, fd, found);
    /* A name that is removed, renamed or made is an entry of its directory: a mount on it is not what is
     * written to. */
    set_mount(found, space, mount_of(fd >= 0 && !entry ? fd : directory), event->pid);
    if (fd >= 0) close(fd);
}

/* What `full` is, looked up now: its directory, and in that its last component, whether it is there or not.
 * If that is a symlink which the call follows, so do we, also to something missing, as open(2) with O_CREAT
 * does. */
static bool look_up(const struct event* event, struct mount_namespace* space, int root, const char* full,
                    struct resolution* found) {
    const bool follows = !call_removes(event) && !call_makes_name(event) && !call_acts_on_link(event);
    char above[2 * PATH_MAX], target[2 * PATH_MAX], last[NAME_MAX + 1];
    snprintf(above, sizeof above, "%s", full);
    for (int links = 0; links < 40; links++) {
        enum entry entry = IS_OTHER;
        int directory;
        if (!path_split_last(above, last)) return look_up_directory(event, space, root, above, found);
        directory = open_directory(root, above, full, &found->steered);
        if (directory < 0) return false;
        if (follows) entry = read_entry(directory, above, last, target, sizeof target);
        if (entry != IS_LINK) look_up_entry(event, space, directory, last, entry == IS_MISSING, found);
        close(directory);
        if (entry != IS_LINK) return join(found->path, sizeof found->path, above, last);
        memcpy(above, target, sizeof above);
        found->steered = true;
    }
    return false;
}

/* What the call said, joined to where it begins. True: it had a name. */
static bool full_path(const struct event* event, char* full, size_t size) {
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
static bool believe_kernel(const struct event* event, struct mount_namespace* space,
                           struct resolution* found) {
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
    if (event->flags & EVENT_BY_FD || !named) {
        int fd = root >= 0 ? open_inside(root, full, O_NOFOLLOW) : -1; /* it can be a symlink itself */
        if (fd >= 0) take_state(event, fd, found);
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
static bool is_guess(const struct event* event, struct mount_namespace* space,
                     const struct resolution* found) {
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

void resolve(const struct event* event, struct mount_namespace* space, struct resolution* found) {
    bool told;
    resolve_under(space->root, event, space, found);
    if (event->result != -EROFS) return;
    if (found->mount[0] && !found->read_only) { /* remounted since the table was read? */
        namespace_refresh(space, event->pid);
        resolve_under(space->root, event, space, found);
    }
    told = believe_kernel(event, space, found);
    /* A mount that is not read-only has refused nothing. One of the subject's own making is read-only because
     * of another one, and what was mounted where is only known as it is now. */
    found->doubtful = !found->mount[0] || !found->read_only || (!told && is_guess(event, space, found)) ||
                      has_mounted_over(event->slot, event->mount_namespace, found->path) ||
                      has_mounted_over(event->slot, event->mount_namespace, found->mount);
}
