#include "threads.h"

#include <stdlib.h>
#include <unistd.h>

static struct thread* threads[1024];
static size_t count;

struct thread* thread_of(unsigned int tid) {
    struct thread** at = &threads[tid % 1024];
    for (; *at; at = &(*at)->next)
        if ((*at)->tid == tid) return *at;
    *at = calloc(1, sizeof **at);
    if (!*at) _exit(1); /* the subject ends with us, and the account says that it did not end by itself */
    (*at)->tid = tid;
    count++;
    return *at;
}

const struct thread* known_thread(unsigned int tid) {
    const struct thread* at = threads[tid % 1024];
    while (at && at->tid != tid) at = at->next;
    return at;
}

void end_call(struct thread* thread) {
    free(thread->first);
    free(thread->second);
    thread->first = thread->second = NULL;
    thread->in_call = thread->reads = false;
    thread->escape = NO_ESCAPE;
}

void forget_thread(unsigned int tid) {
    struct thread **at = &threads[tid % 1024], *gone;
    while (*at && (*at)->tid != tid) at = &(*at)->next;
    gone = *at;
    if (!gone) return;
    *at = gone->next;
    end_call(gone);
    free(gone->refused);
    free(gone);
    count--;
}

bool one_thread_alone(void) {
    return count <= 1;
}
