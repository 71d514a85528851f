"""clients.py ROGATE COMPOSE NODE_MODULES [CLIENT…]: see ci/clients.sh. What each client creates has the same mounts, so that the verdicts are known."""
import glob
import json
import os
import subprocess
import sys
import tempfile

ROGATE, COMPOSE, MODULES = (os.path.abspath(each) for each in sys.argv[1:4])
IMAGE = "rogate/base:bookworm"
HERE = os.path.dirname(os.path.abspath(__file__))
IDLE = "while :; do sleep 0.1; done"
COMPOSE_FILE = f"""version: "3.7"
services:
  web:
    image: {IMAGE}
    command: [sh, -c, "trap 'exit 0' TERM; cat /conf/file; echo ready; {IDLE}"]
    depends_on: [db]
    volumes: ["./conf:/conf"]
  db:
    image: {IMAGE}
    command: [sh, -c, "trap 'exit 0' TERM; touch /data/x || exit 3; echo ready; {IDLE}"]
    volumes: ["data:/data"]
volumes: {{data: {{}}}}
"""


def wrap(folder, *command, env=None):
    """The verdicts, by container and target. What rogate and COMMAND say is shown."""
    out = tempfile.mkdtemp(dir=folder)
    done = subprocess.run([ROGATE, "wrap", "--out", out, "--", *command], cwd=folder, env={**os.environ, **(env or {})})
    assert done.returncode == 0, f"exit code {done.returncode}"
    verdicts = {}
    for path in glob.glob(f"{out}/*/result.json"):
        with open(path) as file:
            result = json.load(file)
        for mount in result["mounts"]:
            verdicts[f"{result['scenario']} {mount['target']}"] = mount["verdict"]
    left = subprocess.run("docker ps -aq; docker network ls -q --filter label=com.docker.compose.project; docker volume ls -q --filter "
                          "label=com.docker.compose.project", shell=True, capture_output=True, text=True).stdout
    assert not left, f"left behind: {left}"
    return verdicts


def equal(got, wanted):
    assert got == wanted, f"\n     got: {got}\n  wanted: {wanted}"


def compose(folder, *program):
    with open(f"{folder}/compose.yaml", "w") as file:
        file.write(COMPOSE_FILE)
    words = " ".join(program) + " -p rogate-clients -f compose.yaml"
    check = f"until {words} logs | grep -q 'web.*ready'; do sleep 0.2; done; test -n \"$({words} ps -q db)\"; {words} exec -T db test -e /data/x"
    equal(wrap(folder, "sh", "-c", f"{words} up -d && {{ {check}; }}; code=$?; {words} down -v; exit $code"), {"web /conf": "safe", "db /data": "required"})
    # Left running: rogate stops and removes it before COMMAND is started again.
    equal(wrap(folder, "sh", "-ec", f"{words} up -d; {check}"), {"web /conf": "safe", "db /data": "required"})


def compose1(folder):
    compose(folder, "docker-compose")


def compose2(folder):
    compose(folder, COMPOSE)


def buildkit(folder):
    """A build through BuildKit, which takes HTTP/2 upgrades, of an image with a volume."""
    os.mkdir(f"{folder}/app")
    with open(f"{folder}/app/Dockerfile", "w") as file:
        file.write(f"FROM {IMAGE}\nRUN echo built >/made\nVOLUME /data\nCMD [\"sh\", \"-c\", \"cat /made; ls /data\"]\n")
    with open(f"{folder}/compose.yaml", "w") as file:
        file.write("services:\n  app:\n    build: app\n    image: rogate-clients-built\n")
    words = f"{COMPOSE} -p rogate-clients -f compose.yaml"
    try:
        verdicts = wrap(folder, "sh", "-ec", f"{words} build --no-cache; {words} run --rm app", env={"DOCKER_BUILDKIT": "1"})
    finally:
        subprocess.run(["docker", "rmi", "-f", "rogate-clients-built"], capture_output=True)
    equal(verdicts, {"app /data": "safe"})


def node(folder, script, image="", **env):
    os.makedirs(f"{folder}/data", exist_ok=True)
    verdicts = wrap(folder, "node", f"{HERE}/{script}", f"{folder}/conf", f"{folder}/data",
                    env={"NODE_PATH": MODULES, **env})
    if image:
        verdicts = {key: value for key, value in verdicts.items() if not key.startswith(image)}
    # Which of two that begin at the same time is the first is chance.
    told = sorted(f"{key.split()[1]} {verdict}" for key, verdict in verdicts.items())
    equal(told, ["/conf safe", "/conf safe", "/data required"])


def testcontainers(folder):
    node(folder, "testcontainers.js", TESTCONTAINERS_RYUK_DISABLED="true")


def reaper(folder):
    """A stand-in for testcontainers' reaper, whose image is on a registry: it mounts the socket and asks the engine through it."""
    image = "rogate-clients-reaper"
    with open(f"{HERE}/reaper.Dockerfile") as file:
        subprocess.run(["docker", "build", "-q", "-t", image, "-f", "-", HERE], input=file.read(), text=True, check=True, env={**os.environ, "DOCKER_BUILDKIT": "0"})
    try:
        node(folder, "testcontainers.js", image, RYUK_CONTAINER_IMAGE=image)
    finally:
        subprocess.run(["docker", "rmi", "-f", image], capture_output=True)


def dockerode(folder):
    node(folder, "dockerode.js")


CLIENTS = [compose1, compose2, buildkit, testcontainers, reaper, dockerode]
for client in CLIENTS:
    if sys.argv[4:] and client.__name__ not in sys.argv[4:]:
        continue
    with tempfile.TemporaryDirectory() as work:
        os.mkdir(f"{work}/conf")
        with open(f"{work}/conf/file", "w") as conf:
            conf.write("text\n")
        print(f"--- {client.__name__}", flush=True)
        client(work)
        print(f"--- {client.__name__}: passed", flush=True)
