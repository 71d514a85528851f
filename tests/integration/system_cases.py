"""Whole projects and manifests, settled by one command."""
import contextlib
import json
import os
import pty
import shutil
import subprocess

from support import IDLE, IMAGE, ROGATE, ROOT, contains, docker, equal, fingerprint, project, rogate

APP = "trap 'exit 0' TERM; {}; echo started > /dev/shm/up; while :; do sleep 0.1; done"


def service(shell, more):
    check = json.dumps({"test": "test -e /dev/shm/up", "interval": "200ms"})
    return f"image: rogate/base:bookworm, command: {json.dumps(['bash', '-c', APP.format(shell)])}, healthcheck: {check}, {more}"


def mounts(p, name):
    with open(p.path(f"out/{name}/result.json")) as file:
        return json.load(file)["mounts"]


def result(p, name):
    return {each["target"]: each["verdict"] for each in mounts(p, name)}


def test_every_service_of_a_project():
    with project() as p:
        p.make("shared", {"old": "text\n"})
        os.chmod(p.path("shared"), 0o777)
        with open(p.path("compose.yaml"), "w") as out:
            out.write("services:\n"
                      "  writer: {%s}\n" % service("date > /data/new || exit 3", "volumes: ['./shared:/data']") +
                      "  reader: {%s}\n" % service("cat /in/old", "volumes: ['./shared:/in'], depends_on: [writer, job]") +
                      "  job: {image: rogate/base:bookworm, command: cat /in/old, volumes: ['./shared:/in']}\n"
                      "  spare: {image: none-such, profiles: [spare]}\n")
        before = fingerprint(p.path("shared"))
        done = p.run()
        equal(done.returncode, 0, done.stdout + done.stderr)
        equal([result(p, name) for name in ("writer", "reader", "job")],
              [{"/data": "required"}, {"/in": "safe"}, {"/in": "safe"}], done.stdout)
        contains(done.stdout, "SUBJECT  RUNS  VERDICTS\n", "required: /data\n")
        contains(done.stderr, "compose.yaml:5:3: service 'spare' is in the profiles spare")
        for name in ("report.html", "junit.xml", "results.sarif", "report.md", "write-requirements.md"):
            with open(p.path(f"out/{name}")) as report:
                contains(report.read(), "writer", "reader")
        equal(fingerprint(p.path("shared")), before, "the user's data changed")


MANIFESTS = """
apiVersion: v1
kind: Pod
metadata: {name: shop, labels: {app: shop}}
spec:
  terminationGracePeriodSeconds: 5
  initContainers:
  - name: first
    image: rogate/base:bookworm
    command: [sh, -ec, "ls /data; echo made > /pages/index"]
    volumeMounts: [{name: work, mountPath: /pages}, {name: data, mountPath: /data}]
  containers:
  - name: web
    image: rogate/base:bookworm
    command: [bash, -c, "trap 'exit 0' TERM; test $KEY = placeholder || exit 4; cat /pages/index; getent hosts front > /dev/shm/up; while :; do sleep 0.1; done"]
    env: [{name: KEY, valueFrom: {secretKeyRef: {name: auth, key: key}}}]
    readinessProbe: {exec: {command: [test, -s, /dev/shm/up]}}
    volumeMounts: [{name: work, mountPath: /pages}]
  volumes: [{name: work, emptyDir: {}}, {name: data, persistentVolumeClaim: {claimName: data}}]
---
apiVersion: v1
kind: Service
metadata: {name: front}
spec: {selector: {app: shop}, ports: [{port: 80}]}
"""


def test_manifests_on_the_standard_input():
    with project() as p:
        done = subprocess.run([ROGATE, "run", "-", "--out", p.path("out")], input=MANIFESTS, cwd=p.folder, capture_output=True,
                              text=True, timeout=240)
        equal(done.returncode, 0, done.stdout + done.stderr)
        # What the init container makes is what the other one reads.
        equal([result(p, name) for name in ("shop.first", "shop.web")],
              [{"/data": "safe", "/pages": "required"}, {"/pages": "safe"}], done.stdout)
        data = next(each for each in mounts(p, "shop.first") if each["target"] == "/data")
        contains(data["reason"], "the runs had an empty claim there")
        contains(done.stderr, "made up for the runs", "values: {secrets: {auth: {key: placeholder}}, claims: {data: empty}}")


def test_what_is_refused_starts_nothing():
    with project() as p:
        with open(p.path("compose.yaml"), "w") as out:
            out.write("services:\n  a: {image: rogate/base:bookworm, command: 'true'}\n"
                      "  b: {image: rogate/base:bookworm, pid: host}\n")
        done = p.run()
        equal((done.returncode, done.stdout), (2, ""), done.stderr)
        contains(done.stderr, "compose.yaml:3:36: 'pid' of service 'b' is not supported")
        assert not os.path.exists(p.path("out"))
        equal(p.run("--service", "a").returncode, 0)


def test_a_single_file_that_the_entrypoint_replaces():
    """sed -i renames a new file over it, which nothing can do to a mount point: with everything writable it does not start."""
    with project() as p:
        p.make("web", {"default.conf": "server { listen 80; }\n"})
        with open(p.path("compose.yaml"), "w") as out:
            out.write("services:\n  web: {image: 'rogate/nginx:bookworm', volumes: ['./web/default.conf:/etc/nginx/conf.d/default.conf']}\n")
        done = p.run()
        equal(done.returncode, 1, done.stdout + done.stderr)
        equal(p.verdicts()["/etc/nginx/conf.d/default.conf"], "inconclusive")
        contains(p.mount("/etc/nginx/conf.d/default.conf")["reason"], "the control run failed", "Device or resource busy")


