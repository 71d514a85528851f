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

static bool is_among(const char* name, const char* const* names, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!strcmp(name, names[i])) return true;
    return false;
}

/* Each beside the one that is there again. */
static const char* const of_refusals[] = {
    "after_want_write",       "after_want_write_again",       "after_want_write_file",  "after_want_write_file_again",
    "after_get_write_access", "after_get_write_access_again", "after_want_write_inner", "after_want_write_inner_again",
    "after_is_readonly",      "after_is_readonly_again"};
#define OF_REFUSALS (sizeof of_refusals / sizeof *of_refusals)

bool is_for_interrupted(const char* program) {
    static const char* names[] = {"on_fork_again", "on_end_again", "on_exit_by_perf", "on_refused_by_perf", "on_map"};
    if (is_among(program, names, sizeof names / sizeof *names)) return true;
    for (size_t i = 1; i < OF_REFUSALS; i += 2)
        if (!strcmp(program, of_refusals[i])) return true;
    return false;
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
    static const char* names[] = {"after_capable", "on_capable",         "begin_capable",     "end_capable",
                                  "on_refused",    "on_capable_by_perf", "on_refused_by_perf"};
    return is_among(bpf_program__name(program), names, sizeof names / sizeof *names);
}

static bool is_of_refusals(const struct bpf_program* program) {
    return is_among(bpf_program__name(program), of_refusals, OF_REFUSALS);
}

static uint64_t refusals_before[OF_REFUSALS];

/* Of each of of_refusals. */
static void read_refusals(const struct observer_bpf* programs, uint64_t* missed) {
    for (size_t i = 0; i < OF_REFUSALS; i++)
        missed[i] = misses_of(bpf_object__find_program_by_name(programs->obj, of_refusals[i]));
}

bool trusts_refusals(const struct observer_bpf* programs) {
    const bool twice = programs->rodata->interrupted;
    uint64_t now[OF_REFUSALS];
    if (programs->bss->distrusts_refusals) return false;
    read_refusals(programs, now);
    for (size_t i = 0; i < OF_REFUSALS; i += 2)
        if (now[i] != refusals_before[i] && (!twice || now[i + 1] != refusals_before[i + 1]))
            programs->bss->distrusts_refusals = true;
    return !programs->bss->distrusts_refusals;
}

void trust_refusals(const struct observer_bpf* programs) {
    read_refusals(programs, refusals_before);
    programs->bss->distrusts_refusals = false;
}

uint64_t missed_events(const struct observer_bpf* programs) {
    struct bpf_program* each;
    uint64_t missed = missed_by_both(programs->progs.on_fork, programs->progs.on_fork_again) +
                      missed_by_both(programs->progs.on_end, programs->progs.on_end_again);
    bpf_object__for_each_program(each, programs->obj) {
        const char* name = bpf_program__name(each);
        if (!is_of_checks(each) && !is_of_refusals(each) && strncmp(name, "on_fork", strlen("on_fork")) &&
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
