#!/usr/bin/env bash
# Builds unit tests for arm64 with Debian's cross compiler, and runs them in QEMU's user-mode emulation.
#
#   ci/emulated.sh [ROOM…]     default: base secrets suite spec patch
#   ci/emulated.sh --build     all of rogate for arm64, and no test: build/arm64/rogate
#
# The first build takes half an hour of a processor. Tests that go through thousands of inputs are left out: emulated, each would
# take minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source-path=SCRIPTDIR source=lib.sh
. ci/lib.sh
case ${1:-} in -h|--help) usage ci/emulated.sh; exit 0 ;; esac
need_packages "${build_packages[@]}" g++-aarch64-linux-gnu qemu-user-static
ci/sysroot.sh arm64 whole
if [ "${1:-}" = --build ]; then
  build arm64 --target rogate
  ls -l build/arm64/rogate
  exit 0
fi
[ $# -gt 0 ] || set -- base secrets suite spec patch
build arm64 --target "${@/#/unit_}"
failed=0
for room in "$@"; do
  say "unit_$room (arm64)"
  output=$(qemu-aarch64-static -L build/sysroot/arm64 "build/arm64/unit_$room" --gtest_brief=1 '--gtest_filter=-Property.*' 2>&1) ||
    failed=1
  printf '%s\n' "$output"
done
exit $failed
