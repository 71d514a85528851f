#include "scenario/guard.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <initializer_list>

namespace rogate::scenario {

namespace {

// From asking it to end to ending it.
constexpr int grace_ms = 2000;

// What the guard has open, and nothing else.
constexpr int control = 3, report = 4, output = 5, failure = 6, first_unused = 7;

void tell(GuardReport::What what, int value) {
    const GuardReport told{what, value};
    [[maybe_unused]] const ssize_t written = write(report, &told, sizeof told);
}

void move(int from, int to) {
    if (from != to) dup2(from, to);
}

// Whatever numbers they had. Each is moved out of the way first.
void keep_only(const Guarded& what) {
    const int high_control = fcntl(what.control, F_DUPFD, 20), high_report = fcntl(what.report, F_DUPFD, 20),
              high_output = fcntl(what.output, F_DUPFD, 20);
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(null, fd);
    dup2(high_control, control), dup2(high_report, report), dup2(high_output, output);
    close_range(static_cast<unsigned>(failure), ~0U, 0);
}

[[noreturn]] void become(const Guarded& what, pid_t guard) {
    setpgid(0, 0);
    // Of a guard that is killed nothing is left either.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != guard) _exit(127);
    for (int number = 1; number < NSIG; ++number) std::signal(number, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    for (const int fd : {control, report, output}) close(fd);
    GuardReport wrong{GuardReport::What::no_directory, 0};
    if (chdir(what.directory) == 0) {
        execvpe(what.words[0], what.words, what.environment);
        wrong.what = GuardReport::What::not_executable;
    }
    wrong.value = errno;
    [[maybe_unused]] const ssize_t written = write(failure, &wrong, sizeof wrong);
    _exit(127);
}

long now_ms() {
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000 + time.tv_nsec / 1'000'000;
}

void pause_a_moment() {
    const timespec moment{0, 10'000'000};
    nanosleep(&moment, nullptr);
}

// Reaps all that has ended; the status of `child` among them.
void reap(pid_t child, int& status, bool& ended) {
    int each = 0;
    for (pid_t pid = 0; (pid = waitpid(-1, &each, WNOHANG)) > 0;)
        if (pid == child) status = each, ended = true;
}

bool group_is_left(pid_t group) {
    return kill(-group, 0) == 0 || errno == EPERM;
}

// Those that left the group, and whose parents have ended: they are the guard's children now
// (PR_SET_CHILD_SUBREAPER). False: there are none.
bool kill_children() {
    const int file = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    char text[4096];
    const ssize_t size = read(file, text, sizeof text);
    close(file);
    bool any = false;
    pid_t pid = 0;
    for (ssize_t i = 0; i < size; ++i) {
        if (text[i] >= '0' && text[i] <= '9') {
            pid = pid * 10 + (text[i] - '0');
        } else if (pid > 0) {
            kill(pid, SIGKILL);
            any = true;
            pid = 0;
        }
    }
    return any;
}

// Until the command has ended by itself, or is to be ended.
void watch(pid_t child) {
    const int handle = static_cast<int>(syscall(SYS_pidfd_open, child, 0));
    pollfd both[2] = {{control, POLLIN, 0}, {handle, POLLIN, 0}};
    for (;;) {
        // Without a handle (no kernel that the observer runs on) it is looked at now and then.
        const int found = poll(both, handle >= 0 ? 2 : 1, handle >= 0 ? -1 : 100);
        if (found < 0 && errno == EINTR) continue;
        if (found < 0 || both[0].revents != 0 || both[1].revents != 0) break;
        if (handle < 0) {
            siginfo_t info{};
            if (waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
                info.si_pid != 0)
                break;
        }
    }
    if (handle >= 0) close(handle);
}

// All of it; the command's own status.
int end(pid_t child) {
    int status = 0;
    bool ended = false;
    const long until = now_ms() + grace_ms;
    reap(child, status, ended);
    kill(-child, SIGTERM);
    while ((!ended || group_is_left(child)) && now_ms() < until) {
        pause_a_moment();
        reap(child, status, ended);
    }
    // A descendant that goes on forking is not outrun for ever.
    const long at_last = now_ms() + grace_ms;
    for (bool left = true; left && now_ms() < at_last;) {
        kill(-child, SIGKILL);
        left = kill_children();
        reap(child, status, ended);
        left = left || !ended || group_is_left(child);
        if (left) pause_a_moment();
    }
    return status;
}

}  // namespace

void guard(const Guarded& what) noexcept {
    // Away from the terminal, whose Ctrl-C is for rogate.
    setsid();
    prctl(PR_SET_NAME, "rogate-guard");
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE}) std::signal(number, SIG_IGN);
    std::signal(SIGCHLD, SIG_DFL);
    keep_only(what);
    int ends[2] = {-1, -1};
    if (pipe2(ends, O_CLOEXEC) != 0) {
        tell(GuardReport::What::not_executable, errno);
        _exit(1);
    }
    const pid_t self = getpid(), child = fork();
    if (child < 0) {
        tell(GuardReport::What::not_executable, errno);
        _exit(1);
    }
    if (child == 0) {
        move(ends[1], failure);
        fcntl(failure, F_SETFD, FD_CLOEXEC);
        close_range(static_cast<unsigned>(first_unused), ~0U, 0);
        become(what, self);
    }
    setpgid(child, child);
    close(ends[1]);
    close(output);
    GuardReport wrong{};
    const ssize_t told = read(ends[0], &wrong, sizeof wrong);
    close(ends[0]);
    if (told != sizeof wrong) watch(child);
    const int status = end(child);
    if (told == sizeof wrong)
        tell(wrong.what, wrong.value);
    else
        tell(GuardReport::What::ended, status);
    _exit(0);
}

}  // namespace rogate::scenario
