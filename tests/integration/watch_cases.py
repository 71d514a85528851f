"""A container that runs is watched, and left alone."""
import contextlib
import json
import os
import re
import signal
import time

import jsonschema

from support import IDLE, IMAGE, ROGATE, ROOT, TOO_LATE, Running, contains, docker, equal, needs_ebpf, needs_root, project, rogate

HOLD = os.path.join(os.path.dirname(ROGATE), "tests/programs/hold")
with open(f"{ROOT}/scenarios/watch.schema.json") as schema_file:
    SCHEMA = json.load(schema_file)
NAME = "rogate-test-watched"
STATE = "{{.State.StartedAt}} {{.State.Pid}} {{.RestartCount}} {{.HostConfig.RestartPolicy.Name}}"


@contextlib.contextmanager
def container(*words):
    needs_ebpf()
    docker("run", "-d", "--name", NAME, *words)
    try:
        for _ in range(100):
            if "started" in docker("logs", NAME):
                break
            time.sleep(0.1)
        yield
    finally:
        docker("rm", "-fv", NAME)


def namespaces_held():
    needs_root()
    observer = docker("inspect", "-f", "{{.State.Pid}}", docker("ps", "-q", "--filter", "label=io.rogate.role=observer"))
    folder = f"/proc/{observer}/fd"
    return sum(os.readlink(f"{folder}/{each}").startswith("mnt:") for each in os.listdir(folder))


def watched(*options, code=0):
    done = rogate("watch", NAME, "--format", "json", *options)
    equal(done.returncode, code, done.stdout + done.stderr)
    seen = json.loads(done.stdout)
    jsonschema.validate(seen, SCHEMA)
    return seen


def mount(seen, target):
    return next(each for each in seen["mounts"] if each["target"] == target)


def writes(seen, target, kind="writes"):
    return {(each["operation"], each["path"], each["phase"]) for each in mount(seen, target)[kind]}


def watched_at_work(p):
    """What is told of a container that writes all the time, as it was before the watch and is after it."""
    with container("-v", f"{p.path('conf')}:/conf", "-v", f"{p.path('fixed')}:/fixed:ro", "-v", "/data", "--tmpfs", "/run/x", "-e",
                   "TOKEN=dont-tell-me", IMAGE, "sh", "-c",
                   "trap 'exit 0' TERM; touch /data/before; i=0; echo 0 >/run/x/rounds; echo started; "
                   "while :; do sleep 0.2; i=$((i+1)); echo $i >/run/x/rounds; cat /conf/file >/dev/null; mkdir -p /data/d; rmdir /data/d; echo x 2>/dev/null >/fixed/x; "
                   "echo $TOKEN >/run/x/$TOKEN; done"):
        before = docker("inspect", "-f", STATE, NAME)
        running = Running("watch", NAME, "--format", "json", "--output", p.path("seen.json"))
        running.wait_for("watching " + NAME)
        docker("exec", NAME, "touch", "/data/by-hand")
        begun = int(docker("exec", NAME, "cat", "/run/x/rounds"))
        while int(docker("exec", NAME, "cat", "/run/x/rounds")) < begun + 8:
            time.sleep(0.2)
        running.process.send_signal(signal.SIGINT)
        running.finish()
        equal(running.code, 0, running.output)
        equal(docker("inspect", "-f", STATE, NAME), before, "the container was touched")
        # It goes on making and removing /data/d meanwhile.
        there = [each for each in docker("exec", NAME, "ls", "-A", "/data", "/conf", "/fixed").split() if each != "d"]
        equal(sorted(there), ["/conf:", "/data:", "/fixed:", "before", "by-hand", "file", "file"])
    with open(p.path("seen.json")) as file:
        text = file.read()
    seen = json.loads(text)
    jsonschema.validate(seen, SCHEMA)
    assert "dont-tell-me" not in text
    return seen


def test_what_it_does_is_told_and_it_is_left_alone():
    with project() as p:
        p.make("conf", {"file": "text\n"})
        p.make("fixed", {"file": "text\n"})
        for _ in range(3):
            seen = watched_at_work(p)
            if TOO_LATE not in seen["problem"]:
                break
    equal((seen["lost_events"], seen["problem"], seen["ended"], seen["restarts"]), (0, "", "until the watch was stopped", 0))
    equal(writes(seen, "/data"), {("mkdir", "/data/d", "watch"), ("rmdir", "/data/d", "watch"), ("create", "/data/by-hand", "docker exec"),
                                  ("utime", "/data/by-hand", "docker exec")})
    equal((writes(seen, "/conf"), mount(seen, "/conf")["worth_trying"], mount(seen, "/conf")["uses"] > 5), (set(), True, True))
    equal(writes(seen, "/fixed", "refused"), {("create", "/fixed/x", "watch")})
    assert any(path == "/run/x/***" for _, path, _ in writes(seen, "/run/x")), seen


