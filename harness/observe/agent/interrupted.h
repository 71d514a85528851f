/* Kernels that interrupt the programs of tracepoints.
 *
 * After Linux 6.18 a task can be interrupted within such a program, and the kernel leaves the program out for each task that comes
 * to it on the same processor until then (kernel/trace/bpf_trace.c: __bpf_trace_run). A program of perf's tracepoints runs with
 * preemption off as before (include/trace/perf.h), and so does a kprobe: the calls' ends and the checks of capabilities are seen by
 * these. The programs at fork, at the end of a process and at a refusal may come twice without harm, and are there twice. What is
 * left out all the same is lost, and counted.
 *
 * Programs of perf's tracepoints and of kprobes share one mark for a processor, which bpf(2) sets as well while it reads or writes
 * a map, where it can be interrupted (kernel/bpf/syscall.c: bpf_disable_instrumentation). So the agent has a program for that
 * (maps.c), and only other users of bpf(2) on the machine make something be left out.
 *
 * fexit programs can be interrupted on any kernel with full preemption. What they tell of refusals is not lost: once it may have
 * been left out, the mount is the one that the path leads to, as on kernels that have no fexit programs. */
#ifndef ROGATE_AGENT_INTERRUPTED_H
#define ROGATE_AGENT_INTERRUPTED_H

#include <stdbool.h>
#include <stdint.h>

/* clang-format off */
#include "shared.h" /* before the skeleton, which uses its types */
#include "observer.skel.h"
/* clang-format on */

/* Whether this kernel does. */
bool interrupts_programs(void);
/* Of those that are there for such kernels alone: they are attached by attach_for_interrupted(). */
bool is_for_interrupted(const char* program);
/* 0, or a negative errno. */
int attach_for_interrupted(struct observer_bpf* programs);
/* At most how many events no program saw to: lost like any other. */
uint64_t missed_events(const struct observer_bpf* programs);
/* Whether what the kernel said of refusing mounts is to be believed: until the first that may have been left out, from when
 * trust_refusals() was called. */
bool trusts_refusals(const struct observer_bpf* programs);
void trust_refusals(const struct observer_bpf* programs);
/* The same of checks of capabilities, which are not among them. */
uint64_t missed_checks(const struct observer_bpf* programs);

#endif
