"""What the verdicts are, on small applications made for each."""
import os
import time

from support import IDLE, IMAGE, contains, docker, engine_is_podman, equal, fingerprint, needs_ebpf, project, rogate, skip_unless


def test_every_verdict():
    with project() as p:
        for name in ("conf", "data", "check", "unused", "ro"):
            p.make(name, {"file": "text\n"})
        os.chmod(p.path("check/file"), 0o640)
        shell = ("cat /conf/file; touch /conf/file 2>/dev/null; echo x >/data/new || exit 3;"
                 # A no-op each: nothing to remove, the mode it has, the owner it has.
                 "cat /check/file; rm -f /check/missing; chmod 640 /check/file; chown root:root /check/file; test -w /check/file;"
                 "cat /anonymous/* 2>/dev/null; ls /anonymous; touch /ro/x 2>/dev/null; " + IDLE)
        p.scenario(shell, ["./conf:/conf", "./data:/data", "./check:/check", "./unused:/unused", "./ro:/ro:ro", "/anonymous",
                           {"type": "tmpfs", "target": "/scratch", "tmpfs": {"size": "1m"}}],
                   [{"name": "uses scratch", "exec": "echo 1 > /scratch/x"}])
        before = {name: fingerprint(p.path(name)) for name in ("conf", "data", "check", "unused", "ro")}
        done = p.run()
        equal(done.returncode, 0, done.stdout + done.stderr)
        equal(p.verdicts(), {"/anonymous": "safe", "/check": "safe", "/conf": "tolerated", "/data": "required",
                             "/ro": "already-ro", "/scratch": "required", "/unused": "untested"}, done.stdout)
        equal({name: fingerprint(p.path(name)) for name in before}, before, "the user's data changed")
        classes = {(a["operation"], a["class"]) for a in p.mount("/check")["attempts"]}
        equal(classes, {("unlink", "no-op"), ("chmod", "no-op"), ("chown", "no-op"), ("access", "access-check")})
        equal(p.mount("/scratch")["attempts"][0]["phase"], "step uses scratch")
        equal(p.mount("/data")["attempts"][0]["process"]["comm"], "sh")
        equal(p.mount("/data")["attempts"][0]["control"], "ok")
        equal(p.mount("/ro")["attempts"][0]["path"], "/ro/x")
        for run in p.result["runs"]:
            equal(run["lost_events"], 0)
            for target in run["read_only"]:
                equal(run["canary"][target], "seen", f"run {run['id']}")


def test_root_file_system():
    skip_unless(not engine_is_podman(), "of a read-only root podman's runs show nothing")
    with project() as p:
        p.scenario("date >/var/tmp/stamp || exit 3; " + IDLE, [], candidates=["/"])
        done = p.run()
        equal(p.verdicts(), {"/": "split"}, done.stdout + done.stderr)
        equal(p.mount("/")["attempts"][0]["path"], "/var/tmp/stamp")


def test_fifty_mounts_two_runs():
    with project() as p:
        for i in range(50):
            p.make(f"m{i}", {"file": "text\n"})
        p.scenario("cat /m*/file; " + IDLE, [f"./m{i}:/m{i}" for i in range(50)])
        done = p.run()
        equal(set(p.verdicts().values()), {"safe"}, done.stdout + done.stderr)
        equal(len(p.result["runs"]), 2)


def test_single_file_and_named_volume():
    docker("volume", "create", "rogate-test-volume")
    try:
        docker("run", "--rm", "-v", "rogate-test-volume:/v", IMAGE, "sh", "-c", "echo kept >/v/file; chown 33:33 /v; chmod 750 /v")
        where = docker("volume", "inspect", "-f", "{{.Mountpoint}}", "rogate-test-volume")
        with project() as p:
            p.make("conf", {"one": "1\n"})
            p.scenario("cat /etc/one; echo x >>/etc/one || exit 3; stat -c '%u %g %a' /v; cat /v/file; echo y >/v/file; " + IDLE,
                       ["./conf/one:/etc/one", "rogate-test-volume:/v"],
                       [{"name": "the copy is like the original", "log": "33 33 750"}])
            before, volume = fingerprint(p.path("conf")), fingerprint(where)
            done = p.run()
            equal(p.verdicts(), {"/etc/one": "required", "/v": "tolerated"}, done.stdout + done.stderr)
            equal(fingerprint(p.path("conf")), before, "the user's file changed")
            equal(fingerprint(where), volume, "the user's volume changed")
    finally:
        docker("volume", "rm", "rogate-test-volume")


