#define _GNU_SOURCE
#include "changes.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../protocol.h"
#include "calls.h"
#include "clock.h"
#include "looks.h"
#include "mounts.h"
#include "output.h"
#include "paths.h"

static void send_frame(unsigned int slot, uint64_t id, enum doubt_kind kind, const char* text) {
    const struct frame_doubt doubt = {id, kind, 0};
    frame_begin(FRAME_DOUBT, (uint16_t)slot);
    frame_bytes(&doubt, sizeof doubt);
    frame_text(text);
    frame_end();
}

void send_doubt(unsigned int slot, const char* text) {
    send_frame(slot, 0, DOUBT_RUN, text);
}

static void of_mount(const struct look* look) {
    char text[1024];
    snprintf(text, sizeof text,
             "%s: a name on its path was changed before the observer looked where it leads; --observer ptrace looks "
             "before the call",
             look->what);
    send_frame(look->slot, look->id, DOUBT_RUN, text);
}

static void of_state(const struct look* look) {
    send_frame(look->slot, look->id, DOUBT_STATE, "");
}

static const struct look_doubts doubts = {of_mount, of_state};

void note_look(const struct event* event, const struct resolution* found) {
    char what[900];
    struct look look = {
        .id = event->id,
        .called = event->time,
        .looked = now_ns(),
        .slot = event->slot,
        .refused = event->result == -EROFS,
        .no_op = found->no_op && event->result == -EROFS,
        .mount_known = found->told,
        .device = found->device,
        .inode = found->inode,
        .what = what,
    };
    if (!found->walked || (event->result && !look.refused)) return;
    snprintf(what, sizeof what, "%.16s %s %s of %.700s", event->comm, look.refused ? "was refused" : "made",
             call_name(event->number), found->path);
    looks_add(&look, found->way.names, found->way.count, &doubts);
}

static unsigned int machines_namespace(void) {
    static struct stat found;
    if (!found.st_ino && stat("/proc/1/ns/mnt", &found)) return 0;
    return (unsigned int)found.st_ino;
}

/* The root directory of the mount namespace in which the change was made, opened with O_PATH; the caller's. */
static int root_of_change(const struct event* event) {
    char path[64];
    struct stat space;
    if (event->slot < SLOTS) {
        const struct mount_namespace* own = namespace_of(event->slot, event->mount_namespace, event->pid);
        return own && own->root >= 0 ? dup(own->root) : -1;
    }
    if (event->mount_namespace == machines_namespace()) return open("/proc/1/root", O_PATH | O_DIRECTORY | O_CLOEXEC);
    snprintf(path, sizeof path, "/proc/%u/ns/mnt", event->pid);
    if (stat(path, &space) || space.st_ino != event->mount_namespace) return -1;
    snprintf(path, sizeof path, "/proc/%u/root", event->pid);
    return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static int open_below(int root, const char* path) {
    struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT};
    return root < 0 ? -1 : (int)syscall(SYS_openat2, root, path, &how, sizeof how);
}

/* Of a descriptor's file the number alone can be known. */
static void file_by_descriptor(const struct event* event, struct change* change) {
    char path[64];
    struct stat found;
    snprintf(path, sizeof path, "/proc/%u/fd/%d", event->pid, (int)event->open_flags);
    change->knows_file = event->inode != 0;
    change->inode = event->inode;
    if (stat(path, &found)) return;
    change->knows_file = change->knows_device = true;
    change->file_device = found.st_dev;
    change->inode = found.st_ino;
}

static void file_by_path(int root, const char* path, struct change* change) {
    struct stat found;
    const int fd = open_below(root, path);
    if (fd < 0) return;
    if (!fstat(fd, &found)) {
        change->knows_file = change->knows_device = true;
        change->file_device = found.st_dev;
        change->inode = found.st_ino;
    }
    close(fd);
}

static void place_by_path(const struct event* event, int root, const char* above, const char* last,
                          struct change* change) {
    struct stat found;
    const int fd = open_below(root, above);
    if (fd < 0) return;
    if (!fstat(fd, &found)) {
        change->knows_place = true;
        change->device = found.st_dev;
        change->directory = found.st_ino;
        /* What has been taken away cannot be looked at any more. */
        if (!call_moves_off(event) && (!call_removes(event) || event->flags & EVENT_SECOND) &&
            !fstatat(fd, last, &found, AT_SYMLINK_NOFOLLOW)) {
            change->object_device = found.st_dev;
            change->object_inode = found.st_ino;
            change->object = S_ISDIR(found.st_mode)   ? OBJECT_DIRECTORY
                             : S_ISLNK(found.st_mode) ? OBJECT_LINK
                                                      : OBJECT_OTHER;
        }
    }
    close(fd);
}

/* The first path of a rename is told right before the second one, at which what was moved can be looked at. */
static struct change first_of_rename;
static unsigned int renamer; /* its process, 0: there is none that waits */

static void compare_first(const struct change* second) {
    if (!renamer) return;
    renamer = 0;
    if (second) {
        first_of_rename.object = second->object;
        first_of_rename.object_device = second->object_device;
        first_of_rename.object_inode = second->object_inode;
    }
    looks_change(&first_of_rename, &doubts);
}

void note_change(const struct event* event) {
    static char full[2 * 4096], above[2 * 4096];
    char last[NAME_MAX + 1] = "";
    struct change change = {.time = event->time, .of_name = call_changes_name(event)};
    const bool is_second = event->flags & EVENT_SECOND;
    int root;
    if (event->flags & EVENT_BY_FD) {
        if (!looks_want(0, false)) return;
        file_by_descriptor(event, &change);
        return looks_change(&change, &doubts);
    }
    if (!full_path(event, full, sizeof full)) return;
    snprintf(above, sizeof above, "%s", full);
    if (path_split_last(above, last)) change.name = name_hash(last);
    change.moved_off = call_moves_off(event);
    if (!is_second || renamer != event->pid) compare_first(NULL);
    if (!(change.name && looks_want(change.name, change.of_name)) && renamer != event->pid && !change.moved_off) return;
    root = root_of_change(event);
    if (change.of_name)
        place_by_path(event, root, above, last, &change);
    else
        file_by_path(root, full, &change);
    if (root >= 0) close(root);
    if (change.moved_off) {
        first_of_rename = change;
        renamer = event->pid;
        return;
    }
    if (is_second) compare_first(&change);
    looks_change(&change, &doubts);
}
