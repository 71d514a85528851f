"""What is around rogate fails: the engine dies or has nothing left to give, the disk is full, the subject is out of memory."""
import os
import subprocess

from own_engine import own_engine
from support import IDLE, contains, docker, equal, fingerprint, left_after, needs_root, project


def plain(p, steps=()):
    p.make("data", {"file": "text\n"})
    p.scenario("cat /data/file; " + IDLE, ["./data:/data"], list(steps))


def test_engine_that_is_killed_and_comes_back():
    with own_engine() as engine, project() as p:
        plain(p, [{"name": "waits", "wait": "30s"}])
        before = fingerprint(p.path("data"))
        with p.running() as running:
            running.wait_for("step waits")
            engine.kill()
            engine.start()
        # 4: the engine was back before rogate needed it, and only the observer was lost.
        assert running.code in (3, 4), running.output
        contains(running.output, "ngine" if running.code == 3 else "the observer failed during the run")
        assert p.result is None or "safe" not in p.verdicts().values(), running.output
        equal(left_after(30), "", running.output)
        equal(fingerprint(p.path("data")), before)


def test_engine_without_addresses():
    with own_engine() as engine, project() as p:
        for name in ("takes-one", "takes-the-other"):
            engine.docker("network", "create", name)
        plain(p)
        done = p.run()
        equal(done.returncode, 3, done.stdout + done.stderr)
        contains(done.stderr, "networks/create", "address pool")
        equal((p.result, left_after(5)), (None, ""))


def test_full_disk_keeps_the_answer():
    needs_root()
    with project() as p:
        plain(p)
        os.mkdir(p.path("out"))
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "full", p.path("out")], check=True)
        try:
            done = p.run()
            files = os.listdir(p.path("out"))
        finally:
            subprocess.run(["umount", p.path("out")], check=True)
        equal(done.returncode, 3, done.stdout + done.stderr)
        contains(done.stdout, "safe", "/data")
        contains(done.stderr, "cannot write", "No space left on device")
        assert not any(name.endswith(".tmp") for name in files), files


def test_subject_that_is_out_of_memory():
    with project() as p:
        p.make("data", {"file": "text\n"})
        hungry = "while ! [ -e /tmp/go ]; do sleep 0.1; done; exec perl -e '$x = \"x\" x (300 << 20); sleep 60'"
        p.scenario("cat /data/file; echo started; " + hungry, ["./data:/data"], [{"name": "waits", "wait": "10s"}])
        with p.running() as running:
            running.wait_for("step waits")
            subject = docker("ps", "-q", "--filter", "label=io.rogate.role=subject")
            docker("update", "--memory", "32m", "--memory-swap", "32m", subject)
            docker("exec", subject, "touch", "/tmp/go")
        equal(running.code, 1, running.output)
        equal(p.verdicts(), {"/data": "inconclusive"})
        contains(" ".join(running.output.split()), "out of memory")
