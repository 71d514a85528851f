"""ptrace.py ROGATE: what the ptrace observer costs, as a ratio to no observer: medians of runs that take turns.

Prints one line per workload. Needs an engine with the sample images (images/build.sh)."""
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile

ROGATE, ROUNDS = os.path.abspath(sys.argv[1]), 3
IDLE = "trap 'exit 0' TERM; echo started; while :; do sleep 0.1; done"
OPENS = "use Time::HiRes 'time'; my $t=time; for (1..300000) { open(my $f,'<','/data/file'); close $f } printf qq(took %.4f\\n), time-$t;"
FAILS = "use Time::HiRes 'time'; my $t=time; for (1..20000) { open(my $f,'>>','/ro/file') } printf qq(took %.4f\\n), time-$t;"
WORKLOADS = {
    "300,000 read-only opens": ("rogate/base:bookworm", f"perl -e '{OPENS.replace(chr(39), chr(39) + chr(92) + chr(39) + chr(39))}'"),
    "20,000 refused opens": ("rogate/base:bookworm", f"perl -e '{FAILS.replace(chr(39), chr(39) + chr(92) + chr(39) + chr(39))}'"),
    "redis, 100,000 SET": ("rogate/redis", "redis-server --daemonize yes --save '' >/dev/null; sleep 1; s=$(date +%s.%N); "
                           "redis-benchmark -q -t set -n 100000 >/dev/null; e=$(date +%s.%N); echo took $(echo \"$e $s\" | awk '{print $1-$2}')"),
}


def took(image, shell, observer):
    with tempfile.TemporaryDirectory() as folder:
        for name in ("data", "ro"):
            os.makedirs(f"{folder}/{name}")
            with open(f"{folder}/{name}/file", "w") as file:
                file.write("text\n")
        scenario = {"name": "bench", "subject": {"image": image, "entrypoint": ["sh", "-c"], "command": [f"{shell}; {IDLE}"], "user": "0",
                                                 "mounts": ["./data:/data", "./ro:/ro:ro"]},
                    "candidates": ["/ro"], "ready": {"timeout": "60s", "log": "started"},
                    "steps": [{"name": "fails, so that its log is in the result", "exec": ["false"]}]}
        with open(f"{folder}/scenario.yaml", "w") as file:
            json.dump(scenario, file)
        subprocess.run([ROGATE, "run", folder, "-q", "--observer", observer, "--out", f"{folder}/out"], capture_output=True, check=False)
        with open(f"{folder}/out/result.json") as file:
            return float(re.search(r"took ([0-9.]+)", json.load(file)["runs"][0]["log_tail"]).group(1))


for name, (image, shell) in WORKLOADS.items():
    times = {"none": [], "ptrace": []}
    for _ in range(ROUNDS):
        for observer, list_ in times.items():
            list_.append(took(image, shell, observer))
    none, ptrace = (statistics.median(times[each]) for each in ("none", "ptrace"))
    print(f"{name:28} none {none:.3f} s  ptrace {ptrace:.3f} s  ratio {ptrace / none:.2f}", flush=True)
