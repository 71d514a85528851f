/* Paths in lines of text: bytes up to the space, 0x7f and the backslash are written as \ and three octal
   digits, as in /proc/PID/mountinfo. */
#ifndef ROGATE_ESCAPED_H
#define ROGATE_ESCAPED_H

#include <stdio.h>

static inline void put_escaped(const char* path) {
    for (const unsigned char* each = (const unsigned char*)path; *each; each++)
        printf(*each <= ' ' || *each == 0x7f || *each == '\\' ? "\\%03o" : "%c", *each);
}

/* In place. */
static inline void unescape(char* text) {
    char* to = text;
    for (const char* from = text; *from; to++) {
        if (*from == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' && from[2] <= '7' &&
            from[3] >= '0' && from[3] <= '7') {
            *to = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
            from += 4;
        } else {
            *to = *from++;
        }
    }
    *to = 0;
}

#endif
