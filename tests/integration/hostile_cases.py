"""Subjects that do what no decent application does: limits hold, what is dropped is counted, and no doubt ends in `safe`.

ROGATE_HOSTILE_PATHS: how many distinct paths (10,000 unless told).
"""
import os
import time

from support import IDLE, ROGATE, Running, contains, docker, engine_is_podman, equal, needs_ebpf, project, skip_unless

PATHS = int(os.environ.get("ROGATE_HOSTILE_PATHS", "10000"))
READ = "cat /data/file; "


def peak_kib(pid):
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))


def measured(p, *words, limit_s=240):
    """Runs rogate; its own and the observer's largest memory in MiB."""
    peak = {"rogate": 0, "observer": 0}
    start = time.monotonic()
    running = Running("run", p.folder, "--quiet", "--out", p.path("out"), *words)
    try:
        observer = 0
        while running.process.poll() is None:
            assert time.monotonic() - start < limit_s, f"goes on after {limit_s} s"
            try:
                peak["rogate"] = max(peak["rogate"], peak_kib(running.process.pid) // 1024)
                if not observer:
                    found = docker("ps", "-q", "--filter", "label=io.rogate.role=observer")
                    observer = int(docker("inspect", "-f", "{{.State.Pid}}", found)) if found else 0
                if observer:
                    peak["observer"] = max(peak["observer"], peak_kib(observer) // 1024)
            except (OSError, StopIteration, AssertionError):
                pass  # one of them has just ended
            time.sleep(0.2)
        running.finish()
    finally:
        running.process.kill()
        running.process.wait()
    p.read_result()
    print(f"rogate {peak['rogate']} MiB, observer {peak['observer']} MiB, {time.monotonic() - start:.0f} s")
    return running, peak


def case(shell, steps=(), limit_s=240, **more):
    with project() as p:
        p.make("data", {"file": "text\n"})
        p.scenario(shell, ["./data:/data"], list(steps), **more)
        running, peak = measured(p, limit_s=limit_s)
        return p, running, peak


def never_falsely_safe(p, running):
    """All events accounted for, or inconclusive."""
    assert running.code in (0, 1, 4), running.output
    if any(run["lost_events"] for run in p.result["runs"]):
        assert p.mount("/data")["verdict"] in ("inconclusive", "required"), running.output


def test_many_distinct_paths():
    perl = f"perl -e 'for ($i = 0; $i < {PATHS}; $i++) {{ mkdir \"/data/d$i\"; rmdir \"/data/d$i\" }}'; "
    p, running, peak = case(READ + perl + IDLE, ready={"timeout": "200s", "log": "started"}, limit_s=280)
    never_falsely_safe(p, running)
    assert p.mount("/data")["verdict"] in ("tolerated", "inconclusive"), running.output
    assert peak["rogate"] < 1000 and peak["observer"] < 300, peak
    if PATHS > 200000:  # more than a recording holds
        equal(p.mount("/data")["verdict"], "inconclusive")


def test_longest_paths():
    # 4,096 bytes with the final NUL are what a system call takes; each name is 255 at most.
    perl = ("perl -e '$d = \"/data\"; while (length($d) + 101 < 4090) { $d .= \"/\" . \"x\" x 100; mkdir $d } "
            "open(F, \">\", $d . \"/f\"); open(F, \">\", \"/data/\" . \"y\" x 255); open(F, \">\", \"/data/\" . \"z/\" x 5000)'; ")
    p, running, _ = case(READ + perl + IDLE)
    never_falsely_safe(p, running)
    assert p.mount("/data")["verdict"] in ("tolerated", "inconclusive"), running.output


def test_log_of_megabytes():
    skip_unless(not engine_is_podman(), "podman does not read a log of hundreds of megabytes within a minute")
    p, running, peak = case(READ + "yes " + "x" * 1000 + " | head -c 320M; " + IDLE, ready={"timeout": "120s", "log": "started"})
    assert running.code in (0, 4), running.output
    assert peak["rogate"] < 300, peak


def test_bounded_fork_storm():
    p, running, peak = case(READ + "i=0; while [ $i -lt 2000 ]; do (: >/data/f$i) 2>/dev/null & i=$((i+1)); done; wait; " + IDLE,
                            ready={"timeout": "60s", "log": "started"})
    never_falsely_safe(p, running)
    assert p.mount("/data")["verdict"] in ("tolerated", "inconclusive"), running.output
    assert peak["rogate"] < 300 and peak["observer"] < 300, peak


def flooded(words, **subject):
    """A subject that floods /data once it has read it: how many writes were refused to it, and how many were reported."""
    programs = os.path.join(os.path.dirname(ROGATE), "tests", "programs")
    with project() as p:
        p.make("data", {"file": "text\n"})
        os.chmod(p.path("data"), 0o777)
        p.scenario(READ + f"/p/flood {words}; " + IDLE, ["./data:/data", f"{programs}:/p:ro"], [],
                   subject=subject, candidates=["/data"], ready={"timeout": "100s", "log": "started"})
        running, peak = measured(p)
        never_falsely_safe(p, running)
        probe = next(run for run in p.result["runs"] if run["kind"] == "probe")
        # Where nothing is lost in any run, there is no doubt.
        lost = any(run["lost_events"] for run in p.result["runs"])
        equal(p.mount("/data")["verdict"], "inconclusive" if lost else "tolerated", running.output)
        assert peak["rogate"] < 600 and peak["observer"] < 300, peak
        refused = sum(each["count"] for each in p.mount("/data")["attempts"] if "/data/" in each["path"] and each["errno"] == "EROFS")
        return refused, probe["lost_events"]


def every_write_is_accounted_for(number, refused, lost):
    """Each is reported or counted as lost, and none is reported that was not made."""
    assert refused <= number <= refused + lost and (lost or refused == number), (number, refused, lost)


def test_thousands_of_threads():
    """No more than podman lets a container have by default, 2,048."""
    every_write_is_accounted_for(30_000, *flooded("threads /data 2000 15"))


def test_writes_through_io_uring():
    needs_ebpf()  # the ptrace observer refuses io_uring to the subject
    every_write_is_accounted_for(20_000, *flooded("uring /data 20000", security_opt=["seccomp=unconfined"]))


def test_unbounded_fork_storm():
    refused, lost = flooded("storm /data 3")
    assert lost or refused > 500, (refused, lost)


def test_never_ready():
    p, running, _ = case(READ + "sleep 600", ready={"timeout": "3s", "log": "started"}, shutdown={"timeout": "1s"}, limit_s=60)
    equal(running.code, 1, running.output)
    equal(p.mount("/data")["verdict"], "inconclusive")
    contains(" ".join(running.output.split()), "not ready within 3.0 s")


def test_ignores_sigterm():
    p, running, _ = case("trap '' TERM; cat /data/file; echo started; while :; do sleep 0.1; done", shutdown={"timeout": "2s"}, limit_s=60)
    equal(running.code, 0, running.output)
    contains(" ".join(running.output.split()), "process 1 of the subject has no handler for SIGTERM")
    equal({run["exit_code"] for run in p.result["runs"]}, {137})


def test_exits_at_once():
    for command in ("exit 0", "exit 3", "kill -9 $$"):
        p, running, _ = case(command, limit_s=60)
        assert running.code in (1, 4), running.output
        equal(p.mount("/data")["verdict"], "inconclusive")


def test_moves_to_other_namespaces():
    shell = (READ + "unshare -m sh -c 'touch /data/a' ; unshare -mpf sh -c 'touch /data/b'; unshare -Ur sh -c 'touch /data/c'; "
             "unshare -m sh -c 'mount -t tmpfs t /data; touch /data/elsewhere'; " + IDLE)
    p, running, _ = case(shell, subject={"cap_add": ["SYS_ADMIN"], "security_opt": ["seccomp=unconfined", "apparmor=unconfined"]})
    never_falsely_safe(p, running)
    assert p.mount("/data")["verdict"] in ("tolerated", "inconclusive"), running.output


def test_chroot():
    shell = (READ + "mkdir -p /tmp/r/data /tmp/r/bin /tmp/r/lib /tmp/r/lib64 /tmp/r/usr; mount --bind /usr /tmp/r/usr; mount --bind /bin /tmp/r/bin;"
             " mount --bind /lib /tmp/r/lib; mount --bind /lib64 /tmp/r/lib64; mount --bind /data /tmp/r/data; chroot /tmp/r touch /data/inside; " + IDLE)
    p, running, _ = case(shell, subject={"cap_add": ["SYS_ADMIN"], "security_opt": ["seccomp=unconfined", "apparmor=unconfined"]})
    never_falsely_safe(p, running)
    # The refused write was on a mount of the subject's own making.
    assert p.mount("/data")["verdict"] in ("tolerated", "inconclusive"), running.output


def test_out_of_memory():
    perl = "perl -e '$x = \"x\" x (200 << 20); sleep 60'"
    p, running, _ = case(READ + "ulimit -v 100000; " + perl + " || exit 5; " + IDLE, limit_s=60)
    equal(running.code, 1, running.output)
    equal(p.mount("/data")["verdict"], "inconclusive")
