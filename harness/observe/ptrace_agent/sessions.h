/* The relay's side of each start of the container: what its tracer notes, proves and counts. */
#ifndef ROGATE_PTRACE_SESSIONS_H
#define ROGATE_PTRACE_SESSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "account.h"

#define MAX_SESSIONS 64
#define MAX_PROOFS 256

struct watched {
    char* point;
    int place; /* what the tracer counts by itself; -1: it does not */
    uint64_t uses, last_look;
    unsigned int looks;
};
/* A canary that was written before the subject's first instruction. */
struct proof {
    char *path, *why;
    int outcome;
    bool told; /* to rogate; what it asks for after that is written anew */
};
/* One start of the container. */
struct session {
    int socket, queue;
    bool announced; /* rogate is about to end it */
    bool gone, told;
    struct proof proofs[MAX_PROOFS];
    size_t proof_count;
    unsigned int canary; /* the number of the command whose canary is under way; 0: there is none */
    char* canary_path;
    struct account* account;
    struct watched* mounts[256];
    size_t mount_count;
    unsigned char* watch_mount; /* watch descriptor -> mount + 1 */
};

extern struct session sessions[MAX_SESSIONS];
extern size_t session_count;
extern size_t ring_bytes;   /* of an account */
extern uint32_t phase;      /* of what comes from now on */
extern const char* refused; /* why a start of the container was not followed; empty: all were */
extern size_t wanted_count;

/* Answers a command of rogate's. */
void reply(unsigned int number, int status, int value, const char* text);
/* A tracer has connected. */
void begin_session(int connection);
/* It says something, or is gone. */
void hear(struct session* session);
/* Takes in what the tracers have noted by now. */
void take_all(void);
void end_sessions(void);
/* Each start of the container is to prove that a write on `path` is refused and seen. */
void want_proof(const char* path);
void forget_wanted(void);
/* NULL: there is none. */
struct proof* proof_of(struct session* session, const char* path);
void answer_by_proof(struct session* session, unsigned int number, const char* path);

#endif
