"""Mounts that can be read-only but for some paths: what is proposed has been run."""
from support import IDLE, engine_is_podman, equal, fingerprint, needs_ebpf, project, skip_unless


def writable(p, target):
    return {each["path"]: (each["as"], each["tmpfs_options"], each["needs_mount_point"]) for each in p.mount(target)["writable"]}


def proof(p):
    """The run that the recommendation rests on had just that, and passed."""
    advice = p.result["recommendation"]
    run = next(each for each in p.result["runs"] if each["id"] == advice["verified_by_run"])
    assert run["passed"]
    mounted = lambda writable: [(each["path"], each["as"], each["tmpfs_options"]) for each in writable]
    equal((run["read_only"], mounted(run["writable"])), (advice["read_only"], mounted(advice["writable"])))
    return run


def test_pid_file_and_cascade():
    needs_ebpf()  # which counts what is read back
    with project() as p:
        p.make("data", {"conf": "text\n"})
        p.make("data/run", {})
        shell = ("cat /data/conf && echo $$ >/data/run/app.pid || exit 3; mkdir -p /data/cache/pages || exit 4;"
                 "echo page >/data/cache/pages/1 || exit 5; rm /data/cache/pages/1; " + IDLE)
        p.scenario(shell, ["./data:/data"], [{"name": "restarts", "restart": "graceful"}])
        before = fingerprint(p.path("data"))
        done = p.run()
        equal(p.verdicts(), {"/data": "split"}, done.stdout + done.stderr)
        equal(writable(p, "/data"), {"/data/run": ("tmpfs", "mode=0755", False), "/data/cache": ("tmpfs", "mode=0755", True)})
        equal(len(p.result["runs"]), 4)  # "cache" is but a name: a volume first, then what is read back is known
        proof(p)
        equal(fingerprint(p.path("data")), before, "the user's data changed")


def test_what_has_to_survive_takes_a_volume():
    with project() as p:
        p.make("data", {"conf": "text\n"})
        p.make("data/db", {"old": "row\n"})
        shell = "cat /data/conf && cat /data/db/old && echo row >>/data/db/table || exit 3; " + IDLE
        p.scenario(shell, ["./data:/data"], [{"name": "still has it", "exec": "cat /data/db/old /data/db/table"}])
        before = fingerprint(p.path("data"))
        done = p.run()
        equal(p.verdicts(), {"/data": "split"}, done.stdout + done.stderr)
        equal(writable(p, "/data"), {"/data/db": ("volume", "", False)})
        proof(p)
        equal(fingerprint(p.path("data")), before, "the user's data changed")


def state_kept_in_cache(p, at_start, steps=()):
    """Writes its state into what by its name is a cache."""
    p.make("data", {"conf": "text\n"})
    p.make("data/cache", {})
    p.scenario(f"cat /data/conf; {at_start}; echo state >/data/cache/state || exit 3; " + IDLE, ["./data:/data"], steps)
    done = p.run()
    equal(p.verdicts(), {"/data": "split"}, done.stdout + done.stderr)
    return p.mount("/data")["writable"][0], done.stdout


def test_what_is_read_back_after_a_restart_takes_a_volume():
    """The scenario does not notice that it is gone: it is the observer that does."""
    needs_ebpf()  # which counts what is read back
    with project() as p:
        kept, output = state_kept_in_cache(p, "cat /data/cache/state 2>/dev/null")
        equal((kept["path"], kept["as"]), ("/data/cache", "volume"))
        equal(kept["reason"], "what was there was opened for reading once after a restart (run 3)")
        run = proof(p)
        equal((run["id"], run["again"]), (3, True))
        equal([phase["name"] for phase in run["phases"]], ["entrypoint", "ready", "again: restart", "shutdown"])


def test_what_is_not_read_back_takes_a_tmpfs():
    needs_ebpf()  # which counts what is read back
    with project() as p:
        kept, output = state_kept_in_cache(p, "true")
        equal((kept["path"], kept["as"]), ("/data/cache", "tmpfs"))
        equal(kept["reason"], "by its name it is for temporary files, nothing in it was opened for reading after a restart (run 3), "
                              "and the scenario passes again after a restart that empties it (run 4)")
        equal(proof(p)["id"], 4)


