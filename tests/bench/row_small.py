"""`rogate --version`, the audit of many files, and the sizes of what is built."""
import os
import subprocess
import tempfile

from measure import Line, in_turns, ratio, seconds, with_spread
from observers import agent_binary

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
    """Of a hundred files, one is a Compose file, four are manifests, five are YAML of another kind, the rest are sources."""
    kind = i % 100
    if kind == 0:
        return "compose.yaml", COMPOSE
    if kind < 5:
        return "deployment.yaml", MANIFEST
    return ("values.yaml", "key: value\n" * 100) if kind < 10 else (f"source{i}.c", "int x;\n" * 200)


def make_files(folder, count):
    for i in range(count):
        name, text = content(i)
        os.makedirs(f"{folder}/{i // 100}/{i % 100}")
        with open(f"{folder}/{i // 100}/{i % 100}/{name}", "w") as file:
            file.write(text)


def quietly(*command):
    return seconds(lambda: subprocess.run(command, capture_output=True, check=True))


def megabytes(path):
    return f"{os.path.getsize(path) / 1e6:.1f} MB"


def run(settings):
    samples = in_turns(4 * settings.rounds, {"rogate": lambda: quietly(settings.rogate, "--version") * 1000,
                                             "docker": lambda: quietly("docker", "--version") * 1000,
                                             "true": lambda: quietly("true") * 1000})
    without_start = [one - other for one, other in zip(samples["rogate"], samples["true"])]
    lines = [Line("`rogate --version`, beyond what starting any program takes", "`docker --version`", "5 ms",
                  f"{with_spread(without_start, 1, ' ms')}; ratio {ratio(samples, 'rogate', 'docker')}", samples)]
    with tempfile.TemporaryDirectory() as few, tempfile.TemporaryDirectory() as many:
        counts = settings.count(1_000), settings.count(10_000)
        for folder, count in zip((few, many), counts):
            make_files(folder, count)
        samples = in_turns(settings.rounds, {"1,000": lambda: quietly(settings.rogate, "audit", few, "-f", "json"),
                                             "10,000": lambda: quietly(settings.rogate, "audit", many, "-f", "json"),
                                             "grep": lambda: quietly("grep", "-rlE", "image:|volumes", many)})
    lines.append(Line("`rogate audit` of 10,000 files", "1,000 files; `grep -r` of the 10,000", "2 s, in proportion",
                      f"{with_spread(samples['10,000'], 2, ' s')}; {ratio(samples, '10,000', '1,000', 1)} times that of 1,000, "
                      f"{ratio(samples, '10,000', 'grep', 1)} times grep's", samples))
    lines.append(Line("sizes", "–", "the observer 2 MB",
                      f"rogate {megabytes(settings.rogate)} with both agents in it; the observer and its image "
                      f"{megabytes(agent_binary('ebpf'))}; the ptrace agent {megabytes(agent_binary('ptrace'))}"))
    return lines
