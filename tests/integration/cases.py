"""What rogate does on a real engine, as a user sees it: its output, its exit code, its result, and what it leaves.

Run by ctest, one case at a time: cases.py ROGATE CASE. After each case nothing of rogate's may be left on the engine.
"""
import contextlib
import hashlib
import json
import os
import signal
import stat
import subprocess
import sys
import tempfile
import time

import jsonschema

ROGATE = os.path.abspath(sys.argv[1])
ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
with open(f"{ROOT}/scenarios/result.schema.json") as schema_file:
    RESULT_SCHEMA = json.load(schema_file)
IMAGE = "rogate/base:bookworm"
# Ends at once when it is told to, and does nothing else.
IDLE = "trap 'exit 0' TERM; echo started; while :; do sleep 0.1; done"


def docker(*words):
    done = subprocess.run(["docker", *words], capture_output=True, text=True)
    assert done.returncode == 0, f"docker {' '.join(words)}: {done.stderr}"
    return done.stdout.strip()


def leftovers():
    label = "label=io.rogate.session"
    return (docker("ps", "-aq", "--filter", label) + docker("volume", "ls", "-q", "--filter", label)
            + docker("network", "ls", "-q", "--filter", label) + docker("images", "-q", "--filter", label))


def left_after(seconds):
    for _ in range(seconds * 10):
        left = leftovers()
        if not left:
            break
        time.sleep(0.1)
    return left


def rogate(*words, env=None, timeout=240):
    return subprocess.run([ROGATE, *words], capture_output=True, text=True, timeout=timeout,
                          env={**os.environ, **(env or {})})


class Project:
    """A folder with a scenario and the folders that it mounts."""

    def __init__(self, folder):
        self.folder = folder

    def path(self, name):
        return os.path.join(self.folder, name)

    def make(self, name, files):
        os.makedirs(self.path(name))
        for file, text in files.items():
            with open(os.path.join(self.path(name), file), "w") as out:
                out.write(text)

    def scenario(self, shell, mounts, steps=(), **more):
        subject = {"image": IMAGE, "command": ["sh", "-c", shell], "mounts": mounts, **more.pop("subject", {})}
        whole = {"name": "case", "subject": subject, "ready": {"timeout": "15s", "log": "started"}, "steps": list(steps), **more}
        if not whole["steps"]:
            del whole["steps"]
        with open(self.path("scenario.yaml"), "w") as out:
            json.dump(whole, out)  # JSON is YAML

    def run(self, *words, **more):
        done = rogate("run", self.folder, "--out", self.path("out"), *words, **more)
        self.result = None
        if os.path.exists(self.path("out/result.json")):
            with open(self.path("out/result.json")) as file:
                self.result = json.load(file)
            jsonschema.validate(self.result, RESULT_SCHEMA)
        return done

    def mount(self, target):
        return next(each for each in self.result["mounts"] if each["target"] == target)

    def verdicts(self):
        return {each["target"]: each["verdict"] for each in self.result["mounts"]}


@contextlib.contextmanager
def project():
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield Project(folder)


def fingerprint(path):
    """Every byte and attribute of a tree."""
    found = []
    for folder, names, files in sorted(os.walk(path)):
        for name in sorted([".", *names, *files]):
            whole = os.path.join(folder, name)
            info = os.lstat(whole)
            content = ""
            if stat.S_ISREG(info.st_mode):
                with open(whole, "rb") as file:
                    content = hashlib.sha256(file.read()).hexdigest()
            found.append((whole, info.st_mode, info.st_uid, info.st_gid, info.st_size, info.st_mtime_ns, info.st_ino, content))
    return found


def equal(got, wanted, about=""):
    assert got == wanted, f"{about}\n     got: {got}\n  wanted: {wanted}"


def contains(text, *parts):
    for part in parts:
        assert part in text, f"'{part}' is missing in:\n{text}"


# ---- the shipped scenarios -------------------------------------------------------------------------------------------

def shipped(name):
    with open(f"{ROOT}/scenarios/{name}/expected.json") as file:
        expected = json.load(file)
    with tempfile.TemporaryDirectory() as out:
        before = fingerprint(f"{ROOT}/scenarios/{name}")
        done = rogate("run", f"{ROOT}/scenarios/{name}", "--out", out)
        assert done.returncode == 0, done.stdout + done.stderr
        with open(f"{out}/result.json") as file:
            result = json.load(file)
        jsonschema.validate(result, RESULT_SCHEMA)
        equal({each["target"]: each["verdict"] for each in result["mounts"]}, expected, done.stdout)
        equal(fingerprint(f"{ROOT}/scenarios/{name}"), before, "the scenario's own data changed")
        equal(stat.S_IMODE(os.stat(f"{out}/result.json").st_mode), 0o600)
    return result, done


