#include "maps.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "programs.h"
#include "shared.h"

/* 0: not one of those that the program knows. */
static unsigned int number_of(const struct bpf_map* map) {
    const struct bpf_map* const known[] = {
        [MAP_CONTAINERS] = programs->maps.containers,
        [MAP_PROCESSES] = programs->maps.processes,
        [MAP_ATTEMPTS] = programs->maps.attempts,
        [MAP_USES] = programs->maps.uses,
        [MAP_MADE] = programs->maps.made,
        [MAP_CHECKS] = programs->maps.checks,
    };
    for (unsigned int i = 1; programs->rodata->interrupted && i < sizeof known / sizeof *known; i++)
        if (known[i] == map) return i;
    return 0;
}

static int run(struct map_call* call) {
    LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = call, .ctx_size_in = sizeof *call);
    const int error = bpf_prog_test_run_opts(bpf_program__fd(programs->progs.on_map), &options);
    if (!error && !call->result) return 0;
    errno = error ? -error : (int)-call->result;
    return -errno;
}

int map_lookup(const struct bpf_map* map, const void* key, size_t key_size, void* value, size_t value_size) {
    struct map_call call = {.map = number_of(map), .doing = MAP_LOOKUP};
    int error;
    if (!call.map) return bpf_map__lookup_elem(map, key, key_size, value, value_size, 0);
    memcpy(call.key, key, key_size);
    error = run(&call);
    if (!error) memcpy(value, call.value, value_size);
    return error;
}

int map_update(const struct bpf_map* map, const void* key, size_t key_size, const void* value, size_t value_size,
               unsigned long long flags) {
    struct map_call call = {.map = number_of(map), .doing = MAP_UPDATE, .flags = flags};
    if (!call.map) return bpf_map__update_elem(map, key, key_size, value, value_size, flags);
    memcpy(call.key, key, key_size);
    memcpy(call.value, value, value_size);
    return run(&call);
}

int map_delete(const struct bpf_map* map, const void* key, size_t key_size) {
    struct map_call call = {.map = number_of(map), .doing = MAP_DELETE};
    if (!call.map) return bpf_map__delete_elem(map, key, key_size, 0);
    memcpy(call.key, key, key_size);
    return run(&call);
}
