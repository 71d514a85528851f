/* Paths in lines of text: bytes up to the space, 0x7f and the backslash are written as \ and three octal
   digits, as in /proc/PID/mountinfo. */
#ifndef ROGATE_ESCAPED_H
#define ROGATE_ESCAPED_H

#include <stdio.h>

static inline void put_escaped(const char* path) {
    for (const unsigned char* each = (const unsigned char*)path; *each; each++)
        printf(*each <= ' ' || *each == 0x7f || *each == '\\' ? "\\%03o" : "%c", *each);
}

#endif
