"""Every doubt ends in inconclusive, never in safe."""
import os
import subprocess
import tempfile

from support import IDLE, IMAGE, ROGATE, contains, docker, equal, needs_ebpf, project

AGENT = os.path.join(os.path.dirname(ROGATE), "harness", "observe", "agent", "rogate-observer")


def lost_events(*options):
    """Its buffer is one page, and nobody takes anything out of it for a while, so that it must overflow."""
    with project() as p:
        p.make("data", {"file": "text\n"})
        writes = "(until [ -e /tmp/go ]; do sleep 0.1; done; for i in $(seq 300); do : >/tmp/f$i; done; : >/tmp/done) & "
        p.scenario("cat /data/file; " + writes + IDLE, ["./data:/data"], [{"name": "waits", "wait": "3s"}])
        with p.running("--ring-bytes", "4096", *options) as running:
            running.wait_for("step waits")
            observer = docker("ps", "-q", "--filter", "label=io.rogate.role=observer")
            subject = docker("ps", "-q", "--filter", "label=io.rogate.role=subject")
            docker("kill", "--signal", "STOP", observer)
            docker("exec", subject, "sh", "-c", ": >/tmp/go; until [ -e /tmp/done ]; do sleep 0.1; done")
            docker("kill", "--signal", "CONT", observer)
        equal(running.code, 4, running.output)
        equal(p.verdicts(), {"/data": "inconclusive"})
        contains(p.mount("/data")["reason"], "events were lost")


def test_lost_events_are_never_safe():
    lost_events()


def test_lost_events_are_never_safe_under_ptrace():
    lost_events("--observer", "ptrace")


def killed_observer(*options):
    with project() as p:
        p.make("data", {"file": "text\n"})
        p.scenario("cat /data/file; " + IDLE, ["./data:/data"], [{"name": "waits", "wait": "3s"}])
        with p.running(*options) as running:
            running.wait_for("step waits")
            docker("kill", docker("ps", "-q", "--filter", "label=io.rogate.role=observer"))
        equal(running.code, 4, running.output)
        equal(p.verdicts(), {"/data": "inconclusive"})
        contains(p.mount("/data")["reason"], "observer")


def test_killed_observer_is_never_safe():
    killed_observer()


def test_killed_observer_is_never_safe_under_ptrace():
    """That of rogate's own container; the killed tracer is in ptrace_cases.py."""
    killed_observer("--observer", "ptrace")


def test_observer_that_sees_nothing_is_never_safe():
    """It runs and answers, but what it sees the calls by is detached: only the canary can tell."""
    needs_ebpf()
    with project() as p:
        p.make("data", {"file": "text\n"})
        p.scenario("cat /data/file; " + IDLE, ["./data:/data"], [{"name": "waits", "wait": "1s"}])
        with p.running() as running:
            running.wait_for("step waits")
            docker("kill", "--signal", "USR1", docker("ps", "-q", "--filter", "label=io.rogate.role=observer"))
        equal(running.code, 4, running.output)
        equal(p.verdicts(), {"/data": "inconclusive"})
        contains(p.mount("/data")["reason"], "the observer did not see it")


def says(*options):
    """What the agent says when it is run with these options of `docker run`."""
    needs_ebpf()
    done = subprocess.run(["docker", "run", "--rm", "-i", "--pid", "host", "-v", f"{AGENT}:/agent:ro", *options, IMAGE, "/agent"],
                          capture_output=True, stdin=subprocess.DEVNULL, timeout=60)
    return done.stdout.decode("utf-8", "replace") + done.stderr.decode("utf-8", "replace")


WITH_RIGHTS = ["--cap-drop", "ALL", "--cap-add", "SYS_ADMIN", "--cap-add", "SYS_PTRACE", "--cap-add", "DAC_READ_SEARCH",
               "--security-opt", "seccomp=unconfined"]


def test_missing_rights_are_told_apart_from_a_missing_feature():
    contains(says(*WITH_RIGHTS), "sys_exit")
    contains(says("--cap-drop", "ALL"), "does not let the observer load BPF programs", "CAP_SYS_ADMIN")
    with tempfile.TemporaryDirectory() as empty:
        contains(says(*WITH_RIGHTS, "-v", f"{empty}:/sys/kernel/btf:ro"), "has no BTF", "CONFIG_DEBUG_INFO_BTF")


def test_what_is_used_is_told_by_the_mounts_of_its_time():
    """A restarted container can get the numbers of its old mounts again, each for another one; what was read before the restart must
    not be counted for a mount that nothing reads."""
    needs_ebpf()
    with project() as p:
        names = [f"m{i}" for i in range(12)]
        for name in names:
            p.make(name, {"file": "x"})
        p.scenario(f"cat /m3/file /m3/file; {IDLE}", [f"./{name}:/{name}" for name in names],
                   [{"name": f"restarted {i}", "restart": "kill"} for i in range(4)])
        done = p.run()
        equal(done.returncode, 0, done.stdout + done.stderr)
        for run in p.result["runs"]:
            equal({target: count for target, count in run["uses"].items() if target != "/"}, {"/m3": 10}, done.stdout)