def test_volume_that_does_not_exist_is_not_made():
    with project() as p:
        p.scenario("ls /v; " + IDLE, ["rogate-test-missing:/v"])
        p.run()
        equal(p.verdicts(), {"/v": "safe"})
        assert "rogate-test-missing" not in docker("volume", "ls", "-q")


def test_restart_and_healthcheck():
    with project() as p:
        p.make("data", {"file": "text\n"})
        p.scenario("cat /data/file; touch /data/stamp; " + IDLE, ["./data:/data"],
                   [{"name": "restarts", "restart": "graceful"}, {"name": "is killed", "restart": "kill"},
                    {"name": "is healthy", "healthcheck": "healthy", "retry": {"until": "20s", "interval": "200ms"}}],
                   subject={"healthcheck": {"test": ["CMD-SHELL", "echo h >/data/health || true"], "interval": "500ms"}})
        done = p.run()
        equal(p.verdicts(), {"/data": "tolerated"}, done.stdout + done.stderr)
        phases = {a["path"]: a["phase"] for a in p.mount("/data")["attempts"]}
        equal(phases["/data/health"], "healthcheck")
        touched = {a["phase"] for a in p.mount("/data")["attempts"] if a["path"] == "/data/stamp"}
        equal(touched, {"entrypoint", "step restarts", "step is killed"})


def test_silent_exit_code_is_compared_with_the_control_run():
    with project() as p:
        p.make("data", {"file": "text\n"})
        p.scenario("trap 'touch /data/clean || exit 9; exit 0' TERM; cat /data/file; echo started; while :; do sleep 0.1; done",
                   ["./data:/data"])
        done = p.run()
        equal(p.verdicts(), {"/data": "required"}, done.stdout + done.stderr)
        contains(p.mount("/data")["reason"], "shutdown: exit code 9 (control run: 0)")
        equal(p.mount("/data")["attempts"][0]["phase"], "shutdown")


def test_counts_are_exact():
    with project() as p:
        p.make("data", {"file": "text\n"})
        p.scenario("cat /data/file; i=0; while [ $i -lt 1000 ]; do true 2>/dev/null >/data/x; i=$((i+1)); done; " + IDLE, ["./data:/data"])
        done = p.run()
        equal(p.verdicts(), {"/data": "tolerated"}, done.stdout + done.stderr)
        equal([(a["path"], a["count"]) for a in p.mount("/data")["attempts"]], [("/data/x", 1000)])


