"""What rogate reports against what the kernel answered: write_calls (tests/programs) makes every call that can change a file
system and prints how each ended, and the lines that say "refused" must be rogate's attempts, one for one."""
import collections
import contextlib
import os
import subprocess

from support import IDLE, IMAGE, ROGATE, docker, engine_is_podman, equal, needs_ebpf, project

PROGRAMS = os.path.join(os.path.dirname(ROGATE), "tests", "programs")
TEST_IMAGE = "rogate-test/truth"

# name, how the program is run, the target whose mount refuses, and for files that are mounts of their own the one that refuses
# what is done to their names. Every target is read-only from the start, so that one run shows it all.
AS_ROOT = [
    ("bind", "/p/write_calls run /bind", "/bind"),
    ("named volume", "/p/write_calls run /volume", "/volume"),
    ("tmpfs", "/p/write_calls run /scratch", "/scratch"),
    ("root file system", "/p/write_calls run /on-root", "/"),
    ("read-only in writable", "/p/write_calls run /open/closed", "/open/closed"),
    ("writable in read-only", "/p/write_calls run /bind/open", None),
    ("dynamic", "/p/write_calls_dynamic run /bind", "/bind"),
    ("thread", "/p/write_calls thread /bind", "/bind"),
    ("orphan", "/p/write_calls orphan /bind", "/bind"),
    ("short-lived processes", "/p/write_calls brief /bind", "/bind"),
    ("after execs", "sh -c 'exec env sh -c \"exec /p/write_calls run /volume\"'", "/volume"),
    ("background", "(/p/write_calls run /bind & wait)", "/bind"),
    ("file in read-only", "/p/write_calls file /bind/single", "/bind/single", "/bind"),
    ("file in writable", "/p/write_calls file /open/single", "/open/single"),
    ("writable file in read-only", "/p/write_calls file /bind/free", None, "/bind"),
    ("file in the root file system", "/p/write_calls_dynamic file /on-root/single", "/on-root/single", "/"),
]
AS_OTHERS = [
    ("their files are root's", "/p/write_calls run /bind", "/bind"),
    ("volume", "/p/write_calls run /volume", "/volume"),
    ("tmpfs", "/p/write_calls run /scratch", "/scratch"),
    ("root file system", "/p/write_calls run /on-root", "/"),
    ("everybody may write", "/p/write_calls run /bind/public", "/bind"),
    ("thread", "/p/write_calls_dynamic thread /bind/public", "/bind"),
    ("file in read-only", "/p/write_calls file /bind/single", "/bind/single", "/bind"),
    ("file in writable", "/p/write_calls file /open/single", "/open/single"),
]
# The run goes on once the test has what it came for, however slow the machine is.
UNTIL_READ = {"name": "waits", "exec": "until [ -e /dev/shm/out/read ]; do sleep 0.1; done", "timeout": "2m"}
# What they change is an entry of a directory.
OF_NAMES = ("link", "mkdir", "rename", "renameat2", "rmdir", "symlink", "unlink")


def lines_of(text):
    """(syscall, errno, path) of each line that write_calls printed."""
    found = collections.Counter()
    for line in text.splitlines():
        call, error, path = line.split(" ", 2)
        found[call, error, path] += 1
    return found


def attempts_of(mount, key="attempts", only=lambda each: True):
    found = collections.Counter()
    for each in mount[key]:
        if only(each):
            found[each["syscall"], each["errno"], each["path"]] += each["count"]
    return found


def refused(lines):
    return collections.Counter({line: n for line, n in lines.items() if line[1] == "EROFS"})


def differences(wanted, got):
    return "\n".join([f"missed:   {n} x {line}" for line, n in sorted((wanted - got).items())]
                     + [f"invented: {n} x {line}" for line, n in sorted((got - wanted).items())])


@contextlib.contextmanager
def truth_image():
    """The base image with what write_calls needs on its root file system and in what becomes an anonymous volume."""
    container = docker("run", "-d", "-v", f"{PROGRAMS}:/p:ro", IMAGE, "sh", "-c",
                       "/p/write_calls setup /on-root && /p/write_calls setup /anonymous && mkdir -p /open/closed /bind/open")
    try:
        equal(docker("wait", container), "0")
        if engine_is_podman():  # which does not take the docker client's commit
            with subprocess.Popen(["docker", "export", container], stdout=subprocess.PIPE) as export:
                subprocess.run(["docker", "import", "-", TEST_IMAGE], stdin=export.stdout, capture_output=True, check=True)
        else:
            docker("commit", container, TEST_IMAGE)
    finally:
        docker("rm", "-f", container)
    docker("volume", "create", "rogate-test-truth")
    docker("run", "--rm", "-v", f"{PROGRAMS}:/p:ro", "-v", "rogate-test-truth:/volume", IMAGE, "/p/write_calls", "setup", "/volume")
    try:
        yield
    finally:
        docker("volume", "rm", "rogate-test-truth")
        docker("rmi", TEST_IMAGE)


