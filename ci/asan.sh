#!/usr/bin/env bash
# Runs the unit tests with AddressSanitizer and UndefinedBehaviorSanitizer.
#
#   ci/asan.sh [ROOM…]    default: every room of tests/unit; for example: ci/asan.sh engine campaign
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source-path=SCRIPTDIR source=lib.sh
. ci/lib.sh
case ${1:-} in -h|--help) usage ci/asan.sh; exit 0 ;; esac

need_packages "${build_packages[@]}"
rooms=("$@")
[ $# -gt 0 ] || for room in tests/unit/*/; do rooms+=("$(basename "$room")"); done
targets=()
for room in "${rooms[@]}"; do targets+=(--target "unit_$room"); done
build asan "${targets[@]}"
failed=0
for room in "${rooms[@]}"; do
  say "unit_$room with sanitizers"
  UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 build/asan/unit_"$room" --gtest_brief=1 || failed=1
done
exit "$failed"
