/* The BPF object, once, or once for each program that puts something together.
 *
 * Up to Linux 6.18 a tracepoint runs its programs with preemption off. Later a task can be interrupted within one, and another task
 * can come to a program on the same processor meanwhile. What they put together is in one place per processor: so each program
 * that uses it gets an object of its own, which shares all other maps with the first one. And the kernel leaves a program out for
 * a task that comes to it while it runs already on that processor (kernel/trace/bpf_trace.c: __bpf_trace_run): so on_exit is there
 * twice, the second one sees to what the first one was left out for, and after_exit counts what neither saw. */
#ifndef ROGATE_AGENT_INSTANCES_H
#define ROGATE_AGENT_INSTANCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* clang-format off */
#include "shared.h" /* before the skeleton, which uses its types */
#include "observer.skel.h"
/* clang-format on */

enum { MAIN, AGAIN, EXECS, ENDS, SUBMITS, COMPLETES, OVERFLOWS, INSTANCES };
/* The first one has all the programs where the others are NULL. */
extern struct observer_bpf* instances[INSTANCES];
/* The first one, whose maps all of them use. */
extern struct observer_bpf* programs;

/* As many as this kernel needs. 0, or a negative errno with none of them open. */
int open_instances(void);
/* Whether this instance runs the program. */
bool instance_has(unsigned int instance, const char* program);
/* The program in the instance that has it. */
struct bpf_program* program_named(const char* program);
/* Loads them, and attaches what is to be attached by itself. 0, or a negative errno. */
int load_instances(void);
void close_instances(void);
/* No call is seen any more, for the tests of what is said then. */
void blind_instances(void);
/* At most how many events no program saw to, because it was running already on that processor: lost like any other. */
uint64_t missed_events(void);
/* The same of checks of capabilities, which are not among them. */
uint64_t missed_checks(void);

#endif
