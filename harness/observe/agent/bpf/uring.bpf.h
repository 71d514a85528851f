/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* io_uring, whose requests pass the system calls by: put together when they are submitted, told when they are
 * complete. */

enum {
    URING_OPENAT = 18,
    URING_OPENAT2 = 28,
    URING_RENAMEAT = 35,
    URING_UNLINKAT = 36,
    URING_MKDIRAT = 37,
    URING_SYMLINKAT = 38,
    URING_LINKAT = 39,
    URING_FSETXATTR = 41,
    URING_SETXATTR = 42,
    URING_BIND = 56
};

static __always_inline __u64 text_of(struct filename* name) {
    return name ? (__u64)BPF_CORE_READ(name, name) : 0;
}

/* The scratch as the request's, with the path that begins at `fd`. A global function, like walk_up(). */
__noinline int remember(__u64 key, __u64 text, int fd) {
    __u32 zero = 0;
    struct work* work = bpf_map_lookup_elem(&scratch, &zero);
    struct vfsmount* mnt;
    char first = 0;
    if (!work) return 0;
    if (text) bpf_probe_read_kernel(&first, 1, (void*)text);
    base_of(&work->from, current_task(), fd, first);
    mnt = (void*)work->from.mnt;
    work->event.inode = work->from.inode;
    work->event.mount_id = mnt ? mount_id_of(mnt) : 0;
    if (!first) work->event.flags |= EVENT_NO_NAME;
    fill_names(first ? text : 0, true);
    if (bpf_map_update_elem(&uring_requests, &key, work, BPF_ANY)) ADD(lost_events);
    return 0;
}

/* io_uring/io_uring.c: a completion for which the queue has no room calls io_uring_cqe_overflow in place of
 * io_uring_complete; it has the program's mark, which need not be unique, and not the request. */
static __always_inline void mark_of(struct mark_key* mark, struct io_kiocb* request) {
    mark->ring = (__u64)BPF_CORE_READ(request, ctx);
    mark->user_data = bpf_core_field_exists(request->cqe.user_data) ? BPF_CORE_READ(request, cqe.user_data)
                                                                    : BPF_CORE_READ(request, user_data);
}

static __noinline int add_mark(__u64 key, struct mark_key* mark) {
    struct marked *known, first = {};
    if (!mark) return 0;
    known = bpf_map_lookup_elem(&uring_marks, mark);
    if (known) {
        known->request = key;
        __sync_fetch_and_add(&known->count, 1);
        return 0;
    }
    first.request = key;
    first.count = 1;
    /* If there is no room, an overflow finds nothing, and the request stays under way, which is doubted. */
    bpf_map_update_elem(&uring_marks, mark, &first, BPF_NOEXIST);
    return 0;
}

static __always_inline void remove_mark(struct mark_key* mark) {
    struct marked* known = bpf_map_lookup_elem(&uring_marks, mark);
    if (!known) return;
    if (known->count > 1)
        __sync_fetch_and_sub(&known->count, 1);
    else
        bpf_map_delete_elem(&uring_marks, mark);
}

/* The kernel has given the address to another request, and what became of the one before was not seen. */
static __always_inline void forget_unseen(__u64 key) {
    struct work* before = bpf_map_lookup_elem(&uring_requests, &key);
    __u64 second = key | 1;
    if (!before) return;
    ADD(unseen_requests[before->event.slot & (SLOTS - 1)]);
    bpf_map_delete_elem(&uring_requests, &key);
    bpf_map_delete_elem(&uring_requests, &second);
}

/* The address of a unix socket's name in the kernel; 0: it has none in a file system. */
static __always_inline __u64 name_of_bound(struct io_kiocb* request) {
    struct io_async_msghdr* message = BPF_CORE_READ(request, async_data);
    unsigned short family = 0;
    __u64 address;
    char first = 0;
    if (!message || !bpf_core_field_exists(message->addr)) return 0;
    /* Newer kernels keep the address alone there, and say so in no type. A message begins with a pointer. */
    address = (__u64)message;
    bpf_probe_read_kernel(&family, sizeof family, (void*)address);
    if (!(family & 7)) {
        address += bpf_core_field_offset(struct io_async_msghdr, addr);
        bpf_probe_read_kernel(&family, sizeof family, (void*)address);
    }
    bpf_probe_read_kernel(&first, 1, (void*)(address + 2));
    return family == AF_UNIX && first ? address + 2 : 0;
}

