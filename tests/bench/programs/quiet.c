#include "quiet.h"

enum { PATIENCE = 240 /* seconds */ };

double now(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static long loop(void) {
    unsigned long a = 1, b = 2, c = 3, d = 4, e = 5, f = 6;
    const double start = now(CLOCK_MONOTONIC);
    for (unsigned long i = 0; i < 40000; i++) {
        a += b ^ i, b += c ^ i, c += d ^ i, d += e ^ i, e += f ^ i, f += a ^ i;
        __asm__ volatile("" : : "r"(a), "r"(b), "r"(c), "r"(d), "r"(e), "r"(f));
    }
    return (long)((now(CLOCK_MONOTONIC) - start) * 1e9);
}

long shortest_loop(double seconds) {
    const double end = now(CLOCK_MONOTONIC) + seconds;
    long shortest = loop();
    while (now(CLOCK_MONOTONIC) < end) {
        const long one = loop();
        if (one < shortest) shortest = one;
    }
    return shortest;
}

struct quiet quiet_begin(long loop) {
    return (struct quiet){loop + loop / 20, loop, loop, now(CLOCK_MONOTONIC) + PATIENCE};
}

static bool is_quiet(struct quiet* quiet) {
    quiet->around = loop();
    if (quiet->around < quiet->shortest) quiet->shortest = quiet->around;
    return quiet->around <= quiet->limit;
}

bool quiet_wait(struct quiet* quiet) {
    if (!quiet->limit || quiet->around <= quiet->limit) return true;
    while (now(CLOCK_MONOTONIC) < quiet->end)
        if (is_quiet(quiet)) return true;
    return false;
}

bool quiet_was(struct quiet* quiet) {
    return !quiet->limit || is_quiet(quiet);
}
