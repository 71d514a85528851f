#include "programs.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../protocol.h"
#include "calls.h"
#include "ioctls.h"
#include "output.h"
#include "shared.h"

struct observer_bpf* programs;
static char hooks[512];

const char* hook_names(void) {
    return hooks;
}

static int quiet(enum libbpf_print_level level, const char* format, va_list arguments) {
    if (!getenv("ROGATE_OBSERVER_DEBUG")) return 0;
    (void)level;
    return vfprintf(stderr, format, arguments);
}

void give_up(const char* doing, int error) {
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
    URING_PRE_6_0,
    NOTHING,
    URING_OVERFLOW,
    CHECKS_EXACT,
    CHECKS_TOLD,
    CHECKS_PROBED,
    CHECKS_HELD,
    CHECKS_BEGUN,
    CHECKS
}; /* URING: with any of the three that follow; URING_OVERFLOW: with the first two of them; CHECKS_BEGUN: with the two before it;
    * CHECKS: with any before it */
struct optional {
    const char* program;
    const char* name; /* the kernel's */
    enum tier tier;
    bool loaded;
};
static struct optional optionals[] = {
    {"after_want_write", "mnt_want_write", EXACT, false},
    {"after_want_write_again", "mnt_want_write", EXACT, false},
    {"after_want_write_file", "mnt_want_write_file", EXACT, false},
    {"after_want_write_file_again", "mnt_want_write_file", EXACT, false},
    {"after_get_write_access", "mnt_get_write_access", EXACT, false},
    {"after_get_write_access_again", "mnt_get_write_access", EXACT, false},
    {"after_want_write_inner", "__mnt_want_write", EXACT, false},
    {"after_want_write_inner_again", "__mnt_want_write", EXACT, false},
    {"after_is_readonly", "__mnt_is_readonly", EXACT, false},
    {"after_is_readonly_again", "__mnt_is_readonly", EXACT, false},
    {"on_uring_submit", "io_uring_submit_req", URING_REQ, false},
    {"on_uring_submit_sqe", "io_uring_submit_sqe", URING_SQE, false},
    {"on_uring_submit_pre_6_0", "io_uring_submit_sqe", URING_PRE_6_0, false},
    {"on_uring_complete", "io_uring_complete", URING, false},
    {"on_uring_overflow", "io_uring_cqe_overflow", URING_OVERFLOW, false},
    {"before_issue", "io_issue_sqe", URING_PRE_6_0, false},
    {"after_issue", "io_issue_sqe", URING_PRE_6_0, false},
    {"after_capable", "cap_capable", CHECKS_EXACT, false},
    {"on_capable", "cap_capable", CHECKS_TOLD, false},
    {"begin_capable", "cap_capable", CHECKS_BEGUN, false},
    {"end_capable", "cap_capable", CHECKS_PROBED, false},
    {"on_capable_by_perf", "cap_capable", CHECKS_HELD, false},
    {"on_refused", "sys_exit", CHECKS, false},
    {"on_refused_by_perf", "sys_exit", CHECKS, false},
};
#define OPTIONAL (sizeof optionals / sizeof *optionals)

static struct optional* optional_of(const char* program) {
    for (size_t i = 0; i < OPTIONAL; i++)
        if (!strcmp(optionals[i].program, program)) return &optionals[i];
    return NULL;
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
                   tracepoint_arguments(kernel, "io_uring_complete") == 4 && has_function(kernel, "io_issue_sqe") &&
                   has_function(kernel, "create_io_thread")
               ? URING_PRE_6_0
               : NOTHING;
}

static bool wants_checks; /* of capabilities */
static enum tier checks;  /* how this kernel shows them; NOTHING: not at all */

static enum tier checks_tier(const struct btf* kernel, bool exact) {
    if (!wants_checks || !kernel) return NOTHING;
    /* fexit programs are interrupted, too. */
    if (interrupts_programs() && tracepoint_arguments(kernel, "cap_capable") == 5 &&
        has_function(kernel, "register_kprobe"))
        return CHECKS_HELD;
    if (exact && has_function(kernel, "cap_capable")) return CHECKS_EXACT;
    if (tracepoint_arguments(kernel, "cap_capable") == 5) return CHECKS_TOLD;
    return has_function(kernel, "cap_capable") ? CHECKS_PROBED : NOTHING;
}

