/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* An attempt as an event: who made it, whether it was made before, and the names that go with it. */

static __always_inline unsigned long exe_inode(void) {
    struct task_struct* task = current_task();
    struct mm_struct* mm = READ(task, mm);
    struct file* exe = mm ? READ(mm, exe_file) : 0;
    struct inode* inode = exe ? READ(exe, f_inode) : 0;
    return inode ? READ(inode, i_ino) : 0;
}

static __always_inline __u64 two(__u32 low, __u32 high) {
    return (__u64)high << 32 | low;
}

/* Multilinear hashing (Lemire and Kaser, "Strongly universal string hashing is fast"): each word has odd
 * factors of its own, so that none waits for the one before. */
static __always_inline void mix(struct attempt_key* key, __u64 word, __u64 factor, __u64 other_factor) {
    key->one += word * factor;
    key->other += word * other_factor;
}

/* True if it was only counted. */
static __noinline bool count_again(struct work* work) {
    struct attempt_count *count, first = {};
    struct attempt_key* key;
    struct event* event;
    const __u64* name;
    if (!work || !work->path_hash) return false;
    key = &work->key;
    event = &work->event;
    name = (void*)event->comm;
    key->one = key->other = 0;
    mix(key, work->path_hash, 0x9e3779b97f4a7c15ULL, 0xd6e8feb86659fd93ULL);
    mix(key, event->inode, 0xbf58476d1ce4e5b9ULL, 0xa0761d6478bd642fULL);
    /* The name and the executable of the process. */
    mix(key, name[0], 0x94d049bb133111ebULL, 0xe7037ed1a0b428dbULL);
    mix(key, name[1], 0xff51afd7ed558ccdULL, 0x8ebc6af09c88c6e3ULL);
    mix(key, exe_inode(), 0xc4ceb9fe1a85ec53ULL, 0x589965cc75374cc3ULL);
    mix(key, two(event->mount_id, event->mount_namespace), 0x87c37b91114253d5ULL, 0x1d8e4e27c47d124fULL);
    mix(key, two(event->phase, event->root), 0x4cf5ad432745937fULL, 0xeb44accab455d165ULL);
    mix(key, two(event->open_flags, event->refused_mount), 0x52dce729da3ed7e5ULL, 0x9c6e6877736c46e3ULL);
    /* Opening what is there and making it are two things. */
    mix(key,
        two(event->slot | event->number << 16,
            -event->result | (event->flags & (EVENT_CREATED | EVENT_NO_CHANGE | EVENT_NOEXEC)) << 16),
        0x38495ab5a3c1f2d7ULL, 0x6a09e667f3bcc909ULL);
    /* Where the path leads is found out for the first of equal ones. */
    if (event->result == -EROFS && !event->refused_mount && !(event->flags & EVENT_BY_FD))
        mix(key, two(event->changes, event->states), 0xa54ff53a5f1d36f1ULL, 0x510e527fade682d1ULL);
    count = bpf_map_lookup_elem(&attempts, key);
    if (count) {
        __sync_fetch_and_add(&count->count, 1);
        return true;
    }
    first.id = event->id;
    first.count = 1;
    first.slot = event->slot;
    /* A full map only means that this one is reported each time. */
    if (bpf_map_update_elem(&attempts, key, &first, BPF_NOEXIST)) work->path_hash = 0;
    return false;
}

static __noinline void send(struct work* work) {
    struct event* event;
    __u32 size;
    if (!work) return;
    event = &work->event;
    size = event->name_size + event->base_size + event->exe_size;
    size &= DATA_SIZE - 1;
    /* Before the event: what is changed from now on is to be told. */
    if (event->kind == EVENT_ATTEMPT && event->name_size) ADD(paths_told);
    if (!bpf_ringbuf_output(&events, event, __builtin_offsetof(struct event, data) + size, 0)) return;
    ADD(lost_events);
    if (event->kind == EVENT_ATTEMPT && event->name_size) __sync_fetch_and_sub(&paths_told, 1);
    /* What comes again is to be reported then, not counted to an event that nobody got. */
    if (work->path_hash) bpf_map_delete_elem(&attempts, &work->key);
}

