"""Subjects without an engine: a root folder, a control group that is named like a container, and mounts in a namespace of their
own. That is all that the observers look at, and it lets strace and bpftrace watch the very same processes."""
import contextlib
import os
import secrets
import shutil
import subprocess
import time

from measure import ROOT, WORK, in_turns

# $1: root, $2: folder of the control group, $3: what to run chroot with; the rest: the command. The mounts are made before the
# processes belong to the subject, as an engine does.
ENTER = """set -e
if [ "$1" != / ]; then
  mount -t proc proc "$1/proc"
  mount --rbind /dev "$1/dev"
  mount --bind "$1/bench/ro" "$1/bench/ro"
  mount -o remount,bind,ro "$1/bench/ro"
  mount -t tmpfs tmpfs "$1/bench/rw"
fi
root=$1 with=$3
echo $$ >"$2/cgroup.procs"
shift 3
exec $with chroot "$root" "$@"
"""


def build_program(name, folder, *sources):
    """tests/bench/programs/NAME.c"""
    programs = f"{ROOT}/tests/bench/programs"
    subprocess.run(["gcc", "-O2", "-static", "-o", f"{folder}/{name}", f"{programs}/{name}.c", *(f"{ROOT}/{each}" for each in sources)],
                   check=True)
    return f"{folder}/{name}"


def calls_root():
    """A root with nothing but tests/bench/programs."""
    root = f"{WORK}/root-calls"
    for folder in ("proc", "dev", "bench/ro", "bench/rw", ".rogate"):
        os.makedirs(f"{root}/{folder}", exist_ok=True)
    with open(f"{root}/bench/ro/file", "w") as file:
        file.write("text\n")
    build_program("calls", root, "tests/bench/programs/quiet.c")
    build_program("filtered", root, "harness/observe/ptrace_agent/filter.c", "harness/observe/agent/calls.c")
    return root


class DisturbedMachine(RuntimeError):
    """Too little of the time was the subject alone on its core."""


class FasterMachine(RuntimeError):
    """What was measured before was disturbed all the time."""


class Quiet:
    """The loop that tells whether somebody else computes on the core (tests/bench/programs/quiet.h)."""

    def __init__(self, root, wanted=True):
        self.program, self.shortest = f"{root}/calls", 0
        if wanted:
            self.shortest = min(self.loop(cpu) for cpu in os.sched_getaffinity(0))

    def loop(self, cpu):
        """The shortest in three seconds, in nanoseconds."""
        return int(subprocess.run(["taskset", "-c", str(cpu), self.program, "loop", "3"], capture_output=True, text=True, check=True).stdout)

    def taken(self, output, count):
        """(seconds of the CPU's time for each call, of the clock, how many were made in all), of what a program with that loop printed."""
        cpu, wall, counted, made, shortest = output.split()
        if self.shortest and int(shortest) and int(shortest) < self.shortest * 0.95:
            self.shortest = int(shortest)
            raise FasterMachine("the machine is faster than it was: what was measured before was disturbed")
        if int(counted) < count:
            raise DisturbedMachine(f"{counted} of {made} were made while nobody else computed on the core; {count} are needed")
        return float(cpu) / int(counted), float(wall) / int(counted), int(made)


class Calls:
    """Runs `calls`, and takes only what it did while nobody else computed on its core."""

    def __init__(self, root, quiet=True):
        self.root, self.loop = root, Quiet(root, quiet)

    def run(self, subject, mode, count, before=(), tool=(), quiet=True):
        """(seconds of the subject's CPU time for each call, of the clock, how many it made in all)."""
        limit = self.loop.shortest if quiet else 0
        return self.loop.taken(subject.run([*before, "/calls", mode, str(count), "0", str(limit)], tool), count)


def patiently(sample):
    """Others compute for minutes at a time."""
    for _ in range(3):
        with contextlib.suppress(DisturbedMachine):
            return sample()
    return sample()


def quiet_turns(rounds, variants):
    """in_turns(), of samples that can be disturbed; begun anew when it shows that they were."""
    variants = {name: (lambda sample=sample: patiently(sample)) for name, sample in variants.items()}
    for _ in range(2):
        with contextlib.suppress(FasterMachine):
            return in_turns(rounds, variants)
    return in_turns(rounds, variants)


def image_root(image):
    """What is in an image of the engine's, unpacked once."""
    root = f"{WORK}/root-{image.replace('/', '-').replace(':', '-')}"
    if not os.path.exists(f"{root}/.whole"):
        shutil.rmtree(root, ignore_errors=True)
        os.makedirs(root)
        container = subprocess.run(["docker", "create", image], capture_output=True, text=True, check=True).stdout.strip()
        try:
            with subprocess.Popen(["docker", "export", container], stdout=subprocess.PIPE) as export:
                subprocess.run(["tar", "-x", "-C", root], stdin=export.stdout, check=True)
        finally:
            subprocess.run(["docker", "rm", "-v", container], capture_output=True, check=True)
        for folder in ("bench/ro", "bench/rw", ".rogate"):
            os.makedirs(f"{root}/{folder}", exist_ok=True)
        os.chmod(root, 0o755)
        with open(f"{root}/.whole", "w"):
            pass
    return root


class Subject:
    """`name`: what the observers take for the container's id."""

    def __init__(self, root):
        self.root, self.name = root, secrets.token_hex(32)
        top = "/sys/fs/cgroup/pids" if os.path.isdir("/sys/fs/cgroup/pids") else "/sys/fs/cgroup"
        self.group = f"{top}/{self.name}"

    def __enter__(self):
        os.mkdir(self.group)
        return self

    def __exit__(self, *_):
        self.end()
        os.rmdir(self.group)

    def processes(self):
        with open(f"{self.group}/cgroup.procs") as file:
            return [int(line) for line in file]

    def end(self):
        """Ends what is still in the group; its processes are of our making, all of them."""
        for tries in range(200):
            alive = self.processes()
            if not alive:
                return
            for process in alive:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, 15 if tries < 50 else 9)
            time.sleep(0.02)

    def start(self, command, with_tool=(), **more):
        return subprocess.Popen(["unshare", "-m", "--propagation", "private", "sh", "-c", ENTER, "sh", self.root, self.group,
                                 " ".join(with_tool), *command], **more)

    def run(self, command, with_tool=()):
        process = self.start(command, with_tool, stdout=subprocess.PIPE, text=True)
        output, _ = process.communicate(timeout=300)
        if process.returncode:
            raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
        return output
