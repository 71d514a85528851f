"""install_test.py: ci/install.sh against a server of its own: a release, a tampered one, one that is not there."""
import functools
import hashlib
import http.server
import io
import os
import subprocess
import sys
import tarfile
import tempfile
import threading

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
VERSION = "1.2.3"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def release(folder, tampered=False):
    os.makedirs(f"{folder}/{VERSION}")
    name = f"rogate-{VERSION}-Linux.tar.gz"
    program = b"#!/bin/sh\necho rogate 1.2.3\n"
    with tarfile.open(f"{folder}/{VERSION}/{name}", "w:gz") as archive:
        entry = tarfile.TarInfo(f"rogate-{VERSION}-Linux/bin/rogate")
        entry.size, entry.mode = len(program), 0o755
        archive.addfile(entry, io.BytesIO(program))
    with open(f"{folder}/{VERSION}/{name}", "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    with open(f"{folder}/{VERSION}/SHA256SUMS", "w") as file:
        file.write(f"{digest[::-1] if tampered else digest}  {name}\n")


def install(base, prefix, version=VERSION):
    return subprocess.run([f"{ROOT}/ci/install.sh"], capture_output=True, text=True, timeout=60,
                          env={**os.environ, "ROGATE_BASE_URL": base, "ROGATE_INSTALL_VERSION": version, "ROGATE_PREFIX": prefix,
                               "no_proxy": "*"})


with tempfile.TemporaryDirectory() as folder:
    release(f"{folder}/good")
    release(f"{folder}/tampered", tampered=True)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"

    done = install(f"{url}/good", f"{folder}/a")
    assert done.returncode == 0 and "installed rogate 1.2.3" in done.stdout, done
    assert os.access(f"{folder}/a/bin/rogate", os.X_OK)

    done = install(f"{url}/tampered", f"{folder}/b")
    assert done.returncode == 1 and "nothing was installed" in done.stderr, done
    assert not os.path.exists(f"{folder}/b/bin"), "a tampered archive was unpacked"

    done = install(f"{url}/good", f"{folder}/c", "9.9.9")
    assert done.returncode == 1 and "cannot fetch" in done.stderr, done
    server.shutdown()
sys.exit(0)
