#define _GNU_SOURCE
#include "events.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../protocol.h"
#include "arch.h"
#include "calls.h"
#include "changes.h"
#include "clock.h"
#include "looks.h"
#include "maps.h"
#include "mounts.h"
#include "output.h"
#include "paths.h"
#include "programs.h"
#include "resolve.h"

struct seen seen;
struct ring_buffer* ring;

static void send_attempt(const struct event* event, const struct resolution* found) {
    char exe[PATH_MAX], comm[NAME_SIZE + 1];
    struct frame_attempt attempt = {
        .id = event->id,
        .time = event->time,
        .phase = event->phase,
        .pid = event->pid,
        .parent = event->parent,
        .root = event->root,
        .uid = event->uid,
        .error = -event->result,
        .open_flags = event->open_flags,
        .mount_id = event->mount_id,
        .mount_namespace = event->mount_namespace,
    };
    if (found->no_op || call_mounting(event)) attempt.flags |= ATTEMPT_NO_OP; /* nothing is written by mounting */
    if (found->doubtful) attempt.flags |= ATTEMPT_DOUBTFUL;
    if (found->lexical) attempt.flags |= ATTEMPT_LEXICAL;
    if (event->flags & EVENT_BY_FD) attempt.flags |= ATTEMPT_BY_FD;
    if (event->flags & EVENT_TRUNCATED) attempt.flags |= ATTEMPT_TRUNCATED;
    if (event->flags & EVENT_IO_URING) attempt.flags |= ATTEMPT_IO_URING;
    if (event->flags & EVENT_SECOND) attempt.flags |= ATTEMPT_SECOND;
    if (event->flags & EVENT_LOOK) attempt.flags |= ATTEMPT_LOOK;
    if (event->flags & EVENT_READ_INSTEAD) attempt.flags |= ATTEMPT_READ_INSTEAD;
    if (event->flags & EVENT_NOEXEC) attempt.flags |= ATTEMPT_NOEXEC;
    if (event->flags & EVENT_OPENED ? event->flags & EVENT_CREATED
                                    : (event->open_flags & O_CREAT) && (!found->exists || event->result == 0))
        attempt.flags |= ATTEMPT_CREATES;
    exe_path(event, exe, sizeof exe);
    memcpy(comm, event->comm, NAME_SIZE);
    comm[NAME_SIZE] = 0;
    frame_begin(FRAME_ATTEMPT, (uint16_t)event->slot);
    frame_bytes(&attempt, sizeof attempt);
    frame_text(comm);
    frame_text(exe);
    frame_text(call_name(event->number));
    frame_text(found->path);
    frame_text(found->mount);
    frame_end();
}

void send_root(const struct event* event) {
    struct frame_root root = {event->time, event->pid, event->pid_inside};
    char comm[NAME_SIZE + 1];
    memcpy(comm, event->comm, NAME_SIZE);
    comm[NAME_SIZE] = 0;
    frame_begin(FRAME_ROOT, (uint16_t)event->slot);
    frame_bytes(&root, sizeof root);
    frame_text(comm);
    frame_end();
}

/* Its mount namespace is pinned: the process that on_exec() stopped may begin. */
static void let_go(unsigned int pid) {
    if (programs->bss->joined) return; /* nobody stopped it */
    if (!kill((pid_t)pid, SIGCONT) || errno == ESRCH) return;
    frame_begin(FRAME_ERROR, 0);
    frame_text("the subject cannot be let go of: the observer lacks CAP_KILL");
    frame_end();
    flush_output();
    exit(1);
}

/* A rename of something missing changes nothing, at its second path neither. The two events have one id; the
 * second follows the first, perhaps with a few of other processors in between. */
static void judge_second_path(const struct event* event, struct resolution* found) {
    static struct {
        uint64_t id;
        bool no_op;
    } firsts[256];
    const size_t at = event->id % (sizeof firsts / sizeof *firsts);
    if (!(event->flags & EVENT_SECOND)) {
        firsts[at].id = event->id;
        firsts[at].no_op = found->no_op;
    } else if (firsts[at].id == event->id) {
        found->no_op = firsts[at].no_op;
    }
}

void send_uses(unsigned int slot, unsigned int generation) {
    struct use_key key, next;
    struct use_count count;
    int more = bpf_map__get_next_key(programs->maps.uses, NULL, &next, sizeof next);
    while (!more) {
        struct mount_namespace* space;
        const struct mount_entry* entry;
        key = next;
        more = bpf_map__get_next_key(programs->maps.uses, &key, &next, sizeof next);
        if (key.slot != slot || key.generation >= generation ||
            map_lookup(programs->maps.uses, &key, sizeof key, &count, sizeof count))
            continue;
        map_delete(programs->maps.uses, &key, sizeof key);
        space = namespace_of(slot, key.mount_namespace, 0);
        entry = space ? mount_with(space, key.mount_id) : NULL;
        if (!entry) continue;
        frame_begin(FRAME_USE, (uint16_t)slot);
        frame_bytes(&count.uses, sizeof count.uses);
        frame_text(entry->point);
        frame_end();
        if (!count.reads && !count.listings) continue;
        frame_begin(FRAME_READ, (uint16_t)slot);
        frame_bytes(&count.reads, 2 * sizeof count.reads);
        frame_text(entry->point);
        frame_end();
    }
}

