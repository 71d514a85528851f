"""How few runs settle many mounts, and what is found out before any run."""
import contextlib
import os
import subprocess

from support import IDLE, ROGATE, contains, equal, fingerprint, needs_root, project, read_only_reaches_below


def many(p, number, shell):
    for i in range(number):
        p.make(f"m{i}", {"file": "text\n"})
    p.scenario(f"cat /m*/file; {shell}; " + IDLE, [f"./m{i}:/m{i}" for i in range(number)])
    done = p.run()
    counts = {}
    for verdict in p.verdicts().values():
        counts[verdict] = counts.get(verdict, 0) + 1
    return counts, len(p.result["runs"]), done.stdout + done.stderr


def test_one_of_many_is_needed():
    with project() as p:
        counts, runs, output = many(p, 10, "touch /m7/x || exit 3")
        equal(counts, {"safe": 9, "required": 1}, output)
        # Under ptrace a run whose subject ends by itself has no canary, so that one more is needed.
        equal(runs, 3 if p.result["observer"]["kind"] == "ebpf" else 4)
        equal(p.mount("/m7")["reason"].split(":")[0], "read-only fails ready")
        equal({a["path"] for a in p.mount("/m7")["attempts"]}, {"/m7/x"})


def test_five_of_fifty_write():
    """Three can do without, two cannot, and what comes in between makes it hard to tell who is to blame."""
    with project() as p:
        counts, runs, output = many(p, 50, "touch /m1/x; touch /m9/x || exit 3; touch /m20/x; touch /m30/x || exit 4; touch /m40/x")
        equal(counts, {"safe": 45, "tolerated": 3, "required": 2}, output)
        equal({each["target"] for each in p.result["mounts"] if each["verdict"] == "required"}, {"/m9", "/m30"})
        assert runs <= 7, runs
        advice = p.result["recommendation"]
        equal(len(advice["read_only"]), 48)
        proof = next(each for each in p.result["runs"] if each["id"] == advice["verified_by_run"])
        equal((proof["read_only"], proof["passed"]), (advice["read_only"], True))
        for target in advice["read_only"]:
            equal(proof["canary"][target], "seen", target)


@contextlib.contextmanager
def mounted(path, options="rw"):
    """A file system of its own at `path`, with one file. The engine must live in this mount namespace."""
    needs_root()
    os.makedirs(path)
    subprocess.run(["mount", "-t", "tmpfs", "rogate-test", path], check=True)
    try:
        with open(f"{path}/inner", "w") as file:
            file.write("deep\n")
        subprocess.run(["mount", "-o", f"remount,{options}", path], check=True)
        yield
    finally:
        subprocess.run(["umount", "-l", path], check=True)


def test_mounts_below_a_source():
    """An overlay of the source does not show them, and read-only does not protect them on every engine."""
    with project() as p:
        for name in ("data", "ro", "fixed", "covered", "own", "kept"):
            p.make(name, {"file": "text\n"})
        with mounted(p.path("data/sub")), mounted(p.path("ro/a b")), mounted(p.path("fixed/sub"), "ro"), mounted(p.path("covered/sub")), \
                mounted(p.path("kept/sub")):
            shell = ("cat /data/file /ro/file /fixed/file /covered/file /covered/sub/file /kept/file;"
                     "cat /data/sub/inner '/ro/a b/inner' /fixed/sub/inner /kept/sub/inner || exit 3;"
                     "echo x >/data/sub/new && echo x >'/ro/a b/new' || READ_ONLY_FAILS; " + IDLE)
            mounts = ["./data:/data", "./ro:/ro:ro", "./fixed:/fixed", "./covered:/covered", "./own:/covered/sub", "./kept:/kept"]
            wanted = {"/fixed": "safe", "/covered": "safe", "/covered/sub": "safe"}
            names = ("data", "ro", "fixed", "kept")
            before = {name: fingerprint(p.path(name)) for name in names}
            if read_only_reaches_below():
                p.scenario(shell.replace("READ_ONLY_FAILS", "echo refused"), mounts)
                done = p.run()
                equal(p.verdicts(), {**wanted, "/data": "tolerated", "/ro": "already-ro", "/kept": "safe"}, done.stdout + done.stderr)
                equal([(each["path"], each["errno"], each["class"]) for target in ("/data", "/ro") for each in p.mount(target)["attempts"]],
                      [("/data/sub/new", "EROFS", "write"), ("/ro/a b/new", "EROFS", "write")], done.stdout)
                p.scenario(shell.replace("&& echo x >'/ro/a b/new' || READ_ONLY_FAILS", "|| exit 4"), mounts)
                done = p.run()
                equal(p.verdicts(), {**wanted, "/data": "split", "/ro": "already-ro", "/kept": "safe"}, done.stdout + done.stderr)
                equal([(each["path"], each["as"]) for each in p.mount("/data")["writable"]], [("/data/sub", "volume")])
            else:
                p.scenario(shell.replace("READ_ONLY_FAILS", "exit 4"), mounts)
                done = p.run()
                equal(p.verdicts(), {**wanted, "/data": "ineffective", "/ro": "ineffective", "/kept": "ineffective"}, done.stdout + done.stderr)
                contains(p.mount("/data")["reason"], "/data/sub (tmpfs), mounted below its source, stays writable on this engine")
            equal({name: fingerprint(p.path(name)) for name in names}, before, "the user's data changed")
            equal("/data" in p.result["recommendation"]["read_only"], read_only_reaches_below())


