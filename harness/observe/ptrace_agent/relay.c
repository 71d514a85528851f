/* The relay: puts the agent into the volume that the subject mounts, takes what tracers note, and speaks
 * protocol.h with rogate. It touches no process of the subject's. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "../agent/output.h"
#include "../protocol.h"
#include "agent.h"
#include "sessions.h"

/* ---- commands ---- */

static void pump(int milliseconds);

static void unescape_percent(char* text) {
    char* to = text;
    for (; *text; text++) {
        unsigned int byte;
        if (*text == '%' && sscanf(text + 1, "%2x", &byte) == 1) {
            *to++ = (char)byte;
            text += 2;
        } else {
            *to++ = *text;
        }
    }
    *to = 0;
}

/* The engine says "started" when the runtime has been told to go on; the agent's first line can come a moment
 * later. */
static struct session* await_session(void) {
    for (int tries = 0; tries < 250 && !session_count; tries++) pump(20);
    struct session* last = session_count ? &sessions[session_count - 1] : NULL;
    /* Until the subject begins, or is gone: then all its proofs have come. */
    while (last && !last->gone && last->proof_count < wanted_count && !last->account->begun) pump(20);
    return last;
}

static void command_canary(unsigned int number, char* path) {
    char line[16384];
    unescape_percent(path);
    struct session* session = await_session();
    if (!session) return reply(number, 0, CANARY_FAILED, "there is no tracer in the subject");
    const struct proof* proof = proof_of(session, path);
    if (session->gone || (proof && !proof->told)) return answer_by_proof(session, number, path);
    free(session->canary_path);
    session->canary_path = strdup(path);
    session->canary = number;
    const int n = snprintf(line, sizeof line, "canary %u %s", number, path);
    /* If that fails, its end is heard of next. */
    if (send(session->socket, line, (size_t)n, MSG_NOSIGNAL) != n) pump(0);
}

static void command_prove(unsigned int number, char* path) {
    unescape_percent(path);
    want_proof(path);
    reply(number, 0, 0, "");
}

static void send_count(uint64_t id, uint64_t count) {
    const struct frame_count frame = {id, count};
    frame_begin(FRAME_COUNT, 0);
    frame_bytes(&frame, sizeof frame);
    frame_end();
}

static void command_flush(unsigned int number) {
    struct frame_stats stats = {0, 0};
    static char problem[ACCOUNT_PROBLEM + 1];
    snprintf(problem, sizeof problem, "%s", session_count ? refused : "the tracer never started in the subject");
    for (int tries = 0; tries < 5; tries++) pump(2); /* ends that were not heard of yet */
    for (size_t i = 0; i < session_count; i++) {
        struct session* session = &sessions[i];
        const uint64_t base = (uint64_t)(i + 1) << 32;
        for (uint64_t at = 0; at < ACCOUNT_ATTEMPTS; at++)
            if (session->account->counts[at] > 1) send_count(base | (at + 1), session->account->counts[at]);
        for (size_t m = 0; m < session->mount_count; m++) {
            const int place = session->mounts[m]->place;
            const uint64_t uses = session->mounts[m]->uses + (place < 0 ? 0 : session->account->uses[place]);
            if (!uses) continue;
            frame_begin(FRAME_USE, 0);
            frame_bytes(&uses, sizeof uses);
            frame_text(session->mounts[m]->point);
            frame_end();
        }
        stats.lost += session->account->lost;
        stats.attempts += session->account->attempts;
        const struct proof* own = proof_of(session, AGENT_HOME);
        if ((!own || own->outcome != CANARY_SEEN) && !problem[0])
            snprintf(problem, sizeof problem, "it is not proven that the tracer sees what the kernel refuses%s%s",
                     own && own->why[0] ? ": " : "", own ? own->why : "");
        if (session->told && !problem[0])
            snprintf(problem, sizeof problem, "the tracer in the subject was killed, and the subject with it");
        if (session->account->problem[0] && !problem[0])
            snprintf(problem, sizeof problem, "%.*s", ACCOUNT_PROBLEM - 1, session->account->problem);
    }
    frame_begin(FRAME_STATS, 0);
    frame_bytes(&stats, sizeof stats);
    frame_end();
    end_sessions();
    reply(number, 0, 0, problem);
}

