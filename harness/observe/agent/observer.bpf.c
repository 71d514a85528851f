/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Sees every call of the watched containers that changes a file system, or would have if it had not been
 * refused.
 *
 * Kernels: 5.10 and newer with BTF, x86-64 and arm64. Hooks:
 *   tp_btf/sys_exit            (5.5)  the result as the process saw it, arguments still in the registers; after 6.18 the
 *                              tracepoint of perf (interrupted.h)
 *   tp_btf/sched_process_exec  (5.5)  marks the processes that the engine puts into a watched container
 *   tp_btf/sched_process_fork, tp_btf/sched_process_exit (5.5)  their children, and their end
 *   fexit of mnt_want_write, mnt_want_write_file, mnt_get_write_access (6.8; before: __mnt_want_write) and
 *   __mnt_is_readonly          which mount refused; each optional: without them it is the one that the path
 * leads to raw_tp/io_uring_submit_req (6.5; before: io_uring_submit_sqe), raw_tp/io_uring_complete  io_uring,
 * which passes the system calls by; before 6.0 with fentry and fexit of io_issue_sqe, since the completion
 * does not say then which request it is of; optional, not loaded where the kernel has others */
/* clang-format off */
#include "kernel_types.h" /* before the others, which use its types */
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
/* clang-format on */

#include "shared.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* What each part of an observed call costs is measured by observers that stop behind it (ci/bench.sh parts).
 */
#define PART_TRACEPOINT 1
#define PART_PROCESS 2
#define PART_ARGUMENTS 3
#define PART_PATH 4
#define PART_PLACE 5
#ifndef ONLY_TO
#define ONLY_TO 0 /* the whole */
#endif
#define END_OF(part) \
    if (ONLY_TO == (part)) return 0

#define EPERM 1
#define EACCES 13
#define EROFS 30
#define ENOSYS 38
#define EOPNOTSUPP 95
#define SIGSTOP 19
#define AT_FDCWD (-100)
#define AT_EMPTY_PATH 0x1000
#define O_ACCMODE 3
#define O_WRONLY 1
#define O_RDWR 2
#define O_CREAT 0100
#define O_TRUNC 01000
#define O_APPEND 02000
#define O_TMPFILE_BIT 020000000
#define O_PATH 010000000
#define FMODE_CREATED 0x100000
/* include/uapi/linux/net.h */
#define SOCKETCALL_BIND 2
#define SOCKETCALL_CONNECT 3
#define SOCKETCALL_SENDTO 11
#define SOCKETCALL_SENDMSG 16
#define SOCKETCALL_SENDMMSG 20
#define W_OK 2
#define X_OK 1
#define PROT_EXEC 4
#define AF_UNIX 1
#define UTIME_OMIT 0x3ffffffe
#define AT_REMOVEDIR 0x200
#define BPF_OBJ_PIN_COMMAND 6
#define S_IFMT 0170000
#define S_IFREG 0100000
#define S_IFDIR 0040000

const volatile struct call_rule rules[SYSCALLS], compat_rules[SYSCALLS];
const volatile __u32 ioctls[IOCTLS];
const volatile bool sees_uring;
const volatile bool uring_pre_6_0; /* before 6.0 */
/* From 5.11: the current task comes with its type (bpf_get_current_task_btf), and what its pointers lead to
 * is read by single instructions instead of calls, which would be half of the cost of an observed call. */
const volatile bool typed;
const volatile bool casts;          /* bpf_rdonly_cast is there (6.2): the same for pointers that have no type */
const volatile bool knows_refusals; /* the fexit programs are there */
const volatile bool interrupted;    /* another task can come to a program while one is within it (interrupted.h) */

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
    __type(value, struct use_count);
} uses SEC(".maps");
/* What does not fit in counts as having been there before. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 65536);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, struct made_key);
    __type(value, __u8);
} made SEC(".maps");
/* Slot -> how many first processes its containers have had. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, SLOTS);
    __type(key, __u32);
    __type(value, __u32);
} generations SEC(".maps");
/* Thread -> the mount that refused it last. Entries may be dropped: then it is the one that the path leads
 * to. */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 4096);
    __type(key, __u64);
    __type(value, __u32);
} refusals SEC(".maps");
/* By process and path: how often opening it for reading and writing was refused, and it has not been opened for
 * reading since. Entries may be dropped: then what was refused is taken for a write. */