def test_what_the_scenario_misses_after_a_restart_takes_a_volume():
    """A marker in a folder for pid files: the second start has to find what the first one left there."""
    with project() as p:
        p.make("data", {"conf": "text\n"})
        p.make("data/run", {})
        p.scenario("cat /data/conf; if [ -e /started ]; then [ -e /data/run/app.lock ] || exit 5; fi; >/started;"
                   " echo $$ >/data/run/app.lock || exit 3; " + IDLE, ["./data:/data"], [{"name": "is there", "exec": "true"}])
        done = p.run()
        equal(p.verdicts(), {"/data": "split"}, done.stdout + done.stderr)
        kept = p.mount("/data")["writable"][0]
        equal((kept["path"], kept["as"]), ("/data/run", "volume"))
        equal(kept["reason"], "the scenario does not pass again after a restart that empties it (run 3)")
        proof(p)


def test_root_file_system_is_split():
    skip_unless(not engine_is_podman(), "of a read-only root podman's runs show nothing")
    needs_ebpf()  # which counts what is read back
    with project() as p:
        p.make("conf", {"one": "1\n"})
        shell = "cat /conf/one && echo $$ >/run/app.pid && date >/tmp/stamp || exit 3; echo log >>/var/log/app.log || exit 4; " + IDLE
        p.scenario(shell, ["./conf:/conf"], candidates=["/", "/conf"])
        done = p.run()
        equal(p.verdicts(), {"/": "split", "/conf": "safe"}, done.stdout + done.stderr)
        kept = {path: each[0] for path, each in writable(p, "/").items()}
        equal(kept["/tmp"], "tmpfs")
        assert set(kept) == {"/run", "/tmp", "/var/log"}, kept
        assert "leaves out" not in p.mount("/")["reason"], p.mount("/")["reason"]
        run = proof(p)
        equal(run["read_only"], ["/", "/conf"])
        equal(run["canary"], {"/": "seen", "/conf": "seen"})


def test_writes_in_the_mounts_own_directory_are_required():
    with project() as p:
        p.make("data", {"conf": "text\n"})
        p.scenario("cat /data/conf && echo $$ >/data/app.pid || exit 3; " + IDLE, ["./data:/data"])
        p.run()
        equal(p.verdicts(), {"/data": "required"})
        equal(p.mount("/data")["writable"], [])
        equal(len(p.result["runs"]), 2)


def test_mount_point_that_the_engine_would_make():
    with project() as p:
        p.make("data", {"conf": "text\n"})
        p.make("inner", {"x": "1\n"})
        p.scenario("cat /data/conf /data/inner/x; " + IDLE, ["./data:/data", "./inner:/data/inner"])
        before = fingerprint(p.path("data"))
        done = p.run()
        equal(p.verdicts(), {"/data": "safe", "/data/inner": "safe"}, done.stdout + done.stderr)
        assert p.mount("/data")["reason"].endswith("; make the mount points inner in its source first"), p.mount("/data")["reason"]
        equal(fingerprint(p.path("data")), before, "the user's data changed")


def test_mount_point_that_is_a_file():
    with project() as p:
        p.make("data", {"conf": "text\n"})
        p.make("one", {"file": "1\n"})
        p.scenario("cat /data/conf /data/one.conf; " + IDLE, ["./data:/data", "./one/file:/data/one.conf"])
        before = fingerprint(p.path("data"))
        done = p.run()
        equal(p.verdicts(), {"/data": "safe", "/data/one.conf": "safe"}, done.stdout + done.stderr)
        assert p.mount("/data")["reason"].endswith("; make the mount points one.conf (a file) in its source first"), p.mount("/data")["reason"]
        equal(fingerprint(p.path("data")), before, "the user's data changed")


def test_mount_point_missing_in_what_is_read_only_already():
    with project() as p:
        p.make("data", {"conf": "text\n"})
        p.make("one", {"file": "1\n"})
        p.scenario("cat /data/conf; " + IDLE, ["./data:/data:ro", "./one/file:/data/one.conf"])
        done = p.run()
        said = done.stderr.replace("\n", " ")
        assert "does not have the mount points one.conf (a file)" in said and "make them first" in said, done.stderr


def test_together_they_fail():
    """Each of two mounts may be read-only, but not both: the larger of the sets that pass is found."""
    with project() as p:
        for name in ("a", "b", "c"):
            p.make(name, {"file": "text\n"})
        shell = "cat /a/file /b/file /c/file; touch /a/x 2>/dev/null || touch /b/x || exit 3; touch /c/x; " + IDLE
        p.scenario(shell, ["./a:/a", "./b:/b", "./c:/c"])
        done = p.run()
        equal(p.verdicts(), {"/a": "tolerated", "/b": "safe", "/c": "tolerated"}, done.stdout + done.stderr)
        proof(p)
        equal(len(p.result["recommendation"]["read_only"]), 2)
