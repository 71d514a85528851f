#define _GNU_SOURCE
#include "mounts.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "paths.h"
#include "shared.h"

/* A container that makes more namespaces than this has its later ones resolved in its first one. */
#define MAX_NAMESPACES 256
#define MAX_MOUNTS 4096
#define MAX_PLACES 1024

static struct mount_namespace spaces[MAX_NAMESPACES];
static size_t space_count;
/* Where the processes of a container have mounted something, or taken a mount away. */
static struct {
    unsigned int slot, inode; /* of the namespace */
    char* path;
} places[MAX_PLACES];
static size_t place_count;

/* What the container's first process found mounted when it began; only their tables are used. */
static struct mount_namespace originals[SLOTS];

static void free_entries(struct mount_namespace* space) {
    for (size_t i = 0; i < space->count; i++) {
        free(space->entries[i].point);
        free(space->entries[i].root);
    }
    free(space->entries);
    space->entries = NULL;
    space->count = 0;
}

/* The process' directory below /proc, if it is in that namespace. A number alone does not tell: the process
 * can be gone and its number another's; what is opened below a descriptor of the directory belongs to the one
 * that was looked at. */
static int open_process(const struct mount_namespace* space, unsigned int pid) {
    char path[32];
    struct stat namespace;
    int directory;
    snprintf(path, sizeof path, "/proc/%u", pid);
    directory = pid ? open(path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
    if (directory < 0) return -1;
    if (!fstatat(directory, "ns/mnt", &namespace, 0) && namespace.st_ino == space->inode) return directory;
    close(directory);
    return -1;
}

/* "ID PARENT MAJOR:MINOR ROOT POINT …" */
static bool read_entry(char* line, struct mount_entry* entry) {
    struct mount_line read;
    memset(entry, 0, sizeof *entry);
    if (sscanf(line, "%*u %*u %31s %ms", entry->device, &entry->root) == 2) {
        path_unescape(entry->root);
        if (read_mount_line(line, &read)) {
            entry->id = read.id;
            entry->point = strdup(read.point);
            entry->read_only = read.read_only;
            entry->whole_read_only = read.whole_read_only;
        }
    }
    if (entry->point) return true;
    free(entry->root);
    return false;
}

/* False: the process has ended in the meantime; the table is as it was. */
static bool read_mounts(struct mount_namespace* space, int process) {
    char* line = NULL;
    size_t size = 0;
    int fd = openat(process, "mountinfo", O_RDONLY | O_CLOEXEC);
    FILE* file = fd >= 0 ? fdopen(fd, "r") : NULL;
    if (!file) {
        if (fd >= 0) close(fd);
        return false;
    }
    free_entries(space);
    space->entries = calloc(MAX_MOUNTS, sizeof *space->entries);
    while (space->entries && space->count < MAX_MOUNTS && getline(&line, &size, file) > 0) {
        if (read_entry(line, &space->entries[space->count])) space->count++;
    }
    free(line);
    fclose(file);
    return true;
}

/* fs/proc_namespace.c: to a process that has changed its root, mountinfo shows the mounts below that, by
 * their paths from there. */
static bool has_root_of(const struct mount_namespace* space, int process) {
    struct stat pinned, own;
    return space->root >= 0 && !fstat(space->root, &pinned) && !fstatat(process, "root", &own, 0) &&
           pinned.st_dev == own.st_dev && pinned.st_ino == own.st_ino;
}

static bool refresh_from(struct mount_namespace* space, unsigned int pid) {
    int process = open_process(space, pid);
    bool read;
    if (process < 0) return false;
    read = has_root_of(space, process) && read_mounts(space, process);
    close(process);
    return read;
}

bool namespace_refresh(struct mount_namespace* space, unsigned int pid) {
    /* Either can end at any moment. */
    return refresh_from(space, pid) || refresh_from(space, space->pid);
}

static void unpin(struct mount_namespace* space) {
    if (space->root >= 0) close(space->root);
    if (space->pin >= 0) close(space->pin);
    space->root = space->pin = -1;
}

static void pin_process(struct mount_namespace* space, unsigned int pid) {
    int process = open_process(space, pid);
    space->root = space->pin = -1;
    if (process < 0) return;
    space->pid = pid;
    space->pin = openat(process, "ns/mnt", O_RDONLY | O_CLOEXEC);
    space->root = space->pin < 0 ? -1 : openat(process, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (space->root < 0 || !read_mounts(space, process)) unpin(space);
    close(process);
}

static void keep_originals(unsigned int slot, const struct mount_namespace* space) {
    struct mount_namespace* kept = slot < SLOTS ? &originals[slot] : NULL;
    if (!kept) return;
    free_entries(kept);
    kept->entries = calloc(space->count + 1, sizeof *kept->entries);
    for (size_t i = 0; kept->entries && i < space->count; i++) {
        struct mount_entry* entry = &kept->entries[kept->count];
        *entry = space->entries[i];
        entry->point = strdup(entry->point);
        entry->root = strdup(entry->root);
        if (entry->point && entry->root) kept->count++;
    }
}

struct mount_namespace* first_namespace(unsigned int slot) {
    struct mount_namespace* found = NULL;
    for (size_t i = 0; i < space_count; i++)
        if (spaces[i].slot == slot && (!found || spaces[i].first)) found = &spaces[i];
    return found;
}

void release_namespaces(unsigned int slot) {
    for (size_t i = 0; i < space_count; i++) {
        if (spaces[i].slot != slot) continue;
        unpin(&spaces[i]);
        spaces[i].released = true;
    }
}

const struct mount_entry* mount_with(const struct mount_namespace* space, unsigned int id) {
    for (size_t i = 0; i < space->count; i++)
        if (space->entries[i].id == id) return &space->entries[i];
    return NULL;
}

bool mount_at(const struct mount_namespace* space, const char* path) {
    for (size_t i = 0; i < space->count; i++)
        if (!strcmp(space->entries[i].point, path)) return true;
    return false;
}

const struct mount_entry* mount_by_path(const struct mount_namespace* space, const char* path) {
    const struct mount_entry* found = NULL;
    size_t best = 0;
    for (size_t i = 0; i < space->count; i++) {
        const char* point = space->entries[i].point;
        const size_t size = strlen(point);
        if (!path_is_within(path, point)) continue;
        if (best && size < best) continue;
        best = size;
        found = &space->entries[i];
    }
    return found;
}

static bool is_noted(unsigned int slot, unsigned int inode, const char* path) {
    for (size_t i = 0; i < place_count; i++)
        if (places[i].slot == slot && places[i].inode == inode && !strcmp(places[i].path, path)) return true;
    return false;
}

bool note_mounting(unsigned int slot, unsigned int inode, const char* path) {
    if (is_noted(slot, inode, path)) return true;
    if (place_count == MAX_PLACES) return false;
    places[place_count].slot = slot;
    places[place_count].inode = inode;
    places[place_count].path = strdup(path);
    if (!places[place_count].path) return false;
    place_count++;
    return true;
}

/* It is a copy of one of the others, whichever; so is what is mounted in it. */
static void inherit_places(unsigned int slot, unsigned int inode) {
    const size_t count = place_count;
    for (size_t i = 0; i < count; i++)
        if (places[i].slot == slot) note_mounting(slot, inode, places[i].path);
}

bool has_mounted_over(unsigned int slot, unsigned int inode, const char* path) {
    for (size_t i = 0; i < place_count; i++)
        if (places[i].slot == slot && places[i].inode == inode && path_is_within(path, places[i].path)) return true;
    return false;
}

static void forget_places(unsigned int slot) {
    size_t kept = 0;
    for (size_t i = 0; i < place_count; i++) {
        if (places[i].slot == slot)
            free(places[i].path);
        else
            places[kept++] = places[i];
    }
    place_count = kept;
}

void forget_namespaces(unsigned int slot) {
    size_t kept = 0;
    forget_places(slot);
    for (size_t i = 0; i < space_count; i++) {
        if (spaces[i].slot == slot) {
            unpin(&spaces[i]);
            free_entries(&spaces[i]);
        } else {
            spaces[kept++] = spaces[i];
        }
    }
    space_count = kept;
}

struct mount_namespace* namespace_of(unsigned int slot, unsigned int inode, unsigned int pid) {
    struct mount_namespace* space;
    for (size_t i = 0; i < space_count; i++)
        if (spaces[i].slot == slot && spaces[i].inode == inode) {
            if (spaces[i].root < 0 && pid && !spaces[i].released) pin_process(&spaces[i], pid);
            return &spaces[i];
        }
    if (space_count == MAX_NAMESPACES) return first_namespace(slot);
    space = &spaces[space_count++];
    memset(space, 0, sizeof *space);
    space->slot = slot;
    space->inode = inode;
    inherit_places(slot, inode);
    pin_process(space, pid);
    return space;
}

struct mount_namespace* begin_namespace(unsigned int slot, unsigned int inode, unsigned int pid) {
    struct mount_namespace* space;
    forget_namespaces(slot); /* their numbers, and those of their mounts, may belong to others by now */
    space = namespace_of(slot, inode, pid);
    if (!space) return NULL;
    space->first = true;
    keep_originals(slot, space);
    return space;
}

const struct mount_entry* origin_of(unsigned int slot, const struct mount_entry* view) {
    const struct mount_namespace* original = slot < SLOTS ? &originals[slot] : NULL;
    const struct mount_entry* best = NULL;
    for (size_t i = 0; original && i < original->count; i++) {
        const struct mount_entry* each = &original->entries[i];
        const size_t size = strlen(each->root), best_size = best ? strlen(best->root) : 0;
        if (strcmp(each->device, view->device) || !path_is_within(view->root, each->root)) continue;
        if (!strcmp(each->root, view->root) && !strcmp(each->point, view->point)) return NULL; /* itself */
        if (best && size < best_size) continue;
        /* One source at two places: one with the same mode. */
        if (best && size == best_size && each->read_only != view->read_only) continue;
        best = each;
    }
    return best;
}