struct refused_open {
    __u64 path, base;
    __u32 mount_id, tgid;
};
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 4096);
    __type(key, struct refused_open);
    __type(value, __s64);
} refused_opens SEC(".maps");
#define PIECE 64 /* of a path, with the byte that ends it */

/* Where a path begins, or the file that a descriptor is. */
struct place {
    __u64 dentry, mnt, inode;
};
#define ARGUMENTS 8 /* a power of two; five are used */
struct request {
    struct process process;
    __u64 args[ARGUMENTS];
    __u64 path, second_path;
    int number, result, dirfd, second_dirfd, fd;
    __u32 flags, open_flags;
    bool opens;
    __u8 values;    /* of the rule */
    bool is_others; /* made by a process that is not watched */
};
/* By which a completion tells the program which request it is of. */
struct mark_key {
    __u64 ring, user_data;
};
/* What is being put together. These programs run with preemption off (hold()), so that one per processor is enough. */
struct work {
    struct attempt_key key;
    __u64 path_hash; /* 0: not to be aggregated */
    /* Where the call's paths begin, and where the names do that are to be told. Numbers, so that the verifier
     * need not follow each kind of pointer to the end. */
    struct place base, second, from;
    struct request request;
    __u64 piece[PIECE / 8];
    __u32 begin; /* of the path that was hashed last: its first two bytes */
    __u32 pad;
    struct mark_key mark; /* of an io_uring request */
    __u64 last_id;        /* of this processor; an atomic counter that says what it was takes 5.12 */
    struct event event;
};
struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct work);
} scratch SEC(".maps");
/* io_uring requests under way: by the request's address, plus one for its second path. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 1024);
    __type(key, __u64);
    __type(value, struct work);
} uring_requests SEC(".maps");
/* The mark of requests under way -> the last one that has it, and how many do. */
struct marked {
    __u64 request, count;
};
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 1024);
    __type(key, struct mark_key);
    __type(value, struct marked);
} uring_marks SEC(".maps");
/* Thread -> the request that it is issuing; only before 6.0. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 4096);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, __u64);
    __type(value, __u64);
} issuing SEC(".maps");

__u64 lost_events;
/* Some container is being watched. */
bool watching;
/* How often anybody has moved names: the same path can lead to another mount since. And how often a name or
 * the state of a file was changed in any way. */
__u32 changes, states;
/* Attempts that were told with a path, and those that the agent has looked up. While they are not the same,
 * it is told what is changed, since that may be on the path. */
__u64 paths_told, paths_done;
/* io_uring requests of a container whose result nobody has seen, or cannot be told from another's. */
__u64 unseen_requests[SLOTS];
/* By container: whoever looks for a name is told as well. And whether that is so of any. */
__u32 looks[SLOTS];
bool looking;
/* By container: something was refused that is in refused_opens, so that opens for reading are looked at, too. */
__u32 refuses_opens[SLOTS];
/* Of a container that was joined while it ran: nobody stops its processes, and its end is told at once. */
bool joined;
__u32 first_of_joined;

/* Up to Linux 6.18 a tracepoint runs its programs with preemption off. Later the programs ask for it themselves. */
extern void bpf_preempt_disable(void) __ksym __weak;
extern void bpf_preempt_enable(void) __ksym __weak;

static __always_inline void hold(void) {
    if (interrupted) bpf_preempt_disable();
}

/* Here the kernel may turn to another task: what comes behind is done by the time the program ends. */
static __always_inline void release(void) {
    if (interrupted) bpf_preempt_enable();
}

#define ADD(counter) __sync_fetch_and_add(&(counter), 1)

static __always_inline struct mount* real_mount(struct vfsmount* mnt) {
    return (void*)mnt - bpf_core_field_offset(struct mount, mnt);
}

/* The agent knows whether the kernel has the helper; where it has not, the verifier never gets to that call.
 */
static __always_inline struct task_struct* current_task(void) {
    return typed ? bpf_get_current_task_btf() : (void*)bpf_get_current_task();
}

/* A field of what current_task() gave, or of what was read from it by READ. */
#define READ(from, field) (typed ? (from)->field : BPF_CORE_READ(from, field))

