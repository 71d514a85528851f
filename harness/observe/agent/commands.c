#define _GNU_SOURCE
#include "commands.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../protocol.h"
#include "checks.h"
#include "clock.h"
#include "events.h"
#include "interrupted.h"
#include "join.h"
#include "looks.h"
#include "maps.h"
#include "mounts.h"
#include "output.h"
#include "programs.h"
#include "shared.h"

static void reply(unsigned int number, unsigned int slot, int status, int value, const char* text) {
    struct frame_reply answer = {number, status, value, 0};
    frame_begin(FRAME_REPLY, (uint16_t)slot);
    frame_bytes(&answer, sizeof answer);
    frame_text(text);
    frame_end();
}

_Static_assert(SLOTS == PROTOCOL_SLOTS, "rogate arms no more than there are slots");
static uint64_t lost_before[SLOTS], lost_checks_before[SLOTS];

/* `missed`: of missed_events(). */
static uint64_t lost_of(uint64_t missed) {
    return programs->bss->lost_events + missed + seen.unplaced;
}

/* What is changed is told by the kernel's side a moment after it can be seen. */
static void await_changes(void) {
    ring_buffer__consume(ring);
    for (int tries = 0; tries < 10 && looks_live(); tries++) {
        const uint64_t before = now_ns();
        usleep(LOOK_GRACE_NS / 1000 / 4);
        ring_buffer__consume(ring);
        looks_are_done(before);
    }
}

static bool watches_any(void) {
    char key[CONTAINER_ID_SIZE];
    return !bpf_map__get_next_key(programs->maps.containers, NULL, key, sizeof key);
}

/* The error, 0: what the container does from now on is the slot's. */
static int begin_watching(unsigned int slot, const char* id) {
    char key[CONTAINER_ID_SIZE];
    memcpy(key, id, sizeof key);
    if (!watches_any()) trust_refusals(programs);
    programs->bss->phases[slot] = 0;
    if (map_update(programs->maps.containers, key, sizeof key, &slot, sizeof slot, BPF_ANY)) return errno;
    forget_namespaces(slot); /* of a container that was still running when it was collected */
    forget_targets(slot);
    programs->bss->watching = true;
    programs->bss->unseen_requests[slot] = 0;
    programs->bss->refuses_opens[slot] = 0;
    programs->bss->looks[slot] = 0;
    lost_before[slot] = lost_of(missed_events(programs));
    lost_checks_before[slot] = lost_checks_now();
    seen.attempts[slot] = 0;
    return 0;
}

static void command_arm(unsigned int number, unsigned int slot, const char* id) {
    int error;
    if (strlen(id) != CONTAINER_ID_SIZE) return reply(number, slot, EINVAL, 0, "a container's id has 64 digits");
    error = begin_watching(slot, id);
    reply(number, slot, error, 0, error ? strerror(error) : "");
}

static void send_held(unsigned int slot, const struct held_file* held) {
    static uint64_t number;
    struct frame_attempt attempt = {
        .id = 1ull << 63 | ++number, /* none of the kernel's side */
        .time = now_ns(),
        .flags = ATTEMPT_HELD | ATTEMPT_BY_FD,
        .pid = held->pid,
        .parent = held->parent,
        .root = programs->bss->first_of_joined,
        .uid = held->uid,
        .open_flags = held->open_flags,
        .mount_id = held->mount_id,
        .mount_namespace = held->mount_namespace,
    };
    frame_begin(FRAME_ATTEMPT, (uint16_t)slot);
    frame_bytes(&attempt, sizeof attempt);
    frame_text(held->comm);
    frame_text(held->exe);
    frame_text("open");
    frame_text(held->path);
    frame_text(held->mount);
    frame_end();
}

/* The next first process is of a generation of its own, as if the container had been started again. */
static void begin_joined(unsigned int slot, unsigned int pid, struct process* as) {
    const struct event root = {.kind = EVENT_ROOT, .slot = slot, .pid = pid, .pid_inside = 1, .time = now_ns()};
    as->slot = slot;
    as->root = pid;
    as->generation = ++programs->bss->generations[slot];
    programs->bss->joined = true;
    programs->bss->first_of_joined = pid;
    send_root(&root);
}

