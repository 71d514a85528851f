/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Which capabilities the watched processes are asked for, and which of their calls are refused (EPERM, EACCES): part of
 * observer.bpf.c, loaded only where rogate asks for it.
 *   fexit/cap_capable          the function that answers each check (security/commoncap.c), with how it is made
 *   tp_btf/cap_capable  (6.14) where there are no fexit programs; it does not say whether the check is for the kernel's own
 *                              information (CAP_OPT_NOAUDIT)
 *   kprobe, kretprobe of cap_capable   where there are neither
 *   kprobe of cap_capable, tracepoint/capability/cap_capable   where programs are interrupted (interrupted.h): neither of these is
 *   tp_btf/sys_exit            calls that are refused: also for want of a capability that nobody was asked for, as an execve of
 *                              what has capabilities of its own (security/commoncap.c: bprm_caps_from_vfs_caps)
 *   tracepoint/raw_syscalls/sys_exit   the same where programs are interrupted */

/* include/linux/security.h */
#define CAP_OPT_NOAUDIT 2
/* Linux up to 5.14 on x86-64 and arm64, without KASAN; newer ones have bpf_task_pt_regs. */
#define THREAD_SIZE_PRE_5_15 16384

const volatile bool has_task_regs; /* bpf_task_pt_regs */

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 16384);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, struct check_key);
    __type(value, __u64);
} checks SEC(".maps");
/* Thread -> what its check is of, until cap_capable returns. */
struct asked {
    __u64 cred;
    int capability, pad;
};
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 8192);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, __u64);
    __type(value, struct asked);
} asking SEC(".maps");

__u64 lost_checks;

/* Of the call that the thread is making. */
static __always_inline int current_call(void) {
    struct task_struct* task = current_task();
    struct pt_regs* regs;
    int number;
    if (has_task_regs) {
        regs = (void*)bpf_task_pt_regs(task);
        number = CALL_NUMBER(regs);
    } else {
        void* stack = BPF_CORE_READ(task, stack);
        regs = stack + THREAD_SIZE_PRE_5_15 - bpf_core_type_size(struct pt_regs);
        number = BPF_CORE_READ(regs, CALL_NUMBER_FIELD);
    }
    return IS_COMPAT(task) ? number | CHECK_COMPAT : number;
}

static __always_inline void count_check(const struct process* process, __u32 uid, int capability, int number,
                                        int error) {
    struct check_key key = {};
    __u64 one = 1, *count;
    __u32 slot = process->slot;
    key.slot = slot;
    key.phase = phases[slot & (SLOTS - 1)];
    key.root = process->root;
    key.uid = uid;
    key.capability = capability;
    key.number = number;
    key.error = error;
    bpf_get_current_comm(key.comm, sizeof key.comm);
    count = bpf_map_lookup_elem(&checks, &key);
    if (count)
        __sync_fetch_and_add(count, 1);
    else if (bpf_map_update_elem(&checks, &key, &one, BPF_NOEXIST)) {
        /* Another thread may have come first. */
        count = bpf_map_lookup_elem(&checks, &key);
        if (count)
            __sync_fetch_and_add(count, 1);
        else
            ADD(lost_checks);
    }
}

static __always_inline __u64 set_of(const void* cred, __u32 offset) {
    __u64 set = 0;
    bpf_probe_read_kernel(&set, sizeof set, cred + offset);
    return set;
}

/* Asked of somebody else on the way: an overlay works with the rights of whoever mounted it (fs/overlayfs/util.c:
 * ovl_override_creds), which say nothing of the process's. What access(2) takes for its answer (fs/open.c:
 * access_override_creds) is never more than the process has. */
static __always_inline bool is_foreign(const struct cred* cred) {
    const struct cred* own = BPF_CORE_READ(current_task(), real_cred);
    return cred != own && (set_of(cred, bpf_core_field_offset(struct cred, cap_effective)) &
                           ~set_of(own, bpf_core_field_offset(struct cred, cap_permitted)));
}

static __always_inline int checked(const struct cred* cred, int capability, int result) {
    __u32 tgid = bpf_get_current_pid_tgid() >> 32;
    struct process* process = bpf_map_lookup_elem(&processes, &tgid);
    if (!process || process->canary || is_foreign(cred)) return 0;
    count_check(process, BPF_CORE_READ(cred, euid.val), capability, current_call(), result < 0 ? -result : 0);
    return 0;
}

SEC("fexit/cap_capable")
int BPF_PROG(after_capable, const struct cred* cred, void* space, int capability, unsigned int options, int result) {
    return options & CAP_OPT_NOAUDIT ? 0 : checked(cred, capability, result);
}

SEC("tp_btf/cap_capable")
int BPF_PROG(on_capable, const struct cred* cred, void* space, void* found_in, int capability, int result) {
    return checked(cred, capability, result);
}

SEC("kprobe/cap_capable")
int begin_capable(struct pt_regs* regs) {
    __u64 thread = bpf_get_current_pid_tgid();
    __u32 tgid = thread >> 32;
    struct asked asked = {.cred = FUNCTION_ARGUMENT_0(regs), .capability = FUNCTION_ARGUMENT_2(regs)};
    if (!bpf_map_lookup_elem(&processes, &tgid) || FUNCTION_ARGUMENT_3(regs) & CAP_OPT_NOAUDIT) return 0;
    if (!bpf_map_update_elem(&asking, &thread, &asked, BPF_NOEXIST)) return 0;
    /* Whether there is no room, or nobody has told the answer to the last one. */
    ADD(lost_checks);
    bpf_map_update_elem(&asking, &thread, &asked, BPF_ANY);
    return 0;
}

static __always_inline int answered(int result) {
    __u64 thread = bpf_get_current_pid_tgid();
    struct asked *known = bpf_map_lookup_elem(&asking, &thread), asked;
    if (!known) return 0;
    asked = *known;
    bpf_map_delete_elem(&asking, &thread);
    return checked((void*)asked.cred, asked.capability, result);
}

SEC("kretprobe/cap_capable")
int end_capable(struct pt_regs* regs) {
    return answered((int)FUNCTION_RESULT(regs));
}

/* include/trace/events/capability.h */
struct answer_of_check {
    __u64 common;
    const void *cred, *space, *found_in;
    int capability, result;
};

SEC("tracepoint/capability/cap_capable")
int on_capable_by_perf(struct answer_of_check* answer) {
    return answered(answer->result);
}

static __always_inline int refused(int number, long result) {
    __u32 tgid;
    struct process* process;
    if (result != -EPERM && result != -EACCES) return 0;
    tgid = bpf_get_current_pid_tgid() >> 32;
    process = bpf_map_lookup_elem(&processes, &tgid);
    if (!process || process->canary) return 0;
    if (IS_COMPAT(current_task())) number |= CHECK_COMPAT;
    count_check(process, bpf_get_current_uid_gid(), -1, number, -(int)result);
    return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(on_refused, struct pt_regs* regs, long result) {
    return refused(CALL_NUMBER(regs), result);
}

SEC("tracepoint/raw_syscalls/sys_exit")
int on_refused_by_perf(struct exit_of_call* call) {
    return refused(call->number, call->result);
}