def test_only_equal_attempts_are_counted_together():
    """They differ in one thing each: where a relative path begins (two folders; two mounts, whose roots both are inode 1), the
    path, the program's name, its file, the operation, the phase."""
    with project() as p:
        p.make("data", {"file": "text\n"})
        os.mkdir(p.path("data/one")), os.mkdir(p.path("data/two"))
        calls = """cd /data
        /tmp/a/tool x; /tmp/a/tool y; /tmp/a/other x; /tmp/b/tool x; perl -e 'mkdir "z"; rmdir "z"'
        cd /data/one; /tmp/a/tool x; cd /data/two; /tmp/a/tool x; cd /first; /tmp/a/tool x; cd /second; /tmp/a/tool x"""
        p.scenario(f"""exec 2>/dev/null; cat /data/file; ls /first /second; mkdir /tmp/a /tmp/b; cp /bin/mkdir /tmp/a/tool
        cp /bin/mkdir /tmp/b/tool; ln -s tool /tmp/a/other; for i in 1 2 3; do {calls}; done; """ + IDLE,
                   ["./data:/data", {"type": "tmpfs", "target": "/first"}, {"type": "tmpfs", "target": "/second"}],
                   [{"name": "again", "exec": "cd /data; /tmp/a/tool x 2>/dev/null; true"}])
        done = p.run()
        assert p.result, done.stderr
        attempts = [(a["path"], a["operation"], a["process"]["exe"], a["process"]["comm"], a["phase"], a["count"])
                    for mount in p.result["mounts"] for a in mount["attempts"]]
        tool = ("mkdir", "/tmp/a/tool", "tool", "entrypoint", 3)
        equal(sorted(attempts), sorted([("/data/x", *tool), ("/data/y", *tool), ("/data/one/x", *tool), ("/data/two/x", *tool),
                                        ("/first/x", *tool), ("/second/x", *tool),
                                        ("/data/x", "mkdir", "/tmp/a/tool", "other", "entrypoint", 3),
                                        ("/data/x", "mkdir", "/tmp/b/tool", "tool", "entrypoint", 3),
                                        ("/data/z", "mkdir", "/usr/bin/perl", "perl", "entrypoint", 3),
                                        ("/data/z", "rmdir", "/usr/bin/perl", "perl", "entrypoint", 3),
                                        ("/data/x", "mkdir", "/tmp/a/tool", "tool", "step again", 1)]), done.stdout + done.stderr)


ADMIN = {"cap_add": ["SYS_ADMIN", "SYS_PACCT"], "security_opt": ["seccomp=unconfined", "apparmor=unconfined"]}


def unless_guessed(verdict, p):
    """eBPF finds some mounts by a guess, where the kernel does not say which of them refused."""
    observer = p.result["observer"]
    return "inconclusive" if observer["kind"] == "ebpf" and "mnt_want_write" not in observer["hooks"] else verdict


def verdict_of_calls(calls, before="", **more):
    """Of /data, with a file and a FIFO in it, once these calls were made; none of them ends the subject."""
    p, output = after_calls(calls, before, **more)
    return p.mount("/data"), output


def after_calls(calls, before="", **more):
    with project() as p:
        p.make("data", {"file": "text\n"})
        os.mkfifo(p.path("data/pipe"), 0o644)
        os.makedirs(p.path("other/in"))
        os.mkdir(p.path("data/other"))
        os.symlink("/other", p.path("data/link"))
        p.scenario(f"exec 2>/dev/null; {before} cat /data/file; {calls}; " + IDLE, ["./data:/data", "./other:/other"], **more)
        done = p.run()
        assert p.result, done.stderr
        return p, done.stdout + done.stderr


def classes(mount):
    return sorted((a["path"], a["operation"], a["class"], a["count"]) for a in mount["attempts"])


def test_a_change_is_not_counted_to_what_changed_nothing():
    """The mode and the owner that a file has, and then new ones; by path and by descriptor."""
    found, output = verdict_of_calls("chmod 644 /data/file; chmod 600 /data/file; chmod 600 /data/file; chown 0:0 /data/file; chown 0:33 /data/file")
    equal(found["verdict"], "tolerated", output)
    equal(classes(found), [("/data/file", "chmod", "no-op", 1), ("/data/file", "chmod", "write", 2),
                           ("/data/file", "chown", "no-op", 1), ("/data/file", "chown", "write", 1)], output)
    found, output = verdict_of_calls("""perl -e 'open $f, "<", "/data/file"; chmod 0644, $f; chmod 0600, $f; chown 0, 0, $f; chown 33, 0, $f'""")
    equal([each[1:] for each in classes(found)], [("chmod", "no-op", 1), ("chmod", "write", 1), ("chown", "no-op", 1), ("chown", "write", 1)],
          output)


def test_a_fifo_has_a_mode_too():
    """Opened for writing it protects nothing; its mode and its owner are the mount's."""
    found, output = verdict_of_calls("""perl -e 'sysopen $f, "/data/pipe", 02 | 04000; chmod 0600, $f'""")
    equal(found["verdict"], "tolerated", output)
    equal([each for each in classes(found) if each[1] == "chmod"], [("/data/pipe", "chmod", "write", 1)], output)


