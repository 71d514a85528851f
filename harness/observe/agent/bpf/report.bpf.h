/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* One call, whose arguments are known, becomes an attempt. */

/* Access mode 3 asks for the right to read and to write, and gives neither: for ioctl(2) on devices. */
static __always_inline bool opens_to_change(__u32 flags) {
    return flags & O_TRUNC || ((flags & O_ACCMODE) && (flags & O_ACCMODE) != O_ACCMODE);
}

/* The result of a successful open knows better than its path did. */
static __always_inline void look_at_opened(struct work* work, const struct request* request) {
    struct file* file = file_of(current_task(), request->result);
    struct event* event = &work->event;
    __u32 type;
    if (!file || request->open_flags & O_TMPFILE_BIT) return; /* a temporary file's name is a number */
    type = type_of(LOOK(file, file, f_inode));
    event->flags |= EVENT_OPENED;
    if (LOOK(file, file, f_mode) & FMODE_CREATED)
        event->flags |= EVENT_CREATED;
    else if ((type != S_IFREG && type != S_IFDIR) || !opens_to_change(request->open_flags))
        event->flags |= EVENT_NO_CHANGE;
    place_of(&work->from, file);
}

static __always_inline void read_state(struct work* work) {
    struct inode* inode = inode_of((void*)work->base.dentry);
    struct event* event = &work->event;
    if (!inode) return;
    event->flags |= EVENT_STATE;
    event->mode = LOOK(inode, inode, i_mode);
    event->owner = LOOK(inode, inode, i_uid.val);
    event->group = LOOK(inode, inode, i_gid.val);
    if (!work->path_hash) return;
    work->path_hash = ((work->path_hash ^ two(event->owner, event->group)) * 0x100000001b3ULL) | 1;
    work->path_hash = ((work->path_hash ^ event->mode) * 0x100000001b3ULL) | 1;
}

/* Opened for reading and writing, and for nothing that changes the file by itself. */
static __always_inline bool can_be_read_instead(__u32 flags) {
    return (flags & O_ACCMODE) == O_RDWR && !(flags & (O_TRUNC | O_APPEND | O_PATH | O_TMPFILE_BIT));
}

/* The open in the scratch's request, which begins at its base and whose path has that hash: refused, it is
 * remembered; done, true says that it had been refused to the same process for writing. A global function, like
 * walk_up(). */
__noinline int match_open(__u64 hash, bool refused) {
    __u32 zero = 0;
    struct work* work = bpf_map_lookup_elem(&scratch, &zero);
    struct refused_open key = {};
    __s64 *count, one = 1;
    if (!work) return 0;
    key.path = hash;
    key.base = work->base.inode;
    key.mount_id = mount_id_of((void*)work->base.mnt);
    key.tgid = bpf_get_current_pid_tgid() >> 32;
    count = bpf_map_lookup_elem(&refused_opens, &key);
    if (refused) {
        refuses_opens[work->request.process.slot & (SLOTS - 1)] = 1;
        if (count)
            __sync_fetch_and_add(count, 1);
        else
            bpf_map_update_elem(&refused_opens, &key, &one, BPF_ANY);
        return 0;
    }
    if (!count || *count <= 0) return 0;
    __sync_fetch_and_add(count, -1);
    return 1;
}

/* Of the scratch's request, which has opened something for reading. A global function, like walk_up(). */
__noinline int is_read_instead(int unused) {
    __u32 zero = 0;
    struct work* work = bpf_map_lookup_elem(&scratch, &zero);
    __u64 hash;
    asm volatile("" : : "r"(unused));
    if (!work || !work->request.path) return 0;
    hash = hash_path(work->request.path, false);
    if (!hash) return 0;
    base_of(&work->base, current_task(), work->request.dirfd, work->begin & 0xff);
    return match_open(hash, false);
}

/* The request in the scratch. A global function, like walk_up(): it is not looked at again for each kind
 * of call. */
