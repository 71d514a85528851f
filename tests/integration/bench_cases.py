"""That ci/bench.sh's rows still work: a round of next to nothing. No figure is looked at."""
import os
import subprocess
import sys

from support import ROGATE, ROOT, contains, equal


def bench(*words):
    return subprocess.run([sys.executable, "-B", f"{ROOT}/tests/bench/main.py", ROGATE, *words], capture_output=True, text=True)


def test_rows_are_listed_and_wrong_ones_are_told():
    listed = bench("--list")
    equal(listed.returncode, 0, listed.stderr)
    contains(listed.stdout, "small", "launch", "settle", "jobs", "reports", "events", "calls", "parts", "servers")
    wrong = bench("smal")
    equal(wrong.returncode, 2)
    contains(wrong.stderr, "no such row: smal; there are: small")
    equal(bench("--readme", "--tiny").returncode, 2)


def tiny_round(*rows):
    os.environ["ROGATE_BENCH_BUILD"] = os.path.dirname(ROGATE)
    done = bench("--tiny", *rows)
    equal(done.returncode, 0, done.stderr)
    return done.stdout


def test_a_tiny_round_gives_a_table():
    contains(tiny_round("small", "reports"), "- **`rogate --version`", "`rogate report -f sarif`", "### `ci/bench.sh reports`: ")


def test_long_a_tiny_round_on_an_engine():
    contains(tiny_round("jobs", "events", "launch"), "- **a run of a subject that exits at once**", "Beside `docker run --rm` of it.",
             "none lost", "--jobs 2", "two engines", "### `ci/bench.sh launch`: ")
