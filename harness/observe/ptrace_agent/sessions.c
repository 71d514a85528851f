#define _GNU_SOURCE
#include "sessions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../agent/output.h"
#include "../protocol.h"
#include "agent.h"

#define MAX_WATCHES 65536
#define AMBIGUOUS 255
/* Then a mount is watched no longer: an open of what is watched costs the subject about a quarter more. Opens
 * of one file that nobody has looked at are one to inotify (fs/notify/inotify/inotify_fsnotify.c:
 * event_compare), so that a program which opens the same one all the time comes to few uses: it is let go
 * after so many looks that found any. */
#define ENOUGH_USES 64
#define ENOUGH_LOOKS 8

struct session sessions[MAX_SESSIONS];
size_t session_count, ring_bytes;
static char* wanted_proofs[MAX_PROOFS]; /* for each start to come */
size_t wanted_count;
uint32_t phase;
const char* refused = "";

static size_t account_bytes(void) {
    return sizeof(struct account) + ring_bytes;
}

void reply(unsigned int number, int status, int value, const char* text) {
    const struct frame_reply answer = {number, status, value, 0};
    frame_begin(FRAME_REPLY, 0);
    frame_bytes(&answer, sizeof answer);
    frame_text(text);
    frame_end();
}

/* ---- what tracers note ---- */

static char* text_at(const unsigned char* payload, size_t size, size_t* at) {
    uint16_t length = 0;
    if (*at + sizeof length <= size) memcpy(&length, payload + *at, sizeof length);
    *at += sizeof length;
    char* text = *at + length <= size ? strndup((const char*)payload + *at, length) : strdup("");
    *at += length;
    return text;
}

/* The mount at that point; made if it is not known. SIZE_MAX: there are too many. */
static size_t watched_at(struct session* session, char* point) {
    size_t i = 0;
    while (i < session->mount_count && strcmp(session->mounts[i]->point, point)) i++;
    if (i < session->mount_count || i == AMBIGUOUS - 1) {
        free(point);
        return i < session->mount_count ? i : SIZE_MAX;
    }
    session->mounts[i] = calloc(1, sizeof **session->mounts);
    session->mounts[i]->point = point;
    session->mounts[i]->place = -1;
    session->mount_count++;
    return i;
}

/* u32 watch descriptor or place, text: mount point. */
static void note_mount(struct session* session, bool is_place, const unsigned char* payload, size_t size) {
    uint32_t number;
    size_t at = sizeof number;
    if (size < sizeof number) return;
    memcpy(&number, payload, sizeof number);
    const size_t mount = watched_at(session, text_at(payload, size, &at));
    if (mount == SIZE_MAX) return;
    if (is_place) {
        if (number < ACCOUNT_PLACES) session->mounts[mount]->place = (int)number;
    } else if (number < MAX_WATCHES) {
        /* One directory at two places: which of them is used cannot be told. */
        unsigned char* known = &session->watch_mount[number];
        *known = *known && *known != mount + 1 ? AMBIGUOUS : (unsigned char)(mount + 1);
    }
}

static void note_proof(struct session* session, const unsigned char* payload, size_t size) {
    struct proof* proof = &session->proofs[session->proof_count];
    uint32_t outcome;
    size_t at = sizeof outcome;
    if (session->proof_count == MAX_PROOFS || size < sizeof outcome) return;
    memcpy(&outcome, payload, sizeof outcome);
    proof->outcome = (int)outcome;
    proof->path = text_at(payload, size, &at);
    proof->why = text_at(payload, size, &at);
    session->proof_count++;
}

static void take_frames(struct session* session) {
    static unsigned char frame[PROTOCOL_MAX_FRAME + sizeof(struct frame_header)];
    struct frame_header header;
    size_t size;
    while ((size = account_take(session->account, frame))) {
        memcpy(&header, frame, sizeof header);
        if (header.type == FRAME_WATCH || header.type == FRAME_PLACE) {
            note_mount(session, header.type == FRAME_PLACE, frame + sizeof header, header.length);
            continue;
        }
        if (header.type == FRAME_PROOF) {
            note_proof(session, frame + sizeof header, header.length);
            continue;
        }
        if (header.type == FRAME_REPLY) session->canary = 0;
        frame_begin(header.type, 0);
        frame_bytes(frame + sizeof header, size - sizeof header);
        frame_end();
    }
}

static void unwatch(struct session* session, size_t mount) {
    for (int watch = 0; watch < MAX_WATCHES; watch++)
        if (session->watch_mount[watch] == mount + 1) {
            inotify_rm_watch(session->queue, watch);
            session->watch_mount[watch] = 0;
        }
}

