#define _GNU_SOURCE
#include "paths.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void path_normalise(char* path) {
    const char* from = path;
    char* to = path;
    while (*from) {
        const size_t slashes = strspn(from, "/"), size = strcspn(from + slashes, "/");
        const char* part = from + slashes;
        from = part + size;
        if (!size || (size == 1 && part[0] == '.')) continue;
        if (size == 2 && part[0] == '.' && part[1] == '.') {
            while (to > path && *--to != '/') continue;
            continue;
        }
        *to++ = '/'; /* never past what is read: there was a slash before each part */
        memmove(to, part, size);
        to += size;
    }
    if (to == path) *to++ = '/';
    *to = 0;
}

bool path_is_within(const char* path, const char* place) {
    const size_t size = strcmp(place, "/") ? strlen(place) : 0;
    return !strncmp(path, place, size) && (path[size] == '/' || !path[size]);
}

const char* path_below(const char* path, const char* place) {
    return path + (strcmp(place, "/") ? strlen(place) : 0);
}

bool path_split_last(char* path, char* last) {
    size_t size = strlen(path);
    char* slash;
    const char* name;
    while (size > 1 && path[size - 1] == '/') path[--size] = 0;
    slash = strrchr(path, '/');
    name = slash ? slash + 1 : path;
    if (!*name || strlen(name) > NAME_MAX || !strcmp(name, "..") || !strcmp(name, ".")) return false;
    strcpy(last, name);
    if (!slash)
        strcpy(path, ".");
    else
        slash[slash == path ? 1 : 0] = 0;
    return true;
}

bool path_of_fd(int fd, char* out, size_t size) {
    char link[64];
    ssize_t n;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = readlink(link, out, size - 1);
    if (n <= 0 || out[0] != '/') return false;
    out[n] = 0;
    return true;
}

void path_unescape(char* text) {
    char* to = text;
    for (; *text; text++) {
        if (text[0] == '\\' && text[1] && text[2] && text[3]) {
            *to++ = (char)((text[1] - '0') * 64 + (text[2] - '0') * 8 + (text[3] - '0'));
            text += 3;
        } else {
            *to++ = *text;
        }
    }
    *to = 0;
}

bool read_mount_line(char* line, struct mount_line* out) {
    int start = 0, end = 0, options = 0;
    const char *dash, *super;
    if (sscanf(line, "%u %*u %*s %*s %n%*s%n %n", &out->id, &start, &end, &options) < 1 || !options) return false;
    /* The mount's own options, and after the dash the file system's: type, source, options. */
    dash = strstr(line + options, " - ");
    super = dash ? strchr(dash + 3, ' ') : NULL;
    super = super ? strchr(super + 1, ' ') : NULL;
    out->whole_read_only =
        super && (!strncmp(super + 1, "ro,", 3) || !strncmp(super + 1, "ro\n", 3) || !strcmp(super + 1, "ro"));
    out->read_only = out->whole_read_only || !strncmp(line + options, "ro,", 3) || !strncmp(line + options, "ro ", 3);
    line[end] = 0;
    path_unescape(line + start);
    out->point = line + start;
    return true;
}
