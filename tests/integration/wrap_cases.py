"""Any program that drives docker is the scenario: rogate wrap."""
import atexit
import contextlib
import glob
import json
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time

import jsonschema

from support import IMAGE, RESULT_SCHEMA, ROGATE, TOO_LATE, contains, docker, equal, left_after, leftovers, needs_ebpf, needs_root, project, rogate

NAME = "rogate-test-wrap"
# Where this case's rogate has its sockets, and no other one's that runs meanwhile.
SOCKETS = tempfile.mkdtemp()
os.environ["TMPDIR"] = SOCKETS
atexit.register(shutil.rmtree, SOCKETS)


class Wrapped:
    """What came of a rogate wrap: its output, and a result for each container."""

    def __init__(self, folder, *words, options=(), env=None):
        needs_ebpf()
        needs_root()
        # As with `rogate run`: on a busy machine the observer can come too late, and says so.
        for number in range(3):
            out = os.path.join(folder, f"out{number}")
            done = rogate("wrap", "--out", out, *options, "--", *words, env=env)
            self.code, self.output, self.stdout = done.returncode, done.stdout + done.stderr, done.stdout
            self.results = {}
            for path in glob.glob(f"{out}/*/result.json"):
                with open(path) as file:
                    self.results[os.path.basename(os.path.dirname(path))] = json.load(file)
            for each in self.results.values():
                jsonschema.validate(each, RESULT_SCHEMA)
            if TOO_LATE not in self.output:
                break
        equal(leftovers(), "")
        equal(os.listdir(SOCKETS), [], "a socket is left")

    def verdicts(self):
        return {f"{name} {mount['target']}": mount["verdict"] for name, each in self.results.items() for mount in each["mounts"]}

    def reason(self, name, target):
        return next(mount["reason"] for mount in self.results[name]["mounts"] if mount["target"] == target)


def shell(p, text):
    with open(p.path("test.sh"), "w") as file:
        file.write(text)
    return ("sh", "-e", p.path("test.sh"))


@contextlib.contextmanager
def nothing_of_ours():
    """No container or volume of these tests before and after."""
    def remove():
        for each in docker("ps", "-aq", "--filter", f"name={NAME}").split():
            docker("rm", "-fv", each)
        for each in docker("volume", "ls", "-q", "--filter", f"name={NAME}").split():
            docker("volume", "rm", "-f", each)
    remove()
    try:
        yield
    finally:
        remove()


def ours():
    return (docker("ps", "-a", "--filter", f"name={NAME}", "--format", "{{.Names}}"), docker("volume", "ls", "-q", "--filter", f"name={NAME}"),
            docker("network", "ls", "-q", "--filter", f"name={NAME}"))


def test_docker_run_through_the_socket():
    """Two containers with the same target: what one reads is safe, what the other writes is required. Attach, exec, copying and an
    interactive standard input work, and COMMAND's own variables are in place."""
    with project() as p, nothing_of_ours():
        p.make("conf", {"file": "text\n"})
        p.make("data", {"file": "text\n"})
        os.symlink(p.path("data"), p.path("link"))
        command = shell(p, f"""
            test -z "${{DOCKER_CONTEXT-}}$DOCKER_TLS_VERIFY"
            echo "run $ROGATE_RUN: $ROGATE_RUN_KIND"
            stat -c 'socket %a' "${{DOCKER_HOST#unix://}}"; stat -c 'folder %a' "$(dirname "${{DOCKER_HOST#unix://}}")"
            docker run -d --name {NAME}-web -v {p.path('conf')}:/conf -v {p.path('data')}:/data -v /cache --tmpfs /run/x {IMAGE} \
                sh -c 'trap "exit 0" TERM; cat /conf/file; ls /cache; : >/run/x/pid; echo started; while :; do sleep 0.1; done'
            until docker logs {NAME}-web | grep -q started; do sleep 0.1; done
            docker exec {NAME}-web sh -c 'echo more >>/data/log'
            test "$(echo words | docker exec -i {NAME}-web cat)" = words
            docker cp {NAME}-web:/conf/file - | tar -xO | grep -q text
            test "$(echo input | docker run -i --rm -v {p.path('conf')}:/data {IMAGE} sh -c 'cat - /data/file')" = "$(printf 'input\\ntext')"
            docker rm -f {NAME}-web >/dev/null
            """)
        done = Wrapped(p.folder, *command, env={"DOCKER_TLS_VERIFY": ""})
        equal(done.code, 0, done.output)
        equal(done.verdicts(), {f"{NAME}-web /conf": "safe", f"{NAME}-web /data": "required", f"{NAME}-web /cache": "safe",
                                f"{NAME}-web /run/x": "required", "base /data": "safe"})
        contains(done.reason(f"{NAME}-web", "/data"), "COMMAND ended with code", "/data/log")
        contains(done.output, "run 1: control", "probe", "socket 600", "folder 700", "is started several times", "recognised by its name", f"{IMAGE}, its command")
        equal(ours(), ("", "", ""))


