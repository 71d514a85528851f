/* Sees every call of the watched containers that changes a file system, or would have if it had not been refused.
 *
 * Kernels: 5.10 and newer with BTF, x86-64. Hooks:
 *   tp_btf/sys_exit            (5.5)  the result as the process saw it, arguments still in the registers
 *   tp_btf/sched_process_exec  (5.5)  marks the processes that the engine puts into a watched container
 *   tp_btf/sched_process_fork, tp_btf/sched_process_exit (5.5)  their children, and their end */
#include "kernel_types.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#include "shared.h"

char LICENSE[] SEC("license") = "GPL";

#define EROFS 30
#define AT_FDCWD (-100)
#define AT_EMPTY_PATH 0x1000
#define O_ACCMODE 3
#define O_CREAT 0100
#define O_TRUNC 01000
#define O_TMPFILE_BIT 020000000
#define W_OK 2
#define AF_UNIX 1
#define FS_IOC_SETFLAGS 0x40086602
#define FS_IOC_FSSETXATTR 0x401c5820
#define S_IFMT 0170000
#define S_IFREG 0100000
#define S_IFDIR 0040000

const volatile struct call_rule rules[SYSCALLS];

struct container_id {
    char hex[CONTAINER_ID_SIZE];
};

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 16 << 20);
} events SEC(".maps");
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 2 * SLOTS);
    __type(key, struct container_id);
    __type(value, __u32);
} containers SEC(".maps");
/* tgid -> whose process it is. Not an LRU: an entry that is dropped would be writes that nobody sees. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 262144);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, __u32);
    __type(value, struct process);
} processes SEC(".maps");
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, SLOTS);
    __type(key, __u32);
    __type(value, __u32);
} phases SEC(".maps");
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 131072);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, struct attempt_key);
    __type(value, struct attempt_count);
} attempts SEC(".maps");
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 16384);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, struct use_key);
    __type(value, __u64);
} uses SEC(".maps");
/* The programs run with preemption off, so one event per processor is enough. */
struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct event);
} scratch SEC(".maps");

__u64 lost_events, next_id;

#define ADD(counter) __sync_fetch_and_add(&(counter), 1)

struct request {
    __u64 args[5];
    __u64 path;
    int number, result, dirfd, fd;
    __u32 flags, open_flags;
};

static __always_inline struct mount *real_mount(struct vfsmount *mnt) {
    return (void *)mnt - bpf_core_field_offset(struct mount, mnt);
}

static __always_inline struct file *file_of(struct task_struct *task, int fd) {
    struct fdtable *table = BPF_CORE_READ(task, files, fdt);
    struct file **files, *file = 0;
    if (!table || fd < 0 || (__u32)fd >= BPF_CORE_READ(table, max_fds)) return 0;
    files = BPF_CORE_READ(table, fd);
    bpf_probe_read_kernel(&file, sizeof file, &files[fd]);
    return file;
}

/* ---- which processes --------------------------------------------------------------------------------------------- */

