/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The end of each system call: which of them say anything, and where their arguments are. */

/* The mask is for the verifier. */
static __always_inline __u64 argument(const struct request* request, int i) {
    return request->args[i & (ARGUMENTS - 1)];
}

static __always_inline bool opens_for_writing(__u32 flags) {
    return !(flags & O_PATH) && flags & (O_ACCMODE | O_CREAT | O_TRUNC | O_TMPFILE_BIT);
}

static __always_inline void read_arguments(struct request* request, struct pt_regs* regs, bool compat) {
    request->args[0] = ARGUMENT_0(regs, compat);
    request->args[1] = ARGUMENT_1(regs, compat);
    request->args[2] = ARGUMENT_2(regs, compat);
    request->args[3] = ARGUMENT_3(regs, compat);
    request->args[4] = ARGUMENT_4(regs, compat);
}

/* socketcall(2) of 32-bit programs: a number, and a pointer to the arguments, which take their place. The kind of call. */
static __always_inline signed char socket_call(struct request* request) {
    const __u64 call = request->args[0];
    __u32 args[5] = {};
    signed char kind = CALL_NONE;
    if (call == SOCKETCALL_BIND) kind = CALL_BIND;
    if (call == SOCKETCALL_CONNECT) kind = CALL_LOOK_NAMED;
    if (call == SOCKETCALL_SENDTO) kind = CALL_LOOK_SENT;
    if (call == SOCKETCALL_SENDMSG || call == SOCKETCALL_SENDMMSG) kind = CALL_LOOK_MESSAGE;
    if (kind == CALL_NONE) return kind;
    /* Not all of them have that many, and what is behind them need not be there. */
    if (bpf_probe_read_user(args, sizeof args, (void*)request->args[1]))
        bpf_probe_read_user(args, 3 * sizeof *args, (void*)request->args[1]);
    for (int i = 0; i < 5; i++) request->args[i] = args[i];
    return kind;
}

/* What the kernel has read and this cannot: its page is not there at this moment, or another thread has taken it away.
 * By some errors the kernel has not read it either. */
static __always_inline void count_unread(const struct request* request) {
    const int error = -request->result;
    if (error != EFAULT && error != EINVAL && error != EBADF && error != ENOTSOCK) ADD(lost_events);
}

static __always_inline bool names_a_socket_file(struct request* request) {
    unsigned short family = 0;
    char first = 0;
    if (bpf_probe_read_user(&family, sizeof family, (void*)request->args[1])) count_unread(request);
    if (family != AF_UNIX) return false;
    bpf_probe_read_user(&first, 1, (void*)request->args[1] + 2); /* an address without a name ends before it */
    request->path = request->args[1] + 2;
    return first; /* abstract addresses are in no file system */
}

/* Two pairs of seconds and nanoseconds. The upper half of the latter is not looked at for a 32-bit process. */
static __noinline bool omits_times(__u64 at, bool short_ones) {
    __u32 times[8] = {};
    if (!at) return false;
    if (short_ones) {
        if (bpf_probe_read_user(times, 16, (void*)at)) return false;
        return times[1] == UTIME_OMIT && times[3] == UTIME_OMIT;
    }
    if (bpf_probe_read_user(times, sizeof times, (void*)at)) return false;
    return times[2] == UTIME_OMIT && times[6] == UTIME_OMIT;
}

static __noinline bool changes_by_ioctl(__u32 number) {
    for (int i = 0; i < IOCTLS; i++) {
        if (!ioctls[i]) break;
        if (ioctls[i] == number) return true;
    }
    return false;
}

static __noinline int unknown(struct process* process, struct pt_regs* regs, __u32 number, int result, bool compat) {
    __u32 zero = 0;
    struct work* work = bpf_map_lookup_elem(&scratch, &zero);
    if (!work || !process) return 0;
    work->request.process = *process;
    work->request.result = result;
    read_arguments(&work->request, regs, compat);
    return tell_unknown(number, compat);
}

/* What others do can move a name on a path of the subject's, or give a file of its another mode. */
static __noinline int note_others(struct pt_regs* regs, __u32 number) {
    const volatile struct call_rule* table;
    __u32 zero = 0;
    struct request* request;
    struct work* work;
    bool compat;
    number &= SYSCALLS - 1;
    if (rules[number].values < CHANGES_STATE && compat_rules[number].values < CHANGES_STATE) return 0;
    work = bpf_map_lookup_elem(&scratch, &zero);
    if (!work) return 0;
    request = &work->request;
    compat = IS_COMPAT(current_task());
    table = (compat ? compat_rules : rules) + number;
    if (table->values < CHANGES_STATE) return 0;
    read_arguments(request, regs, compat);
    request->is_others = true;
    request->number = table->number;
    request->values = table->values;
    request->flags = table->fd >= 0 ? EVENT_BY_FD : 0;
    request->fd = table->fd >= 0 ? (int)argument(request, table->fd) : -1;
    request->dirfd = table->dirfd >= 0 ? (int)argument(request, table->dirfd) : AT_FDCWD;
    request->path = table->path >= 0 ? argument(request, table->path) : 0;
    request->second_dirfd = table->second_dirfd >= 0 ? (int)argument(request, table->second_dirfd) : AT_FDCWD;
    request->second_path = table->second_path >= 0 ? argument(request, table->second_path) : 0;
    note_change(request);
    return 0;
}

