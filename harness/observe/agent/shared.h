/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Shared by the BPF programs and the agent that loads them. */
#ifndef ROGATE_AGENT_SHARED_H
#define ROGATE_AGENT_SHARED_H

#include "rows.h"

#define SLOTS 64
#define CONTAINER_ID_SIZE 64
#define NAME_SIZE 16
#define DATA_SIZE 4096 /* the path as the call gave it, the names from its base up to the root, and those of the exe */
#define DATA_SLACK 320 /* one name and one mount crossing may be written behind the last checked offset */
#define SYSCALLS 512

/* How a system call names what it changes. Argument numbers count from 0; -1: none. */
enum call_kind {
    CALL_NONE = 0,
    CALL_CHANGE,     /* changes by path or by fd */
    CALL_OPEN,       /* changes if its flags say so */
    CALL_OPENAT2,    /* likewise, the flags being behind a pointer */
    CALL_ACCESS,     /* asks whether it could write */
    CALL_BIND,       /* makes a unix socket's file */
    CALL_IOCTL,      /* changes for two of its requests */
    CALL_SOCKETCALL, /* of 32-bit programs: bind and others behind a pointer to their arguments */
    CALL_URING,      /* hands requests to io_uring; without the tier that sees them, what they were is not known */
    CALL_MOUNT,  /* changes what is mounted where; its path as in CALL_CHANGE, though only the eBPF agent looks at it */
    CALL_HANDLE, /* opens by a file handle; the descriptor says on which mount */
    CALL_HANDLE_OF, /* asks for a file handle, which not every file system gives */
    CALL_NEWER,     /* not known: whether it changes anything is not known either */
    CALL_OTHER,     /* may be refused; what it would have changed is not looked at, so that a refusal counts as lost */
    /* Of no account, but where the runs' data lack something: whoever looks for a name can learn that it is not there. */
    CALL_LOOK = 32,    /* by a path */
    CALL_LOOK_NAMED,   /* … of a unix socket, in argument 1 */
    CALL_LOOK_SENT,    /* … in argument 4 */
    CALL_LOOK_MESSAGE, /* … behind a pointer in argument 1 */
    CALL_EXEC,         /* a look, and told if a mount may have refused it, on which nothing is executed (noexec) */
    CALL_MAP           /* only that */
};
/* What it means for others that it succeeded: a path can lead to another place than before; a name has been taken away, which
 * may have been a symlink; a file may have another mode or owner than before. The first means all three. */
#define MOVES_NAMES 128
#define TAKES_NAMES 64
#define CHANGES_STATE 32
struct call_rule {
    signed char kind, dirfd, path, fd, flags;
    signed char second_dirfd, second_path; /* where a rename leads to */
    short number;                          /* enum call_row, by which user space knows the call */
    /* Bits: the arguments that tell, beside the path, what it would change: a mode, an owner; and MOVES_NAMES. */
    unsigned char values;
};
/* Requests of ioctl(2) that change a file or a file system (ioctls.h). */
#define IOCTLS 64

/* io_uring has no system call per operation: its operations have numbers of their own, behind those of the calls. */
#define URING_NUMBER 1000
/* … and so has a call without a row, that of the kernel. */
#define KERNEL_NUMBER 0x10000

enum event_kind {
    EVENT_ATTEMPT = 0,
    EVENT_ROOT = 1,
    EVENT_END = 2, /* of the first process of a joined container */
    EVENT_CHANGED =
        3, /* by anybody on this machine: a name, or the state of a file, while a path is still to be looked up */
    EVENT_UNKNOWN = 4 /* a call was answered of which it is not known what it changes, or would have changed */
};

enum event_flags {
    EVENT_BY_FD = 1,
    EVENT_NO_NAME = 2,
    EVENT_TRUNCATED = 4,
    EVENT_CANARY = 8,
    EVENT_IO_URING = 16,
    EVENT_SECOND = 32,        /* the second path of the call whose event came before, with the same id */
    EVENT_OPENED = 64,        /* the call opened a file; the names are that file's */
    EVENT_CREATED = 128,      /* … and made it */
    EVENT_NO_CHANGE = 256,    /* … and that changed nothing: a device, a FIFO, or O_CREAT of what was there */
    EVENT_CHROOTED = 512,     /* by a process whose root is not that of its mount namespace */
    EVENT_STATE = 1024,       /* the file's mode and owner were read when the call returned */
    EVENT_LOOK = 4096,        /* it only looked for a name */
    EVENT_NOEXEC = 8192,      /* refused to execute a file, or to map it for that */
    EVENT_READ_INSTEAD = 2048 /* opened for reading, after it had been refused to the process for reading and writing */
};

struct process {
    unsigned int slot, root, canary;
    unsigned int generation; /* how many first processes the container has had: a restart gives a new one */
};

struct event {
    unsigned long long id, inode, args[6];
    unsigned long long time; /* CLOCK_MONOTONIC, nanoseconds */
    unsigned int kind, flags, slot, phase;
    unsigned int pid, parent, root, uid;
    int number; /* enum call_row, or above URING_NUMBER or KERNEL_NUMBER; of EVENT_ROOT: the generation */
    int result;
    unsigned int open_flags, mount_id, mount_namespace, pid_inside;
    unsigned int refused_mount;      /* the mount that the kernel asked and that refused; 0: not known */
    unsigned int changes;            /* how often names had been moved by then, by anybody */
    unsigned int mode, owner, group; /* with EVENT_STATE */
    unsigned int states;             /* how often files had been changed by then, by anybody; 0: that does not matter */
    unsigned int name_size, base_size, exe_size;
    char comm[NAME_SIZE];
    char data[DATA_SIZE + DATA_SLACK];
};

/* What attempts agree in that are one attempt with a count: two hashes of it, since the map's own hash of all of it, and the
 * comparing, would take longer than these. */
struct attempt_key {
    unsigned long long one, other;
};
struct attempt_count {
    unsigned long long id, count, slot;
};

/* A restarted container can get the numbers of its old mount namespace and mounts, each for another one. */
struct use_key {
    unsigned int slot, mount_id, mount_namespace, generation;
};
/* Opened or executed; of these, files that can have been read and were there before the container's last start; and
 * directories. */
struct use_count {
    unsigned long long uses, reads, listings;
};
/* Checks of a capability, or calls refused for want of one, that are one with a count. */
struct check_key {
    unsigned int slot, phase, root, uid;
    int capability; /* -1: none was asked for, the call was refused */
    int number;     /* of the call, as the kernel has it; with CHECK_COMPAT */
    int error;      /* 0: the process has it */
    char comm[NAME_SIZE];
};
#define CHECK_COMPAT 0x40000000 /* a call of a 32-bit program */
/* What the agent asks on_map for, and its answer (maps.c). */
enum map_number { MAP_CONTAINERS = 1, MAP_PROCESSES, MAP_ATTEMPTS, MAP_USES, MAP_MADE, MAP_CHECKS };
enum map_doing { MAP_LOOKUP, MAP_UPDATE, MAP_DELETE };
struct map_call {
    unsigned long long map, doing, flags;
    long long result; /* 0, or a negative errno */
    char key[CONTAINER_ID_SIZE], value[24];
};
/* A file that was made or emptied since the container's last start. */
struct made_key {
    unsigned long long inode;
    unsigned int device, slot, generation, unused;
};

#endif