def begun(p, *words):
    """What `rogate init` writes, as it is but for the time that it leaves to timers."""
    done = rogate("init", *words, "-o", p.path("begun.yaml"))
    equal(done.returncode, 0, done.stdout + done.stderr)
    with open(p.path("begun.yaml")) as file:
        text = file.read()
    with open(p.path("begun.yaml"), "w") as file:
        file.write(text.replace("wait: 10s", "wait: 1s"))
    done = rogate("run", p.path("begun.yaml"), "--out", p.path("out"))
    equal(done.returncode, 0, done.stdout + done.stderr)
    with open(p.path("out/result.json")) as file:
        result = json.load(file)
    return {each["target"]: each["verdict"] for each in result["mounts"]}, text


def test_a_scenario_that_was_begun_settles():
    with project() as p:
        shop = shutil.copytree(f"{ROOT}/tests/projects/shop", p.path("shop"))
        verdicts, text = begun(p, shop, "--service", "app")
        contains(text, "healthcheck: healthy", "GET / of 8000")
        # Nothing that init can know uploads a picture.
        equal({each: verdicts[each] for each in ("/srv/app", "/srv/uploads", "/var/lib/shop/sessions")},
              {"/srv/app": "safe", "/srv/uploads": "untested", "/var/lib/shop/sessions": "tolerated"}, text)


def test_a_scenario_that_was_begun_for_manifests_settles():
    with project() as p:
        with open(p.path("shop.yaml"), "w") as out:
            out.write(MANIFESTS)
        verdicts, text = begun(p, p.path("shop.yaml"))
        contains(text, "workload: Pod/shop\n", "container: web\n", 'values: {missing: placeholder, claims: {"*": empty}}')
        equal(verdicts["/pages"], "safe", text)


def test_a_scenario_that_was_begun_for_a_container_settles():
    with project() as p:
        name = f"rogate-begun-{os.getpid()}"
        docker("run", "-d", "--name", name, "-v", "/data", IMAGE, "bash", "-c", APP.format("date > /data/new || exit 3"))
        try:
            verdicts, text = begun(p, "--container", name)
        finally:
            docker("rm", "-fv", name)
        contains(text, f"subject: {{container: {name}}}\n")
        equal(verdicts["/data"], "required", text)


def test_what_is_read_only_and_fails_is_opened_up():
    with project() as p:
        p.make("conf", {"old": "text\n"})
        p.make("in", {"old": "text\n"})
        before = fingerprint(p.path("conf"))
        shell = f"set -e; mkdir -p /run/app; date > /run/app/pid; cat /in/old; date > /conf/new; {IDLE}"
        binds = [{"type": "bind", "source": f"./{each}", "target": f"/{each}", "read_only": True} for each in ("conf", "in")]
        p.scenario(shell, binds, subject={"read_only": True}, candidates=["/"])
        done = p.run()
        equal((done.returncode, set(p.verdicts().values())), (1, {"inconclusive"}), done.stdout + done.stderr)
        contains(p.mount("/")["reason"], "there was refused: mkdir /run/app; --open-up makes it writable in the control run")
        equal([each["path"] for each in p.mount("/")["attempts"]], ["/run/app"])
        # The second mount shows only when the first is out of the way.
        done = p.run("--open-up")
        equal(done.returncode, 0, done.stdout + done.stderr)
        equal(p.verdicts(), {"/": "split", "/conf": "required", "/in": "already-ro"}, done.stdout)
        contains(p.mount("/conf")["reason"], "scenario.yaml:1: make it writable there")
        contains(p.mount("/")["reason"], "and was made writable for the control run")
        equal(fingerprint(p.path("conf")), before, "the user's data changed")


def test_somebody_at_the_terminal_is_asked_to_open_up():
    with project() as p:
        p.make("conf", {"old": "text\n"})
        with open(p.path("compose.yaml"), "w") as out:
            json.dump({"services": {"web": {"image": IMAGE, "command": ["sh", "-c", f"date >/conf/new || exit 3; {IDLE}"],
                                            "volumes": ["./conf:/conf:ro"]}}}, out)
        words = [ROGATE, "run", p.path("compose.yaml"), "--soak", "0s", "--out", p.path("out")]
        for answer, wanted in ((b"\n", (1, {"/": "already-ro", "/conf": "inconclusive"})), (b"y\n", (0, {"/conf": "required"}))):
            there, here = pty.openpty()
            process = subprocess.Popen(words, stdin=here, stderr=here, stdout=subprocess.DEVNULL)
            os.close(here)
            said = b""
            with contextlib.suppress(OSError):  # the terminal's end
                while True:
                    said += os.read(there, 4096)
                    if b"(y/N) " in said and answer:
                        os.write(there, answer)
                        answer = b""
            code = process.wait(timeout=120)
            os.close(there)
            equal(answer, b"", said)
            contains(said.decode(), "writes were refused on /conf, which is read-only; make it writable")
            p.read_result()
            equal((code, p.verdicts()["/conf"]), (wanted[0], wanted[1]["/conf"]), said.decode())
        done = rogate("patch", p.path("out/result.json"))
        equal(done.returncode, 0, done.stderr)
        contains(done.stdout, '"./conf:/conf"]')