/* As a mount refuses that nothing is executed on: fs/exec.c, fs/open.c (do_faccessat), mm/mmap.c. */
static __always_inline bool may_be_noexec(signed char kind, long result) {
    return (kind == CALL_EXEC && result == -EACCES) || (kind == CALL_MAP && result == -EPERM);
}

static __always_inline bool is_idle(signed char kind, long result) {
    return kind == CALL_NONE || (kind >= CALL_LOOK && !looking && !may_be_noexec(kind, result));
}

/* A name that is looked for in another way than by a path in an argument. */
static __always_inline bool looks_for_socket(struct request* request, signed char kind, bool compat) {
    if (kind == CALL_LOOK_SENT) request->args[1] = request->args[4];
    if (kind == CALL_LOOK_MESSAGE) {
        __u64 name = 0;
        if (bpf_probe_read_user(&name, compat ? 4 : 8, (void*)request->args[1])) count_unread(request);
        request->args[1] = name;
    }
    return request->args[1] && names_a_socket_file(request);
}

static __always_inline int look(struct request* request) {
    char first;
    if (!request->path) return 0;
    if (bpf_probe_read_user(&first, 1, (void*)request->path)) {
        count_unread(request);
        return 0;
    }
    request->flags = EVENT_LOOK;
    request->open_flags = 0;
    request->opens = false;
    request->values = 0; /* it changes nothing */
    request->result = 0; /* whatever came of it */
    return report(0);
}

static __always_inline int refused_to_execute(struct request* request, signed char kind) {
    request->flags = EVENT_NOEXEC;
    request->open_flags = 0;
    request->opens = false;
    if (kind != CALL_MAP) return request->path ? report(0) : 0;
    if (!(request->args[2] & PROT_EXEC) || (int)request->args[4] < 0) return 0;
    request->flags |= EVENT_BY_FD;
    request->path = 0;
    request->fd = request->args[4];
    return report(0);
}

/* Nobody could tell anything by this call: it is everybody's, and comes all the time. */
static __always_inline bool is_of_no_account(__u64 number, long result) {
    return number < SYSCALLS && is_idle(rules[number].kind, result) && is_idle(compat_rules[number].kind, result) &&
           result != -EROFS;
}

