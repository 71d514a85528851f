/* What is to be said of an attempt, from where it led and what it was answered. */
#ifndef ROGATE_PTRACE_FLAGS_H
#define ROGATE_PTRACE_FLAGS_H

#include <stdint.h>

#include "../agent/shared.h"
#include "where.h"

/* Bits of enum attempt_flags; `error` is an errno, 0: it succeeded. */
uint32_t flags_of(const struct event* call, const struct where* where, int error);

#endif