# Two tests of containers, and one that always fails.
SUITE = r'''
import os, subprocess, sys
def passes(mount, shell):
    done = subprocess.run(["docker", "run", "--rm", "-v", mount, "IMAGE", "sh", "-c", shell], capture_output=True, text=True)
    return done.stderr.strip() if done.returncode else ""
here = os.path.dirname(os.path.abspath(__file__))
results = {"reads": passes(here + "/conf:/conf", "cat /conf/file"), "uploads": passes(here + "/data:/data", "echo x >/data/x")}
if "flaky" in sys.argv: results["flaky"] = "it always fails"
with open("results.xml", "w") as out:
    out.write("<testsuite>" + "".join("<testcase name='%s'>%s</testcase>" % (name, "<failure message='%s'/>" % why.replace("'", "") if why else "")
                                      for name, why in results.items()) + "</testsuite>")
sys.exit(sum(map(bool, results.values())))
'''


def test_junit_that_command_writes():
    """Verdicts name the tests that fail. Known failures count for nothing, and others fail the control run."""
    with project() as p:
        p.make("conf", {"file": "text\n"})
        p.make("data", {"file": "text\n"})
        with open(p.path("suite.py"), "w") as file:
            file.write(SUITE.replace("IMAGE", IMAGE))
        command = ("sh", "-c", f"cd {p.folder} && exec python3 suite.py flaky")
        junit = ("--junit", p.path("results.xml"))
        done = Wrapped(p.folder, *command, options=(*junit, "--known-failures", "flaky"))
        equal(done.verdicts(), {"base /conf": "safe", "base-2 /data": "required"}, done.output)
        contains(done.reason("base-2", "/data"), "1 of 3 tests fails: uploads (sh: 1: cannot create /data/x: Read-only file system)")
        run = done.results["base-2"]["runs"][0]["phases"][0]
        equal(run["tests"], {"total": 3, "failed": [], "known_failures": ["flaky"]})
        done = Wrapped(p.folder, *command, options=junit)
        equal((done.code, set(done.verdicts().values())), (1, {"inconclusive"}), done.output)
        contains(done.output, "1 of 3 tests fails: flaky (it always fails)")
        done = Wrapped(p.folder, *command, options=("--junit", p.path("nothing-*.xml")))
        equal((done.code, set(done.verdicts().values())), (1, {"inconclusive"}), done.output)


def test_what_is_there_before_is_left_alone():
    """A container of the user's that COMMAND starts and uses, and one that it has nothing to do with."""
    with project() as p, nothing_of_ours():
        docker("run", "-d", "--name", f"{NAME}-old", "-v", f"{NAME}-old:/old", IMAGE, "sleep", "1000")
        docker("create", "--name", f"{NAME}-idle", "-v", "/idle", IMAGE, "true")
        before = docker("inspect", "-f", "{{.Id}} {{.State.Status}} {{.State.StartedAt}} {{json .HostConfig}} {{json .Config.Labels}}", f"{NAME}-old", f"{NAME}-idle")
        p.make("conf", {"file": "text\n"})
        command = shell(p, f"""
            docker exec {NAME}-old sh -c 'echo x >/old/file'
            docker run --rm -v {p.path('conf')}:/conf -v {NAME}-new:/new {IMAGE} sh -c 'cat /conf/file; ls /new'
            """)
        done = Wrapped(p.folder, *command)
        equal(done.code, 4, done.output)
        equal(done.verdicts(), {"base /conf": "safe", "base /new": "safe", f"{NAME}-old /old": "inconclusive"})
        contains(done.reason(f"{NAME}-old", "/old"), "there before COMMAND")
        contains(done.output, f"COMMAND left volume {NAME}-new: removed")
        equal(docker("inspect", "-f", "{{.Id}} {{.State.Status}} {{.State.StartedAt}} {{json .HostConfig}} {{json .Config.Labels}}", f"{NAME}-old", f"{NAME}-idle"), before)
        equal(ours()[1], f"{NAME}-old")