/* Engines name a container's cgroup <id>, docker-<id>.scope or libpod-<id>.scope (podman adds a child "container"). */
static __noinline __u32 slot_of_name(const char *kernel_name) {
    struct container_id id;
    char name[96];
    __u32 *slot;
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

static __always_inline __u32 slot_of_cgroup(struct cgroup *cgroup) {
    /* A container may make cgroups of its own below its own one. */
    for (int level = 0; level < 4; level++) {
        struct cgroup_subsys_state *parent;
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

static __noinline __u32 slot_of_task(struct task_struct *task) {
    struct css_set *set = BPF_CORE_READ(task, cgroups);
    struct cgroup_subsys_state *state = 0;
    __u32 slot, subsystem;
    slot = slot_of_cgroup(BPF_CORE_READ(set, dfl_cgrp));
    if (slot < SLOTS) return slot;
    /* cgroup v1: the hierarchies of the controllers that every engine uses. */
    if (bpf_core_enum_value_exists(enum cgroup_subsys_id, pids_cgrp_id)) {
        subsystem = bpf_core_enum_value(enum cgroup_subsys_id, pids_cgrp_id);
        bpf_probe_read_kernel(&state, sizeof state,
                              (void *)set + bpf_core_field_offset(struct css_set, subsys) + subsystem * sizeof state);
        if (state) slot = slot_of_cgroup(BPF_CORE_READ(state, cgroup));
        if (slot < SLOTS) return slot;
    }
    if (bpf_core_enum_value_exists(enum cgroup_subsys_id, memory_cgrp_id)) {
        state = 0;
        subsystem = bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id);
        bpf_probe_read_kernel(&state, sizeof state,
                              (void *)set + bpf_core_field_offset(struct css_set, subsys) + subsystem * sizeof state);
        if (state) slot = slot_of_cgroup(BPF_CORE_READ(state, cgroup));
    }
    return slot;
}

static __always_inline __u32 mount_namespace_of(struct task_struct *task) {
    return BPF_CORE_READ(task, nsproxy, mnt_ns, ns.inum);
}

static __always_inline int mount_id_of(struct vfsmount *mnt) {
    struct mount *mount = real_mount(mnt);
    return mnt ? BPF_CORE_READ(mount, mnt_id) : 0;
}

static __always_inline void count_use(struct task_struct *task, const struct process *process, struct file *file) {
    struct use_key key = {};
    __u64 one = 1, *count;
    key.slot = process->slot;
    key.mount_id = mount_id_of(BPF_CORE_READ(file, f_path.mnt));
    key.mount_namespace = mount_namespace_of(task);
    count = bpf_map_lookup_elem(&uses, &key);
    if (count)
        __sync_fetch_and_add(count, 1);
    else
        bpf_map_update_elem(&uses, &key, &one, BPF_NOEXIST);
}

/* The runtime's own set-up runs in the container's cgroup too, but it comes before the first exec into the container's mount
 * namespace: then the process and its parent (the runtime, its shim, conmon) are in different ones. What that exec starts is
 * a root: the container's first process, a `docker exec`, a health check. */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, int old_pid, struct linux_binprm *binary) {
    __u32 tgid = BPF_CORE_READ(task, tgid), zero = 0, slot, level;
    struct process *known = bpf_map_lookup_elem(&processes, &tgid);
    struct process process = {};
    struct pid *pid;
    struct event *event;
    if (!known) {
        struct task_struct *parent = BPF_CORE_READ(task, real_parent);
        if (mount_namespace_of(task) == mount_namespace_of(parent)) return 0;
        slot = slot_of_task(task);
        if (slot >= SLOTS) return 0;
        process.slot = slot;
        process.root = tgid;
        if (bpf_map_update_elem(&processes, &tgid, &process, BPF_ANY)) ADD(lost_events);
        event = bpf_map_lookup_elem(&scratch, &zero);
        if (!event) return 0;
        event->kind = EVENT_ROOT;
        event->slot = slot;
        event->pid = event->root = tgid;
        event->mount_namespace = mount_namespace_of(task);
        pid = BPF_CORE_READ(task, thread_pid);
        level = BPF_CORE_READ(pid, level);
        event->pid_inside = 0;
        bpf_probe_read_kernel(&event->pid_inside, sizeof event->pid_inside,
                              (void *)pid + bpf_core_field_offset(struct pid, numbers) +
                                  (level & 31) * bpf_core_type_size(struct upid));
        event->name_size = event->base_size = 0;
        bpf_get_current_comm(event->comm, sizeof event->comm);
        if (bpf_ringbuf_output(&events, event, __builtin_offsetof(struct event, data), 0)) ADD(lost_events);
        known = &process;
    }
    count_use(task, known, BPF_CORE_READ(binary, file));
    return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child) {
    __u32 tgid = BPF_CORE_READ(parent, tgid), child_tgid = BPF_CORE_READ(child, tgid);
    struct process *known, copy;
    if (tgid == child_tgid) return 0;
    known = bpf_map_lookup_elem(&processes, &tgid);
    if (!known) return 0;
    copy = *known;
    if (bpf_map_update_elem(&processes, &child_tgid, &copy, BPF_ANY)) ADD(lost_events);
    return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_end, struct task_struct *task) {
    __u32 tgid = BPF_CORE_READ(task, tgid);
    /* do_exit() has counted this thread off already; others may go on after the first one has ended. */
    if (BPF_CORE_READ(task, signal, live.counter) > 0) return 0;
    bpf_map_delete_elem(&processes, &tgid);
    return 0;
}

/* ---- where ------------------------------------------------------------------------------------------------------- */

/* Names from the leaf up to the root, each terminated; at a mount's root "\0" and the mount's id. The new offset. */
static __noinline __u32 walk_up(struct event *event, __u32 offset, struct dentry *dentry, struct vfsmount *mnt) {
    if (!event) return offset;
    for (int i = 0; i < 48; i++) {
        struct dentry *root, *parent;
        char *to;
        __u32 size = 5;
        bool last = false;
        asm volatile("" : "+r"(offset)); /* one join point with one range: lets old verifiers prune */
        offset &= DATA_SIZE - 1;
        if (offset > DATA_SIZE - 300 || i == 47) {
            event->flags |= EVENT_TRUNCATED;
            break;
        }
        to = event->data + offset;
        root = BPF_CORE_READ(mnt, mnt_root);
        parent = BPF_CORE_READ(dentry, d_parent);
        if (dentry == root) {
            struct mount *mount = real_mount(mnt), *above = BPF_CORE_READ(mount, mnt_parent);
            __u32 id = BPF_CORE_READ(mount, mnt_id);
            to[0] = 0;
            to[1] = id;
            to[2] = id >> 8;
            to[3] = id >> 16;
            to[4] = id >> 24;
            last = above == mount || !above;
            dentry = BPF_CORE_READ(mount, mnt_mountpoint);
            mnt = (void *)above + bpf_core_field_offset(struct mount, mnt);
        } else {
            const unsigned char *name = BPF_CORE_READ(dentry, d_name.name);
            long copied;
            if (parent == dentry) break;
            copied = bpf_probe_read_kernel_str(to, 256, name);
            if (copied <= 0) break;
            size = copied & 0x1ff;
            dentry = parent;
        }
        offset += size;
        if (last) break;
    }
    return offset & (DATA_SIZE - 1);
}

static __always_inline struct path base_of(struct task_struct *task, const struct request *request, bool *by_name) {
    struct path base = {};
    char first = 0;
    *by_name = true;
    if (request->path) bpf_probe_read_user(&first, 1, (void *)request->path);
    if (request->flags & EVENT_BY_FD || !request->path || !first) {
        struct file *file;
        int fd = request->flags & EVENT_BY_FD ? request->fd : request->dirfd;
        *by_name = false;
        if (fd == AT_FDCWD) {
            base.mnt = BPF_CORE_READ(task, fs, pwd.mnt);
            base.dentry = BPF_CORE_READ(task, fs, pwd.dentry);
            return base;
        }
        file = file_of(task, fd);
        if (file) {
            base.mnt = BPF_CORE_READ(file, f_path.mnt);
            base.dentry = BPF_CORE_READ(file, f_path.dentry);
        }
    } else if (first == '/') {
        base.mnt = BPF_CORE_READ(task, fs, root.mnt);
        base.dentry = BPF_CORE_READ(task, fs, root.dentry);
    } else if (request->dirfd == AT_FDCWD) {
        base.mnt = BPF_CORE_READ(task, fs, pwd.mnt);
        base.dentry = BPF_CORE_READ(task, fs, pwd.dentry);
    } else {
        struct file *file = file_of(task, request->dirfd);
        if (file) {
            base.mnt = BPF_CORE_READ(file, f_path.mnt);
            base.dentry = BPF_CORE_READ(file, f_path.dentry);
        }
    }
    return base;
}

/* FNV-1a over eight bytes at a time. 0: the path is too long for this; its attempts are then reported one by one. */
static __noinline __u64 hash_path(__u64 address) {
    __u64 hash = 0xcbf29ce484222325ULL;
    for (int chunk = 0; chunk < 6; chunk++) {
        char bytes[64] = {};
        __u64 *words = (void *)bytes;
        long size = bpf_probe_read_user_str(bytes, sizeof bytes, (void *)(address + (__u64)chunk * 63));
        if (size < 0) return 0;
#pragma unroll
        for (int i = 0; i < 8; i++) {
            hash = (hash ^ words[i]) * 0x100000001b3ULL;
            hash ^= hash >> 29;
        }
        if (size < 64) return hash | 1;
    }
    return 0;
}

/* ---- what -------------------------------------------------------------------------------------------------------- */

/* True if it was only counted. */
static __noinline bool count_again(struct event *event, const struct request *request, bool by_name) {
    struct task_struct *task = (void *)bpf_get_current_task();
    struct attempt_key key = {};
    struct attempt_count *count, first = {};
    __u64 *comm = (void *)event->comm;
    key.path_hash = by_name ? hash_path(request->path) : 1;
    if (!key.path_hash) return false;
    key.inode = event->inode;
    key.exe_inode = BPF_CORE_READ(task, mm, exe_file, f_inode, i_ino);
    key.comm_hash = comm[0] * 31 + comm[1];
    key.mount_id = event->mount_id;
    key.mount_namespace = event->mount_namespace;
    key.slot = event->slot;
    key.phase = event->phase;
    key.root = event->root;
    key.open_flags = event->open_flags;
    key.number = event->number;
    key.result = event->result;
    count = bpf_map_lookup_elem(&attempts, &key);
    if (count) {
        __sync_fetch_and_add(&count->count, 1);
        return true;
    }
    first.id = event->id;
    first.count = 1;
    /* A full map only means that this one is reported each time. */
    if (bpf_map_update_elem(&attempts, &key, &first, BPF_NOEXIST)) return false;
    return false;
}

static __always_inline int report(const struct request *request, const struct process *process) {
    struct task_struct *task = (void *)bpf_get_current_task();
    __u32 zero = 0, slot = process->slot, *phase;
    struct event *event = bpf_map_lookup_elem(&scratch, &zero);
    struct inode *inode = 0;
    struct path base;
    bool by_name;
    __u32 offset = 0;
    if (!event) return 0;
    base = base_of(task, request, &by_name);
    if (base.dentry) inode = BPF_CORE_READ(base.dentry, d_inode);
    if (request->flags & EVENT_BY_FD) {
        unsigned short type = inode ? BPF_CORE_READ(inode, i_mode) & S_IFMT : 0;
        if (type != S_IFREG && type != S_IFDIR) return 0; /* a pipe, a socket, a terminal: no mount's business */
    }
    phase = bpf_map_lookup_elem(&phases, &slot);
    event->kind = EVENT_ATTEMPT;
    event->flags = request->flags | (by_name ? 0 : EVENT_NO_NAME) | (process->canary ? EVENT_CANARY : 0);
    event->slot = slot;
    event->phase = phase ? *phase : 0;
    event->pid = bpf_get_current_pid_tgid() >> 32;
    event->parent = BPF_CORE_READ(task, real_parent, tgid);
    event->root = process->root;
    event->uid = bpf_get_current_uid_gid();
    event->number = request->number;
    event->result = request->result < 0 ? request->result : 0;
    event->open_flags = request->open_flags;
    event->inode = inode ? BPF_CORE_READ(inode, i_ino) : 0;
    event->mount_namespace = mount_namespace_of(task);
    event->mount_id = base.mnt ? mount_id_of(base.mnt) : 0;
    event->pid_inside = 0;
    for (int i = 0; i < 5; i++) event->args[i] = request->args[i];
    bpf_get_current_comm(event->comm, sizeof event->comm);
    event->id = ADD(next_id) + 1;
    if (!process->canary && count_again(event, request, by_name)) return 0;
    if (by_name) {
        long size = bpf_probe_read_user_str(event->data, 1024, (void *)request->path);
        if (size > 0) offset = size & 0x7ff;
        if (size >= 1024) event->flags |= EVENT_TRUNCATED;
        if (size <= 0) event->flags |= EVENT_NO_NAME;
    }
    event->name_size = offset;
    if (base.mnt) offset = walk_up(event, offset, base.dentry, base.mnt);
    offset &= DATA_SIZE - 1;
    event->base_size = offset - event->name_size;
    if (bpf_ringbuf_output(&events, event, __builtin_offsetof(struct event, data) + offset, 0)) ADD(lost_events);
    return 0;
}

static __always_inline __u64 argument(const __u64 *args, int i) {
    switch (i) {
        case 0: return args[0];
        case 1: return args[1];
        case 2: return args[2];
        case 3: return args[3];
        case 4: return args[4];
    }
    return 0;
}

static __always_inline bool opens_for_writing(__u32 flags) {
    return (flags & O_ACCMODE) || (flags & (O_CREAT | O_TRUNC | O_TMPFILE_BIT));
}

SEC("tp_btf/sys_exit")
int BPF_PROG(on_exit, struct pt_regs *regs, long result) {
    struct request request = {};
    struct process *process;
    struct call_rule rule;
    __u64 number = regs->orig_ax;
    __u32 tgid;
    if (number >= SYSCALLS) return 0;
    rule.kind = rules[number].kind;
    if (rule.kind == CALL_NONE) return 0;
    tgid = bpf_get_current_pid_tgid() >> 32;
    process = bpf_map_lookup_elem(&processes, &tgid);
    if (!process) return 0;
    rule.dirfd = rules[number].dirfd;
    rule.path = rules[number].path;
    rule.fd = rules[number].fd;
    rule.flags = rules[number].flags;
    request.number = number;
    request.result = result;
    request.args[0] = regs->di;
    request.args[1] = regs->si;
    request.args[2] = regs->dx;
    request.args[3] = regs->r10;
    request.args[4] = regs->r8;
    request.dirfd = rule.dirfd >= 0 ? (int)argument(request.args, rule.dirfd) : AT_FDCWD;
    request.path = rule.path >= 0 ? argument(request.args, rule.path) : 0;
    if (rule.kind == CALL_OPEN || rule.kind == CALL_OPENAT2) {
        struct task_struct *task = (void *)bpf_get_current_task();
        __u64 flags = rule.flags >= 0 ? argument(request.args, rule.flags) : O_CREAT | O_TRUNC | 1;
        if (rule.kind == CALL_OPENAT2) bpf_probe_read_user(&flags, sizeof flags, (void *)request.args[2]);
        request.open_flags = flags;
        if (result >= 0) {
            struct file *file = file_of(task, result);
            if (file) count_use(task, process, file);
        }
        if (!opens_for_writing(request.open_flags) && result != -EROFS) return 0;
    } else if (rule.kind == CALL_ACCESS) {
        if (!(argument(request.args, rule.flags) & W_OK)) return 0;
    } else if (rule.kind == CALL_IOCTL) {
        if (request.args[1] != FS_IOC_SETFLAGS && request.args[1] != FS_IOC_FSSETXATTR) return 0;
    } else if (rule.kind == CALL_BIND) {
        unsigned short family = 0;
        char first = 0;
        bpf_probe_read_user(&family, sizeof family, (void *)request.args[1]);
        bpf_probe_read_user(&first, 1, (void *)request.args[1] + 2);
        if (family != AF_UNIX || !first) return 0; /* abstract addresses are in no file system */
        request.path = request.args[1] + 2;
        request.dirfd = AT_FDCWD;
    }
    if (rule.fd >= 0) {
        request.flags = EVENT_BY_FD;
        request.fd = argument(request.args, rule.fd);
    }
    return report(&request, process);
}
