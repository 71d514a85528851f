/* The relay: puts the agent into the volume that the subject mounts, takes what tracers note, and speaks protocol.h with
 * rogate. It touches no process of the subject's. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
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

#define MAX_SESSIONS 64
#define MAX_WATCHES 65536
/* Then a mount is watched no longer: an open of what is watched costs the subject about a quarter more. Opens
 * of one file that nobody has looked at are one to inotify (fs/notify/inotify/inotify_fsnotify.c: event_compare), so that a program
 * which opens the same one all the time comes to few uses: it is let go after so many looks that found any. */
#define ENOUGH_USES 64
#define ENOUGH_LOOKS 8

struct watched {
    char *point;
    uint64_t uses, last_look;
    unsigned int looks;
};
/* One start of the container. */
struct session {
    int socket, queue;
    bool announced; /* rogate is about to end it */
    bool gone, told;
    struct account *account;
    struct watched *mounts[256];
    size_t mount_count;
    unsigned char *watch_mount; /* watch descriptor -> mount + 1 */
};

static struct session sessions[MAX_SESSIONS];
static size_t session_count, account_bytes, ring_bytes;
static uint32_t phase;
static const char *refused = "";

static void reply(unsigned int number, int status, int value, const char *text) {
    const struct frame_reply answer = {number, status, value, 0};
    frame_begin(FRAME_REPLY, 0);
    frame_bytes(&answer, sizeof answer);
    frame_text(text);
    frame_end();
}

/* ---- what tracers note -------------------------------------------------------------------------------------------- */

static void note_watch(struct session *session, const unsigned char *payload) {
    uint32_t watch;
    uint16_t size;
    char point[9001];
    size_t i;
    memcpy(&watch, payload, sizeof watch);
    memcpy(&size, payload + 4, sizeof size);
    if (size >= sizeof point || watch >= MAX_WATCHES) return;
    memcpy(point, payload + 6, size);
    point[size] = 0;
    for (i = 0; i < session->mount_count && strcmp(session->mounts[i]->point, point); i++) continue;
    if (i == session->mount_count) {
        if (i == 255) return;
        session->mounts[i] = calloc(1, sizeof **session->mounts);
        session->mounts[i]->point = strdup(point);
        session->mount_count++;
    }
    session->watch_mount[watch] = (unsigned char)(i + 1);
}

static void take_frames(struct session *session) {
    static unsigned char frame[PROTOCOL_MAX_FRAME + sizeof(struct frame_header)];
    struct frame_header header;
    size_t size;
    while ((size = account_take(session->account, frame))) {
        memcpy(&header, frame, sizeof header);
        if (header.type == FRAME_WATCH) {
            if (header.length >= 6) note_watch(session, frame + sizeof header);
            continue;
        }
        frame_begin(header.type, 0);
        frame_bytes(frame + sizeof header, size - sizeof header);
        frame_end();
    }
}

static void unwatch(struct session *session, size_t mount) {
    for (int watch = 0; watch < MAX_WATCHES; watch++)
        if (session->watch_mount[watch] == mount + 1) {
            inotify_rm_watch(session->queue, watch);
            session->watch_mount[watch] = 0;
        }
}

static void take_uses(struct session *session) {
    static uint64_t look;
    char buffer[65536] __attribute__((aligned(8)));
    ssize_t n;
    look++;
    while (session->queue >= 0 && (n = read(session->queue, buffer, sizeof buffer)) > 0)
        for (const char *at = buffer; at < buffer + n;) {
            const struct inotify_event *event = (const void *)at;
            at += sizeof *event + event->len;
            if (event->wd < 0 || event->wd >= MAX_WATCHES || !(event->mask & IN_OPEN) || !session->watch_mount[event->wd]) continue;
            const size_t mount = session->watch_mount[event->wd] - 1u;
            struct watched *watched = session->mounts[mount];
            watched->uses++;
            if (watched->last_look != look) watched->looks++;
            watched->last_look = look;
            if (watched->uses == ENOUGH_USES || watched->looks == ENOUGH_LOOKS) unwatch(session, mount);
        }
}

static void take_all(void) {
    for (size_t i = 0; i < session_count; i++) {
        take_frames(&sessions[i]);
        take_uses(&sessions[i]);
    }
}

/* ---- sessions ----------------------------------------------------------------------------------------------------- */

static void end_sessions(void) {
    for (size_t i = 0; i < session_count; i++) {
        struct session *session = &sessions[i];
        if (session->socket >= 0) close(session->socket);
        if (session->queue >= 0) close(session->queue);
        munmap(session->account, account_bytes);
        for (size_t m = 0; m < session->mount_count; m++) {
            free(session->mounts[m]->point);
            free(session->mounts[m]);
        }
        free(session->watch_mount);
    }
    memset(sessions, 0, sizeof sessions);
    session_count = 0;
    refused = "";
}

