#define _GNU_SOURCE
#include "watches.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../protocol.h"
#include "agent.h"
#include "where.h"

/* Of one mount; deeper ones are left out, so that at worst a mount is `untested` that was read. */
#define MAX_DIRECTORIES 1024

static bool engines_own(const char *point) {
    static const char *const own[] = {"/proc", "/sys", "/dev", "/.rogate", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        const size_t n = strlen(own[i]);
        if (!strncmp(point, own[i], n) && (!point[n] || point[n] == '/')) return true;
    }
    return !strcmp(point, "/");
}

static void add_watch(struct account *account, int queue, const char *path, const char *point) {
    const int watch = inotify_add_watch(queue, path, IN_OPEN | IN_DONT_FOLLOW);
    const uint32_t number = (uint32_t)watch;
    if (watch >= 0) account_put(account, FRAME_WATCH, &number, sizeof number, &point, 1);
}

/* Breadth first. All are found before the first is watched: looking for them opens them. */
static void watch_mount(struct account *account, int queue, const char *point) {
    static char *found[MAX_DIRECTORIES];
    struct stat top, now;
    size_t count = 0;
    if (lstat(point, &top)) return;
    found[count++] = strdup(point);
    for (size_t i = 0; i < count && S_ISDIR(top.st_mode); i++) {
        DIR *directory = found[i] ? opendir(found[i]) : NULL;
        const struct dirent *entry;
        while (directory && (entry = readdir(directory)) && count < MAX_DIRECTORIES) {
            char path[PATH_MAX * 2];
            if (entry->d_type != DT_DIR || !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
            snprintf(path, sizeof path, "%s/%s", found[i], entry->d_name);
            if (!lstat(path, &now) && now.st_dev == top.st_dev) found[count++] = strdup(path);
        }
        if (directory) closedir(directory);
    }
    for (size_t i = 0; i < count; i++) {
        if (found[i]) add_watch(account, queue, found[i], point);
        free(found[i]);
    }
}

void watch_mounts(struct account *account, int relay_socket) {
    const int queue = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (queue < 0) return; /* nothing counts as used then */
    for (size_t i = 0; mount_at(i); i++)
        if (!engines_own(mount_at(i)->point)) watch_mount(account, queue, mount_at(i)->point);
    send_descriptor(relay_socket, 'q', queue);
    close(queue);
}

void use_mount(struct account *account, const char *point) {
    static char *seen[256];
    const uint64_t once = 1;
    for (size_t i = 0; i < sizeof seen / sizeof *seen; i++) {
        if (seen[i] && strcmp(seen[i], point)) continue;
        if (seen[i]) return;
        seen[i] = strdup(point);
        account_put(account, FRAME_USE, &once, sizeof once, &point, 1);
        return;
    }
}
