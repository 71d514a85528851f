"""A container of the system that has the engine's socket: it sees and changes what belongs to the system, and nothing else."""
import contextlib
import json
import os
import shutil

from support import IMAGE, contains, docker, equal, project
from together_cases import compose, reason, results, service, verdicts
from wrap_cases import NAME, Wrapped, nothing_of_ours, shell

SOCKET = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://")
# Debian's and docker's own clients need nothing but the C library.
CLIENT = f"-v {SOCKET}:/var/run/docker.sock -v {shutil.which('docker')}:/usr/bin/docker:ro"
# Of somebody else: a container, a volume, a network.
THEIRS = "theirs-of-guest-tests"


def state():
    """All that can be told of what is somebody else's."""
    containers = docker("inspect", THEIRS, f"{THEIRS}-idle")
    volume = docker("run", "--rm", "-v", f"{THEIRS}:/v", IMAGE, "sh", "-c", "ls -lA --time-style=full-iso /v; cat /v/*")
    return (json.dumps([{key: each[key] for key in ("Id", "Name", "State", "RestartCount", "Config", "HostConfig", "ExecIDs")} for each in json.loads(containers)]),
            volume, docker("volume", "ls", "-q", "--filter", f"name={THEIRS}"), docker("network", "ls", "-q", "--filter", f"name={THEIRS}"),
            docker("images", "-q", "--no-trunc"))


@contextlib.contextmanager
def somebody_else():
    def remove():
        for each in docker("ps", "-aq", "--filter", f"name={THEIRS}").split():
            docker("rm", "-fv", each)
        for kind in ("volume", "network"):
            for each in docker(kind, "ls", "-q", "--filter", f"name={THEIRS}").split():
                docker(kind, "rm", each)
    remove()
    try:
        docker("network", "create", THEIRS)
        docker("run", "-d", "--name", THEIRS, "--network", THEIRS, "-v", f"{THEIRS}:/v", "--restart", "always", IMAGE, "sh", "-c", "echo mine >/v/file; exec sleep 1000")
        docker("create", "--name", f"{THEIRS}-idle", IMAGE, "true")
        before = state()
        yield
        equal(state(), before, "what is somebody else's was touched")
    finally:
        remove()


# What a guest runs: it may look for anything, and finds what is the system's.
LOOKS = f"""
    set -e
    names() {{ docker ps -a --format '{{{{.Names}}}}' | sort | tr '\\n' ' '; }}
    echo "containers: $(names)"
    test "$(names)" = "{NAME}-guest {NAME}-web "
    for each in "inspect {THEIRS}" "stop {THEIRS}" "rm -f {THEIRS}" "kill {THEIRS}" "exec {THEIRS} true" "rename {THEIRS} x" "update --restart no {THEIRS}" \
        "start {THEIRS}-idle" "logs {THEIRS}" "cp {THEIRS}:/etc/hosts /tmp" "volume inspect {THEIRS}" "volume rm {THEIRS}" "network inspect {THEIRS}" \
        "network rm {THEIRS}" "network connect {THEIRS} {NAME}-web" "network disconnect -f {THEIRS} {THEIRS}" "stop $(printf %.12s $THEIR_ID)" "stop $THEIR_ID"; do
        # `docker rm -f` of nothing is a success.
        if docker $each >/tmp/said 2>&1 && [ "$each" != "rm -f {THEIRS}" ]; then echo "it did: docker $each"; exit 9; fi
        grep -qi 'no such\\|not found' /tmp/said || {{ echo "docker $each: $(cat /tmp/said)"; exit 9; }}
    done
    for each in "volume ls -q" "network ls" "system df -v" "ps -a --no-trunc"; do
        docker $each >/tmp/said
        if grep {THEIRS} /tmp/said; then echo "docker $each"; exit 9; fi
    done
    docker network inspect bridge >/dev/null
    docker info >/dev/null
"""