static void command_join(unsigned int number, unsigned int slot, const char* text) {
    char id[CONTAINER_ID_SIZE + 1], path[64];
    struct process as = {0};
    struct mount_namespace* space;
    struct stat namespace;
    unsigned int pid;
    int error;
    if (sscanf(text, "%64s %u", id, &pid) != 2 || strlen(id) != CONTAINER_ID_SIZE)
        return reply(number, slot, EINVAL, 0, "a container's id has 64 digits, and its first process a number");
    snprintf(path, sizeof path, "/proc/%u/ns/mnt", pid);
    if (!is_in_container(pid, id) || stat(path, &namespace))
        return reply(number, slot, ESRCH, 0,
                     "its first process is not to be found here: it has ended, or the engine's processes are "
                     "in another "
                     "process namespace than the observer sees");
    error = begin_watching(slot, id);
    if (error) return reply(number, slot, error, 0, strerror(error));
    begin_joined(slot, pid, &as);
    space = begin_namespace(slot, (unsigned int)namespace.st_ino, pid);
    if (!space || !space->count) return reply(number, slot, ESRCH, 0, "its mounts could not be read: it has ended");
    if (!join_processes(programs->maps.processes, &as, id))
        return reply(number, slot, EAGAIN, 0, "its processes come and go faster than they can be found");
    each_held_file(programs->maps.processes, slot, send_held);
    reply(number, slot, 0, 0, "");
}

static void command_phase(unsigned int number, unsigned int slot, const char* text) {
    programs->bss->phases[slot] = (__u32)strtoul(text, NULL, 10);
    reply(number, slot, 0, 0, "");
}

static void unescape_percent(char* text) {
    char* to = text;
    for (; *text; text++) {
        unsigned int byte;
        if (*text == '%' && sscanf(text + 1, "%2x", &byte) == 1) {
            *to++ = (char)byte;
            text += 2;
        } else {
            *to++ = *text;
        }
    }
    *to = 0;
}

/* Through the pinned root directory the call meets the very mounts that the subject's processes meet. */
static int try_write(int root, const char* path, unsigned int number, const char** text) {
    struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT};
    char name[64], link[64];
    struct stat now;
    int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof how), made, error;
    if (fd < 0 || fstat(fd, &now)) {
        *text = strerror(errno);
        if (fd >= 0) close(fd);
        return CANARY_FAILED;
    }
    made = -1, error = 0;
    if (S_ISDIR(now.st_mode)) {
        snprintf(name, sizeof name, ".rogate-canary-%d-%u", getpid(), number);
        made = openat(fd, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
        error = errno;
        if (made >= 0) {
            close(made);
            unlinkat(fd, name, 0);
        }
    }
    if (made < 0 && error != EROFS) {
        /* Of a file, and where no file can be made whatever the mount is (/proc): chmod to the mode it has,
         * which is refused before anything is looked at (chmod_common takes mnt_want_write first), and
         * harmless if it is not refused. */
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        made = chmod(link, now.st_mode & 07777);
        error = errno;
    }
    close(fd);
    *text = made >= 0 ? "" : strerror(error);
    if (made >= 0) return CANARY_NOT_REFUSED;
    return error == EROFS ? CANARY_SEEN : CANARY_FAILED;
}

static void command_canary(unsigned int number, unsigned int slot, char* path) {
    struct mount_namespace* space;
    struct process self = {.slot = slot, .root = (unsigned int)getpid(), .canary = 1};
    __u32 pid = (__u32)getpid();
    const char* text = "";
    int outcome;
    ring_buffer__consume(ring);
    space = first_namespace(slot);
    /* The engine says "started" when the runtime has been told to go on; the exec itself can come a moment
     * later. */
    for (int tries = 0; tries < 250 && !space; tries++) {
        ring_buffer__poll(ring, 20);
        space = first_namespace(slot);
    }
    if (!space || space->root < 0)
        return reply(number, slot, 0, CANARY_FAILED, "the container's mount namespace was not seen");
    unescape_percent(path);
    seen.canary = false;
    if (map_update(programs->maps.processes, &pid, sizeof pid, &self, sizeof self, BPF_ANY))
        return reply(number, slot, 0, CANARY_FAILED, strerror(errno));
    outcome = try_write(space->root, path, number, &text);
    map_delete(programs->maps.processes, &pid, sizeof pid);
    ring_buffer__consume(ring);
    if (outcome == CANARY_SEEN && !seen.canary) outcome = CANARY_NOT_SEEN;
    reply(number, slot, 0, outcome, text);
}

static void forget_container(unsigned int slot) {
    char key[CONTAINER_ID_SIZE], next[CONTAINER_ID_SIZE];
    __u32 value;
    int more = bpf_map__get_next_key(programs->maps.containers, NULL, next, sizeof next);
    while (!more) {
        memcpy(key, next, sizeof key);
        more = bpf_map__get_next_key(programs->maps.containers, key, next, sizeof next);
        if (!map_lookup(programs->maps.containers, key, sizeof key, &value, sizeof value) && value == slot)
            map_delete(programs->maps.containers, key, sizeof key);
    }
}

