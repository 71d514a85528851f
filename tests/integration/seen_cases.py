"""What is hard to see: each case is a write that an observer could miss, or put down to another mount, or take for nothing."""
import os
import subprocess

from support import IDLE, ROGATE, contains, docker, equal, needs_ebpf, needs_root, project, variants
from verdict_cases import late

PROGRAMS = os.path.join(os.path.dirname(ROGATE), "tests", "programs")
SEEN = f"{PROGRAMS}/seen:/p/seen:ro"
ADMIN = {"cap_add": ["SYS_ADMIN", "DAC_READ_SEARCH"], "security_opt": ["seccomp=unconfined", "apparmor=unconfined"]}


def run(shell, folders=("data",), mounts=(), links=(), candidates=("/data",), options=(), **more):
    """The project after its run: a bind of each folder, and seen(1) at /p."""
    with project() as p:
        for name in folders:
            p.make(name, {"file": "text\n"})
        for name, to in links:
            os.symlink(to, p.path(name))
        p.scenario(f"exec 2>&1; cat /data/file; {shell}; " + IDLE,
                   [*(f"./{name}:/{name}" for name in folders), SEEN, *mounts], candidates=list(candidates), **more)
        done = p.run(*options)
        assert p.result, done.stderr
        return p, done.stdout + done.stderr


def is_not_safe(p, output, *verdicts, target="/data"):
    found = p.mount(target)
    assert found["verdict"] in (verdicts or ("tolerated", "inconclusive")), output
    return found


def problems(p):
    return [each["observer_problem"] for each in p.result["runs"] if each.get("observer_problem")]


EQUAL_CALLS = """
services:
  web:
    image: rogate/base:bookworm
    command: ["sh", "-c", "%s"]
    volumes: ["./data:/data", "./sync:/sync"]
    depends_on: [other]
    stop_signal: KILL
  other:
    image: rogate/base:bookworm
    command: ["sh", "-c", "until [ -e /sync/once ]; do sleep 0.05; done; %s; touch /sync/changed; sleep infinity"]
    volumes: ["./data:/data", "./sync:/sync"]
    stop_signal: KILL
"""


def equal_calls(call, change):
    """The same call twice, and in between another container changes the file."""
    web = (f"cat /data/file; cd /data; {call}; touch /sync/once; until [ -e /sync/changed ]; do sleep 0.05; done; {call}; "
           "echo started; sleep infinity")
    with project() as p:
        p.make("data", {"file": "text\n"})
        p.make("sync", {})
        os.chmod(p.path("data/file"), 0o644)
        with open(p.path("compose.yaml"), "w") as out:
            out.write(EQUAL_CALLS % (web.replace('"', '\\"').replace("$", "$$"), change))
        with open(p.path("scenario.yaml"), "w") as out:
            out.write("{name: case, subject: {compose: {file: compose.yaml, service: web}}, ready: {log: started, timeout: 20s}, "
                      "candidates: [/data], shutdown: {signal: KILL}}")
        done = p.run()
        assert p.result, done.stderr
        return p, done.stdout + done.stderr


def test_a_state_that_changes_between_equal_calls():
    """By path and by descriptor; a mode that is set, a file that takes the other's place, and an owner. An observer that comes so late
    that the file has changed again takes the first call for a write as well."""
    by_descriptor = "perl -e 'open F, q(<), q(/data/file); chmod 0644, *F'"
    for call, change in variants((by_descriptor, "chmod 600 /data/file"),
                                 ("chmod 644 file", "touch /data/new; chmod 600 /data/new; mv /data/new /data/file"),
                                 ("chmod 644 file", "chmod 600 /data/file"), ("chown 0:0 file", "chown 33 /data/file"), short=2):
        p, output = equal_calls(f"{call} 2>/dev/null", change)
        found = is_not_safe(p, output, "tolerated")
        classes = sorted((a["class"], a["count"]) for a in found["attempts"] if a["operation"] in ("chmod", "chown"))
        assert classes in ([("no-op", 1), ("write", 1)], [("write", 2)]), f"{call}; {change}: {classes}\n{output}"