def set_up(p, name):
    p.make(name, {})
    subprocess.run([f"{PROGRAMS}/write_calls", "setup", p.path(name)], check=True)


def run_table(p, table, mounts, *options, **subject):
    """Runs the table's commands in one subject; the output of each, by its name, and rogate's result in `p`. An observer that came too
    late to a path that changed says so, and then there is nothing to compare."""
    for _ in range(3):
        outputs, running = run_table_once(p, table, mounts, *options, **subject)
        if p.observer_came_late():
            continue
        equal(running.code, 0, running.output)
        for run in p.result["runs"]:
            equal(run["lost_events"], 0, f"run {run['id']}")
        return outputs
    raise AssertionError("the observer came too late three times")


def run_table_once(p, table, mounts, *options, **subject):
    shell = "mkdir -p /dev/shm/out\n" + "".join(
        f"{command} >/dev/shm/out/{i} 2>/dev/shm/out/{i}.err\n" for i, (_, command, *_) in enumerate(table)) + IDLE
    p.scenario(shell, mounts, [UNTIL_READ],
               subject={"image": TEST_IMAGE, **subject})
    outputs = {}
    with p.running(*options) as running:
        running.wait_for("step waits")
        container = docker("ps", "-q", "--filter", "label=io.rogate.role=subject")
        for i, (name, *_) in enumerate(table):
            outputs[name] = docker("exec", container, "cat", f"/dev/shm/out/{i}")
            assert outputs[name], f"{name}: " + docker("exec", container, "cat", f"/dev/shm/out/{i}.err")
        docker("exec", container, "touch", "/dev/shm/out/read")
        while running.comes_to("step waits"):
            docker("exec", docker("ps", "-q", "--filter", "label=io.rogate.role=subject"), "touch", "/dev/shm/out/read")
    return outputs, running


def compare(p, table, outputs):
    wanted = collections.defaultdict(collections.Counter)
    for name, _, target, *names in table:
        lines = refused(lines_of(outputs[name]))
        refusing = set()
        for line, count in lines.items():
            of_name = names and (line[0] in OF_NAMES or line[2].endswith(".beside"))
            refusing.add(names[0] if of_name else target)
            wanted[names[0] if of_name else target][line] += count
        equal(refusing, {target, *names} - {None}, name)
    wrong = {}
    for mount in p.result["mounts"]:
        if mount["verdict"] == "already-ro":
            found = differences(wanted[mount["target"]], attempts_of(mount))
            if found:
                wrong[mount["target"]] = found
    assert not wrong, "\n".join(f"{target}:\n{found}" for target, found in wrong.items())


def mounts_of(p):
    set_up(p, "bind")
    set_up(p, "closed")
    set_up(p, "within")
    p.make("open", {})
    for name in ("bind/open", "open/closed"):
        os.makedirs(p.path(name))
    subprocess.run([f"{PROGRAMS}/write_calls", "setup", p.path("bind/public")], check=True)
    for folder, names, files in os.walk(p.path("bind/public")):
        for name in (".", *names, *files):
            if not os.path.islink(os.path.join(folder, name)):
                os.chmod(os.path.join(folder, name), 0o777)
    for name in ("bind/single", "bind/free", "open/single", "ours", "theirs"):
        with open(p.path(name), "w") as file:
            file.write("text\n")
    return ["./bind:/bind:ro", "./ours:/bind/single:ro", "./theirs:/bind/free", "./ours:/open/single:ro",
            "./ours:/on-root/single:ro", "rogate-test-truth:/volume:ro", "./open:/open", "./closed:/open/closed:ro",
            "./within:/bind/open", {"type": "tmpfs", "target": "/scratch", "read_only": True}, f"{PROGRAMS}:/p:ro"]


def table(rows, *options, **subject):
    with truth_image(), project() as p:
        mounts = mounts_of(p)
        outputs = run_table(p, rows, mounts, *options, read_only=True, **subject)
        compare(p, rows, outputs)


def ways(lines):
    return {(call, path): {error for c, error, p in lines if (c, p) == (call, path)} for call, _, path in lines}


