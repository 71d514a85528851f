/* The first process of a virtual machine: starts the observer's agent, runs write_calls in something like a
 * container on read-only mounts, compares what the agent reports with what write_calls was answered, says so
 * on the console, and turns the machine off. The same of /capabilities, with what it asks for and without.
 * ci/kernels.sh makes the machine; /agent and the two are in its initial file system. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../harness/observe/protocol.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define STREAM "/table/stream"
/* Those that an engine gives a container, as /capabilities takes them; and by their bits. */
#define DEFAULT_CAPABILITIES                                                                                           \
    "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP", "NET_BIND_SERVICE", "NET_RAW", \
        "SYS_CHROOT", "MKNOD", "AUDIT_WRITE", "SETFCAP"
#define DEFAULT_SET 0xa80425fbull

#define NEIGHBOURS 2

static int commands; /* the agent's standard input */

static void need(bool done, const char* what) {
    if (done) return;
    printf("kernel_truth: %s: %s\n", what, strerror(errno));
    fflush(stdout);
    reboot(RB_POWER_OFF);
}

/* ---- lists of lines
 * ---------------------------------------------------------------------------------------------- */

struct lines {
    char* all[4096];
    size_t count;
};

static void add(struct lines* lines, const char* call, const char* error, const char* path) {
    char text[8192];
    snprintf(text, sizeof text, "%s %s %s", call, error, path);
    if (lines->count < sizeof lines->all / sizeof *lines->all) lines->all[lines->count++] = strdup(text);
}

static int by_text(const void* a, const void* b) {
    return strcmp(*(char* const*)a, *(char* const*)b);
}

/* Says what is in `of` and not in `in` (both sorted), and how many. */
static size_t missing(const char* word, const struct lines* of, const struct lines* in) {
    size_t found = 0, j = 0;
    for (size_t i = 0; i < of->count; i++) {
        while (j < in->count && strcmp(in->all[j], of->all[i]) < 0) j++;
        if (j < in->count && !strcmp(in->all[j], of->all[i])) {
            j++;
            continue;
        }
        printf("%s: %s\n", word, of->all[i]);
        found++;
    }
    return found;
}

/* ---- the agent's stream
 * ------------------------------------------------------------------------------------------ */

static const char* take_text(const unsigned char** at) {
    static char texts[8][16384];
    static unsigned int next;
    char* text = texts[next++ % 8];
    uint16_t size;
    memcpy(&size, *at, sizeof size);
    memcpy(text, *at + 2, size < 16383 ? size : 16383);
    text[size < 16383 ? size : 16383] = 0;
    *at += 2 + size;
    return text;
}

struct seen {
    struct lines refused;
    char hooks[512], error[1024];
    uint64_t lost;
    unsigned int replies, uncertain;
    uint64_t used, denied; /* bits of capabilities: capabilities(1) had them when they were asked for, or had not */
    struct frame_checks checks;
    struct {
        uint64_t id;
        char line[512];
    } attempts[4096];
    size_t attempt_count;
};

static void take_attempt(struct seen* seen, const unsigned char* at) {
    struct frame_attempt attempt;
    const char *call, *path;
    memcpy(&attempt, at, sizeof attempt);
    at += sizeof attempt;
    take_text(&at);
    take_text(&at);
    call = take_text(&at);
    path = take_text(&at);
    if (attempt.error != EROFS || seen->attempt_count == 4096) return;
    if (attempt.flags & ATTEMPT_DOUBTFUL) seen->uncertain++;
    add(&seen->refused, call, "EROFS", path);
    seen->attempts[seen->attempt_count].id = attempt.id;
    snprintf(seen->attempts[seen->attempt_count++].line, 512, "%s", seen->refused.all[seen->refused.count - 1]);
}

static void take_count(struct seen* seen, const unsigned char* at) {
    struct frame_count count;
    memcpy(&count, at, sizeof count);
    for (size_t i = 0; i < seen->attempt_count; i++)
        for (uint64_t n = 1; seen->attempts[i].id == count.id && n < count.count; n++)
            if (seen->refused.count < 4096) seen->refused.all[seen->refused.count++] = strdup(seen->attempts[i].line);
}

static void take_check(struct seen* seen, const unsigned char* at) {
    struct frame_capability check;
    memcpy(&check, at, sizeof check);
    at += sizeof check;
    if (check.capability < 0 || strcmp(take_text(&at), "capabilities")) return;
    if (check.capability == CAP_SYS_CHROOT && strcmp(take_text(&at), "chroot"))
        return; /* the number of the call is right */
    *(check.error ? &seen->denied : &seen->used) |= 1ull << check.capability;
}