static void obey(char* line) {
    unsigned int number = 0, slot = 0;
    char verb[16] = "";
    int rest = 0;
    if (sscanf(line, "%u %15s %u %n", &number, verb, &slot, &rest) < 3)
        return reply(number, EINVAL, 0, "a command is NUMBER VERB SLOT …");
    if (!rest) rest = (int)strlen(line);
    if (!strcmp(verb, "canary")) return command_canary(number, line + rest);
    if (!strcmp(verb, "prove")) return command_prove(number, line + rest);
    if (!strcmp(verb, "flush")) return command_flush(number);
    if (!strcmp(verb, "arm")) {
        end_sessions();
        forget_wanted();
        phase = 0;
    } else if (!strcmp(verb, "phase")) {
        phase = (uint32_t)strtoul(line + rest, NULL, 10);
        for (size_t i = 0; i < session_count; i++) sessions[i].account->phase = phase;
    } else if (!strcmp(verb, "release")) {
        pump(0); /* an end that came before is no announced one */
        for (size_t i = 0; i < session_count; i++) sessions[i].announced = true;
    } else {
        return reply(number, EINVAL, 0, "no such command");
    }
    reply(number, 0, 0, "");
}

/* ---- start and loop ---- */

static int listener;

/* What has come in from tracers; not from rogate. */
static void pump(int milliseconds) {
    struct pollfd ready[MAX_SESSIONS + 1];
    const size_t count = session_count;
    ready[0] = (struct pollfd){listener, POLLIN, 0};
    for (size_t i = 0; i < count; i++) ready[i + 1] = (struct pollfd){sessions[i].socket, POLLIN, 0};
    poll(ready, count + 1, milliseconds);
    for (size_t i = 0; i < count; i++)
        if (ready[i + 1].revents) hear(&sessions[i]);
    if (ready[0].revents) {
        const int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (connection >= 0) begin_session(connection);
    }
    take_all();
}

static bool read_commands(void) {
    static char buffer[64 * 1024];
    static size_t used;
    char* newline;
    const ssize_t n = read(STDIN_FILENO, buffer + used, sizeof buffer - used - 1);
    if (n < 0 && errno == EINTR) return true;
    if (n <= 0) return false;
    used += (size_t)n;
    while ((newline = memchr(buffer, '\n', used))) {
        const size_t size = (size_t)(newline - buffer) + 1;
        *newline = 0;
        obey(buffer);
        memmove(buffer, buffer + size, used - size);
        used -= size;
    }
    return used < sizeof buffer - 1;
}

/* For subjects that do not run as root: permitted only, so that an exec does not fail where they may not be
 * had. */
static bool put_capabilities(void) {
    const uint32_t wanted = 1u << CAP_SYS_PTRACE | 1u << CAP_SYS_ADMIN | 1u << CAP_DAC_READ_SEARCH | 1u << CAP_SETPCAP;
    const struct vfs_cap_data data = {.magic_etc = VFS_CAP_REVISION_2, .data = {{wanted, 0}, {0, 0}}};
    return !setxattr(AGENT_BINARY, "security.capability", &data, sizeof data, 0);
}

static const char* put_agent(void) {
    struct stat size;
    const int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC),
              to = open(AGENT_BINARY, O_CREAT | O_WRONLY | O_CLOEXEC, 0755);
    off_t at = 0;
    if (from < 0 || to < 0 || fstat(from, &size)) return "copying the agent into the volume";
    while (at < size.st_size)
        if (sendfile(to, from, &at, (size_t)(size.st_size - at)) <= 0) return "copying the agent into the volume";
    fchmod(to, 0755);
    close(to);
    close(from);
    return NULL;
}

static const char* start_listening(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, AGENT_SOCKET);
    listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr*)&address, sizeof address) || chmod(AGENT_SOCKET, 0666) ||
        chmod("/.rogate", 0755) || listen(listener, 16))
        return "opening the tracers' socket";
    return NULL;
}

int relay(size_t bytes) {
    struct utsname kernel;
    int major = 0, minor = 0;
    const char* failed;
    ring_bytes = bytes;
    put_magic();
    failed = put_agent();
    if (!failed) failed = start_listening();
    uname(&kernel);
    sscanf(kernel.release, "%d.%d", &major, &minor);
    if (!failed && (major < 5 || (major == 5 && minor < 3))) {
        failed = "the ptrace observer needs a kernel from 5.3 on";
        errno = ENOSYS;
    }
    if (failed) {
        char text[256];
        snprintf(text, sizeof text, "%s: %s", failed, strerror(errno));
        frame_begin(FRAME_ERROR, 0);
        frame_text(text);
        frame_end();
        flush_output();
        return 1;
    }
    frame_begin(FRAME_HELLO, 0);
    frame_text(put_capabilities() ? "seccomp filter, fanotify or inotify; io_uring refused to the subject"
                                  : "seccomp filter, fanotify or inotify; io_uring refused to the subject; "
                                    "setuid programs only as root");
    frame_text(kernel.release);
    frame_end();
    flush_output();
    for (;;) {
        struct pollfd input = {STDIN_FILENO, POLLIN, 0};
        pump(5);
        if (poll(&input, 1, 5) > 0 && !read_commands()) return 0;
        flush_output();
    }
}