def test_nginx():
    result, done = shipped("nginx")
    contains(done.stdout, "tolerated", "open-write  /etc/nginx/conf.d/default.conf  EROFS", "Mount read-only: ")
    proof = next(run for run in result["runs"] if run["id"] == result["recommendation"]["verified_by_run"])
    assert proof["passed"]
    equal(sorted(proof["read_only"]), sorted(result["recommendation"]["read_only"]))


def test_redis():
    shipped("redis")


def test_postgresql():
    result, _ = shipped("postgresql")
    # An environment value of the scenario, which is a password, is nowhere in the result.
    assert "sample-password" not in json.dumps(result)
    contains(json.dumps(result), "POSTGRES_PASSWORD")


# ---- verdicts --------------------------------------------------------------------------------------------------------

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
    with project() as p:
        p.scenario("date >/var/tmp/stamp || exit 3; " + IDLE, [], candidates=["/"])
        done = p.run()
        equal(p.verdicts(), {"/": "required"}, done.stdout + done.stderr)
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


def test_hostile_paths():
    with project() as p:
        p.make("data", {"file": "text\n"})
        names = r"""'/data/<b>' "/data/$(printf 'a\nb')" "/data/$(printf '\033[31m')" "/data/$(printf '\377')" """
        p.scenario(f"cat /data/file; touch {names} 2>/dev/null; " + IDLE, ["./data:/data"])
        done = p.run()
        paths = {a["path"] for a in p.mount("/data")["attempts"]}
        equal(paths, {"/data/<b>", "/data/a\\x0ab", "/data/\\x1b[31m", "/data/\\xff"}, done.stdout)
        assert "\x1b" not in done.stdout


# ---- doubt -----------------------------------------------------------------------------------------------------------

def test_lost_events_are_never_safe():
    with project() as p:
        p.make("data", {"file": "text\n"})
        shell = "cat /data/file; i=0; while [ $i -lt 3000 ]; do : >/tmp/f$i; i=$((i+1)); done; " + IDLE
        p.scenario(shell, ["./data:/data"])
        done = p.run("--ring-bytes", "4096")
        equal(done.returncode, 4, done.stdout + done.stderr)
        equal(p.verdicts(), {"/data": "inconclusive"})
        contains(p.mount("/data")["reason"], "events were lost")