void send_counts(unsigned int slot) {
    struct attempt_key key, next;
    struct attempt_count count;
    int more = bpf_map__get_next_key(programs->maps.attempts, NULL, &next, sizeof next);
    while (!more) {
        key = next;
        more = bpf_map__get_next_key(programs->maps.attempts, &key, &next, sizeof next);
        if (map_lookup(programs->maps.attempts, &key, sizeof key, &count, sizeof count) || count.slot != slot) continue;
        if (count.count > 1) {
            struct frame_count frame = {count.id, count.count};
            frame_begin(FRAME_COUNT, (uint16_t)slot);
            frame_bytes(&frame, sizeof frame);
            frame_end();
        }
        map_delete(programs->maps.attempts, &key, sizeof key);
    }
}

/* The kernel's own file systems, none of which is a user's mount. */
static bool is_kernels(const char* path) {
    return path_is_within(path, "/proc") || path_is_within(path, "/sys") || path_is_within(path, "/dev");
}

static void doubt(const struct event* event, const char* what, const char* which) {
    char text[1024], exe[PATH_MAX];
    exe_path(event, exe, sizeof exe);
    snprintf(text, sizeof text, "%.16s (%.300s) %s %.500s", event->comm, exe, what, which);
    send_doubt(event->slot, text);
}

static void note_unknown(const struct event* event) {
    char text[160];
    const bool refused = event->result == -EROFS;
    if (!refused && event->number == ROW_IO_URING_ENTER)
        return doubt(event, "may have looked for what the runs' data lack by", "io_uring, where that is not seen");
    if (!refused && !call_changes_unlooked(event)) return;
    if (event->number >= KERNEL_NUMBER)
        snprintf(text, sizeof text, "%s call %d", event->open_flags ? COMPAT_NAME " system" : "system",
                 event->number - KERNEL_NUMBER);
    else
        snprintf(text, sizeof text, "%s", call_name(event->number));
    strcat(text, refused ? ", and what that would have changed is not known" : ", and what that changed is not known");
    doubt(event, refused ? "was refused (EROFS)" : "may have changed a file system by", text);
}

/* ---- targets that lead through a symlink of the image's ---- */

#define MAX_TARGETS 4096
static struct {
    unsigned int slot;
    char* path;
} targets[MAX_TARGETS];
static size_t target_count;

bool note_target(unsigned int slot, const char* target) {
    if (target_count == MAX_TARGETS) return false;
    targets[target_count].slot = slot;
    targets[target_count].path = strdup(target);
    if (!targets[target_count].path) return false;
    target_count++;
    return true;
}

void forget_targets(unsigned int slot) {
    size_t kept = 0;
    for (size_t i = 0; i < target_count; i++) {
        if (targets[i].slot == slot)
            free(targets[i].path);
        else
            targets[kept++] = targets[i];
    }
    target_count = kept;
}

static void send_targets(unsigned int slot, const struct mount_namespace* space) {
    for (size_t i = 0; i < target_count; i++) {
        char point[PATH_MAX];
        if (targets[i].slot != slot || mount_at(space, targets[i].path)) continue;
        if (!find_target(space, targets[i].path, point, sizeof point)) continue;
        frame_begin(FRAME_TARGET, (uint16_t)slot);
        frame_text(targets[i].path);
        frame_text(point);
        frame_end();
    }
}

/* ---- what is still under way ---- */

/* The event is what the kernel's side has put together of it, and the last part of the map's value. */
static bool read_request(uint64_t key, struct event* event) {
    static unsigned char value[4 * sizeof *event];
    const size_t size = bpf_map__value_size(programs->maps.uring_requests);
    if (size > sizeof value || size < sizeof *event) return false;
    if (map_lookup(programs->maps.uring_requests, &key, sizeof key, value, size)) return false;
    memcpy(event, value + size - sizeof *event, sizeof *event);
    return true;
}

void doubt_requests(unsigned int slot) {
    static struct event entry;
    uint64_t key, next, count = programs->bss->unseen_requests[slot];
    int more = bpf_map__get_next_key(programs->maps.uring_requests, NULL, &next, sizeof next);
    programs->bss->unseen_requests[slot] = 0;
    while (!more) {
        key = next;
        more = bpf_map__get_next_key(programs->maps.uring_requests, &key, &next, sizeof next);
        if (read_request(key, &entry) && entry.slot == slot) {
            if (!(key & 1)) count++;
            map_delete(programs->maps.uring_requests, &key, sizeof key);
        }
    }
    if (count) {
        char text[200];
        snprintf(
            text, sizeof text,
            "of %llu requests of io_uring that can write, it was not seen how they ended (its completion queue was "
            "full, or they were still under way)",
            (unsigned long long)count);
        send_doubt(slot, text);
    }
}

