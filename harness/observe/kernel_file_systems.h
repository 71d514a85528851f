/* The kernel's own file systems, as mountinfo names their types: what is in them is no data of anybody's, and
 * it cannot be copied or lie under an overlay. */
#ifndef ROGATE_KERNEL_FILE_SYSTEMS_H
#define ROGATE_KERNEL_FILE_SYSTEMS_H

static const char* const kernel_file_systems[] = {
    "proc",    "sysfs",       "cgroup",   "cgroup2",   "devpts",     "mqueue", "debugfs",
    "tracefs", "securityfs",  "bpf",      "configfs",  "fusectl",    "pstore", "efivarfs",
    "autofs",  "binfmt_misc", "devtmpfs", "hugetlbfs", "rpc_pipefs", "nsfs",   "selinuxfs"};

#endif
