"""install_test.py: ci/install.sh against a server of its own: a release, a tampered one, one that is not there. And ci/image.py."""
import functools
import hashlib
import http.server
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import threading

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
VERSION = "1.2.3"
NAME = f"rogate-{VERSION}-linux-{ {'x86_64': 'amd64', 'aarch64': 'arm64'}[os.uname().machine] }"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def release(folder, tampered=False):
    os.makedirs(f"{folder}/{VERSION}")
    name = f"{NAME}.tar.gz"
    program = b"#!/bin/sh\necho rogate 1.2.3\n"
    with tarfile.open(f"{folder}/{VERSION}/{name}", "w:gz") as archive:
        entry = tarfile.TarInfo(f"{NAME}/bin/rogate")
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


def image(*words):
    return subprocess.run([f"{ROOT}/ci/image.py", *words], capture_output=True, check=True, timeout=60).stdout


# The image of a release: equal bytes for an equal program, and what `docker load` asks of it.
made = image(__file__, VERSION, "1700000000", "arm64")
assert made == image(__file__, VERSION, "1700000000", "arm64")
with tarfile.open(fileobj=io.BytesIO(made)) as archive:
    manifest = json.load(archive.extractfile("manifest.json"))[0]
    config = json.load(archive.extractfile(manifest["Config"]))
    layer = archive.extractfile(manifest["Layers"][0]).read()
assert manifest["RepoTags"] == [f"rogate:{VERSION}"] and config["architecture"] == "arm64" and config["config"]["Entrypoint"] == ["/rogate"]
assert config["rootfs"]["diff_ids"] == ["sha256:" + hashlib.sha256(layer).hexdigest()]
with tarfile.open(fileobj=io.BytesIO(layer)) as archive, open(__file__, "rb") as program:
    assert archive.getmember("rogate").mode == 0o755 and archive.extractfile("rogate").read() == program.read()
sys.exit(0)