/* What is left of a container that is still running belongs to nobody; the next one in the slot must not get
 * it. */
static void forget_processes(unsigned int slot) {
    struct process process;
    __u32 key, next;
    int more = bpf_map__get_next_key(programs->maps.processes, NULL, &next, sizeof next);
    while (!more) {
        key = next;
        more = bpf_map__get_next_key(programs->maps.processes, &key, &next, sizeof next);
        if (!map_lookup(programs->maps.processes, &key, sizeof key, &process, sizeof process) && process.slot == slot)
            map_delete(programs->maps.processes, &key, sizeof key);
    }
}

static void forget_made(unsigned int slot) {
    struct made_key key, next;
    int more = bpf_map__get_next_key(programs->maps.made, NULL, &next, sizeof next);
    while (!more) {
        key = next;
        more = bpf_map__get_next_key(programs->maps.made, &key, &next, sizeof next);
        if (key.slot == slot) map_delete(programs->maps.made, &key, sizeof key);
    }
}

static void command_target(unsigned int number, unsigned int slot, char* path) {
    unescape_percent(path);
    if (!note_target(slot, path)) return reply(number, slot, ENOMEM, 0, "there are too many mounts");
    reply(number, slot, 0, 0, "");
}

static void command_looks(unsigned int number, unsigned int slot) {
    programs->bss->looks[slot] = 1;
    programs->bss->looking = true;
    reply(number, slot, 0, 0, "");
}

static bool looks_at_any(void) {
    for (unsigned int slot = 0; slot < SLOTS; slot++)
        if (programs->bss->looks[slot]) return true;
    return false;
}

static void command_flush(unsigned int number, unsigned int slot) {
    struct frame_stats stats;
    /* What is left out from here on, for what the following does to the maps, is no event of this container's. */
    const uint64_t missed = missed_events(programs), lost_checks = lost_checks_now();
    ring_buffer__consume(ring);
    forget_container(slot);
    forget_processes(slot);
    forget_made(slot);
    await_changes(); /* also of those that came in the meantime */
    doubt_requests(slot);
    send_counts(slot);
    send_uses(slot, UINT_MAX);
    send_checks(slot, lost_checks - lost_checks_before[slot]);
    stats.lost = lost_of(missed) - lost_before[slot];
    stats.attempts = seen.attempts[slot];
    frame_begin(FRAME_STATS, (uint16_t)slot);
    frame_bytes(&stats, sizeof stats);
    frame_end();
    forget_namespaces(slot);
    programs->bss->watching = watches_any();
    programs->bss->looks[slot] = 0;
    programs->bss->looking = looks_at_any();
    reply(number, slot, 0, 0, "");
}

static void obey(char* line) {
    unsigned int number = 0, slot = 0;
    char verb[16] = "";
    int rest = 0;
    if (sscanf(line, "%u %15s %u %n", &number, verb, &slot, &rest) < 3 || slot >= SLOTS)
        return reply(number, 0, EINVAL, 0, "a command is NUMBER VERB SLOT …");
    if (!rest) rest = (int)strlen(line);
    if (!strcmp(verb, "arm")) return command_arm(number, slot, line + rest);
    if (!strcmp(verb, "join")) return command_join(number, slot, line + rest);
    if (!strcmp(verb, "phase")) return command_phase(number, slot, line + rest);
    if (!strcmp(verb, "target")) return command_target(number, slot, line + rest);
    if (!strcmp(verb, "canary")) return command_canary(number, slot, line + rest);
    if (!strcmp(verb, "release")) {
        ring_buffer__consume(ring);
        release_namespaces(slot);
        return reply(number, slot, 0, 0, "");
    }
    if (!strcmp(verb, "looks")) return command_looks(number, slot);
    if (!strcmp(verb, "flush")) return command_flush(number, slot);
    reply(number, slot, EINVAL, 0, "no such command");
}

bool read_commands(void) {
    static char buffer[64 * 1024];
    static size_t used;
    char* newline;
    ssize_t n = read(STDIN_FILENO, buffer + used, sizeof buffer - used - 1);
    if (n < 0 && errno == EINTR) return true;
    if (n <= 0) return false;
    used += (size_t)n;
    buffer[used] = 0;
    while ((newline = memchr(buffer, '\n', used))) {
        size_t size = (size_t)(newline - buffer) + 1;
        *newline = 0;
        obey(buffer);
        memmove(buffer, buffer + size, used - size);
        used -= size;
        buffer[used] = 0;
    }
    return used < sizeof buffer - 1;
}
