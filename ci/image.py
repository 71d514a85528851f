#!/usr/bin/python3
"""image.py PROGRAM VERSION EPOCH ARCHITECTURE: a container image with nothing but the program, as `docker load` takes it.

It is written by itself and not by an engine, so that the same program gives the same bytes."""
import datetime
import hashlib
import io
import json
import sys
import tarfile


def archive(files, epoch):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content, mode in files:
            entry = tarfile.TarInfo(name)
            entry.mtime, entry.mode = epoch, mode
            if content is None:
                entry.type = tarfile.DIRTYPE
            else:
                entry.size = len(content)
            tar.addfile(entry, None if content is None else io.BytesIO(content))
    return out.getvalue()


def main():
    program, version, epoch, architecture = sys.argv[1:]
    epoch = int(epoch)
    with open(program, "rb") as file:
        # /tmp: rogate keeps there what it hands to the engine. /work: where a project is mounted.
        layer = archive([("rogate", file.read(), 0o755), ("tmp", None, 0o1777), ("work", None, 0o755)], epoch)
    digest = hashlib.sha256(layer).hexdigest()
    created = datetime.datetime.fromtimestamp(epoch, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    config = json.dumps({
        "architecture": architecture, "os": "linux", "created": created,
        "config": {"Entrypoint": ["/rogate"], "WorkingDir": "/work", "Env": ["PATH=/"],
                   "Labels": {"org.opencontainers.image.title": "rogate", "org.opencontainers.image.version": version,
                              "org.opencontainers.image.licenses": "Apache-2.0"}},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + digest]},
        "history": [{"created": created, "created_by": "ci/image.py"}]}, sort_keys=True).encode()
    name = hashlib.sha256(config).hexdigest() + ".json"
    manifest = json.dumps([{"Config": name, "RepoTags": [f"rogate:{version}"], "Layers": [f"{digest}/layer.tar"]}]).encode()
    sys.stdout.buffer.write(archive([(name, config, 0o644), (digest, None, 0o755), (f"{digest}/layer.tar", layer, 0o644),
                                     ("manifest.json", manifest, 0o644)], epoch))


if __name__ == "__main__":
    main()
