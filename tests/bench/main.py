"""main.py ROGATE [ROW…] [--rounds N] [--tiny] [--readme] [--list]: see ci/bench.sh."""
import argparse
import importlib
import os
import subprocess
import sys
import time

from measure import ROOT, Line, Settings, save, table

ROWS = {"small": "rogate --version, the audit, the sizes", "launch": "a run beside docker run; the observer's start",
        "settle": "runs and time to settle 50 candidates", "jobs": "scenarios at a time, and on two engines",
        "reports": "reports from 1,000,000 attempts",
        "functions": "reading, judging and writing 1,000,000 attempts, without a program around it",
        "events": "distinct paths a second, the observer's memory", "calls": "the worst case of each kind of call",
        "parts": "what the parts of an observed call cost",
        "servers": "redis, nginx, PostgreSQL and gcc under observation",
        "wrap": "the proxy of rogate wrap: what it adds to a call, images through it"}
BEGIN, END = "<!-- ci/bench.sh --readme: begin -->", "<!-- ci/bench.sh --readme: end -->"


def write_readme(text):
    path = f"{ROOT}/tests/bench/README.md"
    with open(path) as file:
        whole = file.read()
    before, rest = whole.split(BEGIN)
    after = rest.split(END)[1]
    with open(path, "w") as file:
        file.write(f"{before}{BEGIN}\n{text}{END}{after}")


def main():
    parser = argparse.ArgumentParser(prog="ci/bench.sh")
    parser.add_argument("rogate")
    parser.add_argument("rows", nargs="*", metavar="ROW")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--readme", action="store_true")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_intermixed_args()
    if options.list:
        for name, what in ROWS.items():
            print(f"{name:8} {what}")
        return 0
    if unknown := [name for name in options.rows if name not in ROWS]:
        print(f"ci/bench.sh: no such row: {', '.join(unknown)}; there are: {', '.join(ROWS)}", file=sys.stderr)
        return 2
    if options.readme and (options.tiny or options.rows):
        print("ci/bench.sh: --readme writes all rows: name no rows, and no --tiny", file=sys.stderr)
        return 2
    settings = Settings(os.path.abspath(options.rogate), 1 if options.tiny else options.rounds, options.tiny)
    rows, failed, start = [], [], time.monotonic()
    for name in options.rows or ROWS:
        print(f"[{time.monotonic() - start:4.0f} s] {name}: {ROWS[name]}", file=sys.stderr, flush=True)
        try:
            lines = importlib.import_module(f"row_{name}").run(settings)
        except (RuntimeError, OSError, subprocess.SubprocessError) as error:
            # Minutes of measuring the other rows are not to be lost by it.
            print(f"ci/bench.sh: {name}: {error}", file=sys.stderr)
            failed.append(name)
            lines = [Line(ROWS[name], "–", "–", "could not be measured")]
        save(name, lines, settings)
        rows.append((name, ROWS[name], lines))
    text = table(rows)
    print(text, end="")
    if options.readme:
        write_readme(text)
    print(f"[{time.monotonic() - start:4.0f} s] done; the raw figures are in build/bench", file=sys.stderr)
    return 1 if failed else 0


sys.exit(main())
