"""The ptrace observer: what it reports is what the program was answered, both ways; and what --observer says."""
import collections
import os
import shutil
import subprocess
import time

from shipped_cases import shipped_with
from support import IDLE, IMAGE, ROGATE, contains, docker, equal, project

PROGRAM = os.path.join(os.path.dirname(ROGATE), "tests/programs/write_calls")


def subject():
    for _ in range(100):
        found = docker("ps", "-q", "--filter", "label=io.rogate.role=subject")
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError("no subject")


def refused(log):
    """What the program says was refused with EROFS: (call, path) -> how often."""
    found = collections.Counter()
    for line in log.splitlines():
        call, error, path = line.split(" ", 2)
        if error == "EROFS":
            found[(call, path)] += 1
    return found


def table(mount, directory, user=None, candidate=None, mode=0o777):
    """Runs write_calls where it can write and where it cannot; in the latter, the reports must equal its own account."""
    target = candidate or directory
    with project() as p:
        p.make("bin", {})
        shutil.copy(PROGRAM, p.path("bin/write_calls"))
        p.make("data", {})
        subprocess.run([PROGRAM, "setup", p.path("data")], check=True)
        os.chmod(p.path("data"), mode)
        more = {"user": user} if user else {}
        p.scenario(f"/t/write_calls run {directory}; " + IDLE.replace("echo started", "echo started >&2"),
                   ["./bin:/t:ro"] + mount, [{"name": "waits", "wait": "1500ms"}], subject=more, candidates=[target])
        with p.running("--observer", "ptrace") as running:
            logs = []
            for _ in range(2):
                running.wait_for("step waits")
                done = subprocess.run(["docker", "logs", subject()], capture_output=True, text=True, check=True)
                logs.append(done.stdout)
        wanted = refused(logs[1])
        assert len(wanted) > 12, logs[1]  # on a tmpfs most names are missing
        seen = collections.Counter()
        for each in p.mount(target)["attempts"]:
            if each["errno"] == "EROFS":
                seen[(each["syscall"], each["path"])] += each["count"]
        equal(dict(seen - wanted), {}, "reported, but never happened")
        equal(dict(wanted - seen), {}, "happened, but was not reported")
        equal(p.result["observer"]["kind"], "ptrace")
        for run in p.result["runs"]:
            equal(run["lost_events"], 0)
            assert "observer_problem" not in run, run
        equal(p.result["runs"][1]["canary"][target], "seen")


def test_truth_on_a_bind():
    table(["./data:/data"], "/data")


def test_truth_on_a_bind_as_another_user():
    table(["./data:/data"], "/data", user="33:33")


def test_truth_on_a_volume():
    docker("volume", "create", "rogate-test-truth")
    try:
        where = docker("volume", "inspect", "-f", "{{.Mountpoint}}", "rogate-test-truth")
        subprocess.run([PROGRAM, "setup", where], check=True)
        table(["rogate-test-truth:/data"], "/data")
    finally:
        docker("volume", "rm", "rogate-test-truth")


def test_truth_on_a_tmpfs():
    table([{"type": "tmpfs", "target": "/data"}], "/data")


def test_truth_on_the_root_file_system():
    table([], "/srv", candidate="/")


def test_truth_on_the_root_file_system_as_another_user():
    table([], "/srv", candidate="/", user="33:33")


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


def test_killed_tracer_is_never_safe():
    with project() as p:
        p.make("data", {"file": "text\n"})
        p.scenario("cat /data/file; " + IDLE, ["./data:/data"], [{"name": "waits", "wait": "2s"}])
        with p.running("--observer", "ptrace") as running:
            for _ in range(2):  # the control run's is left alone: the one that decides is the probe run's
                running.wait_for("step waits")
            lines = docker("top", subject(), "-eo", "pid,args").splitlines()
            tracer = [line.split()[0] for line in lines if "/.rogate/agent run" in line]
            equal(len(tracer), 1, "\n".join(lines))
            os.kill(int(tracer[0]), 9)
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
