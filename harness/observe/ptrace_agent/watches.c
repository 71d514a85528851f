#define _GNU_SOURCE
#include "watches.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../protocol.h"
#include "agent.h"
#include "process.h"
#include "threads.h"
#include "where.h"

/* Then a mount is watched no longer: each use of what is watched costs the subject something. */
#define ENOUGH_USES 64
#define USES (FAN_OPEN | FAN_ONDIR)

static bool engines_own(const char* point) {
    static const char* const own[] = {"/proc",           "/sys", "/dev", "/.rogate", "/etc/hosts", "/etc/hostname",
                                      "/etc/resolv.conf"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        const size_t n = strlen(own[i]);
        if (!strncmp(point, own[i], n) && (!point[n] || point[n] == '/')) return true;
    }
    return false;
}

/* ---- fanotify: it watches a mount, and tells who opens ---- */

static int group = -1;
static unsigned int places[ACCOUNT_PLACES]; /* mount numbers; what is counted for each is in the account */
static uint32_t place_count;

static uint32_t place_of(struct account* account, unsigned int id) {
    uint32_t place = 0;
    while (place < place_count && places[place] != id) place++;
    if (place < place_count || place == ACCOUNT_PLACES) return place;
    const struct where_mount* mount = mount_with(id);
    if (!mount || !account_put(account, FRAME_PLACE, &place, sizeof place, (const char* const*)&mount->point, 1))
        return ACCOUNT_PLACES;
    places[place_count++] = id;
    return place;
}

static void use(struct account* account, int fd) {
    const uint32_t place = place_of(account, mount_id_of(fd));
    if (place == ACCOUNT_PLACES) return;
    if (++account->uses[place] == ENOUGH_USES) fanotify_mark(group, FAN_MARK_REMOVE | FAN_MARK_MOUNT, USES, fd, NULL);
}

/* Others open files of these mounts too: the engine, rogate, which reads a file for a step, and we ourselves.
 */
static bool is_subject(int pid) {
    const struct thread* thread = pid > 0 ? known_thread((unsigned int)pid) : NULL;
    return thread && !thread->canary;
}

void take_uses(struct account* account) {
    char buffer[4096] __attribute__((aligned(8)));
    ssize_t n;
    while (group >= 0 && (n = read(group, buffer, sizeof buffer)) > 0) {
        const struct fanotify_event_metadata* event = (const void*)buffer;
        for (; FAN_EVENT_OK(event, n); event = FAN_EVENT_NEXT(event, n)) {
            if (event->fd < 0) continue;
            if (is_subject(event->pid)) use(account, event->fd);
            close(event->fd);
        }
    }
}

int uses_queue(void) {
    return group;
}

static bool mark_mounts(void) {
    group =
        fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK, O_RDONLY | O_CLOEXEC | O_LARGEFILE | O_NONBLOCK);
    if (group < 0) return false;
    for (size_t i = 0; mount_at(i); i++)
        if (!engines_own(mount_at(i)->point))
            fanotify_mark(group, FAN_MARK_ADD | FAN_MARK_MOUNT, USES, AT_FDCWD, mount_at(i)->point);
    return true;
}

/* ---- inotify, where the engine's user is not the host's root ---- */

/* Of one mount; deeper ones are left out, so that at worst a mount is `untested` that was read. */
#define MAX_DIRECTORIES 1024

static void add_watch(struct account* account, int queue, const char* path, const char* point) {
    const int watch = inotify_add_watch(queue, path, IN_OPEN | IN_DONT_FOLLOW);
    const uint32_t number = (uint32_t)watch;
    if (watch >= 0) account_put(account, FRAME_WATCH, &number, sizeof number, &point, 1);
}

/* Breadth first. All are found before the first is watched: looking for them opens them. */
static void watch_mount(struct account* account, int queue, const char* point) {
    static char* found[MAX_DIRECTORIES];
    struct stat top, now;
    size_t count = 0;
    if (lstat(point, &top)) return;
    found[count++] = strdup(point);
    for (size_t i = 0; i < count && S_ISDIR(top.st_mode); i++) {
        DIR* directory = found[i] ? opendir(found[i]) : NULL;
        const struct dirent* entry;
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

void watch_mounts(struct account* account, int relay_socket) {
    if (mark_mounts()) return;
    const int queue = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (queue < 0) return; /* nothing counts as used then */
    for (size_t i = 0; mount_at(i); i++)
        if (strcmp(mount_at(i)->point, "/") && !engines_own(mount_at(i)->point))
            watch_mount(account, queue, mount_at(i)->point);
    send_descriptor(relay_socket, 'q', queue);
    close(queue);
}

void use_mount(struct account* account, const char* point) {
    static char* seen[256];
    const uint64_t once = 1;
    if (group >= 0) return; /* it has been told of that too */
    for (size_t i = 0; i < sizeof seen / sizeof *seen; i++) {
        if (seen[i] && strcmp(seen[i], point)) continue;
        if (seen[i]) return;
        seen[i] = strdup(point);
        account_put(account, FRAME_USE, &once, sizeof once, &point, 1);
        return;
    }
}
