#include "account.h"

#include <string.h>

#include "../protocol.h"

static void copy_in(struct account* account, uint64_t at, const void* bytes, size_t size) {
    const uint64_t mask = account->ring_bytes - 1, start = at & mask;
    const size_t first = size < account->ring_bytes - start ? size : (size_t)(account->ring_bytes - start);
    memcpy(account->ring + start, bytes, first);
    memcpy(account->ring, (const char*)bytes + first, size - first);
}

static void copy_out(const struct account* account, uint64_t at, void* bytes, size_t size) {
    const uint64_t mask = account->ring_bytes - 1, start = at & mask;
    const size_t first = size < account->ring_bytes - start ? size : (size_t)(account->ring_bytes - start);
    memcpy(bytes, account->ring + start, first);
    memcpy((char*)bytes + first, account->ring, size - first);
}

int account_put(struct account* account, uint16_t type, const void* fixed, size_t fixed_size, const char* const* texts,
                size_t text_count) {
    struct frame_header header = {(uint32_t)fixed_size, type, 0};
    uint64_t at = account->head;
    for (size_t i = 0; i < text_count; i++) header.length += (uint32_t)(sizeof(uint16_t) + strnlen(texts[i], 9000));
    if (sizeof header + header.length > account->ring_bytes - (at - __atomic_load_n(&account->tail, __ATOMIC_ACQUIRE)))
        return 0;
    copy_in(account, at, &header, sizeof header);
    at += sizeof header;
    copy_in(account, at, fixed, fixed_size);
    at += fixed_size;
    for (size_t i = 0; i < text_count; i++) {
        const uint16_t size = (uint16_t)strnlen(texts[i], 9000);
        copy_in(account, at, &size, sizeof size);
        copy_in(account, at + sizeof size, texts[i], size);
        at += sizeof size + size;
    }
    __atomic_store_n(&account->head, at, __ATOMIC_RELEASE);
    return 1;
}

void account_problem(struct account* account, const char* text) {
    if (account->problem[0]) return;
    strncpy(account->problem + 1, text + 1, sizeof account->problem - 2);
    account->problem[0] = text[0];
}

void account_lose(struct account* account, const char* why) {
    account->lost++;
    account_problem(account, why);
}

size_t account_take(struct account* account, unsigned char* frame) {
    struct frame_header header;
    const uint64_t head = __atomic_load_n(&account->head, __ATOMIC_ACQUIRE), tail = account->tail;
    /* The tracer writes here too, so what it says is not believed. */
    if (head - tail < sizeof header || head - tail > account->ring_bytes) return 0;
    copy_out(account, tail, &header, sizeof header);
    if (header.length > PROTOCOL_MAX_FRAME || sizeof header + header.length > head - tail) return 0;
    copy_out(account, tail, frame, sizeof header + header.length);
    __atomic_store_n(&account->tail, tail + sizeof header + header.length, __ATOMIC_RELEASE);
    return sizeof header + header.length;
}
