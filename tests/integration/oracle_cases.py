"""strace as the oracle: what it sees refused with EROFS while rogate asks a shipped server, rogate must have reported, and no
more. strace follows the engine's containerd, and with it every process of every container."""
import contextlib
import json
import os
import re
import signal
import subprocess
import tempfile

from support import IMAGE, ROOT, docker, engine_is_podman, equal, needs_root, rogate

CALLS = ("open,creat,openat,openat2,mkdir,mkdirat,mknod,mknodat,symlink,symlinkat,link,linkat,unlink,unlinkat,rmdir,rename,"
         "renameat,renameat2,chmod,fchmod,fchmodat,chown,lchown,fchown,fchownat,utime,utimes,futimesat,utimensat,truncate,"
         "setxattr,lsetxattr,fsetxattr,removexattr,lremovexattr,fremovexattr,access,faccessat,faccessat2,bind,ioctl")
NAMED = re.compile(r'(?:(?:AT_FDCWD|\d+)<([^>]*)>, )?"((?:[^"\\]|\\.)*)"')
BY_FD = re.compile(r"^\d+<([^>]*)>")


def containerd():
    """The process that starts this engine's containers: its shims say at which socket it listens. Podman is that itself."""
    needs_root()
    if engine_is_podman():
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline") as file:
                words = file.read().split("\0")
                if os.path.basename(words[0]) == "podman" and os.environ["DOCKER_HOST"] in words:
                    return pid
    container = docker("run", "-d", "--rm", IMAGE, "sleep", "60")
    try:
        with open(f"/proc/{docker('inspect', '-f', '{{.State.Pid}}', container)}/stat") as file:
            shim = file.read().rsplit(")", 1)[1].split()[1]
        with open(f"/proc/{shim}/cmdline") as file:
            words = file.read().split("\0")
    finally:
        docker("rm", "-f", container)
    folder = os.path.dirname(words[words.index("-address") + 1])
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline") as file:
            command = file.read().split("\0")
            if os.path.basename(command[0]) != "containerd":
                continue
            if any(word.startswith(folder) for word in command) or (folder == "/run/containerd" and "--config" not in command):
                return pid
    raise AssertionError(f"no containerd that listens in {folder}; is the engine on this machine?")


@contextlib.contextmanager
def traced(out):
    tracer = subprocess.Popen(["strace", "-f", "-qq", "-y", "-s", "4096", "-e", "signal=none", "-e", f"trace={CALLS}", "-o", out,
                               "-p", containerd()], stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        tracer.send_signal(signal.SIGINT)
        tracer.wait(timeout=60)


def places(call, arguments):
    """The paths that the call is about; relative to an unknown directory: "?/…"."""
    named = [os.path.normpath(os.path.join(folder or "?", text)) for folder, text in NAMED.findall(arguments)]
    if not named:
        found = BY_FD.match(arguments)
        return [found[1]] if found else []
    if call.startswith("rename"):
        return named
    return named[-1:] if call.startswith(("link", "symlink")) else named[:1]


def refused_in(trace):
    begun, found = {}, set()
    with open(trace, errors="replace") as file:
        for line in file:
            pid, rest = line.split(None, 1)
            if rest.rstrip().endswith("<unfinished ...>"):
                begun[pid] = rest.rstrip()[:-len("<unfinished ...>")]
                continue
            resumed = re.match(r"<\.\.\. \w+ resumed>(.*)", rest)
            if resumed:
                rest = begun.pop(pid, "") + resumed[1]
            whole = re.match(r"(\w+)\((.*)\)\s*= -1 EROFS", rest)
            if whole:
                found |= {(whole[1], place) for place in places(whole[1], whole[2])}
    return found


def plain(path):
    """Numbers of processes and of temporary files differ from run to run; /var/run is /run."""
    return re.sub(r"\d+", "N", re.sub("^/var/run/", "/run/", path))


def asked(name):
    with tempfile.TemporaryDirectory() as out:
        with traced(f"{out}/trace"):
            done = rogate("run", f"{ROOT}/scenarios/{name}", "--out", f"{out}/result")
        assert done.returncode == 0, done.stdout + done.stderr
        with open(f"{out}/result/result.json") as file:
            result = json.load(file)
        seen = {(call, plain(path)) for call, path in refused_in(f"{out}/trace") if "rogate-canary" not in path}
    reported = {(each["syscall"], plain(each["path"]), mount["target"])
                for mount in result["mounts"] for each in mount["attempts"] if each["errno"] == "EROFS"}
    assert reported, done.stdout
    targets = [mount["target"] for mount in result["mounts"]]
    for call, path in sorted(seen):
        inside = [target for target in targets if path.startswith(target + "/") or path == target]
        if path.startswith("?/"):
            same = [each for each in reported if each[0] == call and each[1].endswith(path[1:])]
        else:
            same = [each for each in reported if each[:2] == (call, path)]
        assert same or not (inside or path.startswith("?/")), f"missed: {call} {path}\n{sorted(reported)}"
    endings = {(call, os.path.basename(path)) for call, path in seen}
    equal([each for each in sorted(reported) if each[:2] not in seen and (each[0], os.path.basename(each[1])) not in endings], [],
          f"invented; strace saw {sorted(seen)}")


def test_nginx():
    asked("nginx")


def test_redis():
    asked("redis")


def test_long_postgresql():
    asked("postgresql")
