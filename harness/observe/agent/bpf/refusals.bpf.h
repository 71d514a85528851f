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
