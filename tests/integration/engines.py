"""Gives a test an engine that no other test uses at the same time: one of the pool that ci/pool.sh started, else the one that the
docker client reaches. Waits until one is free.

As a program, `engines.py COMMAND…` runs COMMAND with such an engine.
"""
import ctypes
import fcntl
import glob
import os
import sys
import tempfile
import time
import zlib

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
CLONE_NEWNET = 0x40000000


def pool():
    """The folders of the pool's engines that are running. Whoever names an engine means that one."""
    if os.geteuid() != 0 or "DOCKER_HOST" in os.environ:
        return []
    found = []
    for folder in sorted(glob.glob(os.path.join(os.environ.get("ROGATE_POOL", f"{ROOT}/build/pool"), "*"))):
        try:
            with open(f"{folder}/holder") as file:
                if os.path.exists(f"/proc/{int(file.read())}"):
                    found.append(folder)
        except (OSError, ValueError):
            pass
    return found


def locked(path):
    """The open file, locked until this process and its children have ended; None if somebody else has it."""
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    os.set_inheritable(file, True)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return None
    return file


def enter_network(pid):
    libc = ctypes.CDLL(None, use_errno=True)
    with open(f"/proc/{pid}/ns/net") as namespace:
        if libc.setns(namespace.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"setns to the network namespace of process {pid}")


def reserve_engine():
    """Sets DOCKER_HOST and enters the engine's network, where its published ports are."""
    folders = pool()
    only_one = zlib.crc32(os.environ.get("DOCKER_HOST", "").encode())
    locks = [f"{folder}/lock" for folder in folders] or [f"{tempfile.gettempdir()}/rogate-tests-{os.geteuid()}-{only_one:08x}.lock"]
    while True:
        for at, path in enumerate(locks):
            if locked(path) is None:
                continue
            if folders:
                with open(f"{folders[at]}/holder") as file:
                    enter_network(int(file.read()))
                os.environ["DOCKER_HOST"] = f"unix://{folders[at]}/engine.sock"
            return
        time.sleep(0.05)


if __name__ == "__main__":
    if "--gtest_list_tests" not in sys.argv:  # CMake's test discovery, which needs no engine
        reserve_engine()
    os.execvp(sys.argv[1], sys.argv[1:])
