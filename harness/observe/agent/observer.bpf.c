/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Sees every call of the watched containers that changes a file system, or would have if it had not been refused.
 * Linux 5.10 and newer with BTF, x86-64 and arm64. The parts are in bpf/, and this is what they hook:
 *
 *   program                  hook                                     kernel          what for
 *   on_exit                  tp_btf/sys_exit                          5.5 to 6.18     the result as the process saw it, with the
 *                                                                                     arguments still in the registers
 *   on_exit_by_perf          tracepoint/raw_syscalls/sys_exit         after 6.18      the same (interrupted.h)
 *   on_exec                  tp_btf/sched_process_exec                5.5             processes that the engine puts into a
 *                                                                                     watched container
 *   on_fork, on_end          tp_btf/sched_process_fork, _exit         5.5             their children, and their end
 *   on_map                   none: the agent runs it                  after 6.18      what the agent reads and writes (interrupted.h)
 *   after_want_write, …      fexit of mnt_want_write,                 BPF trampoline  which mount refused; without them it is the
 *                            mnt_want_write_file, __mnt_is_readonly,                  one that the path leads to
 *                            mnt_get_write_access (before 6.8:
 *                            __mnt_want_write)
 *   on_uring_submit          raw_tp/io_uring_submit_req (before 6.5:  5.10            io_uring, whose requests pass the system
 *                            io_uring_submit_sqe)                                     calls by
 *   on_uring_complete, …     raw_tp/io_uring_complete,                5.10            their results
 *                            io_uring_cqe_overflow
 *   before_issue, …          fentry and fexit of io_issue_sqe         before 6.0      which request a completion is of, since
 *                                                                                     it does not say so itself
 *   after_capable, …         see bpf/capabilities.bpf.h               5.10            checks of capabilities, where they are asked for
 *
 * What a kernel has under another name is not loaded there; all but the first four rows are optional. */
/* clang-format off */
#include "kernel_types.h" /* before the others, which use its types */
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
/* clang-format on */

#include "shared.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* In this order: each uses what stands above it. */
/* clang-format off */
#include "bpf/data.bpf.h"
#include "bpf/kernel.bpf.h"
#include "bpf/processes.bpf.h"
#include "bpf/refusals.bpf.h"
#include "bpf/paths.bpf.h"
#include "bpf/events.bpf.h"
#include "bpf/changes.bpf.h"
#include "bpf/report.bpf.h"
#include "bpf/calls.bpf.h"
#include "bpf/uring.bpf.h"
#include "bpf/capabilities.bpf.h"
#include "bpf/maps.bpf.h"
/* clang-format on */
