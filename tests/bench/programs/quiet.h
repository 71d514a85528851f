/* Whether a program is alone on its core. What else computes there, another guest of the host perhaps, makes a system call up to
 * twice as slow, for seconds at a time: more than what is measured. A loop with much to do at a time feels it as well. */
#pragma once
#include <stdbool.h>
#include <time.h>

struct quiet {
    long limit;    /* nanoseconds that the loop may take; 0: everything counts */
    long shortest; /* that it took */
    long around;   /* that it took last */
    double end;    /* of the patience, on the monotonic clock */
};

double now(clockid_t clock);

/* The loop's shortest time, in nanoseconds. */
long shortest_loop(double seconds);

/* `loop`: what shortest_loop() gave; it may take a twentieth longer. 0: everything counts. */
struct quiet quiet_begin(long loop);

/* Waits until nobody disturbs; false after four minutes in all. */
bool quiet_wait(struct quiet* quiet);

/* Whether nobody disturbed what was done since. */
bool quiet_was(struct quiet* quiet);
