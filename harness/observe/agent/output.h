/* Frames on standard output. */
#ifndef ROGATE_AGENT_OUTPUT_H
#define ROGATE_AGENT_OUTPUT_H

#include <stddef.h>
#include <stdint.h>

void put_magic(void);
void frame_begin(uint16_t type, uint16_t slot);
void frame_bytes(const void* bytes, size_t size);
void frame_text(const char* text);
void frame_end(void);
/* Ends the agent when nobody reads any more. */
void flush_output(void);

#endif
