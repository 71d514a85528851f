"""The ptrace observer and what --observer says. That it reports what the program was answered is in truth_cases.py."""
import collections
import contextlib
import os
import shutil
import time

from shipped_cases import shipped_with
from support import IDLE, IMAGE, contains, docker, equal, needs_root, project
from truth_cases import PROGRAMS


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


def escapes(ways, verdict, *reason, seccomp=()):
    """Each way (tests/programs/escapes.c) makes a directory on a mount of its own, which must have that verdict. The control run shows that
    the application can do it with the observer there."""
    with project() as p:
        for way in ways:
            p.make(way, {"file": "text\n"})
        shell = "".join(f"cat /{way}/file; /p/escapes {way} /{way}/new || true\n" for way in ways)
        p.scenario(shell + IDLE, [f"{PROGRAMS}:/p:ro"] + [f"./{way}:/{way}" for way in ways], candidates=[f"/{way}" for way in ways],
                   subject={"security_opt": list(seccomp)})
        done = p.run("--observer", "ptrace")
        got = p.verdicts()
        equal({way: got[f"/{way}"] for way in ways}, dict.fromkeys(ways, verdict), done.stdout + done.stderr)
        for way in ways:
            contains(p.mount(f"/{way}")["reason"], *reason)
            if verdict == "tolerated":
                equal([(each["operation"], each["path"], each["errno"]) for each in p.mount(f"/{way}")["attempts"]],
                      [("mkdir", f"/{way}/new", "EROFS")], way)


def test_children_that_ask_not_to_be_traced():
    escapes(["clone", "vfork", "clone3", "grandchild", "thread", "daemon"], "tolerated")


def test_calls_that_wait_for_a_supervisor():
    escapes(["listener"], "tolerated")


def test_calls_of_all_threads_that_wait_for_a_supervisor():
    escapes(["listener-of-all"], "inconclusive", "SECCOMP_FILTER_FLAG_TSYNC", "--observer ebpf")


def test_own_filter_that_refuses_is_no_doubt():
    """The call is not made, with the observer or without."""
    escapes(["errno-filter"], "safe")


def test_own_filter_that_asks_a_tracer():
    escapes(["trace-filter"], "inconclusive", "seccomp filter of the subject's own")


def test_subject_that_traces():
    for way in ("own-tracer", "attaches"):
        escapes([way], "inconclusive", "(ptrace)", "--observer ebpf")


def test_call_that_no_kernel_has():
    escapes(["unknown-call"], "tolerated")


def test_io_uring_that_only_we_refuse():
    """The engine allows it (so does Docker up to 24): what the application does with it is not known."""
    escapes(["ring"], "inconclusive", "io_uring", "--observer ebpf", seccomp=["seccomp=unconfined"])


def test_first_process_that_waits_for_all_its_children_ends():
    """The tracer is none of them."""
    with project() as p:
        p.make("data", {"file": "text\n"})
        p.scenario("cat /data/file; exec perl -e 'fork or exit; while (wait() != -1) {} print qq(all are gone\n)'", ["./data:/data"],
                   ready={})
        done = p.run("--observer", "ptrace")
        equal(p.verdicts(), {"/data": "safe"}, done.stdout + done.stderr)


def test_subject_that_fails_at_once_is_proven():
    """It may be gone before it can be asked for a canary write."""
    with project() as p:
        p.make("data", {"file": "text\n"})
        p.scenario("touch /data/new || exit 3", ["./data:/data"], ready={})
        done = p.run("--observer", "ptrace")
        equal(p.verdicts(), {"/data": "required"}, done.stdout + done.stderr)
        probes = [each for each in p.result["runs"] if each["kind"] == "probe"]
        for each in probes:
            equal(set(each["canary"].values()), {"seen"})
            assert each["duration_s"] < 20, each


def test_mount_that_others_open_is_untested():
    """A step reads a file of it through the engine, and the subject is started anew."""
    with project() as p:
        p.make("data", {"file": "text\n"})
        p.make("data/below", {"file": "text\n"})
        p.scenario(IDLE, ["./data:/data"], [{"name": "reads", "file": "/data/below/file", "expect": {"equals": "text"}},
                                            {"name": "restarts", "restart": "graceful"}])
        done = p.run("--observer", "ptrace")
        equal(p.verdicts(), {"/data": "untested"}, done.stdout + done.stderr)


def test_one_volume_at_two_places():
    with project() as p:
        volume = "rogate-test-two"
        docker("volume", "create", volume)
        try:
            p.scenario("ls /one/ >/dev/null; touch /one/new; " + IDLE, [f"{volume}:/one", f"{volume}:/two:ro"])
            done = p.run("--observer", "ptrace")
            equal(p.verdicts(), {"/one": "tolerated", "/two": "already-ro"}, done.stdout + done.stderr)
            equal(p.mount("/two")["attempts"], [])
        finally:
            docker("volume", "rm", volume)


def test_paths_through_proc():
    with project() as p:
        p.make("data", {"file": "text\n"})
        p.scenario("cd /data; exec 9</data; ln -s /proc/self/cwd /tmp/here; cat file; touch /proc/self/cwd/a /proc/1/root/data/b "
                   "/proc/self/fd/9/c /dev/fd/9/d /tmp/here/e; cd /proc; touch self/root/data/f; " + IDLE, ["./data:/data"])
        done = p.run("--observer", "ptrace")
        equal(p.verdicts(), {"/data": "tolerated"}, done.stdout + done.stderr)
        equal({each["path"] for each in p.mount("/data")["attempts"] if each["errno"] == "EROFS"}, {f"/data/{name}" for name in "abcdef"})


def test_what_opens_but_writes_nothing():
    """Access mode 3, and utimensat(2) that is to change neither time."""
    with project() as p:
        p.make("data", {"file": "text\n"})
        p.scenario("cat /data/file; perl -e 'my $file = q(/data/file); my $omit = pack(q(q4), 0, 0x3ffffffe, 0, 0x3ffffffe); "
                   "sysopen(F, $file, 3); syscall(280, -100, $file, $omit, 0)'; " + IDLE, ["./data:/data"])
        done = p.run("--observer", "ptrace")
        equal(p.verdicts(), {"/data": "safe"}, done.stdout + done.stderr)
