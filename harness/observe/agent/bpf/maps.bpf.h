/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the agent does to the maps, where bpf(2) would keep programs from running (interrupted.h). */

static __always_inline long on_one(void* map, struct map_call* call, __u32 value_size) {
    char key[sizeof call->key], value[sizeof call->value];
    void* found;
    __builtin_memcpy(key, call->key, sizeof key);
    __builtin_memcpy(value, call->value, sizeof value);
    if (call->doing == MAP_UPDATE) return bpf_map_update_elem(map, key, value, call->flags);
    if (call->doing == MAP_DELETE) return bpf_map_delete_elem(map, key);
    found = bpf_map_lookup_elem(map, key);
    if (!found) return -ENOENT;
    __builtin_memcpy(value, found, value_size);
    __builtin_memcpy(call->value, value, sizeof value);
    return 0;
}

SEC("syscall")
int on_map(struct map_call* call) {
    switch (call->map) {
        case MAP_CONTAINERS:
            call->result = on_one(&containers, call, sizeof(__u32));
            break;
        case MAP_PROCESSES:
            call->result = on_one(&processes, call, sizeof(struct process));
            break;
        case MAP_ATTEMPTS:
            call->result = on_one(&attempts, call, sizeof(struct attempt_count));
            break;
        case MAP_USES:
            call->result = on_one(&uses, call, sizeof(struct use_count));
            break;
        case MAP_MADE:
            call->result = on_one(&made, call, sizeof(__u8));
            break;
        case MAP_CHECKS:
            call->result = on_one(&checks, call, sizeof(__u64));
            break;
    }
    return 0;
}
