/* The observer's agent: loads the BPF programs, turns their events into frames, and obeys the commands of
 * protocol.h. */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "../protocol.h"
#include "calls.h"
#include "join.h"
#include "mounts.h"
#include "observer.skel.h"
#include "output.h"
#include "resolve.h"
#include "shared.h"

static struct observer_bpf* programs;
static struct ring_buffer* ring;
static uint64_t lost_before[SLOTS], attempts_seen[SLOTS];
static uint64_t
    unplaced_events; /* of mount namespaces that could not be looked at in time, or of too many of them */
static bool canary_seen;
static char hooks[512]; /* which run */
static volatile sig_atomic_t blinded;

/* ---- events -> frames
 * -------------------------------------------------------------------------------------------- */

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
    if (found->no_op) attempt.flags |= ATTEMPT_NO_OP;
    /* The kernel knows which mount refused; if ours is not read-only, we have the wrong one, and must not
     * hide that. */
    if (event->result == -EROFS && (!found->mount[0] || !found->read_only)) attempt.flags |= ATTEMPT_DOUBTFUL;
    if (found->lexical) attempt.flags |= ATTEMPT_LEXICAL;
    if (event->flags & EVENT_BY_FD) attempt.flags |= ATTEMPT_BY_FD;
    if (event->flags & EVENT_TRUNCATED) attempt.flags |= ATTEMPT_TRUNCATED;
    if (event->flags & EVENT_IO_URING) attempt.flags |= ATTEMPT_IO_URING;
    if (event->flags & EVENT_SECOND) attempt.flags |= ATTEMPT_SECOND;
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