def test_a_guest_sees_and_changes_only_what_is_ours():
    """It lists, inspects, tries to harm somebody else's, and works with the system: exec, stop, start, a container of its own, which is watched."""
    with project() as p, nothing_of_ours(), somebody_else():
        p.make("conf", {"file": "text\n"})
        p.make("data", {"file": "text\n"})
        with open(p.path("conf/guest.sh"), "w") as file:
            file.write(LOOKS + f"""
                docker events --filter type=container --format '{{{{.Action}}}} {{{{.Actor.Attributes.name}}}}' >/tmp/events & events=$!
                docker exec {NAME}-web sh -c 'test -e /data/file'
                test "$(echo words | docker exec -i {NAME}-web cat)" = words
                docker stop {NAME}-web
                docker start {NAME}-web
                test "$(docker run --rm --name {NAME}-made -v {NAME}-new:/made {IMAGE} sh -c 'echo x >/made/x && echo made')" = made
                docker create --name {NAME}-left {IMAGE} true
                test "$(docker ps -a -n 1 --format '{{{{.Names}}}}')" = {NAME}-left
                docker rm {NAME}-left
                until grep -q 'destroy {NAME}-left' /tmp/events; do sleep 0.1; done
                kill $events
                cat /tmp/events
                if grep {THEIRS} /tmp/events; then exit 9; fi
                grep 'create {NAME}-left' /tmp/events
                """)
        command = shell(p, f"""
            docker run -d --name {NAME}-web -v {p.path('data')}:/data {IMAGE} \
                sh -c 'trap "exit 0" TERM; cat /data/file; echo started; while :; do sleep 0.1; done'
            docker run --rm --name {NAME}-guest {CLIENT} -e THEIR_ID=$(docker inspect -f '{{{{.Id}}}}' {THEIRS}) -v {p.path('conf')}:/conf {IMAGE} sh /conf/guest.sh
            docker rm -f {NAME}-web
            docker volume rm {NAME}-new
            """)
        done = Wrapped(p.folder, *command)
        equal(done.verdicts(), {f"{NAME}-web /data": "safe", f"{NAME}-guest /conf": "safe", f"{NAME}-guest /var/run/docker.sock": "ineffective",
                                f"{NAME}-guest /usr/bin/docker": "already-ro", f"{NAME}-made /made": "required"}, done.output)
        contains(done.output, "mounts the engine's socket")
        equal(docker("volume", "ls", "-q", "--filter", f"name={NAME}"), "")


def test_a_guest_that_asks_for_more():
    """What it is not given makes its mounts and those beside it inconclusive; nothing of somebody else's is touched."""
    with project() as p, nothing_of_ours(), somebody_else():
        p.make("conf", {"file": "text\n"})
        with open(p.path("conf/guest.sh"), "w") as file:
            file.write(f"""
                set -e
                for each in "system prune -af --volumes" "container prune -f" "volume prune -f" "network prune -f" "image prune -af" "rmi -f {IMAGE}" \
                    "tag {IMAGE} x" "run --rm -v {THEIRS}:/v {IMAGE} rm /v/file" "run --rm -v /:/v {IMAGE} true" "run --rm --privileged {IMAGE} true" \
                    "run --rm --security-opt systempaths=unconfined {IMAGE} true" "exec --privileged {NAME}-guest true" \
                    "volume create -o type=tmpfs -o o=bind -o device=/ {NAME}-bind" "network create -d macvlan {NAME}-net" \
                    "run --rm --network {THEIRS} {IMAGE} true" "run --rm --pid host {IMAGE} true" "volume create {THEIRS}" \
                    "run --rm --mount type=volume,dst=/v,volume-opt=type=none,volume-opt=o=bind,volume-opt=device=/ {IMAGE} true"; do
                    if docker $each >/tmp/said 2>&1; then echo "it did: docker $each"; exit 9; fi
                    grep -q 'rogate: ' /tmp/said || {{ echo "docker $each: $(cat /tmp/said)"; exit 9; }}
                done
                """)
        command = shell(p, f"""
            docker run --rm --name {NAME}-beside -v {p.path('conf')}:/conf {IMAGE} cat /conf/file
            docker run --rm --name {NAME}-guest {CLIENT} -v {p.path('conf')}:/conf {IMAGE} sh /conf/guest.sh""")
        done = Wrapped(p.folder, *command)
        equal(done.verdicts(), {f"{NAME}-beside /conf": "inconclusive", f"{NAME}-guest /conf": "inconclusive",
                                f"{NAME}-guest /var/run/docker.sock": "ineffective", f"{NAME}-guest /usr/bin/docker": "already-ro"}, done.output)
        contains(done.reason(f"{NAME}-guest", "/conf"), "was not given", "--engine-socket real")


