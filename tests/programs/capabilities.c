/* Makes one call for each capability that a container has by default, in children of its own, and says which were refused.
 *
 *   capabilities FOLDER NAME…      exit code: how many of these were refused
 *   capabilities FOLDER try NAME…  … and it makes nothing of it
 *
 * FOLDER is root's, and has a file of the user 1000's that nobody else may read (his), and one of root's with his group (group). */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define HIS 1000

static int chown_it(void) {
    close(open("mine", O_CREAT | O_WRONLY, 0600));
    return chown("mine", HIS, -1);
}

static int dac_override(void) {
    return open("his", O_WRONLY);
}

static int fowner(void) {
    return chmod("his", 0640);
}

/* Without it the bit is taken away, and nobody is told. */
static int fsetid(void) {
    struct stat now;
    if (chmod("group", 02755) || stat("group", &now)) return -1;
    return now.st_mode & S_ISGID ? 0 : (errno = EPERM, -1);
}

static int kill_him(void) {
    int ready[2], result;
    char byte;
    pid_t child;
    if (pipe(ready)) return -1;
    child = fork();
    if (!child) {
        if (setuid(HIS) || write(ready[1], "", 1) != 1) _exit(1);
        pause();
    }
    close(ready[1]);
    if (read(ready[0], &byte, 1) != 1) return errno = EPERM, -1;
    result = kill(child, SIGTERM);
    return result;
}

static int setuid_it(void) {
    return setuid(HIS);
}

static int setgid_it(void) {
    return setgroups(0, NULL) || setgid(HIS) ? -1 : 0;
}

static int setpcap(void) {
    return prctl(PR_CAPBSET_DROP, CAP_SYS_TIME, 0, 0, 0);
}

static int net_bind_service(void) {
    const struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(80)};
    return bind(socket(AF_INET, SOCK_STREAM, 0), (const struct sockaddr*)&address, sizeof address);
}

static int net_raw(void) {
    return socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
}

static int sys_chroot(void) {
    return chroot(".");
}

static int mknod_it(void) {
    unlink("null");
    return mknod("null", S_IFCHR | 0600, makedev(1, 3));
}

/* The kernel answers on the socket. One without audit has no such sockets. */
static int audit_write(void) {
    struct {
        struct nlmsghdr header;
        char text[32];
    } message = {.header = {.nlmsg_len = NLMSG_LENGTH(16),
                            .nlmsg_type = AUDIT_USER,
                            .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
                            .nlmsg_seq = 1},
                 .text = "op=rogate-test"};
    struct {
        struct nlmsghdr header;
        struct nlmsgerr error;
        char rest[256];
    } answer;
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    const struct timeval second = {.tv_sec = 1};
    const int link = socket(AF_NETLINK, SOCK_RAW, NETLINK_AUDIT);
    if (link < 0) return errno == EPROTONOSUPPORT ? 0 : -1;
    setsockopt(link, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second);
    if (sendto(link, &message, message.header.nlmsg_len, 0, (struct sockaddr*)&kernel, sizeof kernel) < 0) return -1;
    if (recv(link, &answer, sizeof answer, 0) < (ssize_t)sizeof answer.header) return -1;
    if (answer.header.nlmsg_type != NLMSG_ERROR) return 0;
    errno = -answer.error.error;
    return errno ? -1 : 0;
}

static int setfcap(void) {
    const struct vfs_cap_data none = {.magic_etc = VFS_CAP_REVISION_2};
    close(open("capable", O_CREAT | O_WRONLY, 0700));
    return setxattr("capable", "security.capability", &none, sizeof none, 0);
}

static const struct {
    const char* name;
    int (*make)(void);
} calls[] = {
    {"CHOWN", chown_it},
    {"DAC_OVERRIDE", dac_override},
    {"FOWNER", fowner},
    {"FSETID", fsetid},
    {"KILL", kill_him},
    {"SETUID", setuid_it},
    {"SETGID", setgid_it},
    {"SETPCAP", setpcap},
    {"NET_BIND_SERVICE", net_bind_service},
    {"NET_RAW", net_raw},
    {"SYS_CHROOT", sys_chroot},
    {"MKNOD", mknod_it},
    {"AUDIT_WRITE", audit_write},
    {"SETFCAP", setfcap},
};

static bool is_allowed(const char* name) {
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        int status;
        pid_t child;
        if (strcmp(calls[i].name, name)) continue;
        fflush(stdout);
        child = fork();
        if (!child) {
            const bool refused = calls[i].make() < 0;
            if (refused) printf("%s: %s\n", name, strerror(errno));
            fflush(stdout);
            _exit(refused);
        }
        waitpid(child, &status, 0);
        return status == 0;
    }
    printf("%s: no such call\n", name);
    return false;
}

int main(int count, char** words) {
    int refused = 0;
    const bool only_tries = count > 2 && !strcmp(words[2], "try");
    if (count < 3 || chdir(words[1])) return 99;
    for (int i = only_tries ? 3 : 2; i < count; i++)
        if (!is_allowed(words[i])) refused++;
    return only_tries ? 0 : refused;
}