static void send_root(const struct event* event) {
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

/* Of the generations before `generation`. */
static void send_uses(unsigned int slot, unsigned int generation) {
    struct use_key key, next;
    uint64_t count;
    int more = bpf_map__get_next_key(programs->maps.uses, NULL, &next, sizeof next);
    while (!more) {
        struct mount_namespace* space;
        const struct mount_entry* entry;
        key = next;
        more = bpf_map__get_next_key(programs->maps.uses, &key, &next, sizeof next);
        if (key.slot != slot || key.generation >= generation ||
            bpf_map__lookup_elem(programs->maps.uses, &key, sizeof key, &count, sizeof count, 0))
            continue;
        bpf_map__delete_elem(programs->maps.uses, &key, sizeof key, 0);
        space = namespace_of(slot, key.mount_namespace, 0);
        entry = space ? mount_with(space, key.mount_id) : NULL;
        if (!entry) continue;
        frame_begin(FRAME_USE, (uint16_t)slot);
        frame_bytes(&count, sizeof count);
        frame_text(entry->point);
        frame_end();
    }
}

static int on_event(void* context, void* data, size_t size) {
    static struct resolution found;
    static struct event event;
    struct mount_namespace* space;
    (void)context;
    memset(&event, 0, __builtin_offsetof(struct event, data));
    memcpy(&event, data, size < sizeof event ? size : sizeof event);
    if (event.kind == EVENT_END) {
        /* A joined container is the user's, and whatever becomes of us, it must find its mounts as without
         * us: what is pinned would keep them mounted when it is started again. */
        release_namespaces(event.slot);
        return 0;
    }
    if (event.kind == EVENT_ROOT && event.pid_inside == 1 && programs->bss->joined)
        programs->bss->first_of_joined = event.pid;
    /* What was used before a restart is told by the mounts of before. */
    if (event.kind == EVENT_ROOT && event.pid_inside == 1) send_uses(event.slot, (unsigned int)event.number);
    space = event.kind == EVENT_ROOT && event.pid_inside == 1
                ? begin_namespace(event.slot, event.mount_namespace, event.pid)
                : namespace_of(event.slot, event.mount_namespace, event.pid);
    /* A process can be gone already; the one that started it is most likely in the same namespace, and still
     * there. */
    if (space && space->root < 0 && event.kind == EVENT_ATTEMPT)
        space = namespace_of(event.slot, event.mount_namespace, event.parent);
    if (!space) {
        if (event.kind == EVENT_ROOT && event.pid_inside == 1) let_go(event.pid);
        unplaced_events++;
        return 0;
    }
    if (event.kind == EVENT_ROOT) {
        if (event.pid_inside == 1) let_go(event.pid);
        send_root(&event);
        return 0;
    }
    if (event.flags & EVENT_CANARY) {
        canary_seen = canary_seen || event.result == -EROFS;
        return 0;
    }
    attempts_seen[event.slot % SLOTS]++;
    resolve(&event, space, &found);
    judge_second_path(&event, &found);
    if (!space->count && !found.mount[0] && event.result == 0)
        unplaced_events++; /* a refused one is doubtful by itself */
    send_attempt(&event, &found);
    return 0;
}

/* ---- commands
 * ---------------------------------------------------------------------------------------------------- */

static void reply(unsigned int number, unsigned int slot, int status, int value, const char* text) {
    struct frame_reply answer = {number, status, value, 0};
    frame_begin(FRAME_REPLY, (uint16_t)slot);
    frame_bytes(&answer, sizeof answer);
    frame_text(text);
    frame_end();
}

/* Events that a program missed because it was running already on that processor: lost like any other. */
static uint64_t missed_events(void) {
    struct bpf_program* each;
    uint64_t missed = 0;
    bpf_object__for_each_program(each, programs->obj) {
        struct bpf_prog_info info;
        __u32 size = sizeof info;
        memset(&info, 0, sizeof info);
        if (bpf_program__fd(each) >= 0 && !bpf_obj_get_info_by_fd(bpf_program__fd(each), &info, &size))
            missed += info.recursion_misses;
    }
    return missed;
}

static uint64_t lost_now(void) {
    return programs->bss->lost_events + missed_events() + unplaced_events;
}

/* The error, 0: what the container does from now on is the slot's. */
static int begin_watching(unsigned int slot, const char* id) {
    char key[CONTAINER_ID_SIZE];
    __u32 phase = 0;
    memcpy(key, id, sizeof key);
    if (bpf_map__update_elem(programs->maps.phases, &slot, sizeof slot, &phase, sizeof phase, BPF_ANY) ||
        bpf_map__update_elem(programs->maps.containers, key, sizeof key, &slot, sizeof slot, BPF_ANY))
        return errno;
    forget_namespaces(slot); /* of a container that was still running when it was collected */
    lost_before[slot] = lost_now();
    attempts_seen[slot] = 0;
    return 0;
}

static void command_arm(unsigned int number, unsigned int slot, const char* id) {
    int error;
    if (strlen(id) != CONTAINER_ID_SIZE)
        return reply(number, slot, EINVAL, 0, "a container's id has 64 digits");
    error = begin_watching(slot, id);
    reply(number, slot, error, 0, error ? strerror(error) : "");
}

/* Nanoseconds of the clock that the kernel's side tells the time by (bpf_ktime_get_ns). */
static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
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
    const struct event root = {
        .kind = EVENT_ROOT, .slot = slot, .pid = pid, .pid_inside = 1, .time = now_ns()};
    as->slot = slot;
    as->root = pid;
    bpf_map__lookup_elem(programs->maps.generations, &slot, sizeof slot, &as->generation,
                         sizeof as->generation, 0);
    as->generation++;
    bpf_map__update_elem(programs->maps.generations, &slot, sizeof slot, &as->generation,
                         sizeof as->generation, BPF_ANY);
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
        return reply(number, slot, EINVAL, 0,
                     "a container's id has 64 digits, and its first process a number");
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
    if (!space || !space->count)
        return reply(number, slot, ESRCH, 0, "its mounts could not be read: it has ended");
    if (!join_processes(programs->maps.processes, &as, id))
        return reply(number, slot, EAGAIN, 0, "its processes come and go faster than they can be found");
    each_held_file(programs->maps.processes, slot, send_held);
    reply(number, slot, 0, 0, "");
}