def test_what_the_runs_cannot_be_given():
    """Nothing is concluded about a mount whose source has the kernel's own file systems below it, read-only here."""
    needs_root()
    with project() as p:
        p.make("data", {"file": "text\n"})
        os.makedirs(p.path("data/proc"))
        subprocess.run(["mount", "-t", "proc", "-o", "ro", "proc", p.path("data/proc")], check=True)
        try:
            p.scenario("cat /data/file; " + IDLE, ["./data:/data"])
            done = p.run("--observer", "ptrace")
        finally:
            subprocess.run(["umount", "-l", p.path("data/proc")], check=True)
        equal(done.returncode, 4, done.stdout + done.stderr)
        equal(p.verdicts(), {"/data": "inconclusive"})
        contains(p.mount("/data")["reason"], "what is mounted below its source (/data/proc (proc)); declare it as a mount of its own")


def test_mounts_below_a_source_are_out_of_reach_unobserved_too():
    with project() as p:
        p.make("ro", {"file": "text\n"})
        with mounted(p.path("ro/sub")):
            p.scenario("cat /ro/sub/inner; echo x >/ro/sub/new " + ("&& exit 3; " if read_only_reaches_below() else "|| exit 3; ") + IDLE,
                       ["./ro:/ro:ro"])
            before = fingerprint(p.path("ro"))
            done = p.run("--observer", "none")
            equal(p.verdicts(), {"/ro": "already-ro" if read_only_reaches_below() else "ineffective"}, done.stdout + done.stderr)
            equal(fingerprint(p.path("ro")), before, "the user's data changed")


COMPOSE = """services:
  web:
    image: rogate/base:bookworm
    command: ["sh", "-c", "trap 'exit 0' TERM; cat /conf/file /data/file; touch /data/x || exit 3; touch /tmp/ready; while :; do sleep 0.1; done"]
    volumes:
      - ./data:/data{}
      - ./conf:/conf{}
    healthcheck: {{test: "test -e /tmp/ready", interval: 300ms}}
"""


def test_only_what_a_change_made_read_only():
    with project() as p:
        def git(*words):
            subprocess.run(["git", "-C", p.folder, "-c", "user.name=a", "-c", "user.email=a@b", *words], check=True, capture_output=True)

        def ask(*words):
            return subprocess.run([ROGATE, *words], cwd=p.folder, capture_output=True, text=True, timeout=200)

        def compose(*modes):
            with open(p.path("compose.yaml"), "w") as file:
                file.write(COMPOSE.format(*modes))

        def gate(code, *parts):
            done = ask("gate", "--since", "main", "out")
            equal(done.returncode, code, done.stdout + done.stderr)
            contains(done.stdout, *parts)

        for name in ("data", "conf"):
            p.make(name, {"file": "text\n"})
        compose("", "")
        git("init", "-q", "-b", "main", ".")
        git("add", "-A")
        git("commit", "-qm", "one")
        git("checkout", "-qb", "change")
        gate(0, "The gate says yes: no mount was made read-only since main")
        done = ask("run", "--since", "main", "compose.yaml", "--out", "out")
        equal((done.returncode, os.path.exists(p.path("out"))), (0, False))
        contains(done.stderr, "web: none of its mounts was made read-only since main; it is not run")

        compose(":ro", ":ro")
        git("commit", "-qam", "two")
        equal(ask("gate", "--since", "main", "out").returncode, 2)
        done = ask("gate", "--since", "main")
        equal(done.returncode, 4)
        contains(done.stdout, "compose.yaml:6:9", "compose.yaml:7:9", "web /conf was made read-only since main, and no result is about it",
                 "rogate run --since main compose.yaml --service web")
        done = ask("run", "--since", "main", "compose.yaml", "--out", "out")
        p.read_result()
        equal(p.verdicts(), {"/conf": "safe", "/data": "required"}, done.stdout + done.stderr)
        gate(1, "The gate says no: 1 finding to settle (2 mounts made read-only since main)", "create /data/x  EROFS")
        compose("", ":ro")
        gate(0, "1 mount made read-only since main, all as agreed")
        done = ask("gate", "--since", "missing", "out")
        equal(done.returncode, 2)
        contains(done.stderr, "git knows no revision missing; fetch it first")