def test_a_state_that_stays_is_no_write():
    p, output = equal_calls("chmod 644 file 2>/dev/null", "cat /data/file >/dev/null")
    equal(p.mount("/data")["verdict"], "safe", output)
    equal([(a["class"], a["count"]) for a in p.mount("/data")["attempts"]], [("no-op", 2)], output)


def test_completions_that_find_no_room():
    needs_ebpf()
    for what in ("queue", "address"):
        p, output = run(f"/p/seen {what} /data", subject=ADMIN, options=("--observer", "ebpf"))
        is_not_safe(p, output)


def test_a_symlink_that_moves_after_the_call():
    """The observer gets no time in between, in each run."""
    needs_ebpf()
    with project() as p:
        for name in ("data", "other", "links"):
            p.make(name, {"file": "text\n"})
        p.scenario("trap '/p/seen link /data /links/current /other; echo done' USR1; cat /data/file /other/file; " + IDLE,
                   ["./data:/data", "./other:/other", "./links:/links", SEEN],
                   [{"name": "acts", "log": "done", "retry": {"until": "30s", "interval": "500ms"}}], candidates=["/data", "/other"])
        with p.running() as running:
            late(running, "step acts", lambda subject: "done" in docker("logs", subject))
        found = is_not_safe(p, running.output)
        if found["verdict"] == "inconclusive":
            contains(found["reason"], "a name on its path was changed before the observer looked")


def test_a_symlink_that_moves_elsewhere_is_no_doubt():
    """Names that are not on the path, and directories that are, move all the time."""
    p, output = run("for i in 1 2 3 4 5; do mkdir /data/file/x$i; ln -s a /tmp/l$i; mv /tmp/l$i /tmp/m; mkdir -p /tmp/d/$i; "
                    "chmod 755 /tmp/d/$i; mv /tmp/d /tmp/e; rm -r /tmp/e; (echo x >/data/new$i) 2>/dev/null; done")
    equal(problems(p), [], output)
    equal(p.mount("/data")["verdict"], "tolerated", output)


def test_paths_through_proc():
    """Like those of jcmd, and of programs that end before anybody can look."""
    for shell, path in (("touch /proc/1/cwd/data/mark", "/data/mark"), ("mkdir /proc/1/root/data/mark", "/data/mark"),
                        ("cd /data; mkdir /proc/self/cwd/mark; cd /", "/data/mark"), ("mkdir /proc/self/root/data/mark", "/data/mark"),
                        ("exec 9</data; mkdir /proc/self/fd/9/mark", "/data/mark"),
                        ("exec 9</data; perl -e 'mkdir q(/proc/thread-self/fd/9/mark)'", "/data/mark"),
                        ("exec 9</data; perl -e 'mkdir q(/dev/fd/9/mark); sleep 1'", "/data/mark")):
        p, output = run(shell)
        equal((p.mount("/data")["verdict"], problems(p)), ("tolerated", []), f"{shell}\n{output}")
        contains([a["path"] for a in p.mount("/data")["attempts"]], path)


def test_a_target_that_leads_through_a_symlink():
    """/var/run is a symlink to /run in the image, and there the runtime puts the mount."""
    with project() as p:
        p.make("data", {"file": "text\n"})
        p.scenario("cat /var/run/app/file; touch /run/app/one 2>/dev/null; touch /var/run/app/two 2>/dev/null; " + IDLE,
                   ["./data:/var/run/app"], candidates=["/var/run/app"])
        done = p.run()
        assert p.result, done.stderr
        output = done.stdout + done.stderr
        equal((p.verdicts(), problems(p)), ({"/var/run/app": "tolerated"}, []), output)
        equal({a["path"] for a in p.mount("/var/run/app")["attempts"]}, {"/var/run/app/one", "/var/run/app/two"}, output)


def test_a_file_opened_by_its_handle():
    p, output = run("true", folders=("data",), mounts=[{"type": "volume", "source": "rogate-seen", "target": "/files"}],
                    candidates=["/data"])
    equal(p.mount("/data")["verdict"], "safe", output)
    with project() as p:
        p.make("data", {"file": "text\n"})
        p.scenario("cat /data/file; /p/seen handle /data; " + IDLE, ["files:/data", SEEN], candidates=["/data"], subject=ADMIN,
                   fixtures=[{"target": "/data", "from": "./data"}])
        done = p.run()
        assert p.result, done.stderr
        is_not_safe(p, done.stdout + done.stderr, "tolerated", "inconclusive", "required")


