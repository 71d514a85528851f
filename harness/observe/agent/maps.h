/* The maps of the kernel's side as libbpf's functions of these names read and write them, without bpf(2) where that would keep
 * programs from running (interrupted.h). */
#ifndef ROGATE_AGENT_MAPS_H
#define ROGATE_AGENT_MAPS_H

#include <bpf/libbpf.h>

int map_lookup(const struct bpf_map* map, const void* key, size_t key_size, void* value, size_t value_size);
int map_update(const struct bpf_map* map, const void* key, size_t key_size, const void* value, size_t value_size,
               unsigned long long flags);
int map_delete(const struct bpf_map* map, const void* key, size_t key_size);

#endif
