"""Compose projects as teams have them (tests/projects), settled, patched and run again; and the data of every service untouched."""
import contextlib
import json
import os
import shutil
import subprocess
import time

from support import IMAGE, ROGATE, ROOT, contains, docker, equal, fingerprint, left_after, project, rogate


@contextlib.contextmanager
def copied(name):
    with project() as p:
        p.folder = shutil.copytree(f"{ROOT}/tests/projects/{name}", p.path(name))
        os.chmod(p.path("."), 0o755)
        yield p


def run(p, out):
    done = rogate("run", p.path("rogate.yaml"), "--out", p.path(out), timeout=400)
    equal(done.returncode, 0, done.stdout + done.stderr)
    with open(p.path(f"{out}/result.json")) as file:
        p.result = json.load(file)
    return done


def patched_and_again(p, read_only, file):
    """What is recommended is what the patch writes, and what the next run finds."""
    equal(p.result["recommendation"]["read_only"], read_only)
    recommended = p.result["recommendation"]
    done = rogate("patch", p.path("out/result.json"), "--in-place", "--root", p.folder)
    equal(done.returncode, 0, done.stdout + done.stderr)
    with open(p.path(file)) as text:
        text = text.read()
    run(p, "again")
    verdicts = p.verdicts()
    equal({verdicts[target] for target in read_only}, {"already-ro"}, p.result["mounts"])
    done = rogate("patch", p.path("again/result.json"))
    equal((done.returncode, done.stdout), (0, ""), "a second patch changes something")
    return text, recommended


def test_shop():
    with copied("shop") as p:
        before = fingerprint(p.folder)
        done = run(p, "out")
        contains(done.stderr, "service 'app': without effect on the test: ")
        verdicts = p.verdicts()
        equal({each: verdicts[each] for each in ("/srv/app", "/srv/uploads", "/var/lib/shop/sessions")},
              {"/srv/app": "safe", "/srv/uploads": "required", "/var/lib/shop/sessions": "tolerated"}, done.stdout)
        equal([each for each in fingerprint(p.folder) if "/out" not in each[0]][1:], before[1:], "the project's files changed")
        with open(p.path("out/result.json")) as text:
            assert "tea-and-biscuits" not in text.read(), "the password is in the result"
        text, _ = patched_and_again(p, ["/srv/app", "/var/lib/shop/sessions"], "compose.yaml")
        contains(text, "- ./app:/srv/app:ro\n", "- sessions:/var/lib/shop/sessions:ro\n", "# A small web shop", "        source: uploads\n")


def test_jobs():
    with copied("jobs") as p:
        done = run(p, "out")
        verdicts = p.verdicts()
        equal(verdicts["/etc/worker"], "safe", done.stdout)
        equal(verdicts["/run/secrets/token"], "already-ro", done.stdout)
        equal(verdicts["/srv/results"], "required", done.stdout)
        equal(verdicts["/var/lib/worker"], "tolerated", done.stdout)
        text, recommended = patched_and_again(p, sorted(t for t, v in verdicts.items() if v in ("safe", "tolerated", "split")),
                                              "docker-compose.yml")
        contains(text, "- state:/var/lib/worker:ro\n")
        # What `extends` brings from another file, for other services as well, is overridden in the service itself.
        with open(p.path("docker-compose.override.yml")) as override:
            contains(override.read(), '"source": "./worker", "target": "/etc/worker"', '"read_only": true')
        with open(p.path("common.yml")) as common:
            assert "read_only" not in common.read(), "other services use it"


SERVICES = f"""
name: rogatedata
services:
  web:
    image: {IMAGE}
    command: ["sh", "-c", "trap 'exit 0' TERM; cat /shared/file; echo x >/own/x; echo started; while :; do sleep 0.1; done"]
    depends_on: [writer]
    volumes: ["./shared:/shared:ro", "own:/own"]
    healthcheck: {{test: "true", interval: 300ms}}
  writer:
    image: {IMAGE}
    command:
      - sh
      - -c
      - trap 'exit 0' TERM; for d in shared bind named anonymous; do echo x >/$$d/file; chmod 600 /$$d/file; rm -f /$$d/old; done; while :; do sleep 0.1; done
    volumes: ["./shared:/shared", "./bind:/bind", "named:/named", "/anonymous"]
volumes: {{own: , named: }}
"""