def test_handles_that_the_runs_do_not_give():
    p, output = run("/p/seen handle /data", subject=ADMIN)
    if "EOPNOTSUPP" in p.mount("/data")["reason"]:
        contains(p.mount("/data")["reason"], "/data/file", "name_to_handle_at")
    is_not_safe(p, output)


def test_handles_that_no_layer_gives_are_doubted_by_each_observer():
    """The source is an overlay itself, and what lies on it cannot have handles either."""
    needs_root()
    for observer in ("ebpf", "ptrace"):
        with project() as p:
            for name in ("lower", "upper", "work", "data"):
                os.makedirs(p.path(name))
            with open(p.path("lower/file"), "w") as out:
                out.write("text\n")
            options = f"lowerdir={p.path('lower')},upperdir={p.path('upper')},workdir={p.path('work')},nfs_export=off"
            subprocess.run(["mount", "-t", "overlay", "-o", options, "overlay", p.path("data")], check=True)
            try:
                p.scenario("cat /data/file; /p/seen handle /data; " + IDLE, ["./data:/data", SEEN], candidates=["/data"], subject=ADMIN)
                done = p.run("--observer", observer)
                equal(p.verdicts(), {**p.verdicts(), "/data": "inconclusive"}, done.stdout + done.stderr)
                contains(p.mount("/data")["reason"], "/data/file", "name_to_handle_at")
            finally:
                subprocess.run(["umount", p.path("data")], check=True)


def test_other_ways_to_change_a_file_system_are_named():
    """What they change is not looked at. Refused or done, they are told: where this kernel has none of it, nothing is to be seen."""
    subject = {**ADMIN, "cap_add": [*ADMIN["cap_add"], "SYS_PACCT"]}
    for call in ("acct", "swapon", "quotactl", "pin"):
        for observer in ("ebpf", "ptrace"):
            p, output = run(f"/p/seen other {call} /data", subject=subject, options=("--observer", observer))
            found = is_not_safe(p, output, "inconclusive")
            contains(found["reason"], {"quotactl": "quotactl_fd", "pin": "bpf"}.get(call, call))


def test_writes_through_a_mount_of_the_subjects():
    """A bind, and one in a mount namespace of its own; read-only, nothing is tried."""
    asks = "case $(findmnt -n -o VFS-OPTIONS /mnt/view) in rw*) echo x >/mnt/view/new;; esac"
    for shell in (f"mkdir /mnt/view; mount --bind /data /mnt/view; {asks}",
                  f"mkdir /mnt/view; unshare -m sh -c 'mount --bind /data /mnt/view; {asks}; sleep 1'"):
        p, output = run(shell, subject=ADMIN)
        found = is_not_safe(p, output)
        contains([each["path"] for each in found["writes"]], "/data/new")


def test_a_mount_that_is_nowhere_in_the_tree_is_doubted():
    p, output = run("/p/seen detached /data", subject=ADMIN)
    equal(p.mount("/data")["verdict"], "inconclusive", output)
    contains(p.mount("/data")["reason"], "a mount that is in no table of mounts")


def test_a_socket_bound_by_io_uring():
    needs_ebpf()
    p, output = run("/p/seen bound /data", subject=ADMIN, options=("--observer", "ebpf"))
    is_not_safe(p, output)


def test_what_writes_nothing_is_no_write():
    p, output = run("/p/seen nothing /data/file")
    equal((p.mount("/data")["verdict"], problems(p)), ("safe", []), output)


def test_a_subject_that_has_the_engines_real_socket_is_never_safe():
    """Whether it is the mount's source or lies in it, and also where that is read-only. A folder has more ways to the engine than one."""
    socket = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://")
    for source, target, verdict, options in ((socket, "/docker.sock", "ineffective", ("--engine-socket", "real")),
                                             (os.path.dirname(socket), "/engines", "already-ro", ())):
        p, output = run("true", mounts=[f"{source}:{target}:ro" if verdict == "already-ro" else f"{source}:{target}"], options=options)
        equal(p.mount("/data")["verdict"], "inconclusive", output)
        contains(p.mount("/data")["reason"], f"{target} gives the application the engine's socket")