def test_data_that_outlast_the_control_run():
    """The first run makes what the others find. COMMAND leaves a container, a network and a volume each time."""
    with project() as p, nothing_of_ours():
        docker("volume", "create", f"{NAME}-kept")
        command = shell(p, f"""
            docker network create {NAME}-net
            docker run -d --name {NAME}-web --network {NAME}-net -v {NAME}-kept:/kept -v {NAME}-new:/new {IMAGE} \
                sh -c 'trap "exit 0" TERM; test -e /kept/made || echo x >/kept/made; cat /kept/made; ls /new; echo started; while :; do sleep 0.1; done'
            until docker logs {NAME}-web | grep -q started; do sleep 0.1; done
            """)
        done = Wrapped(p.folder, *command)
        equal(done.code, 0, done.output)
        contains(done.output, "the control run is made again", f"COMMAND left container {NAME}-web, volume {NAME}-new, network {NAME}-net: removed")
        # On an engine where nothing is there yet, somebody has to write it.
        equal(done.verdicts(), {f"{NAME}-web /kept": "tolerated", f"{NAME}-web /new": "safe"})
        contains(done.reason(f"{NAME}-web", "/kept"), "once the first run has made what the others find: create /kept/made")
        equal(ours(), ("", f"{NAME}-kept", ""))


def test_commands_that_fail():
    with project() as p, nothing_of_ours():
        # In the control run: what it leaves, stays, since it is not started again.
        command = shell(p, f"docker create --name {NAME}-web -v {NAME}-x:/x {IMAGE} true; exit 7")
        done = Wrapped(p.folder, *command)
        equal(done.code, 1, done.output)
        contains(done.output, "COMMAND ended with code 7")
        equal(done.verdicts()[f"{NAME}-web /x"], "inconclusive")
        equal(ours()[:2], (f"{NAME}-web", f"{NAME}-x"))
    with project() as p:
        done = Wrapped(p.folder, "true")
        equal(done.code, 1)
        contains(done.output, "COMMAND created no container", "DOCKER_HOST")
        done = Wrapped(p.folder, "no-such-program-of-mine")
        equal(done.code, 2)
        contains(done.output, "COMMAND cannot be run: No such file or directory")
        done = Wrapped(p.folder, "sleep", "1000", options=("--timeout", "1s"))
        equal(done.code, 1)
        contains(done.output, "did not end within 1 s")
        done = rogate("wrap", "--data", "overlay", "--", "true")
        equal((done.returncode, done.stdout), (2, ""))
        contains(done.stderr, "--data overlay is not there yet")


def test_one_that_is_not_there_each_time_and_restarts():
    """A container that only some runs have, and one that is restarted: after it, it is watched as well."""
    with project() as p, nothing_of_ours():
        p.make("conf", {"file": "text\n"})
        command = shell(p, f"""
            docker run -d --name {NAME}-web -v {p.path('conf')}:/conf -v /state {IMAGE} \
                sh -c 'trap "exit 0" TERM; cat /conf/file; test ! -e /tmp/again || echo x >/state/second || exit 3; : >/tmp/again; echo started; while :; do sleep 0.1; done'
            until docker logs {NAME}-web | grep -q started; do sleep 0.1; done
            docker restart -t 5 {NAME}-web
            until test "$(docker logs {NAME}-web | grep -c started)" = 2; do
                test "$(docker inspect -f '{{{{.State.Running}}}}' {NAME}-web)" = true; sleep 0.1; done
            test "$ROGATE_RUN_KIND" != control || docker run --rm -v {p.path('conf')}:/conf {IMAGE} head -1 /conf/file
            docker rm -f {NAME}-web >/dev/null
            """)
        done = Wrapped(p.folder, *command)
        # That the other one is not started any more could be for the sake of what is read-only.
        equal(done.verdicts(), {f"{NAME}-web /conf": "tolerated", f"{NAME}-web /state": "required", "base /conf": "inconclusive"}, done.output)
        contains(done.reason(f"{NAME}-web", "/conf"), "no longer opens anything on base:/conf")
        contains(done.reason("base", "/conf"), "did not start this container in run")
        contains(done.reason(f"{NAME}-web", "/state"), "/state/second")
        equal(done.code, 4)


