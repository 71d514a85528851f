/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* How the kernel's data are read, whichever means this kernel offers. */

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