class Repository:
    """The project's folder under git, with a branch `change`."""

    def __init__(self, p):
        self.p = p
        self.git("init", "-q", "-b", "main", ".")
        self.git("add", "-A")
        self.git("commit", "-qm", "one")
        self.git("checkout", "-qb", "change")

    def git(self, *words):
        subprocess.run(["git", "-C", self.p.folder, "-c", "user.name=a", "-c", "user.email=a@b", *words], check=True, capture_output=True)

    def ask(self, code, *words):
        done = subprocess.run([ROGATE, *words], cwd=self.p.folder, capture_output=True, text=True, timeout=200)
        equal(done.returncode, code, done.stdout + done.stderr)
        return done.stdout

    def write(self, name, text):
        with open(self.p.path(name), "w") as file:
            file.write(text)
        self.git("add", "-A")
        self.git("commit", "-qm", name)


def with_compose(p):
    for name in ("data", "conf"):
        p.make(name, {"file": "text\n"})
    with open(p.path("compose.yaml"), "w") as file:
        file.write(COMPOSE.format("", ""))
    return Repository(p)


def test_what_an_override_made_read_only():
    with project() as p:
        here = with_compose(p)
        here.write("compose.override.yaml", "services:\n  web:\n    volumes: [./data:/data:ro]\n")
        contains(here.ask(4, "gate", "--since", "main"), "compose.override.yaml:3:15", "web /data was made read-only since main",
                 "rogate run --since main . --service web")
        contains(here.ask(0, "audit", "."), "read-only in compose.override.yaml, which is merged over it")
        here.ask(0, "run", "--since", "main", ".", "--service", "web", "--out", "out")
        p.read_result()
        equal(p.verdicts(), {"/conf": "safe", "/data": "required"} if "/conf" in p.verdicts() else {"/data": "required"})
        contains(here.ask(1, "gate", "--since", "main", "out"), "create /data/x  EROFS")


def test_what_an_override_in_another_folder_made_read_only():
    """docker compose -f compose.yaml -f deploy/prod.yaml: the base did not change, and is in none of the change's folders."""
    with project() as p:
        here = with_compose(p)
        os.mkdir(p.path("deploy"))
        here.write("deploy/prod.yaml", "services:\n  web:\n    volumes: [./data:/data:ro]\n")
        contains(here.ask(4, "gate", "--since", "main"), "deploy/prod.yaml:3:15", "web /data was made read-only since main",
                 "file: [compose.yaml, deploy/prod.yaml], service: web")
        with open(p.path("prod.scenario.yaml"), "w") as file:
            file.write("name: prod\nsubject: {compose: {file: [compose.yaml, deploy/prod.yaml], service: web}}\n")
        here.ask(0, "run", "--since", "main", "prod.scenario.yaml", "--out", "out")
        p.read_result()
        equal(p.mount("/data")["verdict"], "required")
        contains(here.ask(1, "gate", "--since", "main", "out"), "create /data/x  EROFS")


MANIFEST = """apiVersion: v1
kind: Pod
metadata: {{name: web}}
spec:
  containers:
    - name: app
      image: rogate/base:bookworm
      command: [sh, -c, "trap 'exit 0' TERM; cat /data/file; touch /data/x || exit 3; echo started; while :; do sleep 0.1; done"]
      volumeMounts: [{{name: data, mountPath: /data{}}}]
  volumes: [{{name: data, persistentVolumeClaim: {{claimName: data}}}}]
"""


def test_what_a_manifest_made_read_only():
    with project() as p:
        p.make("data", {"file": "text\n"})
        with open(p.path("pod.yaml"), "w") as file:
            file.write(MANIFEST.format(""))
        with open(p.path("scenario.yaml"), "w") as file:
            file.write("name: web\nsubject: {kubernetes: {file: pod.yaml, values: {claims: {data: ./data}}}}\nready: {log: started}\n")
        here = Repository(p)
        here.ask(0, "run", "--since", "main", "scenario.yaml", "--out", "out")
        here.write("pod.yaml", MANIFEST.format(", readOnly: true"))
        contains(here.ask(4, "gate", "--since", "main"), "Pod/web app /data was made read-only since main")
        here.ask(0, "run", "--since", "main", "scenario.yaml", "--out", "out")
        p.read_result()
        equal(p.verdicts(), {"/data": "required"})
        contains(here.ask(1, "gate", "--since", "main", "out"), "pod.yaml:9:", "/data/x  EROFS")
        equal(sorted(os.listdir(p.path("data"))), ["file"])
