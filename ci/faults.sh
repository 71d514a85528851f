#!/usr/bin/env bash
# Breaks a call of each kind of a whole campaign in every way (see
# tests/integration/faulty_engine.py), on the engine of DOCKER_HOST, which must be on a unix socket. With ROGATE_FAULTS=all
# every single call, which takes hours; with ROGATE_FAULT_EVERY=k as well, every k-th of these faults.
#
#   ci/faults.sh [MODE…]    only these modes, for example: ci/faults.sh hang reset
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source-path=SCRIPTDIR source=lib.sh
. ci/lib.sh
case ${1:-} in -h|--help) usage ci/faults.sh; exit 0 ;; esac

need_packages "${build_packages[@]}"
ci/engine.sh ensure
images/build.sh
build dev --target rogate
modes=$(IFS=,; echo "$*")
ROGATE_FAULTS=${ROGATE_FAULTS:-kinds} ROGATE_FAULT_MODES=$modes \
  exec /usr/bin/python3 -B tests/integration/run_case.py build/dev/rogate fault faults_at_calls_of_every_kind