/* kernel/bpf/helpers.c: the pointer as one to that type, from which single instructions may read; what cannot
 * be read is 0, as with BPF_CORE_READ. Where the kernel has it not, the verifier never gets to that call. */
extern void* bpf_rdonly_cast(const void* object, __u32 type) __ksym __weak;
#define AS(type, pointer) ((struct type*)bpf_rdonly_cast(pointer, bpf_core_type_id_kernel(struct type)))

/* A field of a `type` at any address of the kernel's. */
#define LOOK(type, from, field) (casts ? AS(type, from)->field : BPF_CORE_READ((struct type*)(from), field))

/* Newer verifiers want to see that some of these pointers are not null. */
static __always_inline struct file* file_of(struct task_struct* task, int fd) {
    struct files_struct* open = READ(task, files);
    struct fdtable* table = open ? READ(open, fdt) : 0;
    struct file **files, *file = 0;
    if (!table || fd < 0 || (__u32)fd >= READ(table, max_fds)) return 0;
    files = READ(table, fd);
    /* Any type that begins with a pointer will do to read one. */
    if (casts) return (void*)AS(hlist_head, &files[fd])->first;
    bpf_probe_read_kernel(&file, sizeof file, &files[fd]);
    return file;
}

static __always_inline struct inode* inode_of(struct dentry* dentry) {
    return LOOK(dentry, dentry, d_inode);
}

static __always_inline unsigned short type_of(struct inode* inode) {
    return LOOK(inode, inode, i_mode) & S_IFMT;
}

/* ---- which processes
 * --------------------------------------------------------------------------------------------- */

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
        generation = bpf_map_lookup_elem(&generations, &slot);
        if (generation) {
            if (pid_inside == 1) __sync_fetch_and_add(generation, 1);
            process.generation = *generation;
        }
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

/* ---- which mount refused
 * ----------------------------------------------------------------------------------------- */

/* What is left here can be from a call before: a read on a read-only mount asks for the access time
 * (touch_atime), and O_CREAT of what is there goes on without. But a call that ends in EROFS comes last,
 * unless the whole file system is read-only: that is answered earlier (fs/namei.c: sb_permission), and user
 * space looks for it. */
static __always_inline int remember_refusal(struct vfsmount* mnt, bool refused) {
    __u64 thread = bpf_get_current_pid_tgid();
    __u32 tgid = thread >> 32, id, *known;
    if (!refused || !bpf_map_lookup_elem(&processes, &tgid)) return 0;
    id = mount_id_of(mnt);
    known = bpf_map_lookup_elem(&refusals, &thread);
    if (known)
        *known = id;
    else
        bpf_map_update_elem(&refusals, &thread, &id, BPF_ANY);
    return 0;
}

static __always_inline __u32 take_refusal(int result) {
    __u64 thread;
    __u32 id, *known;
    if (!knows_refusals || result != -EROFS) return 0;
    thread = bpf_get_current_pid_tgid();
    known = bpf_map_lookup_elem(&refusals, &thread);
    if (!known) return 0;
    id = *known;
    *known = 0;
    return id;
}

SEC("fexit/mnt_want_write")
int BPF_PROG(after_want_write, struct vfsmount* mnt, int result) {
    return remember_refusal(mnt, result == -EROFS);
}

SEC("fexit/mnt_want_write_file")
int BPF_PROG(after_want_write_file, struct file* file, int result) {
    return result == -EROFS ? remember_refusal(BPF_CORE_READ(file, f_path.mnt), true) : 0;
}

SEC("fexit/mnt_get_write_access")
int BPF_PROG(after_get_write_access, struct vfsmount* mnt, int result) {
    return remember_refusal(mnt, result == -EROFS);
}

SEC("fexit/__mnt_want_write")
int BPF_PROG(after_want_write_inner, struct vfsmount* mnt, int result) {
    return remember_refusal(mnt, result == -EROFS);
}

SEC("fexit/__mnt_is_readonly")
int BPF_PROG(after_is_readonly, struct vfsmount* mnt, long result) {
    return remember_refusal(mnt, result & 0xff);
}

/* ---- where
 * ------------------------------------------------------------------------------------------------------- */

/* Writes names from the leaf up to the root into the scratch's event, each terminated; at a mount's root "\0"
 * and the mount's id. The new offset. A global function: the verifier looks at it once by itself, and not
 * again for each state in which a caller reaches its loop; on_exit loads in 40 ms instead of 600. Before
 * Linux 5.12 such a function takes only numbers, and a pointer with a type is none. */
