/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What all parts of the observer share: constants of the kernel's, settings that the agent gives before the
 * programs are loaded, maps, and counters. */

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
#define ENOENT 2
#define EBADF 9
#define EACCES 13
#define EFAULT 14
#define EINVAL 22
#define EROFS 30
#define ENOSYS 38
#define ENOTSOCK 88
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

/* By container: its phase, and how many first processes it has had. These and what follows the agent sees in its own memory: a
 * call of bpf(2) that reads or writes a map keeps other programs from running (interrupted.h). */
__u32 phases[SLOTS], generations[SLOTS];
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
/* Some refusal may not be in `refusals`, so that what is there for its thread is an older one. */
bool distrusts_refusals;
/* Of a container that was joined while it ran: nobody stops its processes, and its end is told at once. */
bool joined;
__u32 first_of_joined;
