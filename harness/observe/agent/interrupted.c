#include "interrupted.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/utsname.h>
#include <unistd.h>

bool interrupts_programs(void) {
    struct utsname kernel;
    int major = 0, minor = 0;
    return !uname(&kernel) && sscanf(kernel.release, "%d.%d", &major, &minor) == 2 &&
           (major > 6 || (major == 6 && minor > 18));
}

bool is_for_interrupted(const char* program) {
    return !strcmp(program, "on_fork_again") || !strcmp(program, "on_end_again") || !strcmp(program, "on_exit_by_perf");
}

/* perf's tracepoints have numbers, which only tracefs tells. It stays in the observer's own mount namespace. */
static void show_tracepoints(void) {
    if (access("/sys/kernel/tracing/events", F_OK)) mount("tracefs", "/sys/kernel/tracing", "tracefs", MS_RDONLY, NULL);
}

static bool attach(struct bpf_link** link, const struct bpf_program* program) {
    *link = bpf_program__attach(program);
    return *link;
}

int attach_for_interrupted(struct observer_bpf* programs) {
    show_tracepoints();
    /* Where there is no tracefs, the program that is interrupted is better than none: what it is left out for is counted. */
    if (!attach(&programs->links.on_exit_by_perf, programs->progs.on_exit_by_perf) &&
        !attach(&programs->links.on_exit, programs->progs.on_exit))
        return -errno;
    return attach(&programs->links.on_fork_again, programs->progs.on_fork_again) &&
                   attach(&programs->links.on_end_again, programs->progs.on_end_again)
               ? 0
               : -errno;
}

static uint64_t misses_of(const struct bpf_program* program) {
    struct bpf_prog_info info;
    __u32 size = sizeof info;
    memset(&info, 0, sizeof info);
    return bpf_program__fd(program) >= 0 && !bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size)
               ? info.recursion_misses
               : 0;
}

static uint64_t missed_by_both(const struct bpf_program* program, const struct bpf_program* again) {
    const uint64_t first = misses_of(program), second = misses_of(again);
    return bpf_program__fd(again) >= 0 && second < first ? second : first;
}

static bool is_of_checks(const struct bpf_program* program) {
    static const char* names[] = {"after_capable", "on_capable", "begin_capable", "end_capable", "on_refused"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(bpf_program__name(program), names[i])) return true;
    return false;
}

uint64_t missed_events(const struct observer_bpf* programs) {
    struct bpf_program* each;
    uint64_t missed = missed_by_both(programs->progs.on_fork, programs->progs.on_fork_again) +
                      missed_by_both(programs->progs.on_end, programs->progs.on_end_again);
    bpf_object__for_each_program(each, programs->obj) {
        const char* name = bpf_program__name(each);
        if (!is_of_checks(each) && strncmp(name, "on_fork", strlen("on_fork")) &&
            strncmp(name, "on_end", strlen("on_end")))
            missed += misses_of(each);
    }
    return missed;
}

uint64_t missed_checks(const struct observer_bpf* programs) {
    struct bpf_program* each;
    uint64_t missed = 0;
    bpf_object__for_each_program(each, programs->obj) if (is_of_checks(each)) missed += misses_of(each);
    return missed;
}