def test_a_file_with_a_long_path_is_there():
    """Its path is cut off, so whether it is there cannot be looked up."""
    with project() as p:
        p.make("data", {"file": "text\n"})
        deep = "/".join(["a" * 250] * 5)
        os.makedirs(p.path(f"data/{deep}"))
        with open(p.path(f"data/{deep}/f"), "w"):
            pass
        p.scenario(f"""cat /data/file; perl -e 'unlink "/data/{deep}/f"'; """ + IDLE, ["./data:/data"])
        done = p.run()
        assert p.result, done.stderr
        # Where the rest of the path leads, through ".." or a symlink, is not known.
        equal(p.mount("/data")["verdict"], unless_guessed("tolerated", p), done.stdout + done.stderr)
        equal([(a["operation"], a["class"]) for a in p.mount("/data")["attempts"]], [("unlink", "write")], done.stdout + done.stderr)


TWO = """
services:
  web:
    image: rogate/base:bookworm
    command: ["perl", "-e", "$$| = 1; open F, '/data/file'; print 'started', chr 10; for (1 .. 400) { rename '/data/job', '/data/mine'; select undef, undef, undef, 0.01 } sleep 60"]
    volumes: ["./data:/data"]
    depends_on: [maker]
    stop_signal: KILL
  maker:
    image: rogate/base:bookworm
    command: ["sh", "-c", "while :; do sleep 2; touch /shared/job; done"]
    volumes: ["./data:/shared"]
    stop_signal: KILL
"""


def test_a_file_that_somebody_makes_in_between_is_no_no_op():
    """The first of equal calls tells whether there was something to remove; the mount is another container's too."""
    with project() as p:
        p.make("data", {"file": "text\n"})
        with open(p.path("compose.yaml"), "w") as out:
            out.write(TWO)
        with open(p.path("scenario.yaml"), "w") as out:
            out.write("""{name: case, subject: {compose: {file: compose.yaml, service: web}}, ready: {log: started}, candidates: [/data],
                          steps: [{name: claim, wait: 5s}], shutdown: {signal: KILL}}""")
        done = p.run()
        assert p.result, done.stderr
        equal(p.mount("/data")["verdict"], "tolerated", done.stdout + done.stderr)


def test_a_refusal_on_a_mount_of_the_subjects_making_counts_as_lost():
    """It is not the mount whose place it lies in that refused."""
    for place in ("/other/in", "/other"):  # there, it has the name of the mount that it covers
        found, output = verdict_of_calls(f"mount --bind /data {place} && touch {place}/f", subject=ADMIN)
        equal(found["verdict"], "inconclusive", output)


def test_a_path_that_leads_elsewhere_later_is_another_attempt():
    """The program, the call and the path are the same, and the mount is not."""
    for lead in ("ln -sfn {} /tmp/to", "rm -f /tmp/to; ln -s {} /tmp/to"):
        first, second = lead.format("/other"), lead.format("/data")
        found, output = verdict_of_calls(f"{first}; touch /tmp/to/x; sleep 1; {second}; touch /tmp/to/x; touch /tmp/to/x")
        equal(found["verdict"], "tolerated", output)
        equal([each for each in classes(found) if each[1] == "create"], [("/data/x", "create", "write", 2)], output)


def test_symlinks_are_followed_from_the_root_that_the_process_has():
    """To it, /link leads to /data/other; to the container's first process, to the mount /other."""
    for path in ("/link/x", "/../other/y"):
        p, output = after_calls(f"""perl -e 'chroot "/data"; chdir "/"; open F, ">", "{path}"'""")
        equal(p.mount("/data")["verdict"], unless_guessed("tolerated", p), output)


def late(running, step, until):
    """In each run: from that step on until it says so the observer gets no time."""
    while running.comes_to(f"  {step}\n"):
        observer = docker("ps", "-q", "--filter", "label=io.rogate.role=observer")
        subject = docker("ps", "-q", "--filter", "label=io.rogate.role=subject")
        docker("pause", observer)
        try:
            docker("kill", "--signal", "USR1", subject)
            for _ in range(200):
                if until(subject):
                    break
                time.sleep(0.1)
        finally:
            docker("unpause", observer)


