"""Campaigns to measure: a subject of rogate/base with binds, as a folder with a scenario."""
import contextlib
import json
import os
import subprocess
import tempfile
import time

IMAGE = "rogate/base:bookworm"


@contextlib.contextmanager
def scenario(shell, mounts):
    """`mounts` folders, mounted at /m0 and so on, for a subject that ends by itself."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        for i in range(mounts):
            os.makedirs(f"{folder}/m{i}")
            with open(f"{folder}/m{i}/file", "w") as file:
                file.write("text\n")
        with open(f"{folder}/scenario.yaml", "w") as file:
            json.dump({"name": "bench", "subject": {"image": IMAGE, "entrypoint": ["sh", "-c", shell],
                                                    "mounts": [f"./m{i}:/m{i}" for i in range(mounts)]}}, file)
        yield folder


def campaign(rogate, folder, env=None, *words):
    """The result, and how long it took."""
    start = time.monotonic()
    done = subprocess.run([rogate, "run", folder, "-q", "--out", f"{folder}/out", *words], capture_output=True, text=True,
                          env={**os.environ, **(env or {})})
    took = time.monotonic() - start
    if done.returncode:
        raise RuntimeError(f"rogate run ended with {done.returncode}: {done.stderr}")
    with open(f"{folder}/out/result.json") as file:
        return json.load(file), took
