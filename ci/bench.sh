#!/usr/bin/env bash
# Measures what rogate costs, against what people would use instead, and prints the figures. Each figure is a ratio of things that
# take turns in one run: the median of the rounds, and in brackets the smallest and the largest.
#
#   ci/bench.sh [ROW…]     default: all rows, about 25 minutes on two cores
#     --rounds N           default: 5
#     --readme             also writes the figures into tests/bench/README.md
#     --list               the rows
#     --tiny               one round of next to nothing: shows that it works, the figures mean nothing
#
# Needs root: observers are. Installs strace, bpftrace and wrk from Debian. The raw figures are in build/bench.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source-path=SCRIPTDIR source=lib.sh
. ci/lib.sh
case ${1:-} in -h|--help) usage ci/bench.sh; exit 0 ;; esac

if ! [[ " $* " == *" --list "* ]]; then
  need_packages "${build_packages[@]}" "${bench_packages[@]}"
  build release --target rogate --target bench_functions --target observer_parts
  ci/engine.sh ensure
  images/build.sh
fi
exec /usr/bin/python3 -B tests/bench/main.py build/release/rogate "$@"
