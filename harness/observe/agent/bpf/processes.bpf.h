/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Which processes are watched, and what each container used of its mounts. */

/* Engines name a container's cgroup <id>, docker-<id>.scope or libpod-<id>.scope (podman adds a child
 * "container"). */
static __noinline __u32 slot_of_name(const char* kernel_name) {
    struct container_id id;
    char name[96];
    __u32* slot;
    int skip = 0;
    long size = bpf_probe_read_kernel_str(name, sizeof name, kernel_name);
    if (size < CONTAINER_ID_SIZE + 1) return SLOTS;
    if (name[6] == '-') skip = 7;
    if (skip + CONTAINER_ID_SIZE > (int)sizeof name) return SLOTS;
    if (skip == 7)
        __builtin_memcpy(id.hex, name + 7, CONTAINER_ID_SIZE);
    else
        __builtin_memcpy(id.hex, name, CONTAINER_ID_SIZE);
    slot = bpf_map_lookup_elem(&containers, &id);
    return slot ? *slot : SLOTS;
}

static __always_inline __u32 slot_of_cgroup(struct cgroup* cgroup) {
    /* A container may make cgroups of its own below its own one. */
    for (int level = 0; level < 4; level++) {
        struct cgroup_subsys_state* parent;
        __u32 slot;
        if (!cgroup) break;
        slot = slot_of_name(BPF_CORE_READ(cgroup, kn, name));
        if (slot < SLOTS) return slot;
        parent = BPF_CORE_READ(cgroup, self.parent);
        if (!parent) break;
        cgroup = BPF_CORE_READ(parent, cgroup);
    }
    return SLOTS;
}

static __noinline __u32 slot_of_task(struct task_struct* task) {
    struct css_set* set = BPF_CORE_READ(task, cgroups);
    struct cgroup_subsys_state* state = 0;
    __u32 slot, subsystem;
    slot = slot_of_cgroup(BPF_CORE_READ(set, dfl_cgrp));
    if (slot < SLOTS) return slot;
    /* cgroup v1: the hierarchies of the controllers that every engine uses. */
    if (bpf_core_enum_value_exists(enum cgroup_subsys_id, pids_cgrp_id)) {
        subsystem = bpf_core_enum_value(enum cgroup_subsys_id, pids_cgrp_id);
        bpf_probe_read_kernel(&state, sizeof state,
                              (void*)set + bpf_core_field_offset(struct css_set, subsys) + subsystem * sizeof state);
        if (state) slot = slot_of_cgroup(BPF_CORE_READ(state, cgroup));
        if (slot < SLOTS) return slot;
    }
    if (bpf_core_enum_value_exists(enum cgroup_subsys_id, memory_cgrp_id)) {
        state = 0;
        subsystem = bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id);
        bpf_probe_read_kernel(&state, sizeof state,
                              (void*)set + bpf_core_field_offset(struct css_set, subsys) + subsystem * sizeof state);
        if (state) slot = slot_of_cgroup(BPF_CORE_READ(state, cgroup));
    }
    return slot;
}

static __always_inline __u32 mount_namespace_of(struct task_struct* task) {
    return BPF_CORE_READ(task, nsproxy, mnt_ns, ns.inum);
}

static __always_inline __u32 current_mount_namespace(void) {
    struct task_struct* task = current_task();
    struct nsproxy* namespaces = READ(task, nsproxy);
    struct mnt_namespace* mounts = namespaces ? READ(namespaces, mnt_ns) : 0;
    return mounts ? READ(mounts, ns.inum) : 0;
}

static __always_inline int mount_id_of(struct vfsmount* mnt) {
    return mnt ? LOOK(mount, real_mount(mnt), mnt_id) : 0;
}

/* Whether what was opened can hold what was there before the container's last start. What is made or emptied by this is
 * remembered. */
static __always_inline bool holds_old(const struct process* process, struct file* file, struct inode* inode,
                                      __u32 flags) {
    struct made_key key = {};
    struct super_block* super = LOOK(inode, inode, i_sb);
    __u8 one = 1;
    key.inode = LOOK(inode, inode, i_ino);
    key.device = super ? LOOK(super_block, super, s_dev) : 0;
    key.slot = process->slot;
    key.generation = process->generation;
    if (LOOK(file, file, f_mode) & FMODE_CREATED || flags & O_TRUNC || (flags & O_TMPFILE_BIT)) {
        bpf_map_update_elem(&made, &key, &one, BPF_ANY);
        return false;
    }
    if ((flags & O_ACCMODE) == O_WRONLY || flags & O_PATH) return false;
    return !bpf_map_lookup_elem(&made, &key);
}

/* `flags`: as it was opened. */
static __always_inline void count_use(const struct process* process, struct file* file, __u32 flags) {
    struct use_key key = {};
    struct use_count one = {.uses = 1}, *count;
    struct inode* inode = LOOK(file, file, f_inode);
    __u32 kind = inode ? LOOK(inode, inode, i_mode) & S_IFMT : 0;
    if (kind == S_IFDIR && !(flags & O_PATH)) one.listings = 1;
    if (kind == S_IFREG && holds_old(process, file, inode, flags)) one.reads = 1;
    key.slot = process->slot;
    key.mount_id = mount_id_of(LOOK(file, file, f_path.mnt));
    key.mount_namespace = current_mount_namespace();
    key.generation = process->generation;
    count = bpf_map_lookup_elem(&uses, &key);
    if (!count) {
        bpf_map_update_elem(&uses, &key, &one, BPF_NOEXIST);
        return;
    }
    __sync_fetch_and_add(&count->uses, 1);
    if (one.reads) __sync_fetch_and_add(&count->reads, 1);
    if (one.listings) __sync_fetch_and_add(&count->listings, 1);
}