__noinline __u32 walk_up(__u32 offset, __u64 leaf, __u64 mount_of_leaf) {
    struct dentry* dentry = (void*)leaf;
    struct vfsmount* mnt = (void*)mount_of_leaf;
    __u32 zero = 0;
    struct work* work = bpf_map_lookup_elem(&scratch, &zero);
    struct event* event;
    if (!work) return 0;
    event = &work->event;
    for (int i = 0; i < 48; i++) {
        struct dentry *root, *parent;
        char* to;
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
            mnt = (void*)above + bpf_core_field_offset(struct mount, mnt);
        } else {
            const unsigned char* name = BPF_CORE_READ(dentry, d_name.name);
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

static __always_inline void place_of(struct place* place, struct file* file) {
    struct dentry* dentry = file ? LOOK(file, file, f_path.dentry) : 0;
    struct inode* inode = dentry ? inode_of(dentry) : 0;
    place->dentry = (__u64)dentry;
    place->mnt = file ? (__u64)LOOK(file, file, f_path.mnt) : 0;
    place->inode = inode ? LOOK(inode, inode, i_ino) : 0;
}

static __always_inline void place_at(struct place* place, struct dentry* dentry, struct vfsmount* mnt) {
    struct inode* inode = dentry ? READ(dentry, d_inode) : 0;
    place->dentry = (__u64)dentry;
    place->mnt = (__u64)mnt;
    place->inode = inode ? READ(inode, i_ino) : 0;
}

/* Where a call's path begins; `first` is the path's first character, 0 if there is no path. */
static __always_inline void base_of(struct place* place, struct task_struct* task, int fd, char first) {
    struct fs_struct* fs = READ(task, fs);
    if (first != '/' && fd != AT_FDCWD)
        place_of(place, file_of(task, fd));
    else if (!fs)
        place_at(place, 0, 0);
    else if (first == '/')
        place_at(place, READ(fs, root.dentry), READ(fs, root.mnt));
    else
        place_at(place, READ(fs, pwd.dentry), READ(fs, pwd.mnt));
}

/* memfd, SysV memory and the like lie on mounts that are in no namespace; the kernel marks them by an error
 * pointer. */
static __always_inline bool on_kernels_own_mount(struct vfsmount* mnt) {
    return !mnt || (__u64)LOOK(mount, real_mount(mnt), mnt_ns) > (__u64)-4096;
}

/* FNV-1a over eight bytes at a time, as far as the text goes. 0: it is too long for this; its attempts are
 * then reported one by one. Also leaves how it begins in the scratch. A global function, like walk_up().
 */
__noinline __u64 hash_path(__u64 address, bool of_kernel) {
    __u64 hash = 0xcbf29ce484222325ULL;
    __u32 zero = 0;
    struct work* work = bpf_map_lookup_elem(&scratch, &zero);
    if (!work) return 0;
    work->begin = 0;
    for (int piece = 0; piece < 6; piece++) {
        const void* from = (const void*)(address + (__u64)piece * (PIECE - 1));
        long size = of_kernel ? bpf_probe_read_kernel_str(work->piece, PIECE, from)
                              : bpf_probe_read_user_str(work->piece, PIECE, from);
        if (size < 0) return 0;
        if (!piece) work->begin = work->piece[0] & 0xffff;
#pragma unroll
        for (int i = 0; i < PIECE / 8; i++) {
            __u64 word = work->piece[i];
            if (i * 8 >= size) break;
            if (size - i * 8 < 8) word &= (1ULL << ((size - i * 8) * 8 & 63)) - 1; /* what is behind is of others */
            hash = (hash ^ word) * 0x100000001b3ULL;
            hash ^= hash >> 29;
        }
        if (size < PIECE) return hash | 1;
    }
    return 0;
}

/* ---- what
 * -------------------------------------------------------------------------------------------------------- */

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
    __u32 slot = process->slot, *phase = bpf_map_lookup_elem(&phases, &slot);
    event->kind = EVENT_ATTEMPT;
    event->flags = process->canary ? EVENT_CANARY : 0;
    event->slot = slot;
    event->phase = phase ? *phase : 0;
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

/* "/proc/self/fd/N", which glibc makes of what the kernel has no call for, means that file, which may be
 * closed before user space can look; "/proc/self/cwd" and "/proc/self/root" are what the process may have
 * changed, or taken along, by then. */
#define OWN_CWD (-1)
#define OWN_ROOT (-2)
struct own_place {
    int fd;       /* or one of these */
    __u32 length; /* of the path's part that means it; 0: it is none of these */
};

static __always_inline void end_own(struct own_place* own, char next, int fd, __u32 length) {
    if (next && next != '/') return;
    own->fd = fd;
    own->length = length;
}

static __noinline int find_own(__u64 path, struct own_place* own) {
    static const char self[] = "/proc/self/", thread[] = "/proc/thread-self/";
    char text[24] = {};
    bool is_self = true, is_thread = true;
    __u32 begin;
    int fd = 0;
    if (!own) return 0;
    if (bpf_probe_read_user_str(text, sizeof text, (void*)path) < (long)sizeof self) return 0;
#pragma unroll
    for (unsigned int i = 0; i < sizeof self - 1; i++) is_self = is_self && text[i] == self[i];
#pragma unroll
    for (unsigned int i = 0; i < sizeof thread - 1; i++) is_thread = is_thread && text[i] == thread[i];
    if (!is_self && !is_thread) return 0;
    begin = is_self ? sizeof self - 1 : sizeof thread - 1;
    if (bpf_probe_read_user_str(text, sizeof text, (void*)(path + begin)) < 0) return 0;
    if (text[0] == 'c' && text[1] == 'w' && text[2] == 'd') end_own(own, text[3], OWN_CWD, begin + 3);
    if (text[0] == 'r' && text[1] == 'o' && text[2] == 'o' && text[3] == 't')
        end_own(own, text[4], OWN_ROOT, begin + 4);
    if (text[0] != 'f' || text[1] != 'd' || text[2] != '/' || text[3] < '0' || text[3] > '9') return 0;
#pragma unroll
    for (unsigned int i = 3; i < 12; i++) {
        if (text[i] < '0' || text[i] > '9') {
            end_own(own, text[i], fd, begin + i);
            return 0;
        }
        fd = fd * 10 + (text[i] - '0');
    }
    return 0;
}

static __always_inline void place_of_own(struct place* place, struct task_struct* task, int own) {
    struct fs_struct* fs = READ(task, fs);
    if (own >= 0)
        place_of(place, file_of(task, own));
    else if (!fs)
        place_at(place, 0, 0);
    else if (own == OWN_CWD)
        place_at(place, READ(fs, pwd.dentry), READ(fs, pwd.mnt));
    else
        place_at(place, READ(fs, root.dentry), READ(fs, root.mnt));
}

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
        if (!hash && !first && request->result == -EROFS) { /* another thread has taken the text away */
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

static __always_inline bool names_a_socket_file(struct request* request) {
    unsigned short family = 0;
    char first = 0;
    bpf_probe_read_user(&family, sizeof family, (void*)request->args[1]);
    bpf_probe_read_user(&first, 1, (void*)request->args[1] + 2);
    request->path = request->args[1] + 2;
    return family == AF_UNIX && first; /* abstract addresses are in no file system */
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
        bpf_probe_read_user(&name, compat ? 4 : 8, (void*)request->args[1]);
        request->args[1] = name;
    }
    return request->args[1] && names_a_socket_file(request);
}

static __always_inline int look(struct request* request) {
    request->flags = EVENT_LOOK;
    request->open_flags = 0;
    request->opens = false;
    request->result = 0; /* whatever came of it */
    return request->path ? report(0) : 0;
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
        if (rule.kind == CALL_MAP) return 0;
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

/* ---- io_uring
 * ---------------------------------------------------------------------------------------------------- */

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

/* The texts are the kernel's copies, which are freed before the request is complete: everything but the
 * result is put together now. */
/* A name of a request, wherever this kernel has it. */
#define NAME_OF(type, command, field)                                                     \
    (bpf_core_field_exists(((struct type##___of_7_0*)0)->field)                           \
         ? BPF_CORE_READ((struct type##___of_7_0*)(command), field.__incomplete_filename) \
         : BPF_CORE_READ((struct type*)(command), field))

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

#include "capabilities.bpf.h"