def test_killed_in_a_probe_run():
    """Nothing of a run that rogate has changed stays, nobody of COMMAND's group lives on, and no socket is left."""
    needs_ebpf()
    for kind in (signal.SIGKILL, signal.SIGINT):
        with project() as p, nothing_of_ours():
            p.make("conf", {"file": "text\n"})
            command = shell(p, f"""
                docker network create {NAME}-net
                docker run -d --name {NAME}-web --network {NAME}-net -v {p.path('conf')}:/conf -v {NAME}-named:/named -v /anonymous {IMAGE} \
                    sh -c 'trap "exit 0" TERM; cat /conf/file; while :; do sleep 0.1; done'
                test "$ROGATE_RUN_KIND" = control || {{ echo in the middle; sleep 987; }}
                docker rm -fv {NAME}-web; docker volume rm {NAME}-named; docker network rm {NAME}-net
                """)
            volumes = docker("volume", "ls", "-q")
            running = subprocess.Popen([ROGATE, "wrap", "--", *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            output = ""
            for line in running.stdout:
                output += line
                if "in the middle" in line:
                    break
            equal(docker("inspect", "-f", "{{range .Mounts}}{{.RW}} {{end}}", f"{NAME}-web"), "false false false", output)
            running.send_signal(kind)
            running.stdout.read()
            running.wait()
            equal(left_after(15), "")
            equal((ours(), docker("volume", "ls", "-q")), (("", "", ""), volumes))
            for _ in range(100):
                if not os.listdir(SOCKETS) and not subprocess.run(["pgrep", "-f", "sleep 987"], capture_output=True).stdout:
                    break
                time.sleep(0.1)
            equal(os.listdir(SOCKETS), [])
            equal(subprocess.run(["pgrep", "-f", "sleep 987"], capture_output=True).stdout, b"")


def test_long_killed_at_any_moment():
    needs_ebpf()
    random.seed(int(os.environ.get("ROGATE_KILL_SEED", "1")))
    with project() as p, nothing_of_ours():
        p.make("conf", {"file": "text\n"})
        command = shell(p, f"""
            docker run -d --name {NAME}-web -v {p.path('conf')}:/conf -v {NAME}-named:/named {IMAGE} sh -c 'cat /conf/file; sleep 986'
            docker exec {NAME}-web ls /named; docker rm -fv {NAME}-web; docker volume rm {NAME}-named
            """)
        start = time.monotonic()
        equal(rogate("wrap", "-q", "--", *command).returncode, 0)
        whole = time.monotonic() - start
        for number in range(12):
            moment = (number + random.random()) / 12 * whole
            running = subprocess.Popen([ROGATE, "wrap", "-q", "--", *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(moment)
            running.kill()
            running.wait()
            equal(left_after(15), "", f"kill {number}, {moment:.2f} s after the start")
            # What is left of a control run is COMMAND's own, and has nothing read-only.
            for each in docker("ps", "-aq", "--filter", f"name={NAME}").split():
                equal(docker("inspect", "-f", "{{range .Mounts}}{{.RW}} {{end}}", each).replace("true", "").strip(), "")
                docker("rm", "-fv", each)
            for each in docker("volume", "ls", "-q", "--filter", f"name={NAME}").split():
                docker("volume", "rm", "-f", each)


def test_containers_at_the_same_time():
    with project() as p, nothing_of_ours():
        for name in "abcd":
            p.make(name, {"file": "text\n"})
        command = shell(p, "".join(f"docker run --rm -v {p.path(name)}:/{name} {IMAGE} sh -c 'cat /{name}/file; {what}' & " for name, what in
                                   zip("abcd", ("true", "true", ": >/c/x", "true"))) + "code=0; for i in 1 2 3 4; do wait -n || code=$?; done; exit $code")
        done = Wrapped(p.folder, "bash", command[2])
        equal(sorted(f"{key.split()[1]} {verdict}" for key, verdict in done.verdicts().items()), ["/a safe", "/b safe", "/c required", "/d safe"], done.output)


def test_an_engine_socket_in_a_container():
    """Whoever has it could write by others. It is the guests' (guest_cases.py), and rogate's own socket is as well."""
    real = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://")
    with project() as p, nothing_of_ours():
        p.make("conf", {"file": "text\n"})
        command = shell(p, f"""
            docker run --rm --name {NAME}-real -v {real}:/run/docker.sock -v {p.path('conf')}:/conf {IMAGE} cat /conf/file
            docker run --rm --name {NAME}-ours -v "${{DOCKER_HOST#unix://}}:/run/docker.sock" -v {p.path('conf')}:/conf {IMAGE} cat /conf/file
            """)
        done = Wrapped(p.folder, *command)
        equal(done.verdicts(), {f"{NAME}-real /conf": "safe", f"{NAME}-real /run/docker.sock": "ineffective",
                                f"{NAME}-ours /conf": "safe", f"{NAME}-ours /run/docker.sock": "ineffective"}, done.output)


def test_an_image_is_built_and_saved_through_the_socket():
    """The classic builder and `docker save`, whose streams are passed on as they are."""
    with project() as p, nothing_of_ours():
        p.make("context", {"Dockerfile": f"FROM {IMAGE}\nRUN echo made >/made\nVOLUME /data\n"})
        command = shell(p, f"""
            DOCKER_BUILDKIT=0 docker build -q -t {NAME}-image {p.path('context')}
            docker save {NAME}-image | tar -t | grep -q manifest.json
            docker run --rm {NAME}-image sh -c 'cat /made; ls /data'
            docker run --rm {NAME}-image sh -c 'echo x >/data/x'
            """)
        try:
            done = Wrapped(p.folder, *command)
        finally:
            subprocess.run(["docker", "rmi", "-f", f"{NAME}-image"], capture_output=True)
        equal(done.verdicts(), {f"{NAME}-image /data": "safe", f"{NAME}-image-2 /data": "required"}, done.output)


def test_a_container_that_ends_unnoticed():
    """COMMAND passes without having looked at it: in the run with it read-only it ends by itself, and nothing that it does is a write. Also
    where the engine removes it at its end, so that only the engine's events tell its code."""
    for removed, end in (("", "docker rm -f"), ("--rm", "docker kill")):
        with project() as p, nothing_of_ours():
            for name in ("data", "conf"):
                p.make(name, {"file": "text\n"})
            command = shell(p, f"""
                docker run -d {removed} --name {NAME}-web -v {p.path('data')}:/data -v {p.path('conf')}:/conf {IMAGE} \
                    sh -c 'cat /data/file /conf/file; test -w /data || exit 3; echo started; exec sleep 1000'
                for i in $(seq 30); do docker logs {NAME}-web 2>/dev/null | grep -q started && break; sleep 0.1; done
                {end} {NAME}-web || true
                """)
            done = Wrapped(p.folder, *command)
            equal(done.verdicts(), {f"{NAME}-web /data": "required", f"{NAME}-web /conf": "safe"}, done.output)
            contains(done.reason(f"{NAME}-web", "/data"), f"container {NAME}-web ended by itself", "was running in the control run", "access /data")
    with project() as p, nothing_of_ours():  # both times it ends, with another code
        p.make("data", {"file": "text\n"})
        command = shell(p, f"""
            docker run -d --rm --name {NAME}-job -v {p.path('data')}:/data {IMAGE} sh -c 'cat /data/file; test -w /data'
            while docker inspect {NAME}-job >/dev/null 2>&1; do sleep 0.1; done
            """)
        done = Wrapped(p.folder, *command)
        equal(done.verdicts(), {f"{NAME}-job /data": "required"}, done.output)
        contains(done.reason(f"{NAME}-job", "/data"), "with code 1, and ended by itself with code 0 in the control run")


def test_what_the_engine_writes_for_command():
    """docker cp: no process of the container's makes that write, and COMMAND does not mind when it is refused."""
    with project() as p, nothing_of_ours():
        for name in ("data", "conf"):
            p.make(name, {"file": "text\n"})
        command = shell(p, f"""
            docker create --name {NAME}-web -v {p.path('data')}:/data -v {p.path('conf')}:/conf {IMAGE} sh -c 'cat /data/* /conf/file'
            echo more >{p.path('more')}
            docker cp {p.path('more')} {NAME}-web:/data/more || true
            docker start -a {NAME}-web
            docker rm -f {NAME}-web; rm -f {p.path('data/more')}
            """)
        done = Wrapped(p.folder, *command)
        equal(done.verdicts(), {f"{NAME}-web /data": "tolerated", f"{NAME}-web /conf": "safe"}, done.output)
        contains(done.reason(f"{NAME}-web", "/data"), "create /data by docker cp")


def test_a_body_that_is_written_in_another_way():
    """The engine takes mounts at the top of the body, too, as clients wrote it long ago. What comes of it in a run that changes it is not what
    the control run had, and the engine says so."""
    with project() as p, nothing_of_ours():
        p.make("data", {"file": "text\n"})
        body = json.dumps({"Image": IMAGE, "Cmd": ["sh", "-c", "ls /data; cat /data/file || true"], "Binds": [f"{p.path('data')}:/data"]})
        command = shell(p, f"""
            curl -sS --fail-with-body --unix-socket "${{DOCKER_HOST#unix://}}" -H 'Content-Type: application/json' -d '{body}' \
                'http://engine/v1.41/containers/create?name={NAME}-web'
            docker start -a {NAME}-web
            docker rm -f {NAME}-web
            """)
        done = Wrapped(p.folder, *command)
        equal(done.verdicts(), {f"{NAME}-web /data": "inconclusive"}, done.output)
        contains(done.reason(f"{NAME}-web", "/data"), "is not what it was in the control run: it has another mount at /data")
