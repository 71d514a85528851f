"""What rogate does on a real engine, as a user sees it: its output, its exit code, its result, and what it leaves.

Run by ctest, one case at a time: run_case.py ROGATE GROUP CASE runs test_CASE of GROUP_cases.py. After each case nothing of
rogate's may be left on the engine. This file holds what the cases share.
"""
import contextlib
import functools
import hashlib
import http.client
import json
import os
import socket
import stat
import subprocess
import sys
import tempfile
import time
import urllib.parse

import jsonschema

ROGATE = os.path.abspath(sys.argv[1])
ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
with open(f"{ROOT}/scenarios/result.schema.json") as schema_file:
    RESULT_SCHEMA = json.load(schema_file)
IMAGE = "rogate/base:bookworm"
SKIPPED = 77
# The long forms of the tests as well: more rounds, and every variant (ci/test.sh --all).
LONG = os.environ.get("ROGATE_TESTS_LONG") == "yes"
# Ends at once when it is told to, and does nothing else.
IDLE = "trap 'exit 0' TERM; echo started; while :; do sleep 0.1; done"


def docker(*words):
    done = subprocess.run(["docker", *words], capture_output=True, text=True)
    assert done.returncode == 0, f"docker {' '.join(words)}: {done.stderr}"
    return done.stdout.strip()


def skip_unless(met, reason):
    """Ends a test that needs what this engine, or whoever runs it, has not. Only where tests may be skipped (ci/engines.sh): on the engine
    that they were written for nothing is missing, and what is missing all the same is a failure."""
    if not met:
        assert os.environ.get("ROGATE_TESTS_MAY_SKIP") == "yes", f"missing here: {reason}"
        print(f"skipped: {reason}", flush=True)
        sys.exit(SKIPPED)


def variants(*every, short=1):
    """What a test goes through one after the other: the first `short` of them, or all in the long form."""
    return every if LONG else every[:short]


def needs_root():
    skip_unless(os.geteuid() == 0, "it needs root")


@functools.cache
def engine_is_rootless():
    return "name=rootless" in docker("info", "-f", "{{.SecurityOptions}}")


@functools.cache
def engine_is_podman():
    return "Podman Engine" in docker("version", "-f", "{{range .Server.Components}}{{.Name}} {{end}}")


def needs_ebpf():
    skip_unless(not engine_is_rootless(), "a rootless engine gives no container the rights that eBPF needs")


@functools.cache
def read_only_reaches_below():
    """Docker 25 and newer: a read-only bind is read-only down to what is mounted below its source."""
    return tuple(map(int, docker("version", "-f", "{{.Server.APIVersion}}").split("."))) >= (1, 44)


def ask_engine(path):
    """A GET of the Engine API, without docker's client, whose start takes as long as a small test."""
    connection = http.client.HTTPConnection("localhost", timeout=60)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://"))
    with contextlib.closing(connection):
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == 200, f"GET {path}: {answer.status} {body}"
        return json.loads(body) or []


def leftovers():
    """The ids and names of what rogate has on the engine, one on a line."""
    labelled = urllib.parse.quote(json.dumps({"label": ["io.rogate.session"]}))
    found = [each["Id"] for each in ask_engine(f"/v1.41/containers/json?all=1&filters={labelled}")]
    found += [each["Name"] for each in ask_engine(f"/v1.41/volumes?filters={labelled}")["Volumes"] or []]
    found += [each["Id"] for each in ask_engine(f"/v1.41/networks?filters={labelled}")]
    return "\n".join(found + images_left(labelled))


def images_left(labelled):
    """Podman fails when one is removed while it lists them."""
    for _ in range(20):
        with contextlib.suppress(AssertionError):
            return [each["Id"] for each in ask_engine(f"/v1.41/images/json?filters={labelled}")]
        time.sleep(0.1)
    return [each["Id"] for each in ask_engine(f"/v1.41/images/json?filters={labelled}")]


def left_after(seconds):
    for _ in range(seconds * 10):
        left = leftovers()
        if not left:
            break
        time.sleep(0.1)
    return left


