/* calls MODE N [PER_SECOND [QUIET_LOOP]]: makes N calls of one kind and prints what they cost: "CPU-SECONDS WALL-SECONDS COUNTED MADE
 * SHORTEST". Expects a read-only mount with a file at /bench/ro and a writable one at /bench/rw.
 * With QUIET_LOOP, what `calls loop SECONDS` printed: only those of the calls count, and are to be N, that nobody disturbed (quiet.h). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "quiet.h"

static const char file[] = "/bench/ro/file", missing[] = "/bench/ro/missing", made[] = "/bench/rw/made";

static int refused(int result) {
    return result < 0 && errno == EROFS;
}
static int close_it(int fd) {
    return fd >= 0 && !close(fd);
}

static int refused_open(long i) {
    return (void)i, refused(open(file, O_WRONLY));
}
static int refused_create(long i) {
    return (void)i, refused(open(missing, O_WRONLY | O_CREAT, 0600));
}
static int refused_rename(long i) {
    return (void)i, refused(rename(file, missing));
}
static int read_open(long i) {
    return (void)i, close_it(open(file, O_RDONLY));
}
static int cycle(long i) {
    int fd = open(made, O_WRONLY | O_CREAT, 0600);
    (void)i;
    return fd >= 0 && write(fd, "x", 1) == 1 && !close(fd) && !unlink(made);
}
static int distinct(long i) {
    char path[64];
    snprintf(path, sizeof path, "/bench/ro/%ld", i);
    return refused(open(path, O_WRONLY | O_CREAT, 0600));
}

static const struct {
    const char* name;
    int (*call)(long);
} modes[] = {{"refused-open", refused_open},     {"refused-create", refused_create},
             {"refused-rename", refused_rename}, {"cycle", cycle},
             {"read-open", read_open},           {"distinct", distinct}};

enum { PIECE = 1000 };

/* Makes `count` calls that are counted, and prints what they cost. The program's exit code. */
static int measure(const char* name, int (*call)(long), long count, double per_second, long quiet_loop) {
    const double start = now(CLOCK_MONOTONIC);
    struct quiet quiet = quiet_begin(quiet_loop);
    long made = 0, counted = 0;
    double cpu = 0, wall = 0;
    while (counted < count && quiet_wait(&quiet)) {
        const long piece = count - counted < PIECE ? count - counted : PIECE, end = made + piece;
        const double cpu_before = now(CLOCK_PROCESS_CPUTIME_ID), wall_before = now(CLOCK_MONOTONIC);
        for (; made < end; made++) {
            if (!call(made)) {
                fprintf(stderr, "%s: call %ld did not end as it should: %s\n", name, made, strerror(errno));
                return 1;
            }
            while (per_second > 0 && made % 64 == 0 && now(CLOCK_MONOTONIC) - start < (double)made / per_second)
                continue;
        }
        const double cpu_after = now(CLOCK_PROCESS_CPUTIME_ID), wall_after = now(CLOCK_MONOTONIC);
        if (!quiet_was(&quiet)) continue;
        counted += piece;
        cpu += cpu_after - cpu_before;
        wall += wall_after - wall_before;
    }
    printf("%.6f %.6f %ld %ld %ld\n", cpu, wall, counted, made, quiet.shortest);
    return 0;
}

int main(int argc, char** argv) {
    const long count = argc > 2 ? atol(argv[2]) : 0;
    if (argc > 2 && !strcmp(argv[1], "loop")) {
        printf("%ld\n", shortest_loop((double)count));
        return 0;
    }
    for (size_t mode = 0; argc > 2 && mode < sizeof modes / sizeof *modes; mode++)
        if (!strcmp(modes[mode].name, argv[1]))
            return measure(argv[1], modes[mode].call, count, argc > 3 ? atof(argv[3]) : 0,
                           argc > 4 ? atol(argv[4]) : 0);
    fprintf(stderr, "usage: calls MODE N [PER_SECOND [QUIET_LOOP]] | calls loop SECONDS\n");
    return 2;
}
