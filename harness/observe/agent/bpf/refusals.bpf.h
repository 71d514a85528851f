/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Which mount refused a call. */

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
    if (!knows_refusals || distrusts_refusals || result != -EROFS) return 0;
    thread = bpf_get_current_pid_tgid();
    known = bpf_map_lookup_elem(&refusals, &thread);
    if (!known) return 0;
    id = *known;
    *known = 0;
    return id;
}

/* Each is there twice, for kernels that interrupt them (interrupted.h). */
#define AFTER(program, hook, does, ...)                             \
    SEC("fexit/" hook) int BPF_PROG(program, __VA_ARGS__) {         \
        return does;                                                \
    }                                                               \
    SEC("fexit/" hook) int BPF_PROG(program##_again, __VA_ARGS__) { \
        return does;                                                \
    }

AFTER(after_want_write, "mnt_want_write", remember_refusal(mnt, result == -EROFS), struct vfsmount* mnt, int result)
AFTER(after_want_write_file, "mnt_want_write_file",
      result == -EROFS ? remember_refusal(BPF_CORE_READ(file, f_path.mnt), true) : 0, struct file* file, int result)
AFTER(after_get_write_access, "mnt_get_write_access", remember_refusal(mnt, result == -EROFS), struct vfsmount* mnt,
      int result)
AFTER(after_want_write_inner, "__mnt_want_write", remember_refusal(mnt, result == -EROFS), struct vfsmount* mnt,
      int result)
AFTER(after_is_readonly, "__mnt_is_readonly", remember_refusal(mnt, result & 0xff), struct vfsmount* mnt, long result)
