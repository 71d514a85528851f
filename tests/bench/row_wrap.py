"""The proxy of `rogate wrap`: what it adds to a call, and how fast images go through it.

Called with arguments it is COMMAND itself: REAL_SOCKET IMAGE ROUNDS CALLS OUT."""
import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time

NAME = "rogate-bench-wrap"


def connection(path):
    made = http.client.HTTPConnection("localhost", timeout=600)
    made.sock = socket.socket(socket.AF_UNIX)
    made.sock.connect(path)
    return made


def ping(path, calls):
    """Median, in milliseconds; a connection each, as any client with a new process makes."""
    times = []
    for _ in range(calls):
        start = time.perf_counter()
        made = connection(path)
        made.request("GET", "/_ping")
        made.getresponse().read()
        made.close()
        times.append(time.perf_counter() - start)
    return sorted(times)[len(times) // 2] * 1000


def docker(path, *words):
    """Seconds."""
    start = time.monotonic()
    subprocess.run(["docker", "--host", f"unix://{path}", *words], check=True, capture_output=True)
    return time.monotonic() - start


def command(real, image, rounds, calls, out):
    from measure import in_turns
    ours = os.environ["DOCKER_HOST"].removeprefix("unix://")
    with tempfile.TemporaryDirectory() as folder:
        tar = f"{folder}/image.tar"
        docker(real, "save", "-o", tar, image)  # into the page cache
        result = {"ping": in_turns(2 * rounds, {"direct": lambda: ping(real, calls), "proxy": lambda: ping(ours, calls)}),
                  "save": in_turns(rounds, {name: lambda path=path: docker(path, "save", "-o", f"{folder}/saved", image) for name, path in
                                            (("direct", real), ("proxy", ours))}),
                  "load": in_turns(rounds, {name: lambda path=path: docker(path, "load", "-q", "-i", tar) for name, path in
                                            (("direct", real), ("proxy", ours))})}
    with open(out, "w") as file:
        json.dump(result, file)


def run(settings):
    from measure import Line, ratio, with_spread
    real = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://")
    megabytes = 5 if settings.tiny else 500
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(f"{folder}/root")
        subprocess.run(["dd", "if=/dev/urandom", f"of={folder}/root/file", "bs=1M", f"count={megabytes}"], capture_output=True, check=True)
        tar = subprocess.Popen(["tar", "-C", f"{folder}/root", "-c", "."], stdout=subprocess.PIPE)
        subprocess.run(["docker", "import", "-", NAME], stdin=tar.stdout, capture_output=True, check=True)
        tar.wait()
        try:
            # It creates no container, so that rogate has nothing to settle and says so.
            done = subprocess.run([settings.rogate, "wrap", "-q", "--", sys.executable, "-B", os.path.abspath(__file__), real, NAME, str(settings.rounds),
                                   str(settings.count(500)), f"{folder}/out"], capture_output=True, text=True)
            if not os.path.exists(f"{folder}/out"):
                raise RuntimeError(done.stdout + done.stderr)
            with open(f"{folder}/out") as file:
                result = json.load(file)
        finally:
            subprocess.run(["docker", "rmi", "-f", NAME], capture_output=True)
    added = [one - other for one, other in zip(result["ping"]["proxy"], result["ping"]["direct"])]
    lines = [Line("what the proxy adds to a call (`GET /_ping`, median of each round)", "the engine's own socket", "1 ms",
                  with_spread(added, 2, " ms"), result["ping"])]
    for what in ("save", "load"):
        lines.append(Line(f"speed of `docker {what}` of {megabytes} MB through the proxy", "the engine's own socket", "0.9",
                          ratio(result[what], "direct", "proxy"), result[what]))
    return lines


if __name__ == "__main__":
    command(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5])