static bool wanted_for_checks(const struct optional* each) {
    if (checks == NOTHING) return false;
    if (!strcmp(each->program, "on_refused")) return !interrupts_programs();
    if (each->tier == CHECKS) return true;
    return each->tier == checks || (each->tier == CHECKS_BEGUN && (checks == CHECKS_PROBED || checks == CHECKS_HELD));
}

static bool wanted(const struct optional* each, const struct btf* kernel, bool exact, enum tier uring) {
    if (is_for_interrupted(each->program) && !interrupts_programs()) return false;
    if (each->tier >= CHECKS_EXACT) return wanted_for_checks(each);
    if (each->tier == EXACT) return exact && kernel && has_function(kernel, each->name);
    if (each->tier == URING_OVERFLOW)
        return (uring == URING_REQ || uring == URING_SQE) && tracepoint_arguments(kernel, each->name) == 5;
    return each->tier == URING ? uring != NOTHING : uring == each->tier;
}

static bool has_helper(const struct btf* kernel, int number) {
    const int id = btf__find_by_name_kind(kernel, "bpf_func_id", BTF_KIND_ENUM);
    const struct btf_type* type = id > 0 ? btf__type_by_id(kernel, (__u32)id) : NULL;
    for (int i = 0; type && i < btf_vlen(type); i++)
        if (btf_enum(type)[i].val == number) return true;
    return false;
}

/* How pointers of the kernel's are followed: by calls; by single instructions from the task on (5.11); by
 * such from anywhere (6.2). The slower ones are for a verifier that sees the faster in another way than those
 * tried. */
enum reading { CALLS, FROM_TASK, ANYWHERE };

/* What a newer kernel has, and we do not know. */
static void mark_newer_calls(struct call_rule* rules) {
    for (int number = NEWEST_CALL + 1; number < SYSCALLS; number++)
        if (rules[number].kind == CALL_NONE) rules[number].kind = CALL_NEWER;
}

static bool uring_took_exact; /* in the last try */

static void fill_calls(void) {
    struct call_rule* rules = (struct call_rule*)(uintptr_t)programs->rodata->rules;
    struct call_rule* compat_rules = (struct call_rule*)(uintptr_t)programs->rodata->compat_rules;
    fill_rules(rules, compat_rules);
    mark_newer_calls(rules);
    mark_newer_calls(compat_rules);
    _Static_assert(sizeof changing_ioctls < sizeof programs->rodata->ioctls, "the last one is 0");
    memcpy((void*)(uintptr_t)programs->rodata->ioctls, changing_ioctls, sizeof changing_ioctls);
}

/* Which programs are loaded, and which of these are attached one by one. */
static void choose_programs(void) {
    const bool interrupted = programs->rodata->interrupted;
    struct bpf_program* each;
    bpf_object__for_each_program(each, programs->obj) {
        const char* name = bpf_program__name(each);
        const struct optional* optional = optional_of(name);
        const bool is_main = !optional && !is_for_interrupted(name);
        bpf_program__set_autoload(each, is_main || (optional ? optional->loaded : interrupted));
        bpf_program__set_autoattach(each, is_main && !(interrupted && each == programs->progs.on_exit));
    }
}

static int attach_optionals(void) {
    for (size_t i = 0; i < OPTIONAL; i++) {
        if (!optionals[i].loaded) continue;
        if (bpf_program__attach(bpf_object__find_program_by_name(programs->obj, optionals[i].program)))
            name_hook(optionals[i].name);
        else if (optionals[i].tier >= CHECKS_EXACT)
            checks = NOTHING;
        else if (optionals[i].tier != EXACT) /* sees_uring promised it */
            return -errno;
    }
    return 0;
}