/* The runtime's own set-up runs in the container's cgroup too, but it comes before the first exec into the
 * container's mount namespace: then the process and its parent (the runtime, its shim, conmon) are in
 * different ones. What that exec starts is a root: the container's first process, a `docker exec`, a health
 * check. */
static __always_inline int begin_program(struct task_struct* task, struct linux_binprm* binary) {
    __u32 tgid = BPF_CORE_READ(task, tgid), zero = 0, slot, level, pid_inside = 0, *generation;
    struct process* known = bpf_map_lookup_elem(&processes, &tgid);
    struct process process = {};
    struct pid* pid;
    struct work* work;
    struct event* event;
    void* told;
    if (!known) {
        struct task_struct* parent = BPF_CORE_READ(task, real_parent);
        if (mount_namespace_of(task) == mount_namespace_of(parent)) return 0;
        slot = slot_of_task(task);
        if (slot >= SLOTS) return 0;
        pid = BPF_CORE_READ(task, thread_pid);
        level = BPF_CORE_READ(pid, level);
        bpf_probe_read_kernel(
            &pid_inside, sizeof pid_inside,
            (void*)pid + bpf_core_field_offset(struct pid, numbers) + (level & 31) * bpf_core_type_size(struct upid));
        process.slot = slot;
        process.root = tgid;
        generation = &generations[slot & (SLOTS - 1)];
        if (pid_inside == 1) __sync_fetch_and_add(generation, 1);
        process.generation = *generation;
        if (bpf_map_update_elem(&processes, &tgid, &process, BPF_ANY)) ADD(lost_events);
        work = bpf_map_lookup_elem(&scratch, &zero);
        if (!work) return 0;
        event = &work->event;
        event->kind = EVENT_ROOT;
        event->slot = slot;
        event->pid = event->root = tgid;
        event->mount_namespace = mount_namespace_of(task);
        event->number = (int)process.generation;
        event->pid_inside = pid_inside;
        event->name_size = event->base_size = event->exe_size = 0;
        event->time = bpf_ktime_get_ns();
        bpf_get_current_comm(event->comm, sizeof event->comm);
        told = bpf_ringbuf_reserve(&events, __builtin_offsetof(struct event, data), 0);
        if (told) {
            __builtin_memcpy(told, event, __builtin_offsetof(struct event, data));
            /* Held before its first instruction until the agent has pinned its mount namespace: a program can
             * be over before anybody gets to look. The signal comes from outside its pid namespace, so that
             * it stops even an init. It comes before the agent can see the event: SIGCONT for a process that
             * is not stopped yet would be no help. */
            if (event->pid_inside == 1 && !joined) bpf_send_signal(SIGSTOP);
            bpf_ringbuf_submit(told, 0);
        } else {
            ADD(lost_events);
        }
        known = &process;
    }
    count_use(known, BPF_CORE_READ(binary, file), 0);
    return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct* task, int old_pid, struct linux_binprm* binary) {
    hold();
    begin_program(task, binary);
    release();
    return 0;
}

static __always_inline int begin_process(struct task_struct* parent, struct task_struct* child) {
    __u32 tgid = BPF_CORE_READ(parent, tgid), child_tgid = BPF_CORE_READ(child, tgid);
    struct process *known, copy;
    if (tgid == child_tgid) return 0;
    known = bpf_map_lookup_elem(&processes, &tgid);
    if (!known) return 0;
    copy = *known;
    if (bpf_map_update_elem(&processes, &child_tgid, &copy, BPF_ANY)) ADD(lost_events);
    return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct* parent, struct task_struct* child) {
    return begin_process(parent, child);
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork_again, struct task_struct* parent, struct task_struct* child) {
    return begin_process(parent, child);
}

static __always_inline int end_process(struct task_struct* task) {
    __u32 tgid = BPF_CORE_READ(task, tgid);
    struct process* process;
    /* do_exit() has counted this thread off already; others may go on after the first one has ended. */
    if (BPF_CORE_READ(task, signal, live.counter) > 0) return 0;
    if (joined && tgid == first_of_joined && (process = bpf_map_lookup_elem(&processes, &tgid))) {
        __u32 zero = 0;
        struct work* work = bpf_map_lookup_elem(&scratch, &zero);
        if (work) {
            work->event.kind = EVENT_END;
            work->event.slot = process->slot;
            work->event.pid = tgid;
            bpf_ringbuf_output(&events, &work->event, __builtin_offsetof(struct event, data), 0);
        }
    }
    bpf_map_delete_elem(&processes, &tgid);
    return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_end, struct task_struct* task) {
    hold();
    end_process(task);
    release();
    return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_end_again, struct task_struct* task) {
    hold();
    end_process(task);
    release();
    return 0;
}
