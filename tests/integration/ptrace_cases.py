"""The ptrace observer and what --observer says. That it reports what the program was answered is in truth_cases.py."""
import collections
import contextlib
import os
import shutil
import time

from shipped_cases import shipped_with
from support import IDLE, IMAGE, contains, docker, equal, needs_root, project


def subject():
    for _ in range(100):
        found = docker("ps", "-q", "--filter", "label=io.rogate.role=subject")
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError("no subject")


def test_shipped_nginx():
    shipped_with("nginx", "--observer", "ptrace")


def test_shipped_redis():
    shipped_with("redis", "--observer", "ptrace")


def test_shipped_postgresql():
    shipped_with("postgresql", "--observer", "ptrace")


def test_steps_health_checks_restarts_and_phases():
    with project() as p:
        p.make("data", {"file": "text\n"})
        p.scenario("cat /data/file; touch /data/stamp; " + IDLE, ["./data:/data"],
                   [{"name": "execs", "exec": ["sh", "-c", "touch /data/exec || true"]},
                    {"name": "restarts", "restart": "graceful"}, {"name": "is killed", "restart": "kill"},
                    {"name": "is healthy", "healthcheck": "healthy", "retry": {"until": "20s", "interval": "200ms"}}],
                   subject={"healthcheck": {"test": ["CMD-SHELL", "echo h >/data/health || true"], "interval": "500ms"}})
        done = p.run("--observer", "ptrace")
        equal(p.verdicts(), {"/data": "tolerated"}, done.stdout + done.stderr)
        phases = collections.defaultdict(set)
        for each in p.mount("/data")["attempts"]:
            phases[each["path"]].add(each["phase"])
        equal(phases["/data/health"], {"healthcheck"})
        equal(phases["/data/exec"], {"step execs"})
        equal(phases["/data/stamp"], {"entrypoint", "step restarts", "step is killed"})


def test_every_verdict():
    with project() as p:
        for name in ("conf", "check", "unused", "deep/er"):
            p.make(name, {"file": "text\n"})
        os.chmod(p.path("check/file"), 0o640)
        p.scenario("cat /deep/er/file; cat /conf/file; touch /conf/file; cat /check/file; rm -f /check/missing; chmod 640 /check/file; "
                   "test -w /check/file; " + IDLE, ["./conf:/conf", "./check:/check", "./unused:/unused", "./deep:/deep"])
        done = p.run("--observer", "ptrace")
        equal(p.verdicts(), {"/check": "safe", "/conf": "tolerated", "/deep": "safe", "/unused": "untested"}, done.stdout + done.stderr)


def test_first_process_keeps_its_number_and_its_capabilities():
    """What the application can see of the observer: pid 1 is its own, and it has no capability more than it was given."""
    for user in ("0", "33"):
        bare = docker("run", "--rm", "--user", user, IMAGE, "sh", "-c", "grep -E '^(Cap|NoNewPrivs)' /proc/1/status")
        with project() as p:
            p.scenario("readlink /proc/1/exe; grep -E '^(Cap|NoNewPrivs)' /proc/1/status; " + IDLE, [{"type": "tmpfs", "target": "/x"}],
                       [{"name": "waits", "wait": "1s"}], subject={"user": user})
            with p.running("--observer", "ptrace") as running:
                running.wait_for("step waits")
                log = docker("logs", subject())
            contains(log, bare)
            contains(log, "/usr/bin/dash")


def test_setuid_program_keeps_its_privileges():
    with project() as p:
        p.make("bin", {})
        shutil.copy("/usr/bin/touch", p.path("bin/touch"))
        p.make("data", {})
        # The overlay keeps owner and mode; root's touch makes a file where the user could not.
        os.chmod(p.path("bin/touch"), 0o4755)
        os.chmod(p.path("data"), 0o755)
        p.scenario("cat /data/* 2>/dev/null; /t/touch /data/made; ls -n /data >&2; " + IDLE, ["./bin:/t:ro", "./data:/data"],
                   subject={"user": "33:33"}, candidates=["/data"])
        p.run("--observer", "ptrace")
        writes = {(each["path"], each["errno"]) for each in p.mount("/data")["attempts"]}
        assert ("/data/made", "EROFS") in writes, p.mount("/data")
        equal(p.verdicts()["/data"], "tolerated")


def test_own_no_new_privileges_is_no_doubt():
    """The user's own no-new-privileges is no fault of the observer's: then nothing is doubted."""
    with project() as p:
        p.make("bin", {})
        shutil.copy("/usr/bin/touch", p.path("bin/touch"))
        os.chmod(p.path("bin/touch"), 0o4755)
        p.make("data", {"file": "text\n"})
        p.scenario("cat /data/file; /t/touch /data/made; " + IDLE, ["./bin:/t:ro", "./data:/data"],
                   subject={"user": "33:33", "security_opt": ["no-new-privileges"]}, candidates=["/data"])
        done = p.run("--observer", "ptrace")
        assert p.verdicts()["/data"] != "inconclusive", done.stdout + done.stderr


def processes_beside(pid):
    """Number and command line of all that are in its pid namespace. (`docker top` gives podman's numbers within it.)"""
    def space(of):
        return os.readlink(f"/proc/{of}/ns/pid")
    for other in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            if space(other) == space(pid):
                with open(f"/proc/{other}/cmdline", "rb") as file:
                    yield int(other), file.read().replace(b"\0", b" ").decode("utf-8", "replace")


def test_killed_tracer_is_never_safe():
    needs_root()
    with project() as p:
        p.make("data", {"file": "text\n"})
        p.scenario("cat /data/file; " + IDLE, ["./data:/data"], [{"name": "waits", "wait": "2s"}])
        with p.running("--observer", "ptrace") as running:
            for _ in range(2):  # the control run's is left alone: the one that decides is the probe run's
                running.wait_for("step waits")
            tracers = [pid for pid, command in processes_beside(docker("inspect", "-f", "{{.State.Pid}}", subject()))
                       if command.startswith("/.rogate/agent run")]
            equal(len(tracers), 1, tracers)
            os.kill(tracers[0], 9)
        assert p.verdicts()["/data"] not in ("safe", "tolerated", "required"), running.output
        equal(running.code, 4, running.output)


def test_nothing_watched_is_never_safe():
    with project() as p:
        p.make("data", {"file": "text\n"})
        p.make("need", {"file": "text\n"})
        p.scenario("cat /data/file; echo x >/need/x || exit 3; " + IDLE, ["./data:/data", "./need:/need"])
        done = p.run("--observer", "none")
        equal(p.verdicts(), {"/data": "untested", "/need": "required"}, done.stdout + done.stderr)
        equal(p.result["observer"]["kind"], "none")
        contains(p.mount("/data")["reason"], "nothing watched")


def test_counts_are_exact():
    with project() as p:
        p.make("data", {"file": "text\n"})
        p.scenario("cat /data/file; i=0; while [ $i -lt 1000 ]; do true 2>/dev/null >/data/x; i=$((i+1)); done; " + IDLE, ["./data:/data"])
        done = p.run("--observer", "ptrace")
        equal(p.verdicts(), {"/data": "tolerated"}, done.stdout + done.stderr)
        equal([(a["path"], a["count"]) for a in p.mount("/data")["attempts"]], [("/data/x", 1000)])
