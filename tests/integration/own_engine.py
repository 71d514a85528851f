"""A dockerd of the test's own, to be killed, restarted and starved."""
import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time

from support import IMAGE, needs_root


class OwnEngine:
    def __init__(self, folder):
        self.folder = folder
        self.address = f"unix://{folder}/docker.sock"
        self.process = None
        # A network namespace that outlives its dockerd: with --bridge none that would remove the docker0 of whoever else has one.
        self.network = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo; exec sleep infinity"], stdout=subprocess.PIPE)
        self.network.stdout.readline()

    def start(self):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{self.folder}/docker.pid")
        with open(f"{self.folder}/log", "a") as log:
            self.process = subprocess.Popen(
                ["nsenter", f"--net=/proc/{self.network.pid}/ns/net", "dockerd", "--data-root", f"{self.folder}/data", "--exec-root",
                 f"{self.folder}/exec", "--pidfile", f"{self.folder}/docker.pid",
                 "-H", self.address, "--bridge", "none", "--iptables=false", "--default-address-pool", "base=10.231.64.0/23,size=24"],
                stdout=log, stderr=log, start_new_session=True)
        for _ in range(600):
            if subprocess.run(["docker", "-H", self.address, "version"], capture_output=True).returncode == 0:
                return
            time.sleep(0.1)
        with open(f"{self.folder}/log") as log:
            raise AssertionError("dockerd did not start:\n" + log.read()[-2000:])

    def kill(self):
        """And its containerd, which dies with it, but whose remains can look alive to the next one."""
        self.process.kill()
        self.process.wait()
        place = f"{self.folder}/exec/containerd"
        with contextlib.suppress(OSError, ValueError), open(f"{place}/containerd.pid") as file:
            os.kill(int(file.read()), signal.SIGKILL)
        for name in ("containerd.pid", "containerd.sock", "containerd.sock.ttrpc", "containerd-debug.sock"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(f"{place}/{name}")

    def stop(self):
        for kind in (["ps", "-aq"], ["network", "ls", "-q", "--filter", "type=custom"]):
            found = subprocess.run(["docker", "-H", self.address, *kind], capture_output=True, text=True).stdout.split()
            remove = ["rm", "-f"] if kind[0] == "ps" else ["network", "rm"]
            if found:  # a bridge would outlive the engine
                subprocess.run(["docker", "-H", self.address, *remove, *found], capture_output=True)
        for process in (self.process, self.network):
            process.terminate()
            process.wait()

    def docker(self, *words):
        done = subprocess.run(["docker", "-H", self.address, *words], capture_output=True, text=True)
        assert done.returncode == 0, f"docker {' '.join(words)}: {done.stderr}"
        return done.stdout.strip()


@contextlib.contextmanager
def own_engine():
    """Everything of rogate's is asked of it while the block runs."""
    needs_root()
    folder = tempfile.mkdtemp(prefix="rogate-engine-")
    engine = OwnEngine(folder)
    image = subprocess.Popen(["docker", "save", IMAGE], stdout=subprocess.PIPE)
    before = os.environ.get("DOCKER_HOST")
    try:
        engine.start()
        subprocess.run(["docker", "-H", engine.address, "load"], stdin=image.stdout, check=True, capture_output=True)
        os.environ["DOCKER_HOST"] = engine.address
        yield engine
    finally:
        image.wait()
        if before is None:
            os.environ.pop("DOCKER_HOST", None)
        else:
            os.environ["DOCKER_HOST"] = before
        engine.stop()
        subprocess.run(["sh", "-c", f"cut -d ' ' -f 5 /proc/self/mountinfo | grep '^{folder}' | sort -r | xargs -r umount -l"])
        shutil.rmtree(folder, ignore_errors=True)
