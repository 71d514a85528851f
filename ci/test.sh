#!/usr/bin/env bash
# Installs what is missing, builds everything and runs every test, the integration tests against a real engine (one is
# started if there is none). Without options, also the unit tests with sanitizers.
#
#   ci/test.sh [OPTION…]    options go to ctest, for example -L unit
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source-path=SCRIPTDIR source=lib.sh
. ci/lib.sh
case ${1:-} in -h|--help) usage ci/test.sh; exit 0 ;; esac

need_packages "${build_packages[@]}" "${lint_packages[@]}"
need_packages_without_services "${test_packages[@]}"
need_browser
ci/engine.sh ensure
images/build.sh
build dev
[ $# -gt 0 ] || ci/asan.sh
say "testing"
exec ctest --test-dir build/dev --output-on-failure --no-tests=error "$@"