static __always_inline int end_call(struct pt_regs* regs, long result) {
    struct request* request;
    struct work* work;
    const volatile struct call_rule* table;
    struct task_struct* task;
    struct process* process;
    struct call_rule rule;
    __u64 number = CALL_NUMBER(regs);
    __u32 tgid = bpf_get_current_pid_tgid() >> 32, zero = 0;
    bool compat;
    process = bpf_map_lookup_elem(&processes, &tgid);
    if (!process) return number < SYSCALLS && result >= 0 && watching ? note_others(regs, number) : 0;
    if (number >= SYSCALLS) {
        /* x32 is off in the distributions' kernels. What uses it, or a call that no kernel has yet, is not
         * understood. */
        if (number >= COMPAT_PRIVATE_CALLS && number < COMPAT_PRIVATE_CALLS_END && IS_COMPAT(current_task())) return 0;
        if (number != (__u64)-1 && (result >= 0 || result == -EROFS))
            return unknown(process, regs, KERNEL_NUMBER + number, result, false);
        return 0;
    }
    END_OF(PART_PROCESS);
    task = current_task();
    compat = IS_COMPAT(task);
    table = compat ? compat_rules : rules;
    asm volatile(
        ""
        : "+r"(number)); /* the compiler knows its bound by now, and the verifier of 6.1 has lost sight of it */
    table += number & (SYSCALLS - 1);
    rule.kind = table->kind;
    if (rule.kind >= CALL_LOOK && !looks[process->slot & (SLOTS - 1)] && !may_be_noexec(rule.kind, result))
        rule.kind = CALL_NONE;
    if (rule.kind == CALL_NONE && result != -EROFS) return 0;
    if (rule.kind == CALL_NONE || rule.kind == CALL_OTHER || rule.kind == CALL_NEWER) {
        if (result < 0 && result != -EROFS) return 0;
        if (result >= 0 && table->number == ROW_BPF && ARGUMENT_0(regs, compat) != BPF_OBJ_PIN_COMMAND) return 0;
        /* Something is read-only, or was changed; what it is and which mount it is on is not known. */
        return unknown(process, regs, rule.kind == CALL_OTHER ? table->number : KERNEL_NUMBER + number, result, compat);
    }
    work = bpf_map_lookup_elem(&scratch, &zero);
    if (!work) return 0;
    request = &work->request;
    rule.dirfd = table->dirfd;
    rule.path = table->path;
    rule.fd = table->fd;
    rule.flags = table->flags;
    rule.second_dirfd = table->second_dirfd;
    rule.second_path = table->second_path;
    request->process = *process;
    request->flags = request->open_flags = 0;
    request->values = table->values;
    request->number = table->number;
    request->result = result;
    read_arguments(request, regs, compat);
    request->dirfd = rule.dirfd >= 0 ? (int)argument(request, rule.dirfd) : AT_FDCWD;
    request->path = rule.path >= 0 ? argument(request, rule.path) : 0;
    request->second_dirfd = rule.second_dirfd >= 0 ? (int)argument(request, rule.second_dirfd) : AT_FDCWD;
    request->second_path = rule.second_path >= 0 ? argument(request, rule.second_path) : 0;
    request->is_others = false;
    if (may_be_noexec(rule.kind, result)) return refused_to_execute(request, rule.kind);
    if (rule.kind >= CALL_LOOK) {
        /* What was executed is counted as a use (on_exec()), and its path was in the memory of before. */
        if (rule.kind == CALL_MAP || (rule.kind == CALL_EXEC && result >= 0)) return 0;
        if (rule.kind != CALL_LOOK && rule.kind != CALL_EXEC && !looks_for_socket(request, rule.kind, compat)) return 0;
        return look(request);
    }
    request->opens = rule.kind == CALL_OPEN || rule.kind == CALL_OPENAT2 || rule.kind == CALL_HANDLE;
    if (request->opens) {
        __u64 flags = rule.flags >= 0 ? argument(request, rule.flags) : O_CREAT | O_TRUNC | 1;
        if (rule.kind == CALL_OPENAT2) bpf_probe_read_user(&flags, sizeof flags, (void*)request->args[2]);
        request->open_flags = flags;
        if (result >= 0) {
            struct file* file = file_of(task, result);
            if (file) count_use(process, file, request->open_flags);
        }
        if (!opens_for_writing(request->open_flags) && result != -EROFS) {
            if (result < 0 && looks[process->slot & (SLOTS - 1)]) return look(request);
            if (result < 0 || !refuses_opens[process->slot & (SLOTS - 1)] || request->open_flags & O_PATH) return 0;
            if (!is_read_instead(0)) return 0;
            request->flags = EVENT_READ_INSTEAD;
        }
    } else if (rule.kind == CALL_ACCESS) {
        if (!(argument(request, rule.flags) & W_OK)) {
            if (result == -EACCES && argument(request, rule.flags) & X_OK)
                return refused_to_execute(request, CALL_EXEC);
            return looks[process->slot & (SLOTS - 1)] ? look(request) : 0;
        }
    } else if (rule.kind == CALL_IOCTL) {
        if (result != -EROFS && !changes_by_ioctl(request->args[1])) return 0;
    } else if (rule.kind == CALL_HANDLE_OF) {
        if (result != -EOPNOTSUPP) return 0;
    } else if (rule.kind == CALL_URING) {
        if (!sees_uring && request->args[1]) ADD(lost_events);
        /* What is looked for through a ring is not seen. */
        if (looks[process->slot & (SLOTS - 1)]) return tell_unknown(request->number, compat);
        return 0;
    } else if (rule.kind == CALL_BIND || rule.kind == CALL_SOCKETCALL) {
        const signed char kind = rule.kind == CALL_SOCKETCALL ? socket_call(request) : CALL_BIND;
        if (kind >= CALL_LOOK)
            return looks[process->slot & (SLOTS - 1)] && looks_for_socket(request, kind, compat) ? look(request) : 0;
        if (kind != CALL_BIND) return 0;
        if (!names_a_socket_file(request)) return 0;
        request->dirfd = AT_FDCWD;
    }
    if (request->number == ROW_UTIMENSAT && result >= 0 &&
        omits_times(request->args[2], compat && number == COMPAT_UTIMENSAT_TIME32))
        return 0;
    if (rule.fd >= 0) {
        request->flags = EVENT_BY_FD;
        request->fd = argument(request, rule.fd);
    }
    END_OF(PART_ARGUMENTS);
    return report(0);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(on_exit, struct pt_regs* regs, long result) {
    END_OF(PART_TRACEPOINT);
    /* Everybody's calls come here: the cheapest test first. */
    if (is_of_no_account(CALL_NUMBER(regs), result)) return 0;
    hold();
    end_call(regs, result);
    release();
    return 0;
}

/* include/trace/events/syscalls.h */
struct exit_of_call {
    __u64 common;
    long number, result;
};

SEC("tracepoint/raw_syscalls/sys_exit")
int on_exit_by_perf(struct exit_of_call* call) {
    const long result = call->result;
    struct task_struct* task;
    if (is_of_no_account(call->number, result)) return 0;
    task = bpf_get_current_task_btf();
    end_call((struct pt_regs*)bpf_task_pt_regs(task), result);
    return 0;
}