/* Reads what there is of the stream from its beginning, and of that the slot's. */
static void read_stream(struct seen* seen, unsigned int slot) {
    static unsigned char bytes[4 << 20];
    int fd = open(STREAM, O_RDONLY);
    ssize_t size = read(fd, bytes, sizeof bytes);
    size_t at = strlen(PROTOCOL_MAGIC) + 2;
    memset(seen, 0, sizeof *seen);
    close(fd);
    while (size >= 0 && at + sizeof(struct frame_header) <= (size_t)size) {
        struct frame_header header;
        const unsigned char* payload = bytes + at + sizeof header;
        memcpy(&header, bytes + at, sizeof header);
        at += sizeof header + header.length;
        if (at > (size_t)size) return;
        if (header.type == FRAME_HELLO) snprintf(seen->hooks, sizeof seen->hooks, "%s", take_text(&payload));
        if (header.type == FRAME_ERROR) snprintf(seen->error, sizeof seen->error, "%s", take_text(&payload));
        if (header.type == FRAME_REPLY) seen->replies++;
        if (header.slot != slot) continue;
        if (header.type == FRAME_ATTEMPT) take_attempt(seen, payload);
        if (header.type == FRAME_COUNT) take_count(seen, payload);
        if (header.type == FRAME_CAPABILITY) take_check(seen, payload);
        if (header.type == FRAME_CHECKS) memcpy(&seen->checks, payload, sizeof seen->checks);
        if (header.type == FRAME_STATS) memcpy(&seen->lost, payload, sizeof seen->lost);
    }
}

static struct seen* wait_for(unsigned int replies, unsigned int slot) {
    static struct seen seen;
    for (int tries = 0; tries < 3000; tries++) {
        read_stream(&seen, slot);
        if (seen.error[0]) {
            printf("kernel_truth: agent: %s\n", seen.error);
            reboot(RB_POWER_OFF);
        }
        if (seen.hooks[0] && seen.replies >= replies) return &seen;
        usleep(100000);
    }
    need(false, "the agent does not answer");
    return NULL;
}

static void command(const char* text) {
    need(write(commands, text, strlen(text)) > 0, text);
}

/* ---- the machine
 * ------------------------------------------------------------------------------------------------- */

static void run(const char* mode, const char* directory, int output) {
    if (fork() == 0) {
        if (output >= 0) dup2(output, 1);
        execl("/write_calls", "write_calls", mode, directory, NULL);
        _exit(127);
    }
    wait(NULL);
}

static void give_file(const char* path, uid_t user, gid_t group) {
    const int fd = open(path, O_CREAT | O_WRONLY, 0600);
    need(fd >= 0 && !fchown(fd, user, group), path);
    close(fd);
}

static void set_up(void) {
    static const char* directories[] = {"/proc", "/sys", "/dev", "/table", "/table/data", "/bind", "/whole"};
    for (size_t i = 0; i < sizeof directories / sizeof *directories; i++) mkdir(directories[i], 0755);
    need(!mount("proc", "/proc", "proc", 0, NULL), "/proc");
    need(!mount("sys", "/sys", "sysfs", 0, NULL), "/sys");
    mount("dev", "/dev", "devtmpfs", 0, NULL);
    mkdir("/dev/shm", 0777);
    need(!mount("shm", "/dev/shm", "tmpfs", 0, NULL), "/dev/shm");
    need(!mount("cgroup", "/sys/fs/cgroup", "cgroup2", 0, NULL), "/sys/fs/cgroup");
    need(!mkdir("/sys/fs/cgroup/" ID, 0755), "cgroup");
    need(!mount("table", "/table", "tmpfs", 0, NULL), "/table");
    run("setup", "/table/data", -1);
    need(!mount("/table/data", "/bind", NULL, MS_BIND, NULL), "/bind");
    need(!mount(NULL, "/bind", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL), "/bind: ro");
    need(!mount("whole", "/whole", "tmpfs", 0, NULL), "/whole");
    need(!mkdir("/table/capabilities", 0755), "/table/capabilities");
    give_file("/table/capabilities/his", 1000, 0);
    give_file("/table/capabilities/group", 0, 1000);
    run("setup", "/whole", -1);
    need(!mount(NULL, "/whole", NULL, MS_REMOUNT | MS_RDONLY, NULL), "/whole: ro");
}

static void start_agent(void) {
    int ends[2];
    need(!pipe(ends), "pipe");
    commands = ends[1];
    if (fork() == 0) {
        dup2(ends[0], 0);
        close(ends[1]);
        dup2(open(STREAM, O_CREAT | O_TRUNC | O_WRONLY | O_APPEND, 0600), 1);
        execl("/agent", "agent", "1048576", "capabilities", NULL);
        _exit(127);
    }
    close(ends[0]);
}

