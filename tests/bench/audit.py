"""audit.py ROGATE [FILES]: how long `rogate audit` takes for a repository of 10,000 files. A measurement, no test.

Of a hundred files, one is a Compose file, four are manifests, five are YAML of another kind, and the rest are sources.
"""
import os
import subprocess
import sys
import tempfile
import time

COMPOSE = "services:\n" + "".join(f"  s{i}:\n    image: a\n    volumes: [./c:/etc/c, d{i}:/data]\n" for i in range(5))
MANIFEST = """apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  template:
    spec:
      containers:
        - name: app
          image: shop:1
          volumeMounts:
            - {name: data, mountPath: /data}
"""


def content(i):
    kind = i % 100
    if kind == 0:
        return "compose.yaml", COMPOSE
    if kind < 5:
        return "deployment.yaml", MANIFEST
    if kind < 10:
        return "values.yaml", "key: value\n" * 100
    return f"source{i}.c", "int x;\n" * 200


def main():
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    with tempfile.TemporaryDirectory() as folder:
        for i in range(count):
            name, text = content(i)
            os.makedirs(f"{folder}/{i // 100}/{i % 100}")
            with open(f"{folder}/{i // 100}/{i % 100}/{name}", "w") as file:
                file.write(text)
        start = time.monotonic()
        done = subprocess.run([os.path.abspath(sys.argv[1]), "audit", folder, "-f", "json"], capture_output=True, check=True)
        print(f"{count} files, {len(done.stdout)} bytes of answer: {time.monotonic() - start:.2f} s")


main()