static void take_uses(struct session* session) {
    static uint64_t look;
    char buffer[65536] __attribute__((aligned(8)));
    ssize_t n;
    look++;
    while (session->queue >= 0 && (n = read(session->queue, buffer, sizeof buffer)) > 0)
        for (const char* at = buffer; at < buffer + n;) {
            const struct inotify_event* event = (const void*)at;
            at += sizeof *event + event->len;
            if (event->wd < 0 || event->wd >= MAX_WATCHES || !(event->mask & IN_OPEN) ||
                !session->watch_mount[event->wd] || session->watch_mount[event->wd] == AMBIGUOUS)
                continue;
            const size_t mount = session->watch_mount[event->wd] - 1u;
            struct watched* watched = session->mounts[mount];
            watched->uses++;
            if (watched->last_look != look) watched->looks++;
            watched->last_look = look;
            if (watched->uses == ENOUGH_USES || watched->looks == ENOUGH_LOOKS) unwatch(session, mount);
        }
}

void take_all(void) {
    for (size_t i = 0; i < session_count; i++) {
        take_frames(&sessions[i]);
        take_uses(&sessions[i]);
    }
}

/* ---- sessions ---- */

void end_sessions(void) {
    for (size_t i = 0; i < session_count; i++) {
        struct session* session = &sessions[i];
        if (session->socket >= 0) close(session->socket);
        if (session->queue >= 0) close(session->queue);
        munmap(session->account, account_bytes());
        for (size_t m = 0; m < session->mount_count; m++) {
            free(session->mounts[m]->point);
            free(session->mounts[m]);
        }
        for (size_t p = 0; p < session->proof_count; p++) {
            free(session->proofs[p].path);
            free(session->proofs[p].why);
        }
        free(session->canary_path);
        free(session->watch_mount);
    }
    memset(sessions, 0, sizeof sessions);
    session_count = 0;
    refused = "";
}

void begin_session(int connection) {
    struct session* session = &sessions[session_count];
    const int memory = session_count < MAX_SESSIONS ? memfd_create("rogate", MFD_CLOEXEC) : -1;
    if (memory < 0 || ftruncate(memory, (off_t)account_bytes())) {
        refused = "the subject was started more often than can be followed";
        close(connection);
        return;
    }
    session->account = mmap(NULL, account_bytes(), PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    session->account->ring_bytes = ring_bytes;
    session->account->phase = phase;
    session->account->session = (uint32_t)session_count + 1;
    session->watch_mount = calloc(MAX_WATCHES, 1);
    session->socket = connection;
    session->queue = -1;
    session_count++;
    send_descriptor(connection, 'm', memory);
    close(memory);
    for (size_t i = 0; i < wanted_count; i++) {
        char line[16384];
        const int n = snprintf(line, sizeof line, "prove %s", wanted_proofs[i]);
        send(connection, line, (size_t)n, MSG_NOSIGNAL);
    }
    /* Every run has a read-only mount: ours. */
    send(connection, "prove " AGENT_HOME, sizeof "prove " AGENT_HOME - 1, MSG_NOSIGNAL);
    send(connection, "begin", 5, MSG_NOSIGNAL);
}

struct proof* proof_of(struct session* session, const char* path) {
    for (size_t i = 0; i < session->proof_count; i++)
        if (!strcmp(session->proofs[i].path, path)) return &session->proofs[i];
    return NULL;
}

/* A subject that is gone takes the tracer with it. What was proven before it began holds, unless the tracer
 * was killed. */
void answer_by_proof(struct session* session, unsigned int number, const char* path) {
    struct proof* proof = proof_of(session, path);
    if (session->told || !proof) return reply(number, 0, CANARY_FAILED, "there is no tracer in the subject");
    proof->told = true;
    reply(number, 0, proof->outcome, proof->why);
}

void hear(struct session* session) {
    char tag;
    const int fd = receive_descriptor(session->socket, &tag);
    if (tag == 'q' && fd >= 0 && session->queue < 0) {
        session->queue = fd;
        return;
    }
    if (fd >= 0) close(fd);
    if (tag) return;
    /* The kernel ends the tracer when the container's first process has ended, which that one has said
     * before; without that, or our having been told, the tracer was killed, and the subject with it. */
    session->gone = true;
    if (!session->account->ended && !session->announced) session->told = true;
    close(session->socket);
    session->socket = -1;
    take_frames(session);
    /* What is opened from now on is opened by somebody else: by the engine, or by rogate, or by another
     * start. */
    take_uses(session);
    if (session->queue >= 0) close(session->queue);
    session->queue = -1;
    if (session->canary) answer_by_proof(session, session->canary, session->canary_path);
    session->canary = 0;
}

void want_proof(const char* path) {
    if (wanted_count < MAX_PROOFS) wanted_proofs[wanted_count++] = strdup(path);
}

void forget_wanted(void) {
    while (wanted_count) free(wanted_proofs[--wanted_count]);
}
