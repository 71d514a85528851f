"""Servers under load, and a build: what a subject loses while it is watched."""
import contextlib
import os
import pathlib
import re
import socket
import statistics
import subprocess
import time

from measure import Line, ROOT, WORK, in_turns, ratios
from observers import OBSERVERS, unarmed
from subject import Quiet, Subject, build_program, calls_root, image_root, patiently, quiet_turns

TARGET = "eBPF 1.02, ptrace 1.10"
# Whose work can be measured as the server's own CPU time: where a tracer stops it, most of the cost is not.
WATCHERS = {**{name: OBSERVERS[name] for name in ("none", "eBPF", "bpftrace")}, "eBPF watching others": unarmed}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def wait_until(ready, port):
    for _ in range(1500):
        if ready(port):
            return
        time.sleep(0.02)
    raise RuntimeError("the server did not start")


def tool(*words):
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{words[0]}: {done.stderr}")
    return done.stdout


class Server:
    def is_ready(self, port):
        return answers(port)


class Redis(Server):
    image, what = "rogate/redis:bookworm", "redis, SET (redis-benchmark)"
    own_time, request = "redis, SET: its CPU time", "*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$5\r\nvalue\r\n"

    def __init__(self, settings):
        self.requests = settings.count(50_000)

    def command(self, port):
        return ["redis-server", "--port", str(port), "--save", "", "--appendonly", "no", "--dir", "/tmp"]

    def rate(self, port):
        output = tool("chroot", image_root(self.image), "redis-benchmark", "-p", str(port), "-t", "set", "-n", str(self.requests), "-q", "--csv")
        return float(output.strip().splitlines()[-1].split(",")[1].strip('"'))


class Nginx(Server):
    image, what = "rogate/nginx:bookworm", "nginx, a small file (wrk, 8 connections)"
    own_time, request = "nginx, a small file: its CPU time", "GET /index.html HTTP/1.1\r\nHost: localhost\r\n\r\n"

    def __init__(self, settings):
        self.seconds = 1

    def command(self, port):
        root = pathlib.Path(image_root(self.image))
        (root / "bench.conf").write_text(
            "worker_processes 1; daemon off; user root; pid /tmp/nginx.pid; error_log /dev/null;\n"
            "events {}\nhttp { access_log off; keepalive_requests 1000000000; server { listen 127.0.0.1:%d; root /usr/share/nginx/html; } }\n" % port)
        return ["nginx", "-c", "/bench.conf"]

    def rate(self, port):
        output = tool("wrk", "-t1", "-c8", f"-d{self.seconds}s", f"http://127.0.0.1:{port}/index.html")
        return float(re.search(r"Requests/sec:\s+([0-9.]+)", output).group(1))


class PostgreSql(Server):
    image, what = "rogate/postgresql:bookworm", "PostgreSQL (pgbench, TPC-B, fsync off)"

    def __init__(self, settings):
        self.seconds = 1

    def is_ready(self, port):
        return not subprocess.run(["chroot", image_root(self.image), "/usr/lib/postgresql/15/bin/pg_isready", "-q", "-h",
                                   "127.0.0.1", "-p", str(port)]).returncode

    def command(self, port):
        root = image_root(self.image)
        programs = "/usr/lib/postgresql/15/bin"
        as_postgres = ["chroot", "--userspec=postgres:postgres", root]
        settings = ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=/tmp", "-c", "fsync=off",
                    "-c", "synchronous_commit=off"]
        if not os.path.exists(f"{root}/bench.data/PG_VERSION"):
            tool("chroot", root, "install", "-d", "-o", "postgres", "-g", "postgres", "-m", "700", "/bench.data")
            tool(*as_postgres, f"{programs}/initdb", "-D", "/bench.data", "-A", "trust", "--no-sync", "-U", "postgres")
            own = free_port()
            tool(*as_postgres, f"{programs}/pg_ctl", "-D", "/bench.data", "-l", "/tmp/log", "-w", "-o",
                 " ".join(settings) + f" -p {own}", "start")
            tool("chroot", root, f"{programs}/pgbench", "-h", "127.0.0.1", "-p", str(own), "-U", "postgres", "-i", "-q", "-s", "2", "postgres")
            tool(*as_postgres, f"{programs}/pg_ctl", "-D", "/bench.data", "-w", "-m", "fast", "stop")
        pathlib.Path(root, "bench.data/postmaster.pid").unlink(missing_ok=True)
        return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", f"{programs}/postgres", "-D", "/bench.data",
                "-p", str(port), *settings]

    def rate(self, port):
        output = tool("chroot", image_root(self.image), "/usr/lib/postgresql/15/bin/pgbench", "-h", "127.0.0.1", "-p", str(port),
                      "-U", "postgres", "-c", "2", "-T", str(self.seconds), "-n", "postgres")
        return float(re.search(r"tps = ([0-9.]+) \(without", output).group(1))


