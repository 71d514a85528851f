#include "instances.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

struct observer_bpf* instances[INSTANCES];
struct observer_bpf* programs;

/* Those that are not the first one's. */
static const struct {
    const char* program;
    unsigned int instance;
} placed[] = {
    {"on_exec", EXECS},
    {"on_end", ENDS},
    {"on_uring_submit", SUBMITS},
    {"on_uring_submit_sqe", SUBMITS},
    {"on_uring_submit_pre_6_0", SUBMITS},
    {"on_uring_complete", COMPLETES},
    {"on_uring_overflow", OVERFLOWS},
};

static unsigned int instance_of(const char* program) {
    for (size_t i = 0; instances[AGAIN] && i < sizeof placed / sizeof *placed; i++)
        if (!strcmp(placed[i].program, program)) return placed[i].instance;
    return MAIN;
}

bool instance_has(unsigned int instance, const char* program) {
    if (!strcmp(program, "after_exit")) return instance == MAIN && instances[AGAIN];
    return instance == AGAIN ? !strcmp(program, "on_exit") : instance_of(program) == instance;
}

struct bpf_program* program_named(const char* program) {
    return bpf_object__find_program_by_name(instances[instance_of(program)]->obj, program);
}

static bool is_preempted_within(void) {
    struct utsname kernel;
    int major = 0, minor = 0;
    return !uname(&kernel) && sscanf(kernel.release, "%d.%d", &major, &minor) == 2 &&
           (major > 6 || (major == 6 && minor > 18));
}

int open_instances(void) {
    /* What the verifier had to look at, for each program. */
    LIBBPF_OPTS(bpf_object_open_opts, options, .kernel_log_level = getenv("ROGATE_OBSERVER_DEBUG") ? 4 : 0);
    const unsigned int count = is_preempted_within() ? INSTANCES : 1;
    for (unsigned int i = 0; i < count; i++) {
        instances[i] = observer_bpf__open_opts(&options);
        if (!instances[i]) {
            const int error = -errno;
            close_instances();
            return error;
        }
        instances[i]->rodata->instance = i;
        instances[i]->rodata->twice = count > 1;
        instances[i]->rodata->second = i == AGAIN;
    }
    programs = instances[MAIN];
    return 0;
}

void close_instances(void) {
    for (unsigned int i = 0; i < INSTANCES; i++) {
        if (instances[i]) observer_bpf__destroy(instances[i]);
        instances[i] = NULL;
    }
    programs = NULL;
}

/* All but what is put together, and what is constant. */
static int share_maps(struct observer_bpf* with) {
    struct bpf_map* each;
    bpf_object__for_each_map(each, with->obj) {
        const char* name = bpf_map__name(each);
        const struct bpf_map* first = bpf_object__find_map_by_name(programs->obj, name);
        if (!strcmp(name, "scratch") || strstr(name, ".rodata")) continue;
        if (!first || bpf_map__reuse_fd(each, bpf_map__fd(first))) return -EINVAL;
    }
    return 0;
}

int load_instances(void) {
    for (unsigned int i = 0; i < INSTANCES; i++) {
        int error;
        if (!instances[i]) continue;
        if (i != MAIN && share_maps(instances[i])) return -EINVAL;
        error = observer_bpf__load(instances[i]);
        if (!error) error = observer_bpf__attach(instances[i]);
        if (error) return error;
    }
    /* A tracepoint runs its programs in the order in which they came (kernel/tracepoint.c: func_add). */
    if (instances[AGAIN] && !bpf_program__attach(programs->progs.after_exit)) return -errno;
    return 0;
}

void blind_instances(void) {
    for (unsigned int i = MAIN; i <= AGAIN; i++) {
        if (!instances[i] || !instances[i]->links.on_exit) continue;
        bpf_link__destroy(instances[i]->links.on_exit);
        instances[i]->links.on_exit = NULL;
    }
}

static uint64_t misses_of(const struct bpf_program* program) {
    struct bpf_prog_info info;
    __u32 size = sizeof info;
    memset(&info, 0, sizeof info);
    return bpf_program__fd(program) >= 0 && !bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size)
               ? info.recursion_misses
               : 0;
}

static bool is_of_checks(const struct bpf_program* program) {
    static const char* names[] = {"after_capable", "on_capable", "begin_capable", "end_capable", "on_refused"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(bpf_program__name(program), names[i])) return true;
    return false;
}

static uint64_t least(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

uint64_t missed_events(void) {
    const struct bpf_program* first = programs->progs.on_exit;
    uint64_t missed = misses_of(first);
    struct bpf_program* each;
    /* What neither of the two has seen to is counted by after_exit. Left out itself, it leaves the word that one of them has seen to
     * the thread's call, which could be taken for the thread's next one. */
    if (instances[AGAIN])
        missed =
            least(least(missed, misses_of(instances[AGAIN]->progs.on_exit)), misses_of(programs->progs.after_exit));
    for (unsigned int i = 0; i < INSTANCES; i++) {
        if (!instances[i] || i == AGAIN) continue;
        bpf_object__for_each_program(each, instances[i]->obj) {
            if (each != first && each != programs->progs.after_exit && !is_of_checks(each)) missed += misses_of(each);
        }
    }
    return missed;
}

uint64_t missed_checks(void) {
    uint64_t missed = 0;
    struct bpf_program* each;
    bpf_object__for_each_program(each, programs->obj) if (is_of_checks(each)) missed += misses_of(each);
    return missed;
}