static void begin_session(int connection) {
    struct session *session = &sessions[session_count];
    const int memory = session_count < MAX_SESSIONS ? memfd_create("rogate", MFD_CLOEXEC) : -1;
    if (memory < 0 || ftruncate(memory, (off_t)account_bytes)) {
        refused = "the subject was started more often than can be followed";
        close(connection);
        return;
    }
    session->account = mmap(NULL, account_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    session->account->ring_bytes = ring_bytes;
    session->account->phase = phase;
    session->account->session = (uint32_t)session_count + 1;
    session->watch_mount = calloc(MAX_WATCHES, 1);
    session->socket = connection;
    session->queue = -1;
    session_count++;
    send_descriptor(connection, 'm', memory);
    close(memory);
}

static void hear(struct session *session) {
    char tag;
    const int fd = receive_descriptor(session->socket, &tag);
    if (tag == 'q' && fd >= 0 && session->queue < 0) {
        session->queue = fd;
        return;
    }
    if (fd >= 0) close(fd);
    if (tag) return;
    /* The kernel ends the tracer when the container's first process has ended, which that one has said before; without that,
     * or our having been told, the tracer was killed, and the subject with it. */
    session->gone = true;
    if (!session->account->ended && !session->announced) session->told = true;
    close(session->socket);
    session->socket = -1;
}

static struct session *current(void) {
    struct session *last = session_count ? &sessions[session_count - 1] : NULL;
    return last && !last->gone ? last : NULL;
}

/* ---- commands ----------------------------------------------------------------------------------------------------- */

static void pump(int milliseconds);

static void unescape_percent(char *text) {
    char *to = text;
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

static void command_canary(unsigned int number, char *path) {
    char line[16384];
    unescape_percent(path);
    /* The engine says "started" when the runtime has been told to go on; the agent's first line can come a moment later. */
    for (int tries = 0; tries < 250 && !session_count; tries++) pump(20);
    if (!current()) return reply(number, 0, CANARY_FAILED, "there is no tracer in the subject");
    const int n = snprintf(line, sizeof line, "canary %u %s", number, path);
    if (send(current()->socket, line, (size_t)n, MSG_NOSIGNAL) != n) reply(number, 0, CANARY_FAILED, "the tracer does not answer");
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
        struct session *session = &sessions[i];
        const uint64_t base = (uint64_t)(i + 1) << 32;
        for (uint64_t at = 0; at < ACCOUNT_ATTEMPTS; at++)
            if (session->account->counts[at] > 1) send_count(base | (at + 1), session->account->counts[at]);
        for (size_t m = 0; m < session->mount_count; m++) {
            if (!session->mounts[m]->uses) continue;
            frame_begin(FRAME_USE, 0);
            frame_bytes(&session->mounts[m]->uses, sizeof(uint64_t));
            frame_text(session->mounts[m]->point);
            frame_end();
        }
        stats.lost += session->account->lost;
        stats.attempts += session->account->attempts;
        if (session->told && !problem[0])
            snprintf(problem, sizeof problem, "the tracer in the subject was killed, and the subject with it");
        if (session->account->problem[0] && !problem[0])
            snprintf(problem, sizeof problem, "%.*s", ACCOUNT_PROBLEM - 1, session->account->problem);
    }
    frame_begin(FRAME_STATS, 0);
    frame_bytes(&stats, sizeof stats);
    frame_end();
    end_sessions();
    reply(number, problem[0] ? EIO : 0, 0, problem);
}

static void obey(char *line) {
    unsigned int number = 0, slot = 0;
    char verb[16] = "";
    int rest = 0;
    if (sscanf(line, "%u %15s %u %n", &number, verb, &slot, &rest) < 3) return reply(number, EINVAL, 0, "a command is NUMBER VERB SLOT …");
    if (!rest) rest = (int)strlen(line);
    if (!strcmp(verb, "canary")) return command_canary(number, line + rest);
    if (!strcmp(verb, "flush")) return command_flush(number);
    if (!strcmp(verb, "arm")) {
        end_sessions();
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

/* ---- start and loop ----------------------------------------------------------------------------------------------- */

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
    char *newline;
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

/* For subjects that do not run as root: permitted only, so that an exec does not fail where they may not be had. */
static bool put_capabilities(void) {
    const uint32_t wanted = 1u << CAP_SYS_PTRACE | 1u << CAP_SYS_ADMIN | 1u << CAP_DAC_READ_SEARCH | 1u << CAP_SETPCAP;
    const struct vfs_cap_data data = {.magic_etc = VFS_CAP_REVISION_2, .data = {{wanted, 0}, {0, 0}}};
    return !setxattr(AGENT_BINARY, "security.capability", &data, sizeof data, 0);
}

static const char *put_agent(void) {
    struct stat size;
    const int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), to = open(AGENT_BINARY, O_CREAT | O_WRONLY | O_CLOEXEC, 0755);
    off_t at = 0;
    if (from < 0 || to < 0 || fstat(from, &size)) return "copying the agent into the volume";
    while (at < size.st_size)
        if (sendfile(to, from, &at, (size_t)(size.st_size - at)) <= 0) return "copying the agent into the volume";
    fchmod(to, 0755);
    close(to);
    close(from);
    return NULL;
}

static const char *start_listening(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, AGENT_SOCKET);
    listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) || chmod(AGENT_SOCKET, 0666) ||
        chmod("/.rogate", 0755) || listen(listener, 16))
        return "opening the tracers' socket";
    return NULL;
}

int relay(size_t bytes) {
    struct utsname kernel;
    int major = 0, minor = 0;
    const char *failed;
    ring_bytes = bytes;
    account_bytes = sizeof(struct account) + bytes;
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
    frame_text(put_capabilities() ? "seccomp filter, inotify; io_uring refused to the subject"
                                  : "seccomp filter, inotify; io_uring refused to the subject; setuid programs only as root");
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
