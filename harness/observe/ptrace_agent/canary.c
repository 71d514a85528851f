#define _GNU_SOURCE
#include "canary.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../protocol.h"
#include "agent.h"
#include "filter.h"
#include "threads.h"
#include "tracer.h"

static unsigned int canary_pid, canary_number;
static const char* proven; /* the path that is tried before the subject begins */
static int canary_pipe = -1;
static bool canary_seen;

static void canary_reply(int outcome, const char* text) {
    if (proven) {
        const uint32_t value = (uint32_t)outcome;
        const char* texts[2] = {proven, text};
        account_put(account, FRAME_PROOF, &value, sizeof value, texts, 2);
        return;
    }
    const struct frame_reply reply = {canary_number, 0, outcome, 0};
    account_put(account, FRAME_REPLY, &reply, sizeof reply, &text, 1);
}

static void canary_done(void) {
    int error = -1;
    if (read(canary_pipe, &error, sizeof error) != (ssize_t)sizeof error) error = -1;
    close(canary_pipe);
    canary_pipe = -1;
    canary_pid = 0;
    if (error == 0)
        canary_reply(CANARY_NOT_REFUSED, "");
    else if (error == EROFS)
        canary_reply(canary_seen ? CANARY_SEEN : CANARY_NOT_SEEN, "");
    else
        canary_reply(CANARY_FAILED, error < 0 ? "the process that was to make it ended" : strerror(error));
}

void canary_answered(int error) {
    canary_seen = canary_seen || error == EROFS;
}

void canary_ended(unsigned int tid) {
    if (canary_pid && tid == canary_pid) canary_done();
}

static int write_canary(const char* path) {
    char name[PATH_MAX + 64];
    struct stat now;
    if (stat(path, &now)) return errno;
    snprintf(name, sizeof name, "%s/.rogate-canary-%d-%u", path, getpid(), canary_number);
    const int made = S_ISDIR(now.st_mode) ? open(name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600) : -1;
    if (made < 0 && S_ISDIR(now.st_mode) && errno == EROFS) return errno;
    /* Of a file, and where no file can be made whatever the mount is (/proc): its mode is set to what it is.
     * That is refused before anything is looked at (chmod_common takes mnt_want_write first), and harmless if
     * it is not. */
    if (made < 0) return chmod(path, now.st_mode & 07777) ? errno : 0;
    close(made);
    unlink(name);
    return 0;
}

/* A process under the same filter as the subject's, so that it is seen by the same way. */
static void start_canary(const char* path) {
    int go[2], back[2], error = 0;
    pid_t child;
    if (pipe2(go, O_CLOEXEC) || pipe2(back, O_CLOEXEC)) return canary_reply(CANARY_FAILED, strerror(errno));
    child = fork();
    if (child < 0) return canary_reply(CANARY_FAILED, strerror(errno));
    if (!child) {
        char byte;
        if (read(go[0], &byte, 1) != 1 || filter_install() < 0)
            error = -1;
        else
            error = write_canary(path);
        if (write(back[1], &error, sizeof error) < 0) _exit(1);
        _exit(0);
    }
    close(back[1]);
    close(go[0]);
    canary_pid = (unsigned int)child;
    canary_pipe = back[0];
    canary_seen = false;
    error = seize((unsigned int)child, 0);
    thread_of((unsigned int)child)->canary = true;
    if (!error && write(go[1], "g", 1) != 1) error = errno;
    close(go[1]); /* if it could not be traced, it ends without writing */
    (void)error;
}

void canary_obey(char* line) {
    int rest = 0;
    if (sscanf(line, "canary %u %n", &canary_number, &rest) < 1 || !rest) return;
    if (canary_pid) return canary_reply(CANARY_FAILED, "another one is being made");
    start_canary(line + rest);
}

void prove_all(int relay_socket) {
    static char line[PATH_MAX * 4];
    static const char prove[] = "prove ";
    for (;;) {
        const ssize_t n = recv(relay_socket, line, sizeof line - 1, 0);
        if (n <= 0) return;
        line[n] = 0;
        if (strncmp(line, prove, sizeof prove - 1)) return;
        proven = line + sizeof prove - 1;
        start_canary(proven);
        while (canary_pid) {
            take_stops();
            if (canary_pid) await_stops();
        }
        proven = NULL;
    }
}
