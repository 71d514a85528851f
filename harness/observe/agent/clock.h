/* The clock by which attempts are told. */
#ifndef ROGATE_AGENT_CLOCK_H
#define ROGATE_AGENT_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Nanoseconds; the kernel's side has the same (bpf_ktime_get_ns). */
static inline uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

#endif
