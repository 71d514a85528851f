/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What is told beside attempts: changes of names and files on paths that the agent is looking up, and calls that
 * nothing here understands. */

/* A change that has been made, one event for each of its paths, from the scratch's request. A global
 * function, like walk_up(). */
__noinline int tell_change(__u64 path, int fd, __u32 flags) {
    struct task_struct* task = (void*)bpf_get_current_task();
    __u32 zero = 0, size = 0;
    struct work* work = bpf_map_lookup_elem(&scratch, &zero);
    struct event* event;
    if (!work) return 0;
    event = &work->event;
    event->kind = EVENT_CHANGED;
    event->flags = flags;
    event->slot = work->request.is_others ? SLOTS : work->request.process.slot;
    event->pid = bpf_get_current_pid_tgid() >> 32;
    event->number = work->request.number;
    for (int i = 0; i < 5; i++) event->args[i] = work->request.args[i];
    event->open_flags = fd;
    event->mount_namespace = mount_namespace_of(task);
    event->time = bpf_ktime_get_ns();
    event->inode = 0;
    event->base_size = event->exe_size = 0;
    bpf_get_current_comm(event->comm, sizeof event->comm);
    if (flags & EVENT_BY_FD) {
        struct file* file = file_of(current_task(), fd);
        struct inode* inode = file ? LOOK(file, file, f_inode) : 0;
        event->inode = inode ? LOOK(inode, inode, i_ino) : 0;
    } else if (path) {
        long copied = bpf_probe_read_user_str(event->data, 1024, (void*)path);
        if (copied > 0) size = copied & 0x7ff;
        base_of(&work->from, current_task(), fd, copied > 0 ? event->data[0] : 0);
        if (work->from.mnt) event->base_size = walk_up(size, work->from.dentry, work->from.mnt) - size;
    }
    event->name_size = size;
    size += event->base_size;
    if (bpf_ringbuf_output(&events, event, __builtin_offsetof(struct event, data) + (size & (DATA_SIZE - 1)), 0))
        ADD(lost_events);
    return 0;
}

static __always_inline void note_change(const struct request* request) {
    const __u64 path = request->path, second_path = request->second_path;
    const int dirfd = request->dirfd, second_dirfd = request->second_dirfd;
    if (request->number == ROW_UNLINKAT && request->args[2] & AT_REMOVEDIR) return; /* no symlink was there */
    ADD(states);
    if (request->values & MOVES_NAMES) ADD(changes);
    if (!watching || paths_told == paths_done) return;
    if (request->flags & EVENT_BY_FD)
        tell_change(0, request->fd, EVENT_BY_FD);
    else
        tell_change(path, dirfd, 0);
    if (second_path) tell_change(second_path, second_dirfd, EVENT_SECOND);
}

/* Something was refused, or done, and what that was or on which mount is not known here: the agent names it.
 * A global function, like walk_up(). */
__noinline int tell_unknown(__u32 number, bool compat) {
    __u32 zero = 0;
    struct work* work = bpf_map_lookup_elem(&scratch, &zero);
    struct event* event;
    if (!work) return 0;
    event = &work->event;
    fill_who(work, &work->request.process);
    event->kind = EVENT_UNKNOWN;
    event->number = number;
    event->result = work->request.result < 0 ? work->request.result : 0;
    event->open_flags = compat;
    event->inode = event->mount_id = 0;
    work->path_hash = 1;
    for (int i = 0; i < 5; i++) {
        event->args[i] = work->request.args[i];
        if (i < 2) work->path_hash = ((work->path_hash ^ work->request.args[i]) * 0x100000001b3ULL) | 1;
    }
    if (count_again(work)) return 0;
    fill_details(event);
    work->from.dentry = work->from.mnt = 0;
    fill_names(0, false);
    send(work);
    return 0;
}
