#include "notes.h"

#include <stddef.h>
#include <string.h>

#include "../agent/calls.h"
#include "../agent/clock.h"
#include "../protocol.h"
#include "flags.h"
#include "process.h"

static uint64_t hash_bytes(uint64_t hash, const void* bytes, size_t size) { /* FNV-1a */
    const unsigned char* at = bytes;
    while (size--) hash = (hash ^ *at++) * 0x100000001b3ULL;
    return hash;
}

static struct { uint64_t key, check; } known[ACCOUNT_ATTEMPTS];

void note_attempt(struct account* account, const struct thread* thread, const struct where* where, int error,
                  uint32_t flags) {
    struct frame_attempt attempt = {.phase = account->phase,
                                    .root = thread->root,
                                    .error = error,
                                    .open_flags = thread->call.open_flags,
                                    .mount_id = where->mount_id};
    const char* texts[5] = {thread->comm, thread->exe, call_name(thread->call.number), where->path, where->mount};
    uint64_t key, check;
    size_t at, tries;
    attempt.flags = flags_of(&thread->call, where, error) | flags;
    key = hash_bytes(0xcbf29ce484222325ULL, &attempt, sizeof attempt);
    check = hash_bytes(0x9e3779b97f4a7c15ULL, &attempt, sizeof attempt);
    for (int i = 0; i < 5; i++) {
        key = hash_bytes(key, texts[i], strlen(texts[i]) + 1);
        check = hash_bytes(check, texts[i], strlen(texts[i]) + 1);
    }
    if (!key) key = 1;
    for (at = key % ACCOUNT_ATTEMPTS, tries = 0; known[at].key && tries < ACCOUNT_ATTEMPTS;
         at = (at + 1) % ACCOUNT_ATTEMPTS, tries++)
        if (known[at].key == key && known[at].check == check) {
            account->counts[at]++;
            return;
        }
    if (tries == ACCOUNT_ATTEMPTS)
        return account_lose(account, "more kinds of attempts were made than can be kept apart");
    read_status(thread->tid, &attempt);
    attempt.time = now_ns(); /* no part of what makes two of them equal */
    attempt.id = ((uint64_t)account->session << 32) | (at + 1);
    if (!account_put(account, FRAME_ATTEMPT, &attempt, sizeof attempt, texts, 5)) {
        account->lost++;
        return;
    }
    known[at].key = key;
    known[at].check = check;
    account->counts[at] = 1;
    account->attempts++;
}
