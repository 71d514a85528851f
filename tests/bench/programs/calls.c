/* calls MODE N [PER_SECOND]: makes N calls of one kind and prints what they cost: "CPU-SECONDS WALL-SECONDS". Expects a read-only
 * mount with a file at /bench/ro and a writable one at /bench/rw. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char file[] = "/bench/ro/file", missing[] = "/bench/ro/missing", made[] = "/bench/rw/made";

static double now(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int refused(int result) { return result < 0 && errno == EROFS; }
static int close_it(int fd) { return fd >= 0 && !close(fd); }

static int refused_open(long i) { return (void)i, refused(open(file, O_WRONLY)); }
static int refused_create(long i) { return (void)i, refused(open(missing, O_WRONLY | O_CREAT, 0600)); }
static int refused_rename(long i) { return (void)i, refused(rename(file, missing)); }
static int read_open(long i) { return (void)i, close_it(open(file, O_RDONLY)); }
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
    const char *name;
    int (*call)(long);
} modes[] = {{"refused-open", refused_open}, {"refused-create", refused_create}, {"refused-rename", refused_rename},
             {"cycle", cycle},               {"read-open", read_open},           {"distinct", distinct}};

int main(int argc, char **argv) {
    const long count = argc > 2 ? atol(argv[2]) : 0;
    const double per_second = argc > 3 ? atof(argv[3]) : 0;
    for (size_t mode = 0; argc > 2 && mode < sizeof modes / sizeof *modes; mode++) {
        if (strcmp(modes[mode].name, argv[1])) continue;
        const double cpu = now(CLOCK_PROCESS_CPUTIME_ID), wall = now(CLOCK_MONOTONIC);
        for (long i = 0; i < count; i++) {
            if (!modes[mode].call(i)) {
                fprintf(stderr, "%s: call %ld did not end as it should: %s\n", argv[1], i, strerror(errno));
                return 1;
            }
            while (per_second > 0 && i % 64 == 0 && now(CLOCK_MONOTONIC) - wall < (double)i / per_second) continue;
        }
        printf("%.6f %.6f\n", now(CLOCK_PROCESS_CPUTIME_ID) - cpu, now(CLOCK_MONOTONIC) - wall);
        return 0;
    }
    fprintf(stderr, "usage: calls MODE N [PER_SECOND]\n");
    return 2;
}