static void command_phase(unsigned int number, unsigned int slot, const char* text) {
    __u32 phase = (__u32)strtoul(text, NULL, 10);
    if (bpf_map__update_elem(programs->maps.phases, &slot, sizeof slot, &phase, sizeof phase, BPF_ANY))
        return reply(number, slot, errno, 0, strerror(errno));
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
    if (S_ISDIR(now.st_mode)) {
        snprintf(name, sizeof name, ".rogate-canary-%d-%u", getpid(), number);
        made = openat(fd, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
        error = errno;
        if (made >= 0) {
            close(made);
            unlinkat(fd, name, 0);
        }
    } else {
        /* chmod to the mode it has: refused before anything is looked at (chmod_common takes mnt_want_write
         * first), and harmless if it is not refused. */
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
    canary_seen = false;
    if (bpf_map__update_elem(programs->maps.processes, &pid, sizeof pid, &self, sizeof self, BPF_ANY))
        return reply(number, slot, 0, CANARY_FAILED, strerror(errno));
    outcome = try_write(space->root, path, number, &text);
    bpf_map__delete_elem(programs->maps.processes, &pid, sizeof pid, 0);
    ring_buffer__consume(ring);
    if (outcome == CANARY_SEEN && !canary_seen) outcome = CANARY_NOT_SEEN;
    reply(number, slot, 0, outcome, text);
}

static void forget_container(unsigned int slot) {
    char key[CONTAINER_ID_SIZE], next[CONTAINER_ID_SIZE];
    __u32 value;
    int more = bpf_map__get_next_key(programs->maps.containers, NULL, next, sizeof next);
    while (!more) {
        memcpy(key, next, sizeof key);
        more = bpf_map__get_next_key(programs->maps.containers, key, next, sizeof next);
        if (!bpf_map__lookup_elem(programs->maps.containers, key, sizeof key, &value, sizeof value, 0) &&
            value == slot)
            bpf_map__delete_elem(programs->maps.containers, key, sizeof key, 0);
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
        if (!bpf_map__lookup_elem(programs->maps.processes, &key, sizeof key, &process, sizeof process, 0) &&
            process.slot == slot)
            bpf_map__delete_elem(programs->maps.processes, &key, sizeof key, 0);
    }
}

static void send_counts(unsigned int slot) {
    struct attempt_key key, next;
    struct attempt_count count;
    int more = bpf_map__get_next_key(programs->maps.attempts, NULL, &next, sizeof next);
    while (!more) {
        key = next;
        more = bpf_map__get_next_key(programs->maps.attempts, &key, &next, sizeof next);
        if (bpf_map__lookup_elem(programs->maps.attempts, &key, sizeof key, &count, sizeof count, 0) ||
            count.slot != slot)
            continue;
        if (count.count > 1) {
            struct frame_count frame = {count.id, count.count};
            frame_begin(FRAME_COUNT, (uint16_t)slot);
            frame_bytes(&frame, sizeof frame);
            frame_end();
        }
        bpf_map__delete_elem(programs->maps.attempts, &key, sizeof key, 0);
    }
}

static void command_flush(unsigned int number, unsigned int slot) {
    struct frame_stats stats;
    ring_buffer__consume(ring);
    forget_container(slot);
    forget_processes(slot);
    ring_buffer__consume(ring); /* those that came in the meantime */
    send_counts(slot);
    send_uses(slot, UINT_MAX);
    stats.lost = lost_now() - lost_before[slot];
    stats.attempts = attempts_seen[slot];
    frame_begin(FRAME_STATS, (uint16_t)slot);
    frame_bytes(&stats, sizeof stats);
    frame_end();
    forget_namespaces(slot);
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
    if (!strcmp(verb, "canary")) return command_canary(number, slot, line + rest);
    if (!strcmp(verb, "release")) {
        ring_buffer__consume(ring);
        release_namespaces(slot);
        return reply(number, slot, 0, 0, "");
    }
    if (!strcmp(verb, "flush")) return command_flush(number, slot);
    reply(number, slot, EINVAL, 0, "no such command");
}

/* False at end of input. */
static bool read_commands(void) {
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

/* ---- start
 * ------------------------------------------------------------------------------------------------------- */

static int quiet(enum libbpf_print_level level, const char* format, va_list arguments) {
    if (!getenv("ROGATE_OBSERVER_DEBUG")) return 0;
    (void)level;
    return vfprintf(stderr, format, arguments);
}

static int give_up(const char* doing, int error) {
    char text[512];
    const char* way_out = "run rogate with ROGATE_OBSERVER_DEBUG=1 set in the observer and report its output";
    if (access("/sys/kernel/btf/vmlinux", R_OK))
        way_out =
            "this kernel has no BTF (/sys/kernel/btf/vmlinux); it needs one built with "
            "CONFIG_DEBUG_INFO_BTF, as the "
            "distributions' kernels from 5.10 on are";
    else if (error == EPERM || error == EACCES)
        way_out =
            "the engine does not let the observer load BPF programs: it needs CAP_SYS_ADMIN in the initial "
            "user namespace, "
            "which a rootless engine or a user namespace remap cannot give";
    else if (error == ENOSYS)
        way_out = "this kernel was built without bpf(2)";
    snprintf(text, sizeof text, "%s: %s; %s", doing, strerror(error), way_out);
    frame_begin(FRAME_ERROR, 0);
    frame_text(text);
    frame_end();
    flush_output();
    return 1;
}

static void name_hook(const char* name) {
    static const char* last = "";
    size_t used = strlen(hooks);
    if (strcmp(name, last)) snprintf(hooks + used, sizeof hooks - used, ", %s", name);
    last = name;
}

/* The optional programs, each for one function or tracepoint. */
enum tier {
    EXACT,
    URING,
    URING_REQ,
    URING_SQE,
    URING_OLD,
    NOTHING
}; /* URING: with any of the three that follow */
struct optional {
    struct bpf_program* program;
    const char* name;
    enum tier tier;
    bool loaded;
};
#define OPTIONAL 11
static struct optional* optionals(void) {
    static struct optional all[OPTIONAL];
    const struct optional now[OPTIONAL] = {
        {programs->progs.after_want_write, "mnt_want_write", EXACT, false},
        {programs->progs.after_want_write_file, "mnt_want_write_file", EXACT, false},
        {programs->progs.after_get_write_access, "mnt_get_write_access", EXACT, false},
        {programs->progs.after_want_write_inner, "__mnt_want_write", EXACT, false},
        {programs->progs.after_is_readonly, "__mnt_is_readonly", EXACT, false},
        {programs->progs.on_uring_submit, "io_uring_submit_req", URING_REQ, false},
        {programs->progs.on_uring_submit_sqe, "io_uring_submit_sqe", URING_SQE, false},
        {programs->progs.on_uring_submit_of_old, "io_uring_submit_sqe", URING_OLD, false},
        {programs->progs.on_uring_complete, "io_uring_complete", URING, false},
        {programs->progs.before_issue, "io_issue_sqe", URING_OLD, false},
        {programs->progs.after_issue, "io_issue_sqe", URING_OLD, false},
    };
    memcpy(all, now, sizeof all);
    return all;
}

static bool has_function(const struct btf* kernel, const char* name) {
    return btf__find_by_name_kind(kernel, name, BTF_KIND_FUNC) > 0;
}

/* How many arguments the tracepoint has; 0: the kernel has none of that name. The type is a pointer to a
 * function whose first argument is not the tracepoint's. */
static int tracepoint_arguments(const struct btf* kernel, const char* name) {
    const struct btf_type* type;
    char text[64];
    int id;
    snprintf(text, sizeof text, "btf_trace_%s", name);
    id = btf__find_by_name_kind(kernel, text, BTF_KIND_TYPEDEF);
    type = id > 0 ? btf__type_by_id(kernel, btf__type_by_id(kernel, (__u32)id)->type) : NULL;
    type = type && btf_is_ptr(type) ? btf__type_by_id(kernel, type->type) : NULL;
    return type && btf_is_func_proto(type) ? btf_vlen(type) - 1 : 0;
}

/* How this kernel shows requests and what becomes of them. Before 6.0 the submission's tracepoint has seven
 * arguments, and the completion's has no request: that takes the function which makes the calls, and
 * from 5.12 on (create_io_thread) none but the program's own threads make them. */
static enum tier uring_tier(const struct btf* kernel, bool exact) {
    if (tracepoint_arguments(kernel, "io_uring_submit_req")) return URING_REQ;
    if (tracepoint_arguments(kernel, "io_uring_submit_sqe") == 2) return URING_SQE;
    return exact && tracepoint_arguments(kernel, "io_uring_submit_sqe") == 7 &&
                   tracepoint_arguments(kernel, "io_uring_complete") == 4 &&
                   has_function(kernel, "io_issue_sqe") && has_function(kernel, "create_io_thread")
               ? URING_OLD
               : NOTHING;
}

static bool wanted(const struct optional* each, const struct btf* kernel, bool exact, enum tier uring) {
    if (each->tier == EXACT) return exact && kernel && has_function(kernel, each->name);
    return each->tier == URING ? uring != NOTHING : uring == each->tier;
}

/* bpf_get_current_task_btf, from 5.11. */
static bool has_typed_task(const struct btf* kernel) {
    const int id = btf__find_by_name_kind(kernel, "bpf_func_id", BTF_KIND_ENUM);
    const struct btf_type* type = id > 0 ? btf__type_by_id(kernel, (__u32)id) : NULL;
    for (int i = 0; type && i < btf_vlen(type); i++)
        if (btf_enum(type)[i].val == BPF_FUNC_get_current_task_btf) return true;
    return false;
}

/* How pointers of the kernel's are followed: by calls; by single instructions from the task on (5.11); by
 * such from anywhere (6.2). The slower ones are for a verifier that sees the faster in another way than those
 * tried. */
enum reading { CALLS, FROM_TASK, ANYWHERE };

static bool uring_took_exact; /* in the last try */

static int open_and_load(const struct btf* kernel, size_t ring_bytes, bool exact, bool sees_uring,
                         enum reading reading) {
    /* What the verifier had to look at, for each program. */
    LIBBPF_OPTS(bpf_object_open_opts, options, .kernel_log_level = getenv("ROGATE_OBSERVER_DEBUG") ? 4 : 0);
    enum tier uring;
    struct optional* each;
    int error;
    programs = observer_bpf__open_opts(&options);
    if (!programs) return -errno;
    fill_rules((struct call_rule*)(uintptr_t)programs->rodata->rules,
               (struct call_rule*)(uintptr_t)programs->rodata->i386_rules);
    uring = sees_uring && kernel ? uring_tier(kernel, exact) : NOTHING;
    programs->rodata->sees_uring = uring != NOTHING;
    programs->rodata->typed = reading >= FROM_TASK && kernel && has_typed_task(kernel);
    programs->rodata->casts =
        reading >= ANYWHERE && programs->rodata->typed && has_function(kernel, "bpf_rdonly_cast");
    programs->rodata->knows_refusals = exact;
    programs->rodata->uring_of_old = uring_took_exact = uring == URING_OLD;
    each = optionals();
    for (int i = 0; i < OPTIONAL; i++) {
        each[i].loaded = wanted(&each[i], kernel, exact, uring);
        bpf_program__set_autoload(each[i].program, each[i].loaded);
        bpf_program__set_autoattach(each[i].program, false);
    }
    bpf_map__set_max_entries(programs->maps.events, (__u32)ring_bytes);
    error = observer_bpf__load(programs);
    if (!error) error = observer_bpf__attach(programs);
    snprintf(hooks, sizeof hooks, "sys_exit, sched_process_exec, sched_process_fork, sched_process_exit");
    if (programs->rodata->typed)
        name_hook("bpf_get_current_task_btf"); /* no hook, but what decides its cost */
    if (programs->rodata->casts) name_hook("bpf_rdonly_cast");
    for (int i = 0; i < OPTIONAL && !error; i++) {
        if (!each[i].loaded) continue;
        if (bpf_program__attach(each[i].program))
            name_hook(each[i].name);
        else if (each[i].tier != EXACT) /* sees_uring promised it */
            error = -errno;
    }
    if (error) {
        observer_bpf__destroy(programs);
        programs = NULL;
    }
    return error;
}

/* Some machines answer EPERM to fexit programs alone. One that does nothing tells it before all the others
 * have been made ready for nothing, which takes half as long as loading them. */
static bool refuses_fexit(const struct btf* kernel) {
    const struct bpf_insn nothing[] = {
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
        {.code = BPF_JMP | BPF_EXIT},
    };
    const int function = btf__find_by_name_kind(kernel, "mnt_want_write", BTF_KIND_FUNC);
    LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_TRACE_FEXIT,
                .attach_btf_id = (__u32)function);
    int program;
    if (function <= 0) return false;
    program = bpf_prog_load(BPF_PROG_TYPE_TRACING, "fexit", "GPL", nothing, sizeof nothing / sizeof *nothing,
                            &options);
    if (program >= 0) close(program);
    return program == -EPERM;
}

static int load(size_t ring_bytes) {
    static const struct {
        bool exact, uring;
    } tries[] = {{true, true}, {true, false}, {false, true}, {true, false}, {false, false}};
    struct btf* kernel = btf__load_vmlinux_btf();
    const bool inexact = kernel && refuses_fexit(kernel);
    int error = 0;
    libbpf_set_print(quiet);
    /* What watches io_uring before 6.0 needs fexit programs, too: if that cannot be loaded, they are worth
     * more. */
    for (int reading = ANYWHERE; reading >= CALLS; reading--)
        for (size_t i = 0; i < sizeof tries / sizeof *tries && !programs; i++)
            if (!(tries[i].exact && inexact) && (i != 1 || uring_took_exact))
                error = open_and_load(kernel, ring_bytes, tries[i].exact, tries[i].uring, reading);
    btf__free(kernel);
    if (!programs) return give_up("loading the BPF programs", -error);
    ring = ring_buffer__new(bpf_map__fd(programs->maps.events), on_event, NULL, NULL);
    if (!ring) return give_up("opening the ring buffer", errno);
    return 0;
}

static void say_hello(void) {
    struct utsname kernel;
    uname(&kernel);
    frame_begin(FRAME_HELLO, 0);
    frame_text(hooks);
    frame_text(kernel.release);
    frame_end();
    flush_output();
}

/* For tests of what rogate does with an observer that sees nothing: its canaries must notice. */
static void blind(int number) {
    (void)number;
    blinded = 1;
}

static void serve(void) {
    struct epoll_event event = {.events = EPOLLIN, .data = {.fd = STDIN_FILENO}};
    int poll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_ctl(poll, EPOLL_CTL_ADD, STDIN_FILENO, &event)) return; /* a file: nobody to obey */
    event.data.fd = ring_buffer__epoll_fd(ring);
    epoll_ctl(poll, EPOLL_CTL_ADD, event.data.fd, &event);
    for (;;) {
        struct epoll_event ready[2];
        int count = epoll_wait(poll, ready, 2, -1);
        if (count < 0 && errno != EINTR) return;
        if (blinded && programs->links.on_exit) {
            bpf_link__destroy(programs->links.on_exit);
            programs->links.on_exit = NULL;
        }
        ring_buffer__consume(ring);
        for (int i = 0; i < count; i++)
            if (ready[i].data.fd == STDIN_FILENO && !read_commands()) return;
        flush_output();
    }
}

int main(int argc, char** argv) {
    /* The subject of `rogate doctor`: the one program that is surely there. */
    if (argc == 2 && !strcmp(argv[1], "wait")) return pause();
    size_t ring_bytes = argc > 1 ? strtoul(argv[1], NULL, 10) : 16u << 20;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGUSR1, blind);
    put_magic();
    if (load(ring_bytes)) return 1;
    say_hello();
    serve();
    flush_output();
    ring_buffer__free(ring);
    observer_bpf__destroy(programs);
    return 0;
}
