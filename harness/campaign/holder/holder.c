// Holds a pod's network namespace while its containers come and go, as a cluster's pause container does. A static
// binary without a C library: it is the only file of its image.
#include <sys/syscall.h>

static long call0(long number) {
    long result = 0;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number) : "rcx", "r11", "memory");
    return result;
}

// It reaps nothing, since it starts nothing, and its end is the engine's kill.
void _start(void) {
    for (;;) call0(SYS_pause);
}
