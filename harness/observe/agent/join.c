#define _GNU_SOURCE
#include "join.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "maps.h"

#define PASSES 64

/* The text of a file of /proc/PID, cut to what there is room for; empty if the process is gone. */
static const char* text_of(unsigned int pid, const char* file, char* out, size_t size) {
    char path[64];
    size_t used = 0;
    ssize_t n;
    int fd;
    out[0] = 0;
    snprintf(path, sizeof path, "/proc/%u/%s", pid, file);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return out;
    while (used + 1 < size && (n = read(fd, out + used, size - 1 - used)) > 0) used += (size_t)n;
    out[used] = 0;
    close(fd);
    return out;
}

static unsigned int namespace_inode(unsigned int pid) {
    char path[64];
    struct stat found;
    snprintf(path, sizeof path, "/proc/%u/ns/mnt", pid);
    return stat(path, &found) ? 0 : (unsigned int)found.st_ino;
}

bool is_in_container(unsigned int pid, const char* id) {
    char text[4096];
    return strstr(text_of(pid, "cgroup", text, sizeof text), id) != NULL;
}

static unsigned int number_of(const char* name) {
    return isdigit((unsigned char)name[0]) ? (unsigned int)strtoul(name, NULL, 10) : 0;
}

/* How many were not known yet. */
static int join_pass(const struct bpf_map* processes, const struct process* as, const char* id) {
    const unsigned int outside = namespace_inode(1);
    struct process known;
    struct dirent* each;
    int added = 0;
    DIR* all = opendir("/proc");
    if (!all) return -1;
    while ((each = readdir(all))) {
        const unsigned int pid = number_of(each->d_name);
        if (!pid || !map_lookup(processes, &pid, sizeof pid, &known, sizeof known)) continue;
        /* The runtime, which is setting up an exec: it becomes the container's with that. */
        if (!is_in_container(pid, id) || namespace_inode(pid) == outside) continue;
        if (map_update(processes, &pid, sizeof pid, as, sizeof *as, BPF_NOEXIST) && errno != EEXIST) {
            added = -1;
            break;
        }
        /* It has ended before its end could remove it, and the number is another one's or will be. */
        if (!is_in_container(pid, id)) map_delete(processes, &pid, sizeof pid);
        added++;
    }
    closedir(all);
    return added;
}

bool join_processes(const struct bpf_map* processes, const struct process* as, const char* id) {
    for (int pass = 0; pass < PASSES; pass++) {
        const int added = join_pass(processes, as, id);
        if (added <= 0) return added == 0;
    }
    return false;
}

/* The value behind `name` at the beginning of a line. */
static unsigned long field_of(const char* text, const char* name, int base) {
    const size_t size = strlen(name);
    for (const char* line = text; line; line = strchr(line, '\n')) {
        if (*line == '\n') line++;
        if (!strncmp(line, name, size)) return strtoul(line + size, NULL, base);
    }
    return 0;
}

/* What is gone from its directory has no path that a mount could be asked for; but it was on one. */
static void cut_deleted(char* path) {
    const char* mark = " (deleted)";
    const size_t size = strlen(path), of_mark = strlen(mark);
    if (size > of_mark && !strcmp(path + size - of_mark, mark)) path[size - of_mark] = 0;
}

static void tell_descriptor(unsigned int slot, const char* directory, const char* name,
                            const struct mount_namespace* space, struct held_file* held,
                            void (*tell)(unsigned int, const struct held_file*)) {
    char link[96], file[96], text[1024], path[PATH_MAX];
    const struct mount_entry* entry;
    struct stat found;
    ssize_t size;
    snprintf(file, sizeof file, "fdinfo/%s", name);
    text_of(held->pid, file, text, sizeof text);
    held->open_flags = (unsigned int)field_of(text, "flags:", 8);
    if ((held->open_flags & O_ACCMODE) == O_RDONLY || (held->open_flags & O_PATH)) return;
    snprintf(link, sizeof link, "%s/%s", directory, name);
    size = readlink(link, path, sizeof path - 1);
    if (size <= 0 || path[0] != '/' || stat(link, &found) || !S_ISREG(found.st_mode)) return;
    path[size] = 0;
    cut_deleted(path);
    entry = mount_with(space, (unsigned int)field_of(text, "mnt_id:", 10));
    if (!entry) return; /* of another namespace: not the container's own */
    held->mount_id = entry->id;
    held->path = path;
    held->mount = entry->point;
    tell(slot, held);
}