def test_a_guest_with_the_real_socket():
    """It may do everything, and so nothing is safe."""
    with project() as p, nothing_of_ours(), somebody_else():
        p.make("conf", {"file": "text\n"})
        command = shell(p, f"docker run --rm --name {NAME}-guest {CLIENT} -v {p.path('conf')}:/conf {IMAGE} sh -c 'cat /conf/file; docker inspect {THEIRS}'")
        done = Wrapped(p.folder, *command, options=("--engine-socket", "real"))
        equal(done.verdicts()[f"{NAME}-guest /conf"], "inconclusive", done.output)
        contains(done.reason(f"{NAME}-guest", "/conf"), "gives the application the engine's socket")


def in_a_run(p, shell, options=(), socket=SOCKET, labels=None):
    """Results of a system whose guest runs `shell`, beside another service."""
    p.make("conf", {"file": "text\n", "guest.sh": f"set -e\n{shell}\n"})
    p.make("data", {"file": "text\n"})
    volumes = [f"{socket}:/var/run/docker.sock", f"{shutil.which('docker')}:/usr/bin/docker:ro", "./conf:/conf"]
    compose(p, {"web": service("cat /data/file", f"volumes: ['./data:/data'], labels: {json.dumps(labels or {})}"),
                "guest": service("bash /conf/guest.sh || exit 9", f"volumes: {json.dumps(volumes)}, depends_on: {{web: {{condition: service_healthy}}}}")})
    done = p.run(*options)
    assert os.path.isdir(p.path("out")), done.stdout + done.stderr
    return done, results(p)


def test_a_guest_of_a_run():
    """It finds the run's containers and may use them. In life they have other names and labels, by which it may act otherwise."""
    with project() as p, somebody_else():
        done, found = in_a_run(p, f"""
            cat /conf/file
            docker ps -a --format '{{{{.Names}}}}' >/dev/shm/names
            grep -q 'run[0-9]*-web$' /dev/shm/names
            test $(wc -l </dev/shm/names) = 2
            docker exec $(grep web /dev/shm/names) sh -c 'echo x >/data/made'
            """)
        equal(verdicts(found), {"web": {"/data": "required"}, "guest": {"/conf": "inconclusive", "/usr/bin/docker": "already-ro", "/var/run/docker.sock": "ineffective"}},
              done.stdout + done.stderr)
        contains(done.stderr, "mounts the engine's socket")
        contains(reason(found, "guest", "/conf"), "other names, labels, networks and mounts than in life", "GET /containers/json", "rogate wrap")
        attempts = next(each["attempts"] for each in found["web"]["mounts"] if each["target"] == "/data")
        equal({each["phase"] for each in attempts}, {"health check or docker exec"})


def test_a_guest_of_a_run_that_reads_labels_from_a_list():
    """It asks for all, and finds what it is to act upon by itself, as traefik and watchtower do: in the runs nothing has a label."""
    with project() as p, somebody_else():
        done, found = in_a_run(p, """
            for each in $(docker ps -aq); do
                if docker inspect -f '{{json .Config.Labels}}' $each | grep -q rogate.test; then docker exec $each sh -c 'echo x >/data/made'; fi
            done
            cat /conf/file""", labels={"rogate.test": "1"})
        equal((verdicts(found)["guest"]["/conf"], verdicts(found)["web"]["/data"]), ("inconclusive", "inconclusive"), done.stdout + done.stderr)


def test_a_guest_of_a_run_that_asks_for_nothing_of_the_system():
    """What it is told of the engine is the same in life."""
    with project() as p, somebody_else():
        done, found = in_a_run(p, "cat /conf/file; docker version; docker info")
        equal((verdicts(found)["guest"]["/conf"], verdicts(found)["web"]["/data"]), ("safe", "safe"), done.stdout + done.stderr)


def test_a_guest_of_a_run_with_the_real_socket():
    """What it looks for by its name is not there in the runs, or is somebody else's."""
    with project() as p, somebody_else():
        done, found = in_a_run(p, "cat /conf/file; docker exec web-of-nobody true || true", options=("--engine-socket", "real"))
        equal((verdicts(found)["guest"]["/conf"], verdicts(found)["web"]["/data"]), ("inconclusive", "inconclusive"), done.stdout + done.stderr)
        contains(reason(found, "web", "/data"), "another container has the engine's own socket", "rogate wrap")


def test_what_a_guest_of_a_run_is_not_given():
    """Another one may have asked through it, or miss what it would have done. The socket has another name, and is the engine's."""
    with project() as p, somebody_else(), contextlib.ExitStack() as stack:
        again = f"{SOCKET}-{NAME}"
        os.link(SOCKET, again)
        stack.callback(os.unlink, again)
        done, found = in_a_run(p, f"if docker run --rm --privileged {IMAGE} true || docker stop {THEIRS}; then exit 9; fi", socket=again)
        equal((verdicts(found)["guest"]["/conf"], verdicts(found)["web"]["/data"]), ("inconclusive", "inconclusive"), done.stdout + done.stderr)
        contains(reason(found, "web", "/data"), "asked for what it was not given", "a privileged container")