def without_soak(words):
    """rogate's own exercise lets each container run for ten seconds, which the tests that are not about it do without."""
    return words if words[:1] != ("run",) or "--soak" in words else (*words, "--soak", "0s")


def rogate(*words, env=None, timeout=500):
    return subprocess.run([ROGATE, *without_soak(words)], capture_output=True, text=True, timeout=timeout,
                          env={**os.environ, **(env or {})})


TOO_LATE = "before the observer looked"


class Running:
    """A rogate that is at work: its progress can be waited for."""

    def __init__(self, *words):
        self.process = subprocess.Popen([ROGATE, *without_soak(words)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.output = ""
        self.code = None

    def comes_to(self, text):
        """Reads the progress up to the line that holds `text`. False: to its end, in vain."""
        for line in self.process.stdout:
            self.output += line
            if text in line:
                return True
        return False

    def wait_for(self, text):
        if not self.comes_to(text):
            raise AssertionError(f"rogate ended without saying '{text}':\n{self.output}")

    def finish(self, timeout=300):
        rest, _ = self.process.communicate(timeout=timeout)
        self.output += rest
        self.code = self.process.returncode


class Project:
    """A folder with a scenario and the folders that it mounts."""

    def __init__(self, folder):
        self.folder = folder

    def path(self, name):
        return os.path.join(self.folder, name)

    def make(self, name, files):
        os.makedirs(self.path(name))
        for file, text in files.items():
            with open(os.path.join(self.path(name), file), "w") as out:
                out.write(text)

    def scenario(self, shell, mounts, steps=(), **more):
        subject = {"image": IMAGE, "command": ["sh", "-c", shell], "mounts": mounts, **more.pop("subject", {})}
        whole = {"name": "case", "subject": subject, "ready": {"timeout": "15s", "log": "started"}, "steps": list(steps), **more}
        whole = {key: value for key, value in whole.items() if value}
        with open(self.path("scenario.yaml"), "w") as out:
            json.dump(whole, out)  # JSON is YAML

    def run(self, *words, **more):
        """On a busy machine the observer can come too late to a path that somebody, and be it another test, has changed meanwhile. It
        says so, and nothing follows from that run."""
        for _ in range(3):
            done = rogate("run", self.folder, "--out", self.path("out"), *words, **more)
            self.read_result()
            if not self.observer_came_late():
                break
        return done

    def observer_came_late(self):
        return self.result and any(TOO_LATE in mount["reason"] for mount in self.result["mounts"])

    @contextlib.contextmanager
    def running(self, *words):
        """rogate at work, for tests that do something to it meanwhile; it has ended, and `result` is read, after the block."""
        running = Running("run", self.folder, "--out", self.path("out"), *words)
        try:
            yield running
            running.finish()
        finally:
            running.process.kill()
            running.process.wait()
        self.read_result()

    def read_result(self):
        self.result = None
        if os.path.exists(self.path("out/result.json")):
            with open(self.path("out/result.json")) as file:
                self.result = json.load(file)
            jsonschema.validate(self.result, RESULT_SCHEMA)

    def mount(self, target):
        return next(each for each in self.result["mounts"] if each["target"] == target)

    def verdicts(self):
        return {each["target"]: each["verdict"] for each in self.result["mounts"]}


@contextlib.contextmanager
def project():
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield Project(folder)


def fingerprint(path):
    """Every byte and attribute of a tree."""
    found = []
    for folder, names, files in sorted(os.walk(path)):
        for name in sorted([".", *names, *files]):
            whole = os.path.join(folder, name)
            info = os.lstat(whole)
            content = ""
            if stat.S_ISREG(info.st_mode):
                with open(whole, "rb") as file:
                    content = hashlib.sha256(file.read()).hexdigest()
            found.append((whole, info.st_mode, info.st_uid, info.st_gid, info.st_size, info.st_mtime_ns, info.st_ino, content))
    return found


def equal(got, wanted, about=""):
    assert got == wanted, f"{about}\n     got: {got}\n  wanted: {wanted}"


def contains(text, *parts):
    for part in parts:
        assert part in text, f"'{part}' is missing in:\n{text}"
