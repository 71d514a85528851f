/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Where a path begins, what lies above it, and its hash. */

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