def test_a_guest_of_a_run_that_looks_for_names():
    """In life the other service may have one of these, and something would be done to it."""
    with project() as p, somebody_else():
        done, found = in_a_run(p, f"""
            test -z "$(docker ps -q --filter label=any)"
            for each in "stop {THEIRS}" "inspect {THEIRS}" "volume inspect {THEIRS}" "exec {THEIRS} true"; do
                if docker $each; then exit 9; fi
            done""")
        equal((verdicts(found)["guest"]["/conf"], verdicts(found)["web"]["/data"]), ("inconclusive", "inconclusive"), done.stdout + done.stderr)
        contains(reason(found, "web", "/data"), "read what there is of the system (GET /containers/json)", "rogate wrap")


def test_what_a_guest_of_a_run_makes():
    """It is not watched, which is said; and it does not outlast the run."""
    with project() as p, somebody_else():
        done, found = in_a_run(p, f"docker network create {NAME}-net; docker run -d --name {NAME}-left --network {NAME}-net -v {NAME}-new:/new {IMAGE} sleep 1000")
        # It could have taken the other's mounts along.
        equal((verdicts(found)["guest"]["/conf"], verdicts(found)["web"]["/data"]), ("inconclusive", "inconclusive"), done.stdout + done.stderr)
        contains(reason(found, "web", "/data"), "has others made, changed or ended", "not watched")
        for kind in (("ps", "-aq"), ("volume", "ls", "-q"), ("network", "ls", "-q")):
            equal(docker(*kind, "--filter", f"name={NAME}"), "", done.stdout + done.stderr)


def test_a_folder_that_holds_the_socket():
    """The socket in it is the guests', too. The folder has more ways to the engine, so that nothing is safe."""
    with project() as p, somebody_else():
        p.make("conf", {"file": "text\n"})
        folder = os.path.dirname(SOCKET)
        compose(p, {"guest": service(f"cat /conf/file; export DOCKER_HOST=unix:///engines/{os.path.basename(SOCKET)}; docker ps && ! docker stop {THEIRS} || exit 9",
                                     f"volumes: {json.dumps([f'{folder}:/engines:ro', shutil.which('docker') + ':/usr/bin/docker:ro', './conf:/conf'])}")})
        done = p.run()
        equal(p.verdicts()["/conf"], "inconclusive", done.stdout + done.stderr)
        contains(next(each["reason"] for each in p.result["mounts"] if each["target"] == "/conf"), "/engines gives the application the engine's socket")


@contextlib.contextmanager
def volume_of(folder):
    """A named volume that the engine binds the folder to."""
    docker("volume", "create", "-o", "type=none", "-o", "o=bind", "-o", f"device={folder}", NAME)
    try:
        yield NAME
    finally:
        docker("volume", "rm", "-f", NAME)


def test_a_socket_by_another_name_in_a_folder_or_a_volume():
    """A hard link in a folder, and a volume that is this folder: the guest reaches the guests' socket, which is said."""
    with project() as p, somebody_else(), contextlib.ExitStack() as stack:
        folder = f"{os.path.dirname(SOCKET)}/{NAME}"
        os.mkdir(folder)
        stack.callback(shutil.rmtree, folder)
        os.link(SOCKET, f"{folder}/again")
        name = stack.enter_context(volume_of(folder))
        p.make("conf", {"file": "text\n"})
        for source in (folder, name):
            volumes = [f"{source}:/engines", f"{shutil.which('docker')}:/usr/bin/docker:ro", "./conf:/conf"]
            with open(p.path("compose.yaml"), "w") as file:
                json.dump({"services": {"guest": {
                    "image": IMAGE, "volumes": volumes, "environment": {"DOCKER_HOST": "unix:///engines/again"},
                    "command": ["sh", "-c", f"cat /conf/file; docker version && ! docker stop {THEIRS} && exec sleep 1000 || exit 9"]}},
                    "volumes": {name: {"external": True}}}, file)
            done = p.run()
            equal(p.verdicts()["/conf"], "inconclusive", done.stdout + done.stderr)
            contains(next(each["reason"] for each in p.result["mounts"] if each["target"] == "/conf"), "/engines gives the application the engine's socket")
