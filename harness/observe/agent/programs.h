/* The BPF programs: as many of them as this kernel can load. */
#ifndef ROGATE_AGENT_PROGRAMS_H
#define ROGATE_AGENT_PROGRAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "interrupted.h" /* struct observer_bpf */

extern struct observer_bpf* programs;

/* False: none can be loaded or attached, and FRAME_ERROR has said why. */
bool load_programs(size_t ring_bytes, bool with_checks);
/* Checks of capabilities are seen; and of these the audited ones alone. */
bool sees_checks(void);
bool sees_audited_alone(void);
/* The names of those that run. */
const char* hook_names(void);
/* Says in FRAME_ERROR that `doing` failed and what to do about it. */
void give_up(const char* doing, int error);
/* No call is seen any more, for the tests of what is said then. */
void blind_programs(void);
#endif
