#define _GNU_SOURCE
#include "checks.h"

#include <bpf/libbpf.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "../protocol.h"
#include "arch.h"
#include "call_names.h"
#include "maps.h"
#include "output.h"
#include "programs.h"
#include "shared.h"

uint64_t lost_checks_now(void) {
    return programs->bss->lost_checks + missed_checks(programs);
}

static void send_check(const struct check_key* key, uint64_t count) {
    const struct frame_capability frame = {
        .count = count,
        .phase = key->phase,
        .root = key->root,
        .uid = key->uid,
        .capability = key->capability,
        .error = key->error,
    };
    const int number = key->number & ~CHECK_COMPAT;
    char comm[NAME_SIZE + 1], call[48];
    memcpy(comm, key->comm, NAME_SIZE);
    comm[NAME_SIZE] = 0;
    if (key->number & CHECK_COMPAT)
        snprintf(call, sizeof call, "%s call %d", COMPAT_NAME, number);
    else if (name_of_call(number))
        snprintf(call, sizeof call, "%s", name_of_call(number));
    else
        snprintf(call, sizeof call, "call %d", number);
    frame_begin(FRAME_CAPABILITY, (uint16_t)key->slot);
    frame_bytes(&frame, sizeof frame);
    frame_text(comm);
    frame_text(call);
    frame_end();
}

void send_checks(unsigned int slot, uint64_t lost) {
    struct frame_checks end = {.lost = lost, .audited_only = sees_audited_alone()};
    struct check_key key, next;
    __u64 count;
    int more;
    if (!sees_checks()) return;
    more = bpf_map__get_next_key(programs->maps.checks, NULL, &next, sizeof next);
    while (!more) {
        key = next;
        more = bpf_map__get_next_key(programs->maps.checks, &key, &next, sizeof next);
        if (key.slot != slot) continue;
        if (!map_lookup(programs->maps.checks, &key, sizeof key, &count, sizeof count)) send_check(&key, count);
        map_delete(programs->maps.checks, &key, sizeof key);
    }
    frame_begin(FRAME_CHECKS, (uint16_t)slot);
    frame_bytes(&end, sizeof end);
    frame_end();
}