/* Fills the path's text and the names above `from` into the scratch's event, then those of the executable
 * (the process can be gone when user space looks). A global function, like walk_up(). */
__noinline int fill_names(__u64 name, bool of_kernel) {
    struct task_struct* task = (void*)bpf_get_current_task();
    struct file* exe = BPF_CORE_READ(task, mm, exe_file);
    __u32 offset = 0, end, flags, zero = 0;
    struct work* work = bpf_map_lookup_elem(&scratch, &zero);
    struct event* event;
    if (!work) return 0;
    event = &work->event;
    if (name) {
        long size = of_kernel ? bpf_probe_read_kernel_str(event->data, 1024, (void*)name)
                              : bpf_probe_read_user_str(event->data, 1024, (void*)name);
        if (size > 0) offset = size & 0x7ff;
        if (size >= 1024) event->flags |= EVENT_TRUNCATED;
        if (size <= 0) event->flags |= EVENT_NO_NAME;
    }
    event->name_size = offset;
    end = offset;
    if (work->from.mnt) end = walk_up(offset, work->from.dentry, work->from.mnt);
    event->base_size = end - offset;
    event->exe_size = 0;
    if (!exe) return 0;
    flags = event->flags;
    event->exe_size =
        walk_up(end, (__u64)BPF_CORE_READ(exe, f_path.dentry), (__u64)BPF_CORE_READ(exe, f_path.mnt)) - end;
    event->flags = flags;
    return 0;
}

static __always_inline void current_name(struct event* event) {
    if (typed) {
        const __u64* name = (void*)current_task()->comm;
        ((__u64*)event->comm)[0] = name[0];
        ((__u64*)event->comm)[1] = name[1];
    } else {
        bpf_get_current_comm(event->comm, sizeof event->comm);
    }
}

static __always_inline void fill_who(struct work* work, const struct process* process) {
    struct event* event = &work->event;
    __u32 slot = process->slot;
    event->kind = EVENT_ATTEMPT;
    event->flags = process->canary ? EVENT_CANARY : 0;
    event->slot = slot;
    event->phase = phases[slot & (SLOTS - 1)];
    event->root = process->root;
    event->mount_namespace = current_mount_namespace();
    current_name(event);
    event->id = (__u64)bpf_get_smp_processor_id() << 48 | ++work->last_id;
    event->refused_mount = 0;
    event->changes = changes;
    event->states = 0;
}

/* At the namespace's root there is nothing above the process's but mounts that cover each other. */
static __noinline __u32 root_flags(void) {
    struct task_struct* task = (void*)bpf_get_current_task();
    struct dentry* dentry = BPF_CORE_READ(task, fs, root.dentry);
    struct vfsmount* mnt = BPF_CORE_READ(task, fs, root.mnt);
    __u32 flags = EVENT_CHROOTED;
    for (int i = 0; i < 8; i++) {
        struct mount* above;
        if (dentry != BPF_CORE_READ(mnt, mnt_root)) break;
        above = BPF_CORE_READ(real_mount(mnt), mnt_parent);
        if (above == real_mount(mnt)) {
            flags = 0;
            break;
        }
        dentry = BPF_CORE_READ(real_mount(mnt), mnt_mountpoint);
        mnt = (void*)above + bpf_core_field_offset(struct mount, mnt);
    }
    return flags;
}

/* What only the first of many equal attempts is asked for. */
static __always_inline void fill_details(struct event* event) {
    struct task_struct* task = (void*)bpf_get_current_task();
    event->pid = bpf_get_current_pid_tgid() >> 32;
    event->parent = BPF_CORE_READ(task, real_parent, tgid);
    event->uid = bpf_get_current_uid_gid();
    event->pid_inside = 0;
    event->time = bpf_ktime_get_ns();
    event->flags |= root_flags();
}