def test_what_is_open_for_writing_already():
    """No call says so any more: a descriptor, and a mapping whose descriptor is closed."""
    with project() as p, container("-v", f"{HOLD}:/hold:ro", "-v", "/data", "-v", "/map", IMAGE, "/hold", "/data/file", "/map/file"):
        seen = watched("--for", "1s")
        equal(seen["ended"], "until the time was over")
        equal(writes(seen, "/data"), {("open-write", "/data/file", "open already")})
        equal(writes(seen, "/map"), {("open-write", "/map/file", "open already")})
        assert not mount(seen, "/map")["worth_trying"]
        done = rogate("watch", NAME, "--for", "1s")
        contains(done.stdout, "written to: 1 kind of write, 1 open for writing from before", "by hold, open for writing when the watch began")
        done = rogate("watch", NAME, "--for", "1s", "--format", "markdown", "--output", p.path("writes.md"))
        with open(p.path("writes.md")) as file:
            contains(file.read(), f"# Writes of {NAME}", "| open-write | `/map/file` | 1 | `hold` |")


def test_children_of_before_and_of_later_are_its_own():
    with container("-v", "/data", IMAGE, "sh", "-c", "(while :; do sleep 0.3; sh -c 'echo x >/data/child'; done) & " + IDLE):
        seen = watched("--for", "3s")
        equal({path for _, path, _ in writes(seen, "/data")}, {"/data/child"})


def test_a_restart_does_not_end_it_and_its_end_does():
    with container("-v", "/data", IMAGE, "sh", "-c", "test -e /data/again && touch /data/second; touch /data/again; " + IDLE):
        running = Running("watch", NAME, "--format", "json")
        running.wait_for("watching " + NAME)
        docker("restart", "-t", "5", NAME)
        for _ in range(100):
            if "second" in docker("exec", NAME, "ls", "/data"):
                break
            time.sleep(0.1)
        time.sleep(2)  # it looks once a second
        assert namespaces_held() == 1
        docker("stop", "-t", "5", NAME)
        # For another second or two it still watches: what it held would keep the container's mounts mounted.
        equal(namespaces_held(), 0)
        running.finish()
        equal(running.code, 0, running.output)
        seen = json.loads(running.output[running.output.index("{"):])
        equal((seen["restarts"], seen["ended"]), (1, "until it ended with code 0"))
        assert ("create", "/data/second", "watch") in writes(seen, "/data"), seen


def test_an_interruption_ends_it_and_tells():
    for kind in (signal.SIGINT, signal.SIGTERM):
        with container("-v", "/data", IMAGE, "sh", "-c", "trap 'exit 0' TERM; echo started; while :; do sleep 0.1; echo x >>/data/log; done"):
            running = Running("watch", NAME)
            running.wait_for("watching " + NAME)
            time.sleep(1)
            running.process.send_signal(kind)
            running.finish()
            equal(running.code, 0, running.output)
            contains(running.output, "until the watch was stopped", "open-write  /data/log")


def test_killed_it_leaves_the_container_as_it_was():
    with container("-v", "/data", IMAGE, "sh", "-c", "trap 'exit 0' TERM; echo started; while :; do sleep 0.1; sh -c 'echo x >>/data/log'; done"):
        before = docker("inspect", "-f", STATE, NAME)
        running = Running("watch", NAME)
        running.wait_for("watching " + NAME)
        running.process.kill()
        running.process.wait()
        time.sleep(1)
        equal(docker("inspect", "-f", STATE, NAME), before)
        sizes = []
        for _ in range(2):
            sizes.append(int(docker("exec", NAME, "stat", "-c", "%s", "/data/log")))
            time.sleep(1)
        assert sizes[1] > sizes[0], sizes
        docker("restart", "-t", "5", NAME)


def test_lost_events_are_told():
    with container("-v", "/data", IMAGE, "sh", "-c",
                   "echo started; sleep 4; i=0; while [ $i -lt 30 ]; do for j in 0 1 2 3 4 5 6 7 8 9; do "
                   "perl -e 'for (1..3000) { open F, \">\", \"/data/$$-$_-\" . \"n\" x 200; close F }' & done; wait; i=$((i+1)); done; " + IDLE):
        done = rogate("watch", NAME, "--for", "8s", "--ring-bytes", "4096")
        equal(done.returncode, 4, done.stdout + done.stderr)
        assert re.search(r"Not all was seen: \d+ events were lost", done.stdout), done.stdout
        assert "worth trying read-only" not in done.stdout, done.stdout


def test_input_errors():
    needs_ebpf()
    done = rogate("watch", "rogate-test-nobody")
    equal(done.returncode, 3)
    contains(done.stderr, "watching container rogate-test-nobody", "o such container")
    docker("create", "--name", NAME, IMAGE, "true")
    try:
        done = rogate("watch", NAME)
        equal(done.returncode, 2, done.stderr)
        contains(done.stderr, f"container '{NAME}' does not run")
    finally:
        docker("rm", NAME)
    done = rogate("watch", NAME, "--for", "soon")
    equal(done.returncode, 2)
    contains(done.stderr, "--for")