def has_ended(container):
    return docker("inspect", "--format", "{{.State.Running}}", container) == "false"


def test_a_mount_that_is_gone_when_the_observer_looks_is_doubted():
    """It has been taken away, or the program has ended, whose table of mounts would tell of it."""
    needs_ebpf()
    for calls in ("mount --bind /data /other/in; touch /other/in/f; umount /other/in; echo done",
                  "mount --bind /data /other/in; touch /other/in/f; echo done; exit 0",
                  "touch /data/f; umount /data; echo done", "touch /data/f; mount --move /data /mnt; echo done"):
        with project() as p:
            p.make("data", {"file": "text\n"})
            os.makedirs(p.path("other/in"))
            p.scenario(f"trap '{calls}' USR1; cat /data/file; " + IDLE, ["./data:/data", "./other:/other"],
                       [{"name": "acts", "log": "done", "retry": {"until": "30s", "interval": "500ms"}}], subject=ADMIN,
                       candidates=["/", "/data", "/other"])
            with p.running() as running:
                late(running, "step acts", has_ended if "exit" in calls else lambda subject: "done" in docker("logs", subject))
            equal(p.mount("/data")["verdict"], "inconclusive", running.output)


def test_what_a_process_with_a_root_of_its_own_calls_a_path_is_doubted():
    """Its /etc is the mount on /data, and not what the container's first process finds at /etc."""
    found, output = verdict_of_calls("unshare -m sh -c 'mount --bind / /mnt && mount --bind /data /mnt/etc && cd /mnt && pivot_root . mnt && touch /etc/x'",
                                     subject=ADMIN, candidates=["/", "/data"])
    equal(found["verdict"], "inconclusive", output)


def test_chroot_is_seen_through():
    """The mounts that a process with another root sees are called otherwise, and are the same ones."""
    found, output = verdict_of_calls("mkdir /data/in; chroot /other sh -c 'touch /in/f; exit 0'; perl -e 'chroot \"/data\"; open F, \">\", \"/new\"'")
    equal(found["verdict"], "tolerated", output)
    equal(classes(found), [("/data/in", "mkdir", "write", 1), ("/data/new", "create", "write", 1)], output)


def test_the_last_write_before_a_restart_is_found():
    """By a symlink, and by a process that has ended when the write is looked at."""
    needs_ebpf()
    with project() as p:
        p.make("data", {"file": "text\n"})
        # On being told to end it waits for USR1, which comes when the observer is paused: once, in each run.
        p.scenario("""exec perl -e '$| = 1; $SIG{USR1} = sub { $go = 1 };
                      $SIG{TERM} = sub { if (symlink "/data", "/paused") { select undef, undef, undef, 0.1 until $go; }
                                         open F, ">", "/link/pid"; require POSIX; POSIX::_exit(0) };
                      symlink "/data", "/link"; open F, "<", "/data/file"; print "started\\n"; sleep 1 while 1'""",
                   ["./data:/data"], [{"name": "again", "restart": "graceful"}], candidates=["/data"])
        with p.running() as running:
            late(running, "step again", has_ended)
        equal(p.mount("/data")["verdict"], "tolerated", running.output)
        contains({(a["path"], a["phase"]) for a in p.mount("/data")["attempts"]}, ("/data/pid", "step again"))


def test_a_mount_that_the_subject_makes_writable_is_not_safe():
    found, output = verdict_of_calls("sleep 2; mount -o remount,bind,rw /data && echo x >/data/state; mount -o remount,bind,ro /data", subject=ADMIN)
    equal(found["verdict"], "inconclusive", output)


def test_a_refused_call_that_is_not_understood_counts_as_lost():
    """acct(2): the file that it was to write to is not looked at."""
    found, output = verdict_of_calls("perl -e '$p = \"/data/file\"; syscall(163, $p)'", subject=ADMIN)
    equal(found["verdict"], "inconclusive", output)