def test_killed_observer_is_never_safe():
    with project() as p:
        p.make("data", {"file": "text\n"})
        p.scenario("cat /data/file; " + IDLE, ["./data:/data"], [{"name": "waits", "wait": "4s"}])
        running = subprocess.Popen([ROGATE, "run", p.folder, "--out", p.path("out")], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(200):
            if docker("ps", "-q", "--filter", "label=io.rogate.role=subject"):
                break
            time.sleep(0.05)
        time.sleep(1)
        docker("kill", docker("ps", "-q", "--filter", "label=io.rogate.role=observer"))
        out, err = running.communicate(timeout=120)
        equal(running.returncode, 4, out + err)
        with open(p.path("out/result.json")) as file:
            p.result = json.load(file)
        equal(p.verdicts(), {"/data": "inconclusive"})
        contains(p.mount("/data")["reason"], "observer")


# ---- what goes wrong -------------------------------------------------------------------------------------------------

def test_failing_control_run():
    with project() as p:
        p.make("data", {"file": "text\n"})
        p.scenario("cat /data/file; echo broken >&2; exit 7", ["./data:/data"])
        done = p.run()
        equal(done.returncode, 1, done.stdout + done.stderr)
        equal(p.verdicts(), {"/data": "inconclusive"})
        contains(done.stdout, "the control run failed", "exited with code 7", "broken")
        equal(len(p.result["runs"]), 1)


def test_command_that_does_not_exist():
    with project() as p:
        p.scenario("", [], subject={"command": ["/no/such/program"]}, candidates=["/"])
        done = p.run()
        equal(done.returncode, 1, done.stdout + done.stderr)
        contains(done.stdout, "/no/such/program", "no such file or directory")


def test_bad_file():
    with project() as p:
        with open(p.path("scenario.yaml"), "w") as out:
            out.write("subject:\n  image: x\n  comand: [a]\n")
        done = p.run()
        equal(done.returncode, 2, done.stderr)
        contains(done.stderr, "scenario.yaml:3:3: unknown key 'comand'", "did you mean 'command'?")


def test_missing_image():
    with project() as p:
        p.scenario(IDLE, [], subject={"image": "rogate-test/missing"})
        done = p.run()
        equal(done.returncode, 3, done.stderr)
        contains(done.stderr, "the image 'rogate-test/missing' is not on the engine and could not be pulled")


def test_missing_bind_source():
    with project() as p:
        p.scenario(IDLE, ["./nowhere:/data"])
        done = p.run()
        equal(done.returncode, 2, done.stderr)
        contains(done.stderr, "bind source path does not exist", "nowhere")
        assert not os.path.exists(p.path("nowhere"))


def test_candidate_that_is_no_mount():
    with project() as p:
        p.scenario(IDLE, [], candidates=["/nope"])
        done = p.run()
        equal(done.returncode, 2, done.stderr)
        contains(done.stderr, "candidate '/nope' is no mount of the subject")


def test_engine_that_is_not_there():
    with project() as p:
        p.scenario(IDLE, [])
        done = p.run(env={"DOCKER_HOST": "unix:///nonexistent/docker.sock"})
        equal(done.returncode, 3, done.stderr)
        contains(done.stderr, "cannot reach the engine at unix:///nonexistent/docker.sock (from DOCKER_HOST)", "No such file")
        done = p.run(env={"DOCKER_HOST": "tcp://127.0.0.1:1"})
        equal(done.returncode, 3, done.stderr)
        contains(done.stderr, "Connection refused")
        done = p.run(env={"DOCKER_HOST": "docker.sock"})
        equal(done.returncode, 2, done.stderr)
        contains(done.stderr, "DOCKER_HOST: engine address 'docker.sock': the scheme is missing")


def interrupted(number, code):
    with project() as p:
        p.make("data", {"file": "text\n"})
        p.scenario(IDLE, ["./data:/data"], [{"name": "waits", "wait": "60s"}])
        before = fingerprint(p.path("data"))
        running = subprocess.Popen([ROGATE, "run", p.folder], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(400):
            if docker("ps", "-q", "--filter", "label=io.rogate.role=subject"):
                break
            time.sleep(0.05)
        running.send_signal(number)
        out, err = running.communicate(timeout=60)
        equal(running.returncode, code, out + err)
        contains(err, "interrupted: cleaning up")
        equal(fingerprint(p.path("data")), before)


def test_interrupted_by_sigint():
    interrupted(signal.SIGINT, 130)


def test_terminated_by_sigterm():
    interrupted(signal.SIGTERM, 143)


def test_clean_removes_what_a_killed_run_left():
    with project() as p:
        p.make("data", {"file": "text\n"})
        p.scenario(IDLE, ["./data:/data"], [{"name": "waits", "wait": "60s"}])
        docker("volume", "create", "rogate-test-not-ours")
        try:
            running = subprocess.Popen([ROGATE, "run", "-q", p.folder], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for _ in range(400):
                if docker("ps", "-q", "--filter", "label=io.rogate.role=subject"):
                    break
                time.sleep(0.05)
            running.kill()
            running.wait()
            assert leftovers()
            done = rogate("clean", "--dry-run")
            contains(done.stdout, "would remove")
            assert leftovers()
            done = rogate("clean")
            equal(done.returncode, 0, done.stderr)
            contains(done.stdout, "removed: ")
            contains(rogate("clean").stdout, "nothing of rogate's is on the engine")
            contains(docker("volume", "ls", "-q"), "rogate-test-not-ours")
        finally:
            docker("volume", "rm", "rogate-test-not-ours")


def test_doctor_and_report():
    done = rogate("doctor")
    equal(done.returncode, 0, done.stderr)
    contains(done.stdout, "ok    engine", "ok    kernel", "ok    observer")
    with project() as p:
        p.make("data", {"file": "text\n"})
        p.scenario("cat /data/file; " + IDLE, ["./data:/data"])
        ran = p.run("--quiet")
        equal(ran.stderr, "")
        again = rogate("report", p.path("out/result.json"))
        equal(again.stdout, ran.stdout)
        with open(p.path("out/result.json")) as file:
            equal(rogate("report", "-f", "json", p.path("out/result.json")).stdout, file.read())
        equal(rogate("report", p.path("scenario.yaml")).returncode, 2)


def test_plain_tcp():
    """The same engine through TCP, by a relay on loopback."""
    import socket
    import threading
    listener = socket.create_server(("127.0.0.1", 0))

    def pump(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def serve():
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            engine = socket.socket(socket.AF_UNIX)
            engine.connect("/var/run/docker.sock")
            threading.Thread(target=pump, args=(client, engine), daemon=True).start()
            threading.Thread(target=pump, args=(engine, client), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    with project() as p:
        p.make("data", {"file": "text\n"})
        p.scenario("cat /data/file; " + IDLE, ["./data:/data"])
        done = p.run("--quiet", env={"DOCKER_HOST": f"tcp://127.0.0.1:{listener.getsockname()[1]}"})
        equal(p.verdicts(), {"/data": "safe"}, done.stdout + done.stderr)
    listener.close()


def main():
    case = globals()["test_" + sys.argv[2]]
    # Another rogate that is running on this engine is waited for: what it has there is not left over.
    left = left_after(120)
    assert not left, f"something of rogate's was on the engine before the test (remove it with `rogate clean`): {left}"
    try:
        case()
        left = left_after(5)  # an observer's container removes itself a moment after it ended
        assert not left, f"left on the engine: {left}"
    finally:
        if leftovers():
            rogate("clean")


main()
