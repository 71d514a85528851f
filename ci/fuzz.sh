#!/usr/bin/env bash
# Builds the fuzzers and lets each run for some seconds, starting with the corpus that is kept in tests/fuzz/corpus. What
# they find is written to build/fuzz/findings.
#
#   ci/fuzz.sh [SECONDS [FUZZER…]]    10 seconds each unless told; all of them unless named (scenario, result, http, …)
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source-path=SCRIPTDIR source=lib.sh
. ci/lib.sh
case ${1:-} in -h|--help) usage ci/fuzz.sh; exit 0 ;; esac
seconds=${1:-10}
shift || true
[ $# -gt 0 ] || set -- scenario kubernetes compose result http frames observer junit

need_packages "${build_packages[@]}"
targets=()
for name in "$@"; do targets+=(--target "fuzz_$name"); done
build fuzz "${targets[@]}" -j2
mkdir -p build/fuzz/findings
for name in "$@"; do
  say "fuzzing $name for $seconds s"
  log=build/fuzz/findings/$name.log
  # What is new goes to the first folder; the kept corpus is only read.
  mkdir -p "build/fuzz/corpus/$name"
  if ! nice "build/fuzz/tests/fuzz/fuzz_$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -max_len=65536 \
    -print_final_stats=1 -artifact_prefix="build/fuzz/findings/$name-" \
    "build/fuzz/corpus/$name" "tests/fuzz/corpus/$name" >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    echo "ci/fuzz.sh: $name: a finding; its input is in build/fuzz/findings, the whole log is $log" >&2
    exit 1
  fi
  grep -E 'number_of_executed_units|peak_rss_mb' "$log"
done