def consequences(probe, control):
    """What fails now, other than with EROFS, and did not fail in that way there, but succeeded."""
    before = ways(control)
    return {line for line in probe if line[1] not in ("ok", "EROFS") and "ok" in before.get((line[0], line[2]), ())
            and line[1] not in before[line[0], line[2]]}


CANDIDATES = [("bind", "/p/write_calls run /bind", "/bind"), ("volume", "/p/write_calls run /volume", "/volume"),
              ("anonymous", "/p/write_calls run /anonymous", "/anonymous")]


def candidates(*options, **subject):
    """Control and probe runs: what succeeds there and fails here is reported, what fails in both is not."""
    with truth_image(), project() as p:
        set_up(p, "bind")
        shell = "mkdir /dev/shm/out\n" + "".join(
            f"{command} >/dev/shm/out/{i} 2>&1\n" for i, (_, command, _) in enumerate(CANDIDATES)) + IDLE
        p.scenario(shell, ["./bind:/bind", "rogate-test-truth:/volume", "/anonymous", f"{PROGRAMS}:/p:ro"], [UNTIL_READ],
                   subject={"image": TEST_IMAGE, **subject}, candidates=["/bind", "/volume", "/anonymous"])
        answers = []
        with p.running(*options) as running:
            while running.comes_to("step waits"):
                container = docker("ps", "-q", "--filter", "label=io.rogate.role=subject")
                answers.append({target: lines_of(docker("exec", container, "cat", f"/dev/shm/out/{i}"))
                                for i, (_, _, target) in enumerate(CANDIDATES)})
                docker("exec", container, "touch", "/dev/shm/out/read")
        equal(running.code, 0, running.output)
        equal([run["lost_events"] for run in p.result["runs"]], [0] * len(p.result["runs"]))
        for target in ("/bind", "/volume", "/anonymous"):
            mount = p.mount(target)
            probe, control = answers[mount["runs"][-1] - 1][target], answers[0][target]
            assert refused(probe), target
            found = differences(refused(probe), attempts_of(mount, only=lambda each: each["errno"] == "EROFS"))
            assert not found, f"{target}:\n{found}"
            others = set(attempts_of(mount, only=lambda each: each["errno"] != "EROFS"))
            done = {line[:3] for line in attempts_of(mount, "writes")}
            for about, lines in (("missed", {line for line in consequences(probe, control) if line not in others}),
                                 ("happens in the control run too", {line for line in others if control[line]}),
                                 ("writes that nobody made", {line for line in done if line not in control})):
                assert not lines, f"{target}: {about}: {lines}"


def test_candidates_as_root():
    candidates()


def test_candidates_as_another_user():
    candidates(user="33:33")


def test_as_root():
    table(AS_ROOT)


def test_as_another_user():
    table(AS_OTHERS, user="33:33")


PTRACE = ("--observer", "ptrace")
NO_RING = {"environment": {"WITHOUT_IO_URING": "1"}}  # what asks for it is doubted


def test_candidates_as_root_under_ptrace():
    candidates(*PTRACE, **NO_RING)


def test_candidates_as_another_user_under_ptrace():
    candidates(*PTRACE, user="33:33", **NO_RING)


def test_as_root_under_ptrace():
    table(AS_ROOT, *PTRACE, **NO_RING)


def test_as_another_user_under_ptrace():
    table(AS_OTHERS, *PTRACE, user="33:33", **NO_RING)


def test_names_are_those_of_the_call():
    """However late the observer looks: what was renamed or removed since then has the name that it had."""
    needs_ebpf()
    with project() as p:
        p.make("data", {"file": "text\n", "gone": "text\n"})
        p.make("data/folder", {"file": "text\n"})
        p.scenario(IDLE, ["./data:/data"], [{"name": "waits", "wait": "3s"}])
        with p.running() as running:
            running.wait_for("step waits")
            observer = docker("ps", "-q", "--filter", "label=io.rogate.role=observer")
            subject = docker("ps", "-q", "--filter", "label=io.rogate.role=subject")
            docker("kill", "--signal", "STOP", observer)
            docker("exec", subject, "sh", "-c", "cd /data; chmod 600 file; mv file other; chmod 640 other; chmod 600 folder/file; "
                   "mv folder moved; chmod 600 gone; rm gone")
            docker("kill", "--signal", "CONT", observer)
        equal(running.code, 0, running.output)
        changed = {each["path"] for each in p.mount("/data")["writes"] if each["operation"] == "chmod"}
        equal(changed, {"/data/file", "/data/other", "/data/folder/file", "/data/gone"})
