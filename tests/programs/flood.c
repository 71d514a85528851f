/* More writes at once than anybody makes, for tests/integration/hostile_cases.py. Prints how many were
   refused as "refused N".

     flood threads DIR COUNT TIMES   COUNT threads, each of which creates a file of its own TIMES times
     flood uring DIR COUNT           COUNT files created through io_uring, 256 in each submission
     flood storm DIR SECONDS         processes that fork as long as they may, and each creates a file; then
   all are killed  */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const char* dir;
static atomic_long refused;
static long times;
static pthread_barrier_t together;

static void create(long number) {
    char path[256];
    snprintf(path, sizeof path, "%s/flood-%ld", dir, number);
    const int fd = open(path, O_WRONLY | O_CREAT, 0644);
    if (fd >= 0)
        close(fd);
    else if (errno == EROFS)
        atomic_fetch_add(&refused, 1);
}

static void* thread(void* number) {
    pthread_barrier_wait(&together);
    for (long i = 0; i < times; ++i) create((long)number);
    return NULL;
}

static int threads(long count) {
    pthread_t* all = calloc((size_t)count, sizeof *all);
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 64 * 1024);
    pthread_barrier_init(&together, NULL, (unsigned int)count);
    for (long i = 0; i < count; ++i)
        if ((errno = pthread_create(&all[i], &small, thread, (void*)i)) != 0) return perror("flood: pthread_create"), 1;
    for (long i = 0; i < count; ++i) pthread_join(all[i], NULL);
    return 0;
}

enum { batch = 256 };

static int uring(long count) {
    struct io_uring_params layout;
    memset(&layout, 0, sizeof layout);
    const int fd = (int)syscall(SYS_io_uring_setup, batch, &layout);
    if (fd < 0) return perror("flood: io_uring_setup"), 1;
    const size_t submissions = layout.sq_off.array + layout.sq_entries * sizeof(unsigned int);
    const size_t completions = layout.cq_off.cqes + layout.cq_entries * sizeof(struct io_uring_cqe);
    char* ring = mmap(NULL, submissions > completions ? submissions : completions, PROT_READ | PROT_WRITE, MAP_SHARED,
                      fd, IORING_OFF_SQ_RING);
    struct io_uring_sqe* entries =
        mmap(NULL, layout.sq_entries * sizeof *entries, PROT_READ | PROT_WRITE, MAP_SHARED, fd, IORING_OFF_SQES);
    if (ring == MAP_FAILED || entries == MAP_FAILED) return perror("flood: mmap"), 1;
    static char paths[batch][256];
    for (long made = 0; made < count;) {
        unsigned int* tail = (void*)(ring + layout.sq_off.tail);
        unsigned int* array = (void*)(ring + layout.sq_off.array);
        unsigned int size = 0;
        for (; size < batch && made < count; ++size, ++made) {
            const unsigned int slot = *tail & (layout.sq_entries - 1);
            snprintf(paths[size], sizeof paths[size], "%s/uring-%ld", dir, made);
            entries[slot] = (struct io_uring_sqe){.opcode = IORING_OP_OPENAT,
                                                  .fd = AT_FDCWD,
                                                  .addr = (unsigned long)paths[size],
                                                  .len = 0644,
                                                  .open_flags = O_WRONLY | O_CREAT};
            array[slot] = slot;
            __atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
        }
        if (syscall(SYS_io_uring_enter, fd, size, size, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
            return perror("flood: io_uring_enter"), 1;
        unsigned int* head = (void*)(ring + layout.cq_off.head);
        const unsigned int end = __atomic_load_n((unsigned int*)(void*)(ring + layout.cq_off.tail), __ATOMIC_ACQUIRE);
        const struct io_uring_cqe* all = (void*)(ring + layout.cq_off.cqes);
        for (; *head != end; __atomic_store_n(head, *head + 1, __ATOMIC_RELEASE)) {
            const int result = all[*head & (layout.cq_entries - 1)].res;
            if (result == -EROFS) ++refused;
            if (result >= 0) close(result);
        }
    }
    return 0;
}

static int storm(unsigned int seconds) {
    /* A user of its own, who has 500 at most: nproc is no limit for root. */
    const struct rlimit most = {500, 500};
    if (setrlimit(RLIMIT_NPROC, &most) != 0 || setuid(54321) != 0) return perror("flood: storm"), 1;
    const pid_t first = fork();
    if (first == 0) {
        setpgid(0, 0);
        for (;;) {
            create(getpid());
            fork();
            while (waitpid(-1, NULL, WNOHANG) > 0) {
            }
        }
    }
    sleep(seconds);
    /* Those that are born meanwhile are met again. */
    for (int i = 0; i < 200; ++i) {
        kill(-first, SIGKILL);
        usleep(10000);
    }
    while (waitpid(-1, NULL, WNOHANG) > 0) {
    }
    return 0;
}

int main(int count, char** words) {
    if (count < 4) return fputs("flood: threads|uring|storm DIR COUNT [TIMES]\n", stderr), 2;
    dir = words[2];
    const long number = atol(words[3]);
    times = count > 4 ? atol(words[4]) : 1;
    const int failed = strcmp(words[1], "threads") == 0 ? threads(number)
                       : strcmp(words[1], "uring") == 0 ? uring(number)
                                                        : storm((unsigned int)number);
    printf("refused %ld\n", atomic_load(&refused));
    return failed;
}
