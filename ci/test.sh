#!/usr/bin/env bash
# Installs what is missing, builds everything and runs the tests, those that need an engine on two dockerds beside each other
# (as root; otherwise one by one on the engine that is there, which is started if there is none).
#
#   ci/test.sh [--all] [OPTION…]    options go to ctest, for example -L unit
#     --all    the long forms as well: tests whose name begins with long_, more rounds of the others (ROGATE_TESTS_LONG), the
#              unit tests with sanitizers, and those that only compute built for arm64, in emulation
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source-path=SCRIPTDIR source=lib.sh
. ci/lib.sh
case ${1:-} in -h|--help) usage ci/test.sh; exit 0 ;; esac

all=
without=(--label-exclude '^long$')
if [ "${1:-}" = --all ]; then
  all=yes
  without=()
  export ROGATE_TESTS_LONG=yes
  shift
fi

need_packages "${build_packages[@]}" "${lint_packages[@]}"
need_packages_without_services "${test_packages[@]}"
need_browser
ci/engine.sh ensure
images/build.sh
build dev
jobs=1
if [ "$(id -u)" -eq 0 ] && [ -z "${DOCKER_HOST:-}" ]; then
  trap 'ci/pool.sh stop' EXIT
  ci/pool.sh start 2
  jobs=2
fi
[ -z "$all" ] || { ci/asan.sh; ci/emulated.sh; }
say "testing"
ctest --test-dir build/dev --parallel "$jobs" --output-on-failure --no-tests=error "${without[@]}" "$@"