void looks_are_done(uint64_t time) {
    looks_told_until(time);
    if (!looks_live()) programs->bss->paths_done = seen.paths;
}

/* False: what was refused before or is refused from now on can be on another mount than we find. */
static bool note_mount_call(const struct event* event, struct mount_namespace* space, const struct resolution* found) {
    const enum mounting what = call_mounting(event);
    const char* path = what == MOVES_ROOT ? "/" : found->path;
    if (event->result) return event->result != -EROFS; /* what would have been mounted is not looked at */
    if (what == CHANGES_MOUNT) return true;
    namespace_refresh(space, event->pid); /* the next mount may get the number of one that is gone */
    if (what != MOVES_ROOT && (found->lexical || event->flags & EVENT_TRUNCATED)) return false;
    /* What was taken away may have been one that the container was given, and what it refused is looked at
     * only now. */
    if (what == TAKES_MOUNT && !has_mounted_over(event->slot, event->mount_namespace, path) && !is_kernels(path))
        return false;
    return note_mounting(event->slot, event->mount_namespace, path);
}

/* What succeeded, and it is not known where. */
static void note_success(const struct event* event, const struct resolution* found) {
    if (event->result || found->no_op || call_mounting(event)) return;
    if (found->other_mount)
        doubt(event, "changed something on a mount that is in no table of mounts:", found->path);
    else if (found->lexical && is_kernels(found->path) && path_is_within(found->path, "/proc"))
        doubt(event,
              "changed something by a path through /proc that leads nowhere any more (--observer ptrace can tell where "
              "it led):",
              found->path);
}

static int on_event(void* context, void* data, size_t size) {
    static struct resolution found;
    static struct event event;
    struct mount_namespace* space;
    unsigned int pid;
    (void)context;
    memset(&event, 0, __builtin_offsetof(struct event, data));
    memcpy(&event, data, size < sizeof event ? size : sizeof event);
    if (event.kind == EVENT_END) {
        /* A joined container is the user's, and whatever becomes of us, it must find its mounts as without
         * us: what is pinned would keep them mounted when it is started again. */
        release_namespaces(event.slot);
        return 0;
    }
    looks_told_until(event.time);
    if (event.kind == EVENT_CHANGED) {
        note_change(&event);
        return 0;
    }
    if (event.kind == EVENT_UNKNOWN) {
        note_unknown(&event);
        return 0;
    }
    if (event.kind == EVENT_ATTEMPT && event.name_size) seen.paths++;
    if (event.kind == EVENT_ROOT && event.pid_inside == 1 && programs->bss->joined)
        programs->bss->first_of_joined = event.pid;
    /* What was used before a restart is told by the mounts of before. */
    if (event.kind == EVENT_ROOT && event.pid_inside == 1) send_uses(event.slot, (unsigned int)event.number);
    /* Another root than the namespace's shows other mounts, by other names. */
    pid = event.flags & EVENT_CHROOTED ? 0 : event.pid;
    space = event.kind == EVENT_ROOT && event.pid_inside == 1
                ? begin_namespace(event.slot, event.mount_namespace, event.pid)
                : namespace_of(event.slot, event.mount_namespace, pid);
    /* A process can be gone already; the one that started it is most likely in the same namespace, and still
     * there. */
    if (space && space->root < 0 && event.kind == EVENT_ATTEMPT && pid)
        space = namespace_of(event.slot, event.mount_namespace, event.parent);
    if (!space) {
        if (event.kind == EVENT_ROOT && event.pid_inside == 1) let_go(event.pid);
        seen.unplaced++;
        return 0;
    }
    if (event.kind == EVENT_ROOT) {
        if (event.pid_inside == 1) {
            send_targets(event.slot, space);
            let_go(event.pid);
        }
        send_root(&event);
        return 0;
    }
    if (event.flags & EVENT_CANARY) {
        seen.canary = seen.canary || event.result == -EROFS;
        return 0;
    }
    seen.attempts[event.slot % SLOTS]++;
    resolve(&event, space, &found);
    if (event.flags & EVENT_LOOK) {
        find_where_it_ends(&event, space, &found);
        send_attempt(&event, &found);
        return 0;
    }
    if (event.flags & EVENT_NOEXEC) {
        if (is_kept_from_executing(&event, space, &found)) send_attempt(&event, &found);
        return 0;
    }
    note_look(&event, &found);
    if (call_mounting(&event)) {
        if (!note_mount_call(&event, space, &found))
            doubt(&event,
                  event.result ? "was refused to mount something, and it is not known on which mount:"
                               : "mounted something, or took a mount away, so that other refusals may not be on the "
                                 "mounts where they seem to be:",
                  found.path);
        if (event.flags & EVENT_SECOND) return 0;
    }
    judge_second_path(&event, &found);
    note_success(&event, &found);
    if (!space->count && !found.mount[0] && event.result == 0)
        seen.unplaced++; /* a refused one is doubtful by itself */
    send_attempt(&event, &found);
    return 0;
}

bool open_ring(void) {
    ring = ring_buffer__new(bpf_map__fd(programs->maps.events), on_event, NULL, NULL);
    return ring;
}
