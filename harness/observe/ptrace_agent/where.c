#define _GNU_SOURCE
#include "where.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../agent/calls.h"
#include "../agent/paths.h"
#include "../agent/state.h"
#include "process.h"
#include "walk.h"

#define MAX_MOUNTS 8192

static struct where_mount mounts[MAX_MOUNTS];
static size_t mount_count;
static bool changed; /* since they were read */
static bool begun;   /* the mounts of the beginning have been read */

/* ---- mounts ---- */

static struct where_mount* find_mount(unsigned int id) {
    for (size_t i = 0; i < mount_count; i++)
        if (mounts[i].id == id) return &mounts[i];
    return NULL;
}

static bool is_the_same(const struct where_mount* mount, const struct mount_line* line, const char* device,
                        const char* root) {
    return !strcmp(mount->device, device) && !strcmp(mount->root, root) && !strcmp(mount->point, line->point);
}

static void note_mount(const struct mount_line* line, const char* device, const char* root) {
    struct where_mount* mount = find_mount(line->id);
    if (mount && is_the_same(mount, line, device, root)) {
        mount->read_only = line->read_only;
        return;
    }
    if (!mount) {
        if (mount_count == MAX_MOUNTS) return;
        mount = &mounts[mount_count++];
    } else { /* the number of one that is gone has been given to another */
        free(mount->point);
        free(mount->root);
    }
    *mount = (struct where_mount){.id = line->id,
                                  .read_only = line->read_only,
                                  .is_new = begun,
                                  .point = strdup(line->point),
                                  .root = strdup(root)};
    snprintf(mount->device, sizeof mount->device, "%s", device);
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
        char device[32] = "", *root = NULL;
        /* "ID PARENT MAJOR:MINOR ROOT POINT …" */
        if (sscanf(line, "%*u %*u %31s %ms", device, &root) == 2) {
            path_unescape(root);
            if (read_mount_line(line, &read)) note_mount(&read, device, root);
        }
        free(root);
    }
    begun = true;
    free(line);
    if (file) fclose(file);
}

void mounts_changed(void) {
    changed = true;
}

const struct where_mount* mount_with(unsigned int id) {
    return find_mount(id);
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

static void set_mount(struct where* found, unsigned int id, unsigned int tid) {
    const struct where_mount* mount = changed ? NULL : find_mount(id);
    if (!mount && id) {
        read_mounts(0);
        if (!find_mount(id)) read_mounts(tid); /* of a mount namespace of its own */
        changed = false;
        mount = find_mount(id);
    }
    found->mount_id = id;
    if (!mount) return;
    snprintf(found->mount, sizeof found->mount, "%s", mount->point);
    found->read_only = mount->read_only;
}

/* Of what is mounted anew the subject has made a view of its own: by a bind, or in a mount namespace of its
 * own. It is the same file system, and so it is one of the mounts of the beginning that is written to. */
static const struct where_mount* origin_of(const struct where_mount* view) {
    const struct where_mount* best = NULL;
    for (size_t i = 0; i < mount_count; i++) {
        const struct where_mount* mount = &mounts[i];
        if (mount->is_new || strcmp(mount->device, view->device) || !path_is_within(view->root, mount->root)) continue;
        const size_t size = strlen(mount->root), best_size = best ? strlen(best->root) : 0;
        if (best && size < best_size) continue;
        /* One source at two places: one with the same mode. */
        if (best && size == best_size && mount->read_only != view->read_only) continue;
        best = mount;
    }
    return best;
}

static const char* below(const char* path, const char* place) {
    return path + (strcmp(place, "/") ? strlen(place) : 0);
}

/* Says the place on the mount of the beginning in place of the one on the subject's own view of it. */
static void show_origin(struct where* found) {
    const struct where_mount* view = mount_with(found->mount_id);
    const struct where_mount* origin = view && view->is_new ? origin_of(view) : NULL;
    char path[2 * PATH_MAX];
    if (!origin || !path_is_within(found->path, view->point)) return;
    snprintf(path, sizeof path, "%s%s%s", strcmp(origin->point, "/") ? origin->point : "",
             below(view->root, origin->root), below(found->path, view->point));
    snprintf(found->path, sizeof found->path, "%s", path[0] ? path : "/");
    snprintf(found->mount, sizeof found->mount, "%s", origin->point);
}

/* ---- paths ---- */

static int open_of(unsigned int tid, const char* what) {
    char name[64];
    snprintf(name, sizeof name, "/proc/%u/%s", tid, what);
    return open(name, O_PATH | O_CLOEXEC);
}

static void take_state(const struct event* call, int fd, struct where* found) {
    struct stat now;
    if (fstat(fd, &now)) return;
    found->same = changes_nothing(call, fd);
    found->special = S_ISCHR(now.st_mode) || S_ISBLK(now.st_mode) || S_ISFIFO(now.st_mode) || S_ISSOCK(now.st_mode);
}

/* A name that is removed, renamed or made is an entry of its directory: a mount on it is not what is written
 * to. */
static bool look_up(unsigned int tid, const struct event* call, int base, int root, const char* path, bool second,
                    struct where* found) {
    const bool whole = !call_removes(call) && !call_makes_name(call);
    struct walk walked = walk(tid, base, root, path, whole && !call_acts_on_link(call));
    found->exists = walked.fd >= 0;
    if (walked.fd >= 0) take_state(call, walked.fd, found);
    if (walked.fd < 0 && walked.error == ENOENT && call_removes(call) && !second) found->same = true;
    const bool entry = walked.directory >= 0 && (!whole || walked.fd < 0);
    const int fd = entry ? walked.directory : walked.fd;
    if (fd >= 0 && path_of_fd(fd, found->path, PATH_MAX)) {
        set_mount(found, mount_id_of(fd), tid);
        const size_t size = strcmp(found->path, "/") ? strlen(found->path) : 0;
        if (entry) snprintf(found->path + size, sizeof found->path - size, "/%s", walked.last);
        show_origin(found);
    } else {
        found->path[0] = 0;
    }
    if (walked.fd >= 0) close(walked.fd);
    if (walked.directory >= 0) close(walked.directory);
    return found->path[0] != 0;
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
        show_origin(found);
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