/* A process in a cgroup with the container's id and in namespaces of its own, as an engine starts it. */
static void in_container(char* const* words, bool with_capabilities, int output) {
    pid_t child = (pid_t)syscall(SYS_clone, CLONE_NEWNS | CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL, 0);
    need(child >= 0, "clone");
    if (!child) {
        int cgroup = open("/sys/fs/cgroup/" ID "/cgroup.procs", O_WRONLY | O_CLOEXEC);
        if (cgroup < 0 || write(cgroup, "0", 1) != 1) _exit(126);
        mount("proc", "/proc", "proc", 0, NULL);
        for (int each = 0; !with_capabilities && !prctl(PR_CAPBSET_DROP, each, 0, 0, 0);) each++;
        dup2(output, 1);
        execv(words[0], words);
        _exit(127);
    }
    waitpid(child, NULL, 0);
}

/* A process of the machine's own that is there for being interrupted, and for interrupting: it asks for a capability, writes, and is
 * refused both, all the time. */
static pid_t start_neighbour(void) {
    const pid_t neighbour = fork();
    need(neighbour >= 0, "fork");
    if (neighbour) return neighbour;
    if (chdir("/table/capabilities") || setuid(1000)) _exit(126);
    for (;;) {
        if (!chroot(".") || !chmod("/whole", 0755)) _exit(1);
        close(open("his", O_WRONLY));
    }
}

static size_t read_answers(int output, struct lines* refused) {
    FILE* file = fdopen(output, "r");
    char* line = NULL;
    size_t size = 0, calls = 0;
    rewind(file);
    while (getline(&line, &size, file) > 0) {
        char* space = strchr(line, ' ');
        line[strcspn(line, "\n")] = 0;
        calls++;
        if (space && !strncmp(space + 1, "EROFS ", 6) && refused->count < 4096)
            refused->all[refused->count++] = strdup(line);
    }
    return calls;
}

/* What the programs were answered, beside what the agent says. */
static void compare(const char* word, int output, const struct seen* agents) {
    static struct lines refused;
    static struct seen seen;
    size_t calls, missed, invented;
    seen = *agents;
    refused.count = 0;
    calls = read_answers(output, &refused);
    qsort(refused.all, refused.count, sizeof *refused.all, by_text);
    qsort(seen.refused.all, seen.refused.count, sizeof *seen.refused.all, by_text);
    missed = missing("missed", &refused, &seen.refused);
    invented = missing("invented", &seen.refused, &refused);
    printf("%s: %zu calls, %zu refused, %zu seen, %zu missed, %zu invented, %llu lost, %u doubtful\n", word, calls,
           refused.count, seen.refused.count, missed, invented, (unsigned long long)seen.lost, seen.uncertain);
    /* Without SETUID there is nobody of another user to be killed. */
    if (!strstr(seen.hooks, "cap_capable"))
        printf("%s checks: not seen\n", word);
    else
        printf("%s checks: %d used, %d denied, %llu lost, %s\n", word, __builtin_popcountll(seen.used & DEFAULT_SET),
               __builtin_popcountll(seen.denied & DEFAULT_SET), (unsigned long long)seen.checks.lost,
               seen.checks.audited_only ? "audited ones alone" : "of any kind");
    fflush(stdout);
}

/* Runs the programs in a container that is watched as that slot's. The machine is to itself, or has neighbours. */
static void watch(const char* word, unsigned int slot, size_t neighbour_count) {
    static unsigned int replies;
    pid_t neighbours[NEIGHBOURS];
    int output;
    char line[128], answers[64];
    char* asking[] = {"/capabilities", "/table/capabilities", DEFAULT_CAPABILITIES, NULL};
    snprintf(answers, sizeof answers, "/table/answers-%u", slot);
    snprintf(line, sizeof line, "1 arm %u " ID "\n", slot);
    command(line);
    wait_for(++replies, slot);
    for (size_t i = 0; i < neighbour_count; i++) neighbours[i] = start_neighbour();
    output = open(answers, O_CREAT | O_RDWR | O_APPEND, 0600);
    in_container((char*[]){"/write_calls", "run", "/bind", NULL}, true, output);
    in_container((char*[]){"/write_calls", "thread", "/bind", NULL}, true, output);
    in_container((char*[]){"/write_calls", "run", "/whole", NULL}, true, output);
    in_container(asking, true, 2);
    in_container(asking, false, 2);
    for (size_t i = 0; i < neighbour_count; i++)
        need(!kill(neighbours[i], SIGKILL) && waitpid(neighbours[i], NULL, 0) == neighbours[i], "a neighbour");
    snprintf(line, sizeof line, "2 flush %u\n", slot);
    command(line);
    compare(word, output, wait_for(++replies, slot));
    close(output);
}

int main(void) {
    struct utsname kernel;
    set_up();
    start_agent();
    uname(&kernel);
    printf("kernel: %s\nhooks: %s\n", kernel.release, wait_for(0, 0)->hooks);
    watch("truth", 0, 0);
    watch("crowd", 1, NEIGHBOURS);
    reboot(RB_POWER_OFF);
    return 0;
}
