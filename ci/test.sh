#!/usr/bin/env bash
# Installs what is missing, builds everything and runs every test, the integration tests against a real engine (one is
# started if there is none). Arguments go to ctest: ci/test.sh -L unit
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=lib.sh
. ci/lib.sh

# shellcheck disable=SC2086
need_packages $build_packages
ci/engine.sh ensure
images/build.sh
[ -f build/dev/build.ninja ] || { say "configuring"; cmake --preset dev >/dev/null; }
say "building"
cmake --build --preset dev | tail -n 1
say "testing"
exec ctest --test-dir build/dev --output-on-failure --no-tests=error "$@"
