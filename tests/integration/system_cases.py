"""Whole projects and manifests, settled by one command."""
import json
import os
import subprocess

from support import ROGATE, contains, equal, fingerprint, project

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
    command: [sh, -ec, "ls /data; echo made > /work/index"]
    volumeMounts: [{name: work, mountPath: /work}, {name: data, mountPath: /data}]
  containers:
  - name: web
    image: rogate/base:bookworm
    command: [bash, -c, "trap 'exit 0' TERM; test $KEY = placeholder || exit 4; cat /work/index; getent hosts front > /dev/shm/up; while :; do sleep 0.1; done"]
    env: [{name: KEY, valueFrom: {secretKeyRef: {name: auth, key: key}}}]
    readinessProbe: {exec: {command: [test, -s, /dev/shm/up]}}
    volumeMounts: [{name: work, mountPath: /work}]
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
              [{"/data": "safe", "/work": "required"}, {"/work": "safe"}], done.stdout)
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
