#include "output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../protocol.h"

static unsigned char buffer[256 * 1024];
static size_t used, frame_start;

void flush_output(void) {
    size_t done = 0;
    while (done < used) {
        ssize_t n = write(STDOUT_FILENO, buffer + done, used - done);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) exit(1);
        done += (size_t)n;
    }
    used = 0;
}

static void append(const void* bytes, size_t size) {
    memcpy(buffer + used, bytes, size);
    used += size;
}

void put_magic(void) {
    uint16_t version = PROTOCOL_VERSION;
    append(PROTOCOL_MAGIC, strlen(PROTOCOL_MAGIC));
    append(&version, sizeof version);
}

void frame_begin(uint16_t type, uint16_t slot) {
    struct frame_header header = {0, type, slot};
    if (used + PROTOCOL_MAX_FRAME + sizeof header > sizeof buffer) flush_output();
    frame_start = used;
    append(&header, sizeof header);
}

void frame_bytes(const void* bytes, size_t size) {
    append(bytes, size);
}

void frame_text(const char* text) {
    size_t size = strlen(text);
    uint16_t length;
    if (size > 9000) size = 9000;
    length = (uint16_t)size;
    append(&length, sizeof length);
    append(text, size);
}

void frame_end(void) {
    struct frame_header header;
    memcpy(&header, buffer + frame_start, sizeof header);
    header.length = (uint32_t)(used - frame_start - sizeof header);
    memcpy(buffer + frame_start, &header, sizeof header);
}