/* A name of a request, wherever this kernel has it. */
#define NAME_OF(type, command, field)                                                     \
    (bpf_core_field_exists(((struct type##___of_7_0*)0)->field)                           \
         ? BPF_CORE_READ((struct type##___of_7_0*)(command), field.__incomplete_filename) \
         : BPF_CORE_READ((struct type*)(command), field))

/* The texts are the kernel's copies, which are freed before the request is complete: everything but the
 * result is put together now. */
static __noinline int uring_submit(struct io_kiocb* request) {
    /* Before 6.0 it had no name, but was the first member as well. */
    void* command =
        (void*)request + (bpf_core_field_exists(request->cmd) ? bpf_core_field_offset(struct io_kiocb, cmd) : 0);
    __u32 tgid = bpf_get_current_pid_tgid() >> 32, zero = 0, code = BPF_CORE_READ(request, opcode);
    struct process* process = bpf_map_lookup_elem(&processes, &tgid);
    struct filename *name = 0, *second = 0;
    __u64 text, second_text, bound = 0;
    struct work* work;
    int fd = AT_FDCWD, second_fd = AT_FDCWD;
    if (!process) return 0;
    forget_unseen((__u64)request);
    work = bpf_map_lookup_elem(&scratch, &zero);
    if (!work) return 0;
    work->event.open_flags = 0;
    switch (code) {
        case URING_OPENAT:
        case URING_OPENAT2: {
            struct io_open* open = command;
            work->event.open_flags = BPF_CORE_READ(open, how.flags);
            if (!opens_for_writing(work->event.open_flags)) return 0;
            fd = BPF_CORE_READ(open, dfd);
            name = NAME_OF(io_open, open, filename);
            break;
        }
        case URING_RENAMEAT: {
            struct io_rename* rename = command;
            fd = BPF_CORE_READ(rename, old_dfd);
            name = NAME_OF(io_rename, rename, oldpath);
            second_fd = BPF_CORE_READ(rename, new_dfd);
            second = NAME_OF(io_rename, rename, newpath);
            break;
        }
        case URING_UNLINKAT: {
            struct io_unlink* unlink = command;
            fd = BPF_CORE_READ(unlink, dfd);
            name = NAME_OF(io_unlink, unlink, filename);
            break;
        }
        case URING_MKDIRAT: {
            struct io_mkdir* mkdir = command;
            fd = BPF_CORE_READ(mkdir, dfd);
            name = NAME_OF(io_mkdir, mkdir, filename);
            break;
        }
        case URING_SYMLINKAT:
        case URING_LINKAT: {
            struct io_link* link = command;
            struct io_symlink* soft = command;
            struct io_hardlink* hard = command;
            if (bpf_core_type_exists(struct io_link)) {
                fd = BPF_CORE_READ(link, new_dfd);
                name = NAME_OF(io_link, link, newpath);
            } else if (code == URING_SYMLINKAT && bpf_core_type_exists(struct io_symlink)) {
                fd = BPF_CORE_READ(soft, new_dfd);
                name = BPF_CORE_READ(soft, newpath);
            } else if (bpf_core_type_exists(struct io_hardlink)) {
                fd = BPF_CORE_READ(hard, new_dfd);
                name = BPF_CORE_READ(hard, newpath);
            }
            break;
        }
        case URING_SETXATTR: {
            struct io_xattr* xattr = command;
            if (bpf_core_type_exists(struct io_xattr)) name = NAME_OF(io_xattr, xattr, filename);
            break;
        }
        case URING_BIND:
            bound = name_of_bound(request);
            if (!bound) return 0;
            break;
        case URING_FSETXATTR:
            break; /* its file is known when it is complete */
        default:
            return 0;
    }
    text = bound ? bound : text_of(name);
    second_text = text_of(second);
    fill_who(work, process);
    fill_details(&work->event);
    work->event.flags |= EVENT_IO_URING;
    work->event.number = URING_NUMBER + code;
    /* The two paths of a rename are counted as one attempt: they have one id. */
    work->path_hash = text ? hash_path(text, true) : 1;
    if (second_text && work->path_hash) {
        __u64 hash = hash_path(second_text, true);
        work->path_hash = hash ? ((work->path_hash * 31) ^ hash) | 1 : 0;
    }
    mark_of(&work->mark, request);
    if (!uring_pre_6_0) add_mark((__u64)request, &work->mark);
    remember((__u64)request, text, fd);
    if (second_text) {
        work->event.flags = (work->event.flags & ~EVENT_TRUNCATED) | EVENT_SECOND;
        remember((__u64)request | 1, second_text, second_fd);
    }
    return 0;
}

SEC("raw_tp/io_uring_submit_req")
int on_uring_submit(struct bpf_raw_tracepoint_args* context) {
    hold();
    uring_submit((void*)context->args[0]);
    release();
    return 0;
}

SEC("raw_tp/io_uring_submit_sqe")
int on_uring_submit_sqe(struct bpf_raw_tracepoint_args* context) {
    hold();
    uring_submit((void*)context->args[0]);
    release();
    return 0;
}

SEC("raw_tp/io_uring_submit_sqe")
int on_uring_submit_pre_6_0(struct bpf_raw_tracepoint_args* context) {
    hold();
    uring_submit((void*)context->args[1]);
    release();
    return 0;
}

/* True if it was sent, not only counted. */
static __noinline bool complete(struct work* work, int result) {
    if (!work) return false;
    work->event.result = result < 0 ? result : 0;
    if (count_again(work)) return false;
    send(work);
    return true;
}

static __noinline int uring_done(struct io_kiocb* request, int result) {
    __u64 key = (__u64)request, second = key | 1;
    struct work* work = bpf_map_lookup_elem(&uring_requests, &key);
    __u32 zero = 0;
    bool sent;
    if (!work) {
        /* An operation that is not known here, IORING_OP_BIND for one. */
        __u32 tgid = bpf_get_current_pid_tgid() >> 32;
        if (result == -EROFS && bpf_map_lookup_elem(&processes, &tgid)) ADD(lost_events);
        return 0;
    }
    if (!uring_pre_6_0) {
        struct mark_key mark = {};
        mark_of(&mark, request);
        if (mark.ring != work->mark.ring || mark.user_data != work->mark.user_data) {
            forget_unseen(key);
            return 0;
        }
        remove_mark(&mark);
    }
    if (work->event.number == URING_NUMBER + URING_FSETXATTR && bpf_core_field_exists(request->cmd)) {
        struct work* stored = work;
        struct vfsmount* mnt;
        __u64 last_id;
        work = bpf_map_lookup_elem(&scratch, &zero); /* where fill_names() looks */
        if (!work) return 0;
        last_id = work->last_id;
        if (bpf_probe_read_kernel(work, sizeof *work, stored)) return 0;
        work->last_id = last_id;
        place_of(&work->from, BPF_CORE_READ(request, cmd.file));
        mnt = (void*)work->from.mnt;
        work->event.flags |= EVENT_BY_FD;
        work->event.inode = work->from.inode;
        work->event.mount_id = mnt ? mount_id_of(mnt) : 0;
        fill_names(0, true);
    }
    if (result >= 0 &&
        (work->event.number == URING_NUMBER + URING_RENAMEAT || work->event.number == URING_NUMBER + URING_SYMLINKAT ||
         work->event.number == URING_NUMBER + URING_LINKAT))
        ADD(changes);
    if (result >= 0 && work->event.number != URING_NUMBER + URING_BIND) ADD(states);
    sent = complete(work, result);
    bpf_map_delete_elem(&uring_requests, &key);
    work = bpf_map_lookup_elem(&uring_requests, &second);
    if (!work) return 0;
    work->path_hash = 0;
    work->event.result = result < 0 ? result : 0;
    if (sent) send(work);
    bpf_map_delete_elem(&uring_requests, &second);
    return 0;
}

/* Before 6.0 a completion has the program's own mark, which need not be unique. But the calls that are
 * watched here are made in io_issue_sqe, which either completes the request itself, or leaves the result in
 * it for the end of the submission. */
static __always_inline int uring_done_pre_6_0(__u64 user_data, int result) {
    __u64 thread = bpf_get_current_pid_tgid(), *issued = bpf_map_lookup_elem(&issuing, &thread);
    struct io_kiocb* request;
    if (!issued) return 0;
    request = (void*)*issued;
    if (BPF_CORE_READ(request, user_data) != user_data) return 0;
    bpf_map_delete_elem(&issuing, &thread);
    return uring_done(request, result);
}

SEC("raw_tp/io_uring_complete")
int on_uring_complete(struct bpf_raw_tracepoint_args* context) {
    struct io_kiocb* request = (void*)context->args[1];
    if (uring_pre_6_0) return uring_done_pre_6_0(context->args[1], context->args[2]);
    if (!bpf_core_field_exists(request->cqe)) return 0;
    hold();
    uring_done(request, BPF_CORE_READ(request, cqe.res));
    release();
    return 0;
}

SEC("raw_tp/io_uring_cqe_overflow")
int on_uring_overflow(struct bpf_raw_tracepoint_args* context) {
    struct mark_key mark = {.ring = context->args[0], .user_data = context->args[1]};
    struct marked* known = bpf_map_lookup_elem(&uring_marks, &mark);
    __u64 key;
    if (!known) return 0;
    key = known->request;
    if (known->count != 1) return 0; /* Which of them it is cannot be told: they stay under way, and are doubted. */
    hold();
    uring_done((void*)key, (int)context->args[2]);
    release();
    return 0;
}

SEC("fentry/io_issue_sqe")
int BPF_PROG(before_issue, struct io_kiocb* request) {
    __u64 thread = bpf_get_current_pid_tgid(), key = (__u64)request;
    if (!bpf_map_lookup_elem(&uring_requests, &key)) return 0;
    if (bpf_map_update_elem(&issuing, &thread, &key, BPF_ANY)) ADD(lost_events);
    return 0;
}

SEC("fexit/io_issue_sqe")
int BPF_PROG(after_issue, struct io_kiocb* ignored, unsigned int flags, int result) {
    __u64 thread = bpf_get_current_pid_tgid(), *issued = bpf_map_lookup_elem(&issuing, &thread);
    struct io_kiocb* request;
    if (!issued) return 0; /* completed in between */
    request = (void*)*issued;
    bpf_map_delete_elem(&issuing, &thread);
    /* Otherwise -EAGAIN: a worker will do it. */
    return result == 0 ? uring_done(request, BPF_CORE_READ(request, result)) : 0;
}