static void tell_mappings(unsigned int slot, const struct mount_namespace* space, struct held_file* held,
                          void (*tell)(unsigned int, const struct held_file*)) {
    char name[32], *line = NULL;
    size_t size = 0;
    FILE* maps;
    snprintf(name, sizeof name, "/proc/%u/maps", held->pid);
    maps = fopen(name, "re");
    while (maps && getline(&line, &size, maps) > 0) {
        const struct mount_entry* entry;
        char rights[5] = "", *path = strchr(line, '/');
        if (sscanf(line, "%*s %4s", rights) != 1 || rights[1] != 'w' || rights[3] != 's' || !path) continue;
        path[strcspn(path, "\n")] = 0;
        /* Files of the kernel's own, which are nowhere. */
        if (!strncmp(path, "/memfd:", 7) || !strncmp(path, "/SYSV", 5) || !strncmp(path, "/dev/zero", 9)) continue;
        cut_deleted(path);
        entry = mount_by_path(space, path);
        if (!entry) continue;
        held->open_flags = O_RDWR;
        held->mount_id = entry->id;
        held->path = path;
        held->mount = entry->point;
        tell(slot, held);
    }
    free(line);
    if (maps) fclose(maps);
}

static void tell_process(unsigned int slot, unsigned int pid, void (*tell)(unsigned int, const struct held_file*)) {
    char text[4096], comm[NAME_SIZE + 1], exe[PATH_MAX], directory[64];
    struct mount_namespace* space;
    struct held_file held = {.pid = pid, .mount_namespace = namespace_inode(pid)};
    struct dirent* each;
    DIR* descriptors;
    ssize_t size;
    if (!held.mount_namespace) return;
    space = namespace_of(slot, held.mount_namespace, pid);
    if (!space || !space->count) return;
    text_of(pid, "comm", comm, sizeof comm);
    comm[strcspn(comm, "\n")] = 0;
    snprintf(directory, sizeof directory, "/proc/%u/exe", pid);
    size = readlink(directory, exe, sizeof exe - 1);
    exe[size > 0 ? size : 0] = 0;
    text_of(pid, "status", text, sizeof text);
    held.parent = (unsigned int)field_of(text, "PPid:", 10);
    held.uid = (unsigned int)field_of(text, "Uid:", 10);
    held.comm = comm;
    held.exe = exe;
    snprintf(directory, sizeof directory, "/proc/%u/fd", pid);
    descriptors = opendir(directory);
    while (descriptors && (each = readdir(descriptors)))
        if (isdigit((unsigned char)each->d_name[0])) tell_descriptor(slot, directory, each->d_name, space, &held, tell);
    if (descriptors) closedir(descriptors);
    tell_mappings(slot, space, &held, tell);
}

void each_held_file(const struct bpf_map* processes, unsigned int slot,
                    void (*tell)(unsigned int, const struct held_file*)) {
    struct process process;
    __u32 key, next;
    int more = bpf_map__get_next_key(processes, NULL, &next, sizeof next);
    while (!more) {
        key = next;
        more = bpf_map__get_next_key(processes, &key, &next, sizeof next);
        if (!map_lookup(processes, &key, sizeof key, &process, sizeof process) && process.slot == slot &&
            !process.canary)
            tell_process(slot, key, tell);
    }
}