def test_a_program_that_only_ends_when_it_could_write_fails_read_only():
    """It goes on trying, and ends with 0 when it is told to: in the control run it ended by itself."""
    with project() as p:
        p.make("data", {"file": "text\n"})
        p.scenario("trap 'exit 0' TERM; until [ -w /data ]; do sleep 0.1; done; cat /data/file", ["./data:/data"], ready=None,
                   shutdown={"timeout": "2s"})
        done = p.run()
        assert p.result, done.stderr
        equal(p.mount("/data")["verdict"], "required", done.stdout + done.stderr)
        contains(p.mount("/data")["reason"], "ended by itself in the control run, and had not within 2.0 s here")


def test_a_restart_does_not_hide_that_the_subject_had_ended():
    """It cannot bear that the mode which its file has is refused to it; the restart brings it back."""
    for how in ("graceful", "kill"):
        with project() as p:
            p.make("data", {"file": "text\n"})
            os.chmod(p.path("data/file"), 0o644)
            p.scenario("trap 'exit 0' TERM; cat /data/file; echo started; sleep 1; chmod 644 /data/file || exit 7; while :; do sleep 0.1; done",
                       ["./data:/data"], [{"name": "later", "wait": "2s"}, {"name": "again", "restart": how}])
            done = p.run()
            equal((done.returncode, p.verdicts()), (0, {"/data": "required"}), done.stdout + done.stderr)
            contains(p.mount("/data")["reason"], "step again: the subject exited with code 7")


def test_a_log_from_before_the_restart_is_no_proof():
    """With a tmpfs the job is gone after the restart; what was logged before it is still in the log."""
    with project() as p:
        p.make("data", {"file": "text\n"})
        os.mkdir(p.path("data/run"))
        p.scenario("s=stored; [ ! -e /tmp/first ] || [ -e /data/run/app.pid ] || s=lost; : >/tmp/first; cat /data/file; "
                   "echo $$ >/data/run/app.pid || exit 3; echo job $s; " + IDLE, ["./data:/data"],
                   [{"name": "is stored", "log": "job stored"}], candidates=["/data"])
        done = p.run()
        equal(p.verdicts(), {"/data": "split"}, done.stdout + done.stderr)
        equal([(each["path"], each["as"]) for each in p.result["recommendation"]["writable"]], [("/data/run", "volume")],
              done.stdout + done.stderr)


def test_names_in_other_letters():
    with project() as p:
        p.make("data", {"file": "text\n"})
        p.scenario("cat /data/file; mkdir /data/Größe; echo x >/data/Größe/f || exit 3; " + IDLE, ["./data:/data"])
        done = p.run()
        equal(p.verdicts(), {"/data": "split"}, done.stdout + done.stderr)
        equal([each["path"] for each in p.result["recommendation"]["writable"]], ["/data/Größe"], done.stdout)


def test_hostile_paths():
    with project() as p:
        p.make("data", {"file": "text\n"})
        names = r"""'/data/<b>' "/data/$(printf 'a\nb')" "/data/$(printf '\033[31m')" "/data/$(printf '\377')" """
        p.scenario(f"cat /data/file; touch {names} 2>/dev/null; " + IDLE, ["./data:/data"])
        done = p.run()
        paths = {a["path"] for a in p.mount("/data")["attempts"]}
        equal(paths, {"/data/<b>", "/data/a\\x0ab", "/data/\\x1b[31m", "/data/\\xff"}, done.stdout)
        assert "\x1b" not in done.stdout


def test_program_that_ends_at_once():
    """Nobody is quick enough to look at it while it runs: it is held until its mounts are known, and then waited for."""
    needs_ebpf()
    with project() as p:
        p.make("data", {"file": "text\n"})
        p.scenario("cat /data/file; echo x 2>/dev/null >/data/x; true", ["./data:/data"], ready=None)
        for _ in range(3):
            done = p.run()
            equal(p.verdicts(), {"/data": "tolerated"}, done.stdout + done.stderr)
            equal([(a["path"], a["control"]) for a in p.mount("/data")["attempts"]], [("/data/x", "ok")])