static int open_and_load(const struct btf* kernel, size_t ring_bytes, bool exact, bool sees_uring,
                         enum reading reading) {
    const enum tier uring = sees_uring && kernel ? uring_tier(kernel, exact) : NOTHING;
    /* What the verifier had to look at, for each program. */
    LIBBPF_OPTS(bpf_object_open_opts, options, .kernel_log_level = getenv("ROGATE_OBSERVER_DEBUG") ? 4 : 0);
    struct observer_bpf__rodata* facts;
    int error;
    programs = observer_bpf__open_opts(&options);
    if (!programs) return -errno;
    facts = programs->rodata;
    facts->interrupted = interrupts_programs();
    facts->sees_uring = uring != NOTHING;
    checks = checks_tier(kernel, exact);
    facts->typed = reading >= FROM_TASK && kernel && has_helper(kernel, BPF_FUNC_get_current_task_btf); /* 5.11 */
    facts->has_task_regs = facts->typed && has_helper(kernel, BPF_FUNC_task_pt_regs);                   /* 5.15 */
    facts->casts = reading >= ANYWHERE && facts->typed && has_function(kernel, "bpf_rdonly_cast");
    facts->knows_refusals = exact;
    facts->uring_pre_6_0 = uring_took_exact = uring == URING_PRE_6_0;
    for (size_t i = 0; i < OPTIONAL; i++) optionals[i].loaded = wanted(&optionals[i], kernel, exact, uring);
    fill_calls();
    choose_programs();
    bpf_map__set_max_entries(programs->maps.events, (__u32)ring_bytes);
    error = observer_bpf__load(programs);
    if (!error) error = observer_bpf__attach(programs);
    if (!error && facts->interrupted) error = attach_for_interrupted(programs);
    snprintf(hooks, sizeof hooks, "sys_exit, sched_process_exec, sched_process_fork, sched_process_exit");
    if (facts->typed) name_hook("bpf_get_current_task_btf"); /* no hook, but what decides its cost */
    if (facts->casts) name_hook("bpf_rdonly_cast");
    if (!error) error = attach_optionals();
    if (!error) return 0;
    observer_bpf__destroy(programs);
    programs = NULL;
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
    LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_TRACE_FEXIT, .attach_btf_id = (__u32)function);
    int program;
    if (function <= 0) return false;
    program = bpf_prog_load(BPF_PROG_TYPE_TRACING, "fexit", "GPL", nothing, sizeof nothing / sizeof *nothing, &options);
    if (program >= 0) close(program);
    return program == -EPERM;
}

bool sees_checks(void) {
    return checks != NOTHING;
}

bool sees_audited_alone(void) {
    return checks == CHECKS_EXACT || checks == CHECKS_PROBED || checks == CHECKS_HELD;
}

bool load_programs(size_t ring_bytes, bool with_checks) {
    static const struct {
        bool exact, uring;
    } tries[] = {{true, true}, {true, false}, {false, true}, {true, false}, {false, false}};
    struct btf* kernel = btf__load_vmlinux_btf();
    const bool inexact = kernel && refuses_fexit(kernel);
    int error = 0;
    libbpf_set_print(quiet);
    wants_checks = with_checks;
    /* What watches io_uring before 6.0 needs fexit programs, too: if that cannot be loaded, they are worth
     * more. */
    do {
        for (int reading = ANYWHERE; reading >= CALLS; reading--)
            for (size_t i = 0; i < sizeof tries / sizeof *tries && !programs; i++)
                if (!(tries[i].exact && inexact) && (i != 1 || uring_took_exact))
                    error = open_and_load(kernel, ring_bytes, tries[i].exact, tries[i].uring, reading);
        /* Mounts are worth more than capabilities. */
    } while (!programs && wants_checks && !(wants_checks = false));
    btf__free(kernel);
    if (!programs) give_up("loading the BPF programs", -error);
    return programs;
}

void blind_programs(void) {
    struct bpf_link** links[] = {&programs->links.on_exit, &programs->links.on_exit_by_perf};
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        bpf_link__destroy(*links[i]); /* NULL is none */
        *links[i] = NULL;
    }
}
