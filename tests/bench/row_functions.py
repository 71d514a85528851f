"""The pure parts by themselves (functions.cpp, Google Benchmark): CPU time for a hundred thousand and a million attempts."""
import json
import os
import subprocess

from measure import Line, ROOT, with_spread

NAMES = {"read_stream": ("reading 1,000,000 distinct attempts from the observer's stream", "2 s, in proportion"),
         "judge_attempts": ("comparing and judging them, with as many in the control run", "2 s, in proportion"),
         "write_result": ("writing the result: 1,000,000 failed attempts and 1,000,000 writes", "2 s for each 1,000,000, in proportion"),
         "read_result": ("reading it again, 2,000,000 in all", "2 s for each 1,000,000, in proportion")}


def measured(name, count, rounds):
    """CPU seconds of each round, and the most memory in bytes."""
    binary = os.environ.get("ROGATE_BENCH_BUILD", f"{ROOT}/build/release") + "/tests/bench/bench_functions"
    process = subprocess.Popen([binary, f"--benchmark_filter=^{name}/{count}$", "--benchmark_format=json",
                                f"--benchmark_repetitions={rounds}", "--benchmark_min_time=0.001"], stdout=subprocess.PIPE)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = status
    if status:
        raise RuntimeError(f"bench_functions ended with {status}")
    found = [each for each in json.loads(output)["benchmarks"] if each["run_type"] == "iteration"]
    if broken := [each for each in found if each.get("error_occurred")]:
        raise RuntimeError(f"{name}: {broken[0]['error_message']}")
    return [each["cpu_time"] for each in found], usage.ru_maxrss * 1024


def run(settings):
    lines = []
    rounds = min(settings.rounds, 3)  # CPU time varies little
    for name, (what, target) in NAMES.items():
        few, _ = measured(name, 100_000, rounds)
        many, memory = measured(name, 1_000_000, rounds)
        lines.append(Line(what, "100,000 of them", target,
                          f"{with_spread(many, 2, ' s')}; {with_spread(few, 2, ' s')} for a tenth; {memory / 1e6:.0f} MB with the "
                          "test's own data", {"100,000": few, "1,000,000": many}))
    return lines