__noinline int report(int unused) {
    struct task_struct* task = current_task();
    __u32 zero = 0;
    struct work* work = bpf_map_lookup_elem(&scratch, &zero);
    struct request* request;
    struct event* event;
    struct vfsmount* mnt;
    __u64 hash = 1;
    char first = 0;
    bool is_own = false;
    asm volatile("" : : "r"(unused)); /* or the compiler leaves out to pass it, which the verifier refuses */
    if (!work) return 0;
    request = &work->request;
    event = &work->event;
    if (request->result >= 0 && request->values >= CHANGES_STATE) note_change(request);
    if (request->path) {
        hash = hash_path(request->path, false);
        first = work->begin & 0xff;
        /* The kernel has read it, and this cannot: another thread has taken it away, or its page is elsewhere. */
        if (!hash && !first && (request->result >= 0 || request->result == -EROFS)) {
            ADD(lost_events);
            return 0;
        }
    }
    END_OF(PART_PATH);
    if (request->flags & EVENT_BY_FD)
        place_of(&work->base, file_of(task, request->fd));
    else
        base_of(&work->base, task, request->dirfd, first);
    if (request->opens && request->result == -EROFS && request->path && hash &&
        can_be_read_instead(request->open_flags))
        match_open(hash, true);
    if (work->begin == ('/' | 'p' << 8) && first) {
        struct own_place own = {};
        find_own(request->path, &own);
        is_own = own.length;
        if (is_own) {
            char next = 0;
            request->path += own.length;
            bpf_probe_read_user(&next, 1, (void*)request->path);
            place_of_own(&work->base, task, own.fd);
            first = next;
        }
    }
    mnt = (void*)work->base.mnt;
    if (!first && work->base.dentry) {
        /* An unnamed pipe, a socket, a memfd. */
        if (on_kernels_own_mount(mnt)) return 0;
    }
    if (request->flags & EVENT_BY_FD && !work->base.dentry) return 0;
    if (request->flags & EVENT_LOOK && !first && !is_own) return 0; /* a descriptor, whose open has been counted */
    fill_who(work, &request->process);
    event->flags |= request->flags | (first ? 0 : EVENT_NO_NAME);
    event->number = request->number;
    event->result = request->result < 0 ? request->result : 0;
    event->open_flags = request->open_flags;
    event->inode = work->base.inode;
    event->mount_id = mnt ? mount_id_of(mnt) : 0;
    event->refused_mount = take_refusal(event->result);
    work->path_hash = request->process.canary ? 0 : first ? hash : 1;
    work->from = work->base;
    if (request->opens && request->result >= 0) {
        look_at_opened(work, request);
        if (event->flags & EVENT_OPENED && on_kernels_own_mount((void*)work->from.mnt)) return 0;
        /* The file that it is, whatever the path led to before. */
        if (event->flags & EVENT_READ_INSTEAD && work->path_hash)
            work->path_hash = ((work->path_hash ^ work->from.inode) * 0x100000001b3ULL) | 1;
    }
    if (request->second_path) {
        hash = hash_path(request->second_path, false);
        if (!hash && !(work->begin & 0xff)) ADD(lost_events);
        base_of(&work->second, task, request->second_dirfd, work->begin & 0xff);
        if (work->path_hash)
            work->path_hash = hash ? (((work->path_hash * 31) ^ hash) * 31 + work->second.inode) | 1 : 0;
    }
    if (event->result == -EROFS && request->values & (CHANGES_STATE - 1)) {
        /* What the file is at each call: of a descriptor's one that is known here; what a path leads to is
         * looked at again whenever anybody has changed anything. */
        if (!first && work->base.dentry)
            read_state(work);
        else
            event->states = states;
    }
    /* Giving a file the mode that it has is another attempt than giving it a new one. */
    for (int i = 0; i < 5; i++)
        if (work->path_hash && request->values & 1 << i)
            work->path_hash = ((work->path_hash ^ request->args[i]) * 0x100000001b3ULL) | 1;
    END_OF(PART_PLACE);
    if (count_again(work)) return 0;
    for (int i = 0; i < 5; i++) event->args[i] = request->args[i];
    fill_details(event);
    if (event->flags & EVENT_OPENED) {
        event->flags |= EVENT_NO_NAME;
        mnt = (void*)work->from.mnt;
        event->mount_id = mnt ? mount_id_of(mnt) : 0;
    }
    fill_names(event->flags & EVENT_NO_NAME ? 0 : request->path, false);
    send(work);
    if (request->second_path) {
        mnt = (void*)work->second.mnt;
        event->flags = (event->flags & ~EVENT_TRUNCATED) | EVENT_SECOND;
        event->inode = work->second.inode;
        event->mount_id = mnt ? mount_id_of(mnt) : 0;
        work->from = work->second;
        fill_names(request->second_path, false);
        send(work);
    }
    return 0;
}
