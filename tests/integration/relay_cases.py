"""Requests to the subject where its ports cannot be published on this host: by a relay, through the Engine API alone."""
import ipaddress
import json

from faulty_engine import FaultyEngine
from steps_cases import SERVER, message, serve
from support import IDLE, IMAGE, contains, docker, engine_is_podman, engine_is_rootless, equal, project, skip_unless

BODY = "0123456789abcdef" * 30_000


def requests(p):
    with open(p.path("large"), "w") as out:
        out.write(BODY)
    return [{"name": "uploads much", "http": {"method": "POST", "path": "/pictures", "file": "large"}, "expect": {"status": 201}},
            {"name": "downloads it", "http": {"path": "/pictures/1"}, "expect": {"equals": BODY}, "timeout": "20s"},
            {"name": "restarts", "restart": "graceful"},
            {"name": "is there again", "tcp": 8080},
            {"name": "all at once", "parallel": [{"name": f"n{i}", "http": {"path": "/"}, "expect": {"contains": "/data/p1"}} for i in range(4)]},
            {"name": "load", "background": [{"http": {"path": "/"}}]},
            {"name": "on", "exec": "sleep 0.3"}]


def test_nothing_is_published_and_everything_is_reached():
    with project() as p:
        serve(p, requests(p), ready={"timeout": "20s", "http": {"port": 8080, "path": "/"}})
        ours = ("ps", "--filter", "label=io.rogate.session", "--format")
        with p.running("--requests", "relay") as running:
            running.wait_for("step uploads much")
            equal(docker(*ours, "{{.Ports}}"), "")
            contains(docker(*ours, "{{.Names}}"), "-relay")
        equal((running.code, p.verdicts()), (0, {"/app": "already-ro", "/data": "required"}), running.output)
        equal([each["passed"] for each in p.result["runs"][0]["phases"]], [True] * 10, running.output)


def test_with_the_ptrace_observer():
    """It has a relay of its own, for what it sees."""
    with project() as p:
        serve(p, [{"name": "asks", "http": {"path": "/"}}])
        done = p.run("--requests", "relay", "--observer", "ptrace")
        equal((done.returncode, p.result["runs"][0]["passed"]), (0, True), done.stdout + done.stderr)


def test_an_engine_on_another_host_is_asked_so_by_itself():
    """By its bridge's address, on which nothing is published."""
    skip_unless(not engine_is_rootless(), "a rootless engine's bridge is in a network of its own")
    skip_unless(not engine_is_podman(), "podman's bridge has its address only while a container is on it")
    subnet = json.loads(docker("network", "inspect", "bridge"))[0]["IPAM"]["Config"][0]["Subnet"]
    bridge = str(ipaddress.ip_network(subnet)[1])
    with project() as p, FaultyEngine(host=bridge) as engine:
        serve(p, [{"name": "asks", "http": {"path": "/"}}])
        done = p.run("--requests", "ports", env={"DOCKER_HOST": engine.address})
        equal(done.returncode, 1, done.stderr)
        contains(message(p, 0, "asks"), "port 8080: Connection refused")
        done = p.run(env={"DOCKER_HOST": engine.address})
        equal((done.returncode, p.result["runs"][0]["passed"]), (0, True), done.stdout + done.stderr)


def test_who_does_not_listen_is_the_subjects_affair_and_the_relays_end_the_engines():
    with project() as p:
        serve(p, [{"name": "asks", "tcp": 8081}])
        done = p.run("--requests", "relay")
        equal(done.returncode, 1, done.stdout)
        equal(message(p, 0, "asks"), "port 8081: Connection refused")
        serve(p, [{"name": "waits", "exec": "sleep 2"}, {"name": "asks", "http": {"path": "/"}}])
        with p.running("--requests", "relay") as running:
            running.wait_for("step waits")
            docker("kill", docker("ps", "-q", "--filter", "label=io.rogate.role=relay"))
        equal(running.code, 3, running.output)
        contains(running.output, "step 'asks': starting a relay on the run's network")


def test_a_server_that_never_answers_holds_nobody():
    with project() as p:
        p.make("app", {"server.pl": SERVER.replace("my ($m, $p) =", "sleep 100; my ($m, $p) =")})
        serve(p, [{"name": "asks", "http": {"path": "/"}, "timeout": "1s"}], shutdown={"signal": "KILL", "exit_code": 137})
        done = p.run("--requests", "relay")
        equal(message(p, 0, "asks"), "GET /: no answer within 1000 ms", done.stdout)


def test_a_pod_is_reached_by_its_own_address():
    with project() as p:
        p.make("app", {"server.pl": SERVER})
        with open(p.path("pod.yaml"), "w") as out:
            out.write(f"""apiVersion: v1
kind: Pod
metadata: {{name: one}}
spec:
  containers:
  - {{name: app, image: {IMAGE}, command: [perl, /app/server.pl], volumeMounts: [{{name: app, mountPath: /app}}],
     readinessProbe: {{httpGet: {{path: /, port: 8080}}}}}}
  - {{name: beside, image: {IMAGE}, command: [sh, -c, "{IDLE}"]}}
  volumes: [{{name: app, hostPath: {{path: {p.path("app")}}}}}]
""")
        with open(p.path("scenario.yaml"), "w") as out:
            out.write("subject: {kubernetes: {file: pod.yaml, container: app}}\nsteps: [{name: asks, http: {port: 8080, path: /}}]\n")
        done = p.run("--requests", "relay")
        equal((done.returncode, p.verdicts()["/app"]), (0, "safe"), done.stdout + done.stderr)
