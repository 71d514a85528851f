"""Those who watch a subject: rogate's two agents, and what people would take instead."""
import contextlib
import os
import shutil
import struct
import subprocess
import threading
import time

from measure import ROOT

# The calls that can be refused because a mount is read-only.
WRITE_CALLS = ("open,openat,openat2,creat,mkdir,mkdirat,rmdir,unlink,unlinkat,rename,renameat,renameat2,link,linkat,symlink,"
               "symlinkat,mknod,mknodat,truncate,chmod,fchmod,fchmodat,chown,fchown,lchown,fchownat,utime,utimes,utimensat,"
               "futimesat,setxattr,lsetxattr,fsetxattr,removexattr,lremovexattr,fremovexattr,access,faccessat,faccessat2,bind")
BPFTRACE = "tracepoint:raw_syscalls:sys_exit /args->ret == -30/ { @[comm] = count(); }"
HELLO, REPLY, ATTEMPT, COUNT, STATS, ERROR = 1, 2, 3, 4, 6, 8


class Agent:
    """Speaks the agents' protocol (harness/observe/protocol.h)."""

    def __init__(self, command, **more):
        started = time.monotonic()
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **more)
        self.replies, self.events, self.counted, self.lost = {}, 0, 0, 0
        self.error, self.said_hello = None, threading.Event()
        self.answered = threading.Condition()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        if not self.said_hello.wait(60) or self.error:
            raise RuntimeError(f"{command[0]} did not start: {self.error}")
        self.attached_after = time.monotonic() - started

    def read(self):
        stream = self.process.stdout
        stream.read(8)  # magic and version
        while header := stream.read(8):
            length, kind, _ = struct.unpack("<IHH", header)
            body = stream.read(length)
            if kind in (HELLO, ERROR):
                self.error = body[2:].decode() if kind == ERROR else None
                self.said_hello.set()
            elif kind == ATTEMPT:
                self.events += 1
            elif kind == COUNT:
                self.counted += struct.unpack("<QQ", body)[1] - 1
            elif kind == STATS:
                self.lost = struct.unpack("<QQ", body)[0]
            elif kind == REPLY:
                with self.answered:
                    self.replies[struct.unpack("<I", body[:4])[0]] = body
                    self.answered.notify_all()
        self.said_hello.set()

    def command(self, number, text):
        self.process.stdin.write(f"{number} {text}\n".encode())
        self.process.stdin.flush()
        with self.answered:
            if not self.answered.wait_for(lambda: number in self.replies, 120):
                raise RuntimeError(f"the agent did not answer '{text}'")

    def note_costs(self):
        """The most memory that was resident, in bytes, and the CPU time until now."""
        with open(f"/proc/{self.process.pid}/status") as file:
            self.memory_at_end = next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        self.cpu_at_end = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self):
        self.process.stdin.close()
        self.process.wait()
        self.reader.join()

    @property
    def seen(self):
        return self.events + self.counted


def agent_binary(name):
    build = os.environ.get("ROGATE_BENCH_BUILD", f"{ROOT}/build/release")
    return {"ebpf": f"{build}/harness/observe/agent/rogate-observer",
            "ptrace": f"{build}/harness/observe/ptrace_agent/rogate-ptrace"}.get(name, f"{build}/harness/observe/agent/observer-{name}")


@contextlib.contextmanager
def ebpf(subject, ring_bytes=16 << 20, binary="ebpf"):
    agent = Agent([agent_binary(binary), str(ring_bytes)])
    try:
        agent.command(1, f"arm 0 {subject.name}")
        yield (), (), agent
        agent.command(2, "flush 0")
        agent.note_costs()
    finally:
        agent.end()


@contextlib.contextmanager
def unarmed(subject):
    """Every call of the machine meets its tracepoint; it is nobody's whom the agent watches."""
    agent = Agent([agent_binary("ebpf"), str(16 << 20)])
    try:
        yield (), (), None
    finally:
        agent.end()


@contextlib.contextmanager
def ptrace(subject):
    """The relay runs in the subject's root, where a volume would be."""
    home = f"{subject.root}/.rogate"
    for name in os.listdir(home):
        os.unlink(f"{home}/{name}")
    shutil.copy(agent_binary("ptrace"), f"{home}/relay")
    agent = Agent(["unshare", "-m", "--propagation", "private", "sh", "-c",
                   'mount -t proc proc "$0/proc"; exec chroot "$0" /.rogate/relay relay 16777216', subject.root])
    try:
        agent.command(1, f"arm 0 {subject.name}")
        yield ("/.rogate/agent", "run", f"rogate-{subject.name[:16]}", "-", "--"), (), agent
        agent.command(2, "flush 0")
    finally:
        agent.end()


@contextlib.contextmanager
def bpftrace(subject):
    """Where tracefs is not mounted, it is for bpftrace alone."""
    script = 'mountpoint -q /sys/kernel/tracing || mount -t tracefs tracefs /sys/kernel/tracing; exec bpftrace -B line -e "$0"'
    process = subprocess.Popen(["unshare", "-m", "--propagation", "private", "sh", "-c", script, BPFTRACE],
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        if "Attaching" not in process.stdout.readline():
            raise RuntimeError("bpftrace does not start here")
        time.sleep(0.3)  # it says so before it has done it
        yield (), (), None
    finally:
        process.send_signal(2)
        try:
            process.communicate(timeout=30)
        except subprocess.TimeoutExpired:  # it has been seen not to hear of it
            process.kill()
            process.communicate()


@contextlib.contextmanager
def none(subject):
    yield (), (), None


@contextlib.contextmanager
def strace(subject):
    yield (), ("strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={WRITE_CALLS}"), None


@contextlib.contextmanager
def strace_seccomp(subject):
    yield (), ("strace", "-f", "-qq", "--seccomp-bpf", "-o", "/dev/null", "-e", f"trace={WRITE_CALLS}"), None


# Each is a context: (words before the command, words before the chroot, the agent).
OBSERVERS = {"none": none, "eBPF": ebpf, "ptrace": ptrace, "bpftrace": bpftrace, "strace -f": strace,
             "strace --seccomp-bpf": strace_seccomp}
