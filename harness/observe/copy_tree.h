/* Copies data within one container, with all that belongs to them: owner, mode, times to the nanosecond,
   extended attributes, access control lists, hard links, FIFOs, sockets and devices. The engine's archives
   have owner, mode and times alone. */
#ifndef ROGATE_COPY_TREE_H
#define ROGATE_COPY_TREE_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

static uint64_t copy_left;  /* bytes */
static dev_t copied_device; /* what is mounted below the source is not its data */
static struct hard_link {
    ino_t inode;
    char* path;
} * hard_links;
static size_t hard_link_count;

static inline int copy_failed(const char* what, const char* path) {
    printf("failed %s %s: %s\n", what, path, strerror(errno));
    return -1;
}

/* Attributes that the file system of the copy does not take are an error: the copy would be another. A
   security module's label is the engine's to give; the overlays' own are none of the data's. */
static inline int copy_attributes(const char* from, const char* to, const struct stat* state) {
    static char names[65536], value[65536];
    const struct timespec times[2] = {state->st_atim, state->st_mtim};
    const ssize_t size = llistxattr(from, names, sizeof names);
    if (lchown(to, state->st_uid, state->st_gid)) return copy_failed("chown", to);
    if (!S_ISLNK(state->st_mode) && chmod(to, state->st_mode & 07777)) return copy_failed("chmod", to);
    if (size < 0 && errno != ENOTSUP) return copy_failed("listxattr", from);
    for (ssize_t at = 0; at < size; at += (ssize_t)strlen(names + at) + 1) {
        const char* name = names + at;
        if (!strcmp(name, "security.selinux") || !strncmp(name, "trusted.overlay.", 16)) continue;
        const ssize_t length = lgetxattr(from, name, value, sizeof value);
        if (length < 0) return copy_failed("getxattr", from);
        if (lsetxattr(to, name, value, (size_t)length, 0)) return copy_failed("setxattr", to);
    }
    return utimensat(AT_FDCWD, to, times, AT_SYMLINK_NOFOLLOW) ? copy_failed("utimensat", to) : 0;
}

static inline int copy_content(const char* from, const char* to, const struct stat* state) {
    int in, out, failed = 0;
    if ((uint64_t)state->st_size > copy_left) return puts("too large"), -1;
    copy_left -= (uint64_t)state->st_size;
    in = open(from, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (in < 0) return copy_failed("open", from);
    out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (out < 0) failed = copy_failed("create", to);
    for (off_t done = 0; !failed && done < state->st_size;) {
        const ssize_t size = sendfile(out, in, NULL, (size_t)(state->st_size - done));
        if (size < 0) failed = copy_failed("write", to);
        if (size <= 0) break; /* it has become shorter */
        done += size;
    }
    close(in);
    if (out >= 0 && close(out)) failed = copy_failed("write", to);
    return failed;
}

static inline int copy_one(const char* from, const char* to);

static inline int copy_folder(const char* from, const char* to) {
    char inner_from[PATH_MAX], inner_to[PATH_MAX];
    int failed = 0;
    DIR* folder = opendir(from);
    if (!folder) return copy_failed("open", from);
    if (mkdir(to, 0700) && errno != EEXIST) failed = copy_failed("mkdir", to);
    for (struct dirent* each; !failed && (each = readdir(folder));) {
        if (!strcmp(each->d_name, ".") || !strcmp(each->d_name, "..")) continue;
        if (snprintf(inner_from, sizeof inner_from, "%s/%s", from, each->d_name) >= PATH_MAX ||
            snprintf(inner_to, sizeof inner_to, "%s/%s", to, each->d_name) >= PATH_MAX) {
            errno = ENAMETOOLONG;
            failed = copy_failed("open", from);
        } else {
            failed = copy_one(inner_from, inner_to);
        }
    }
    closedir(folder);
    return failed;
}

static inline int copy_node(const char* from, const char* to, const struct stat* state) {
    char target[PATH_MAX];
    ssize_t size;
    switch (state->st_mode & S_IFMT) {
        case S_IFDIR:
            return copy_folder(from, to);
        case S_IFREG:
            return copy_content(from, to, state);
        case S_IFLNK:
            size = readlink(from, target, sizeof target - 1);
            if (size < 0) return copy_failed("readlink", from);
            target[size] = 0;
            return symlink(target, to) ? copy_failed("symlink", to) : 0;
        default:
            return mknod(to, state->st_mode, state->st_rdev) ? copy_failed("mknod", to) : 0;
    }
}

static inline int copy_one(const char* from, const char* to) {
    struct stat state;
    if (lstat(from, &state)) return errno == ENOENT ? 0 : copy_failed("stat", from); /* gone meanwhile */
    if (state.st_dev != copied_device) return S_ISDIR(state.st_mode) ? (mkdir(to, 0755), 0) : 0;
    if (state.st_nlink > 1 && !S_ISDIR(state.st_mode)) {
        for (size_t i = 0; i < hard_link_count; i++)
            if (hard_links[i].inode == state.st_ino)
                return link(hard_links[i].path, to) ? copy_failed("link", to) : 0;
        struct hard_link* more = realloc(hard_links, (hard_link_count + 1) * sizeof *hard_links);
        if (!more) return copy_failed("link", from);
        hard_links = more;
        hard_links[hard_link_count++] = (struct hard_link){state.st_ino, strdup(to)};
    }
    if (copy_node(from, to, &state)) return -1;
    return copy_attributes(from, to, &state);
}

/* "copy LIMIT FROM TO …": the trees, with at most LIMIT bytes in all. "like FROM TO …": the attributes of
   these alone. The last line is "end"; what went wrong stands before it, or it is missing. */
static inline int copy_trees(unsigned long long limit, int count, char** paths) {
    copy_left = limit;
    for (int i = 0; i + 1 < count; i += 2) {
        struct stat state;
        if (stat(paths[i], &state)) return copy_failed("stat", paths[i]), 1;
        copied_device = state.st_dev;
        for (size_t each = 0; each < hard_link_count; each++) free(hard_links[each].path);
        hard_link_count = 0;
        if (copy_one(paths[i], paths[i + 1])) return 1;
    }
    return puts("end") < 0 || fflush(stdout) != 0;
}

static inline int make_alike(int count, char** paths) {
    for (int i = 0; i + 1 < count; i += 2) {
        struct stat state;
        if (lstat(paths[i], &state)) return copy_failed("stat", paths[i]), 1;
        if (copy_attributes(paths[i], paths[i + 1], &state)) return 1;
    }
    return puts("end") < 0 || fflush(stdout) != 0;
}

#endif
