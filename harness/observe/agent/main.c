/* The observer's agent: loads the BPF programs, turns their events into frames, and obeys the commands of
 * protocol.h. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "../protocol.h"
#include "clock.h"
#include "commands.h"
#include "events.h"
#include "looks.h"
#include "output.h"
#include "programs.h"

static volatile sig_atomic_t blinded;

static void say_hello(void) {
    struct utsname kernel;
    uname(&kernel);
    frame_begin(FRAME_HELLO, 0);
    frame_text(hook_names());
    frame_text(kernel.release);
    frame_end();
    flush_output();
}

/* For tests of what rogate does with an observer that sees nothing: its canaries must notice. */
static void blind(int number) {
    (void)number;
    blinded = 1;
}

static void serve(void) {
    struct epoll_event event = {.events = EPOLLIN, .data = {.fd = STDIN_FILENO}};
    int poll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_ctl(poll, EPOLL_CTL_ADD, STDIN_FILENO, &event)) return; /* a file: nobody to obey */
    event.data.fd = ring_buffer__epoll_fd(ring);
    epoll_ctl(poll, EPOLL_CTL_ADD, event.data.fd, &event);
    for (;;) {
        struct epoll_event ready[2];
        int count = epoll_wait(poll, ready, 2, looks_live() ? 20 : -1);
        const uint64_t before = now_ns();
        if (count < 0 && errno != EINTR) return;
        if (blinded) blind_programs();
        ring_buffer__consume(ring);
        looks_are_done(before);
        for (int i = 0; i < count; i++)
            if (ready[i].data.fd == STDIN_FILENO && !read_commands()) return;
        flush_output();
    }
}

int main(int argc, char** argv) {
    /* The subject of `rogate doctor`: the one program that is surely there. */
    if (argc == 2 && !strcmp(argv[1], "wait")) return pause();
    size_t ring_bytes = argc > 1 ? strtoul(argv[1], NULL, 10) : 16u << 20;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGUSR1, blind);
    put_magic();
    if (!load_programs(ring_bytes, argc > 2 && !strcmp(argv[2], "capabilities"))) return 1;
    if (!open_ring()) return give_up("opening the ring buffer", errno), 1;
    say_hello();
    serve();
    flush_output();
    ring_buffer__free(ring);
    observer_bpf__destroy(programs);
    return 0;
}