@contextlib.contextmanager
def running(server, watcher, pinned=()):
    """(its subject, its port)"""
    port = free_port()
    command = server.command(port)
    with Subject(image_root(server.image)) as subject, watcher(subject) as (before, with_tool, agent):
        process = subject.start([*before, *command], (*pinned, *with_tool), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_until(server.is_ready, port)
            yield subject, port
        finally:
            subject.end()
            process.wait()


def sample(server, observer):
    """Microseconds for each request."""
    with running(server, OBSERVERS[observer]) as (_, port):
        return 1e6 / server.rate(port)


class OwnTime:
    """What a server itself computes for a request, without those that ask and what else the machine does: small differences show."""

    def __init__(self, settings):
        self.quiet = Quiet(calls_root(), wanted=not settings.tiny)
        self.program = build_program("requests", WORK, "tests/bench/programs/quiet.c")
        self.count = settings.count(10_000)
        # Together on one core, so that what disturbs the server disturbs the loop of who asks. Where a server lies in its memory
        # makes it faster or slower from one start to the next.
        self.pinned = ("setarch", "-R", "taskset", "-c", str(max(os.sched_getaffinity(0))))
        self.starts = 1 if settings.tiny else 3

    def sample(self, server, watcher):
        """Microseconds for each request."""
        return statistics.median(patiently(lambda: self.one(server, watcher)) for _ in range(self.starts))

    def one(self, server, watcher):
        with running(server, WATCHERS[watcher], self.pinned) as (subject, port):
            output = tool(*self.pinned, self.program, str(port), server.request, str(self.count), str(self.quiet.shortest),
                          *map(str, subject.processes()))
        return self.quiet.taken(output, self.count)[0] * 1e6


def build_sample(observer, files):
    """Seconds for compiling."""
    for folder in ("proc", "bench"):
        os.makedirs(f"{WORK}/{folder}", exist_ok=True)
    sources = sorted(pathlib.Path(ROOT, "harness/observe/ptrace_agent").glob("*.c"))[:files]
    each = " && ".join(f"gcc -O1 -c -o {WORK}/bench/object.o {source}" for source in sources)
    with Subject("/") as subject, OBSERVERS[observer](subject) as (before, with_tool, agent):
        start = time.monotonic()
        subject.run([*before, "sh", "-c", each], with_tool)
        return time.monotonic() - start


def own_time(settings):
    own, lines = OwnTime(settings), []
    for kind in (Redis, Nginx):
        server = kind(settings)
        variants = {name: (lambda name=name: own.sample(server, name)) for name in WATCHERS}
        samples = quiet_turns(settings.rounds, variants)
        lines.append(Line(server.own_time, f"no observer ({statistics.median(samples['none']):.1f} µs each)",
                          "eBPF 1.02", ratios(samples, "none", 3), samples))
    return lines


def run(settings):
    lines = own_time(settings)
    for kind in (Redis, Nginx, PostgreSql):
        server = kind(settings)
        variants = {name: (lambda name=name: sample(server, name)) for name in OBSERVERS}
        samples = in_turns(settings.rounds, variants)
        lines.append(Line(kind.what, "no observer", TARGET, ratios(samples, "none"), samples))
    files = 1 if settings.tiny else 6
    # The ptrace agent would have to lie in the root of this machine.
    variants = {name: (lambda name=name: build_sample(name, files)) for name in OBSERVERS if name != "ptrace"}
    samples = in_turns(settings.rounds, variants)
    lines.append(Line("gcc, six files of C", "no observer", TARGET, ratios(samples, "none"), samples))
    return lines
