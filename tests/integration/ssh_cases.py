"""An engine behind ssh: a real sshd on the loopback, with keys and configuration of its own."""
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from steps_cases import serve
from support import IDLE, ROGATE, contains, equal, left_after, needs_root, project, rogate

ENGINE = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://")


def write(path, text, mode=0o600):
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, mode)


class Sshd:
    def __init__(self, folder, settings):
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        for name in ("host", "user", "stranger"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{folder}/{name}"], check=True)
        shutil.copy(f"{folder}/user.pub", f"{folder}/authorized")
        write(f"{folder}/sshd_config", "\n".join([
            f"ListenAddress 127.0.0.1:{self.port}", f"HostKey {folder}/host", f"AuthorizedKeysFile {folder}/authorized", "StrictModes no",
            "PasswordAuthentication no", "KbdInteractiveAuthentication no", "UsePAM no", "PidFile none", "PermitRootLogin yes", *settings]) + "\n")
        with open(f"{folder}/host.pub") as key:
            write(f"{folder}/known", f"[127.0.0.1]:{self.port} {key.read()}")
        self.configure("user")
        # The ssh that rogate finds knows this configuration only, and notes each call.
        os.mkdir(f"{folder}/bin")
        write(f"{folder}/bin/ssh", f"#!/bin/sh\necho \"$*\" >>{folder}/calls\nexec {shutil.which('ssh')} -F {folder}/ssh_config \"$@\"\n", 0o700)
        self.path = f"{folder}/bin:{os.environ['PATH']}"
        self.process = None

    def configure(self, key, known="known"):
        write(f"{self.folder}/ssh_config", f"Host *\n  IdentityFile {self.folder}/{key}\n  IdentitiesOnly yes\n  IdentityAgent none\n"
              f"  UserKnownHostsFile {self.folder}/{known}\n  GlobalKnownHostsFile none\n  StrictHostKeyChecking yes\n")

    def start(self):
        os.makedirs("/run/sshd", exist_ok=True)
        self.process = subprocess.Popen([shutil.which("sshd", path=os.environ["PATH"] + ":/usr/sbin"), "-D", "-e", "-f", f"{self.folder}/sshd_config"],
                                        stderr=open(f"{self.folder}/log", "w"))
        for _ in range(100):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
            time.sleep(0.1)
        with open(f"{self.folder}/log") as log:
            raise AssertionError("sshd did not start: " + log.read())

    def stop(self):
        """With the sessions that it has begun."""
        sessions = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True).stdout.split()
        self.process.terminate()
        self.process.wait()
        for pid in sessions:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)

    def environment(self, path=ENGINE, **more):
        return {"PATH": self.path, "DOCKER_HOST": f"ssh://root@127.0.0.1:{self.port}{path}", **more}

    def calls(self):
        with open(f"{self.folder}/calls") as file:
            return file.read().splitlines()

    def processes(self):
        """What is there now of rogates and sshs that were told of this server."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError), open(f"/proc/{pid}/environ", "rb") as environ, open(f"/proc/{pid}/comm") as name:
                if f"PATH={self.path}".encode() in environ.read().split(b"\0"):
                    found.append(name.read().strip())
        return found

    def left_after(self, seconds):
        """A watchdog goes on for a moment after there is nothing left to remove."""
        for _ in range(seconds * 10):
            if not self.processes():
                break
            time.sleep(0.1)
        return self.processes()


@contextlib.contextmanager
def sshd(*settings):
    needs_root()
    with tempfile.TemporaryDirectory() as folder:
        server = Sshd(folder, settings)
        try:
            server.start()
            yield server
        finally:
            if server.process:
                server.stop()


def test_engine_behind_ssh():
    """Calls, commands in the subject, and the requests of steps all go through it."""
    with project() as p, sshd() as server:
        serve(p, [{"name": "uploads", "http": {"method": "POST", "path": "/pictures", "body": "picture"}, "expect": {"status": 201}},
                  {"name": "looks", "http": {"path": "/pictures/1"}, "same_as_control": True},
                  {"name": "is there", "tcp": 8080}, {"name": "asks", "exec": "cat /app/server.pl"}])
        done = p.run(env=server.environment())
        equal((done.returncode, p.verdicts()["/data"], p.result["runs"][0]["passed"]), (0, "required", True), done.stdout + done.stderr)
        contains(server.calls()[0], f"-l root -p {server.port}", f"-- 127.0.0.1 docker --host 'unix://{ENGINE}' system dial-stdio")
        equal(server.processes(), [])


def test_default_engine_of_the_other_side():
    with sshd(f"SetEnv DOCKER_HOST=unix://{ENGINE}") as server:
        done = rogate("clean", env=server.environment(path=""))
        equal(done.returncode, 0, done.stderr)
        contains(server.calls()[0], "-- 127.0.0.1 docker system dial-stdio")


def test_long_more_calls_at_once_than_sshd_lets_in():
    """It refuses whoever comes while five have not logged in yet: rogate has four at most in that state."""
    with project() as p, sshd("MaxStartups 5:100:5") as server:
        p.make("data", {"file": "text\n"})
        p.scenario("cat /data/file; " + IDLE, ["./data:/data"],
                   [{"name": "all at once", "parallel": [{"name": f"n{i}", "exec": "cat /data/file"} for i in range(8)]}])
        done = rogate("run", p.folder, env=server.environment(), timeout=500)
        equal(done.returncode, 0, done.stdout + done.stderr)
        contains(done.stdout, "\nsafe     /data")
        with open(f"{server.folder}/log") as log:
            assert "MaxStartups" not in log.read()


def test_killed_behind_ssh_leaves_nothing():
    with project() as p, sshd() as server:
        p.scenario(IDLE, ["/data"], [{"name": "waits", "exec": "sleep 60"}])
        running = subprocess.Popen([ROGATE, "run", p.folder], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
                                   env={**os.environ, **server.environment()})
        for line in running.stderr:
            if "step waits" in line:
                break
        running.kill()
        running.wait()
        equal(left_after(30), "")
        equal(server.left_after(60), [])


def unreachable(environment, *parts):
    done = rogate("clean", env=environment)
    equal(done.returncode, 3, done.stderr)
    contains(done.stderr, f"cannot reach the engine at {environment['DOCKER_HOST']}", *parts)


def test_failures_say_what_ssh_said():
    with sshd() as server:
        nobody = {**server.environment(), "DOCKER_HOST": "ssh://root@127.0.0.1:1"}
        unreachable(nobody, "(from DOCKER_HOST): ssh ended with exit code 255: ssh: connect to host 127.0.0.1 port 1: Connection refused",
                    "`ssh -p 1 root@127.0.0.1` must work from here without a question")
        unreachable({**nobody, "DOCKER_HOST": "ssh://nowhere.invalid"}, "Could not resolve hostname nowhere.invalid")
        unreachable(server.environment(path="/nowhere.sock"), "nowhere.sock", "docker version` must work")
        server.configure("stranger")
        unreachable(server.environment(), "Permission denied (publickey)")
        server.configure("user", known="unknown")
        unreachable(server.environment(), "Host key verification failed")
        unreachable({**server.environment(), "PATH": "/nowhere"}, "'ssh' cannot be run: No such file or directory; install an ssh client")


def test_other_side_without_docker():
    with sshd("SetEnv PATH=/nowhere") as server:
        unreachable(server.environment(), "ssh ended with exit code 127", "docker", "not found",
                    "the docker client must be installed on 127.0.0.1")


def test_connection_that_breaks_is_no_verdict():
    """All at once, in the middle of a step: the watchdog cannot come either until the way is there again."""
    with project() as p, sshd() as server:
        p.scenario(IDLE, ["/data"], [{"name": "waits", "exec": "sleep 20"}])
        running = subprocess.Popen([ROGATE, "run", p.folder], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                   env={**os.environ, **server.environment()})
        said = ""
        for line in running.stderr:
            said += line
            if "step waits" in line:
                break
        time.sleep(0.5)
        server.stop()
        out, rest = running.communicate(timeout=60)
        equal(running.returncode, 3, said + rest + out)
        contains(rest, "the engine at ssh://root@127.0.0.1", "ssh ended with exit code")
        server.start()
        equal(left_after(60), "")
        equal(server.left_after(60), [])
