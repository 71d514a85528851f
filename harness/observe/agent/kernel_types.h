/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The few kernel types that the programs read, with only the fields they read. libbpf relocates every access
 * to where the running kernel has the field (CO-RE), so neither building nor running needs the headers of any
 * one kernel. */
#ifndef ROGATE_AGENT_KERNEL_TYPES_H
#define ROGATE_AGENT_KERNEL_TYPES_H

#include <linux/bpf.h>
#include <linux/types.h>
#include <stdbool.h>

#include "arch.h" /* pt_regs, thread_info */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct hlist_node;
struct hlist_head {
    struct hlist_node* first;
};
struct qstr {
    const unsigned char* name;
};
typedef struct {
    unsigned int val;
} kuid_t;
typedef struct {
    unsigned int val;
} kgid_t;
typedef struct {
    unsigned long long val; /* before 6.3: two of 32 bits */
} kernel_cap_t;
struct cred {
    kuid_t euid;
    kernel_cap_t cap_permitted, cap_effective;
};
struct super_block {
    unsigned int s_dev;
};
struct inode {
    unsigned short i_mode;
    struct super_block* i_sb;
    kuid_t i_uid;
    kgid_t i_gid;
    unsigned long i_ino;
};
struct dentry {
    struct dentry* d_parent;
    struct qstr d_name;
    struct inode* d_inode;
};
struct vfsmount {
    struct dentry* mnt_root;
};
struct mnt_namespace;
struct mount {
    struct mount* mnt_parent;
    struct mnt_namespace* mnt_ns;
    struct dentry* mnt_mountpoint;
    struct vfsmount mnt;
    int mnt_id;
};
struct path {
    struct vfsmount* mnt;
    struct dentry* dentry;
};
struct file {
    unsigned int f_mode;
    struct path f_path;
    struct inode* f_inode;
};
struct fdtable {
    unsigned int max_fds;
    struct file** fd;
};
struct files_struct {
    struct fdtable* fdt;
};
struct fs_struct {
    struct path root, pwd;
};
struct mm_struct {
    struct file* exe_file;
};
struct kernfs_node {
    const char* name;
};
struct cgroup;
struct cgroup_subsys_state {
    struct cgroup* cgroup;
    struct cgroup_subsys_state* parent;
};
struct cgroup {
    struct cgroup_subsys_state self;
    struct kernfs_node* kn;
};
enum cgroup_subsys_id { memory_cgrp_id = 4, pids_cgrp_id = 11 };
struct css_set {
    struct cgroup_subsys_state* subsys[16];
    struct cgroup* dfl_cgrp;
};
struct ns_common {
    unsigned int inum;
};
struct mnt_namespace {
    struct ns_common ns;
};
struct nsproxy {
    struct mnt_namespace* mnt_ns;
};
typedef struct {
    int counter;
} atomic_t;
struct signal_struct {
    atomic_t live;
};
struct upid {
    int nr;
};
struct pid {
    unsigned int level;
    struct upid numbers[1];
};
struct task_struct {
    struct thread_info thread_info;
    void* stack;
    int pid, tgid;
    struct task_struct *real_parent, *group_leader;
    struct nsproxy* nsproxy;
    struct css_set* cgroups;
    struct fs_struct* fs;
    struct files_struct* files;
    struct mm_struct* mm;
    struct signal_struct* signal;
    struct pid* thread_pid;
    const struct cred* real_cred;
    char comm[16];
};
struct linux_binprm {
    struct file* file;
};

/* io_uring/: a request, and what the operations keep in it. */
struct io_cqe {
    unsigned long long user_data;
    int res;
};
struct io_ring_ctx;
struct sockaddr_of_any {
    unsigned short ss_family;
    char data[2];
};
struct io_async_msghdr {
    struct sockaddr_of_any addr;
};
struct io_cmd_data {
    struct file* file;
};
struct io_kiocb {
    struct io_cmd_data cmd;
    unsigned char opcode;
    struct io_ring_ctx* ctx;
    void* async_data;
    unsigned long long user_data;
    struct io_cqe cqe; /* before 5.19: result */
    int result;
};
struct filename {
    const char* name;
};
struct open_how {
    unsigned long long flags;
};
struct io_open {
    int dfd;
    struct filename* filename;
    struct open_how how;
};
struct io_rename {
    int old_dfd, new_dfd;
    struct filename *oldpath, *newpath;
};
struct io_unlink {
    int dfd;
    struct filename* filename;
};
struct io_mkdir {
    int dfd;
    struct filename* filename;
};
struct io_link {
    int new_dfd;
    struct filename* newpath;
};
struct io_symlink { /* before 6.0, like the next one */
    int new_dfd;
    struct filename* newpath;
};
struct io_hardlink {
    int new_dfd;
    struct filename* newpath;
};
struct io_xattr {
    struct filename* filename;
};

/* From 7.0 on a request has its names in a struct of one pointer (struct delayed_filename in linux/fs.h). */
struct delayed_filename {
    struct filename* __incomplete_filename;
};
struct io_open___of_7_0 {
    struct delayed_filename filename;
};
struct io_rename___of_7_0 {
    struct delayed_filename oldpath, newpath;
};
struct io_unlink___of_7_0 {
    struct delayed_filename filename;
};
struct io_mkdir___of_7_0 {
    struct delayed_filename filename;
};
struct io_link___of_7_0 {
    struct delayed_filename newpath;
};
struct io_xattr___of_7_0 {
    struct delayed_filename filename;
};

#pragma clang attribute pop

#endif
