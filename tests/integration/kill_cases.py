"""rogate killed at any moment: a watchdog of its own leaves nothing on the engine.

ROGATE_KILLS says how often (6 times unless told, 20 in the long form); ROGATE_KILL_SEED makes the moments repeatable.
"""
import os
import random
import signal
import subprocess
import time

from support import IDLE, LONG, ROGATE, contains, docker, equal, fingerprint, left_after, leftovers, project, rogate

KILLS = int(os.environ.get("ROGATE_KILLS", "20" if LONG else "6"))
SEED = int(os.environ.get("ROGATE_KILL_SEED", "1"))


def watchdogs():
    return subprocess.run(["pgrep", "-x", "rogate-watchdog"], capture_output=True, text=True).stdout.split()


def written(p):
    p.make("data", {"file": "text\n"})
    p.make("conf", {"file": "text\n"})
    p.scenario("cat /data/file /conf/file; echo x >/data/new || exit 3; " + IDLE, ["./data:/data", "./conf:/conf", "/anonymous"],
               [{"name": "writes", "exec": "echo y >/data/more"}, {"name": "restarts", "restart": "kill"}])


def test_killed_at_any_moment():
    random.seed(SEED)
    with project() as p:
        written(p)
        before = fingerprint(p.folder)
        start = time.monotonic()
        equal(rogate("run", p.folder, "--quiet").returncode, 0)
        whole = time.monotonic() - start
        slowest = 0
        for number in range(KILLS):
            moment = (number + random.random()) / KILLS * whole
            running = subprocess.Popen([ROGATE, "run", p.folder, "--quiet"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(moment)
            running.kill()
            killed = time.monotonic()
            running.wait()
            left = "not looked yet"
            # Nothing left, and nothing that comes later: the watchdog has ended.
            while time.monotonic() < killed + 10 and (left := (leftovers(), [w for w in watchdogs() if ours(w)])) != ("", []):
                time.sleep(0.05)
            equal(left, ("", []), f"kill {number}, {moment:.2f} s after the start")
            slowest = max(slowest, time.monotonic() - killed)
            equal(fingerprint(p.folder), before, f"kill {number}: the user's data changed")
        print(f"{KILLS} kills within {whole:.1f} s; the slowest clean-up took {slowest:.1f} s")


def ours(pid):
    """A watchdog of this test's rogate, not of somebody else's on the machine."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return f"ROGATE_TEST_MARK={os.environ['ROGATE_TEST_MARK']}\0".encode() in file.read()
    except OSError:
        return False


os.environ["ROGATE_TEST_MARK"] = str(os.getpid())


def test_two_at_a_time_do_not_touch_each_other():
    with project() as one, project() as other:
        for p in (one, other):
            p.make("data", {"file": "text\n"})
            p.scenario("cat /data/file; " + IDLE, ["./data:/data"], [{"name": "waits", "wait": "4s"}])
        docker("volume", "create", "rogate-test-not-ours")
        try:
            with one.running() as survivor:
                survivor.wait_for("step waits")
                with other.running() as killed:
                    killed.wait_for("step waits")
                    killed.process.kill()
                contains(killed.output, "step waits")
            equal(survivor.code, 0, survivor.output)
            equal(one.verdicts(), {"/data": "safe"})
            equal(left_after(10), "")
            contains(docker("volume", "ls", "-q"), "rogate-test-not-ours")
        finally:
            docker("volume", "rm", "rogate-test-not-ours")


def test_watchdog_ends_with_a_clean_run_and_delays_nothing():
    with project() as p:
        p.make("data", {"file": "text\n"})
        p.scenario("cat /data/file; " + IDLE, ["./data:/data"], [{"name": "waits", "wait": "1s"}])
        with p.running() as running:
            running.wait_for("step waits")
            equal(len([w for w in watchdogs() if ours(w)]), 1)
        equal(running.code, 0, running.output)
        equal([w for w in watchdogs() if ours(w)], [])


def test_killed_watchdog_is_no_failure():
    with project() as p:
        p.make("data", {"file": "text\n"})
        p.scenario("cat /data/file; " + IDLE, ["./data:/data"], [{"name": "waits", "wait": "1s"}])
        with p.running() as running:
            running.wait_for("step waits")
            os.kill(int(next(w for w in watchdogs() if ours(w))), signal.SIGKILL)
        equal(running.code, 0, running.output)
        equal(p.verdicts(), {"/data": "safe"})


def test_aborted_rogate_is_cleaned_up_after():
    for number in (signal.SIGABRT, signal.SIGSEGV):
        with project() as p:
            p.make("data", {"file": "text\n"})
            p.scenario(IDLE, ["./data:/data"], [{"name": "waits", "wait": "60s"}])
            with p.running() as running:
                running.wait_for("step waits")
                running.process.send_signal(number)
            equal(running.code, -number)
            equal(left_after(10), "")