@contextlib.contextmanager
def with_data():
    """A project that exists on the engine already: its named volumes have data, and a container of it an anonymous one."""
    names = ("rogatedata_own", "rogatedata_named")
    container = None
    try:
        with project() as p:
            with open(p.path("compose.yaml"), "w") as out:
                out.write(SERVICES)
            for name in ("shared", "bind"):
                p.make(name, {"file": "text\n", "old": "text\n"})
            container = docker("run", "-d", "-v", "rogatedata_own:/own", "-v", "rogatedata_named:/named", "-v", "/anonymous", IMAGE, "sh", "-c",
                               "for d in own named anonymous; do echo text >/$d/file; echo text >/$d/old; chown 7:8 /$d/old; done; exec sleep 1000")
            deadline = time.monotonic() + 20
            while subprocess.run(["docker", "exec", container, "test", "-e", "/anonymous/old"]).returncode and time.monotonic() < deadline:
                time.sleep(0.1)
            points = [each["Source"] for each in json.loads(docker("inspect", container))[0]["Mounts"]]
            equal(len(points), 3)
            yield p, lambda: [fingerprint(p.path("shared")), fingerprint(p.path("bind")), *map(fingerprint, sorted(points))]
    finally:
        if container:
            docker("rm", "-fv", container)
        for name in names:
            subprocess.run(["docker", "volume", "rm", name], capture_output=True)


def test_data_of_every_service_are_untouched():
    with with_data() as (p, prints):
        before = prints()
        done = p.run("--service", "web")
        equal(done.returncode, 0, done.stdout + done.stderr)
        equal(prints(), before, "the user's data changed")
        contains(done.stdout, "tolerated")


def test_data_of_every_service_are_untouched_when_killed():
    with with_data() as (p, prints):
        before = prints()
        for sign in ("service writer", "run 2", "ready"):
            running = subprocess.Popen([ROGATE, "run", p.folder, "--service", "web"], stdout=subprocess.PIPE,
                                       stderr=subprocess.STDOUT, text=True)
            output = []
            for line in running.stdout:
                output.append(line)
                if sign in line:
                    break
            running.kill()
            running.wait()
            contains("".join(output), sign)
            equal(left_after(20), "", sign)
            equal(prints(), before, f"killed at '{sign}': the user's data changed")


def test_a_service_that_fails_later_than_in_the_control_run_is_no_evidence():
    """The second start of 'init' fails, whoever is tried: nothing is put down to the mounts."""
    with project() as p:
        p.make("conf", {"file": "text\n"})
        p.make("once", {})
        # A device is the real one in every run: what is written to it is remembered from one to the next.
        fifo = p.path("turns")
        os.mkfifo(fifo)
        keeper = os.open(fifo, os.O_RDWR)
        os.write(keeper, b"0\n7\n7\n7\n7\n7\n7\n7\n")
        with open(p.path("compose.yaml"), "w") as out:
            out.write(f"""
services:
  web:
    image: {IMAGE}
    command: ["sh", "-c", "trap 'exit 0' TERM; cat /conf/file; echo started; while :; do sleep 0.1; done"]
    depends_on: {{init: {{condition: service_completed_successfully}}}}
    volumes: ["./conf:/conf"]
  init:
    image: {IMAGE}
    command: ["bash", "-c", "read -r turn </turns; echo its turn is $$turn; exit $$turn"]
    volumes: ["./turns:/turns"]
""")
        done = p.run("--service", "web")
        os.close(keeper)
        equal(done.returncode, 4, done.stdout + done.stderr)
        equal(p.verdicts()["/conf"], "inconclusive")
        contains(p.mount("/conf")["reason"], "service 'init', which 'web' waits for, exited with code 7", "its turn is 7")
