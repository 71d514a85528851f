#!/usr/bin/env bash
# Compare what rogate reads in Compose files with what docker compose reads, without an engine.
#
#   ci/oracle.sh ROGATE [PATH…]   PATH: Compose files or folders with one; by default those of the tests
#
# Takes Debian trixie's docker-compose from the package mirror, once, into build/oracle; nothing is installed.
set -euo pipefail
from=$PWD
cd "$(dirname "$0")/.."
# shellcheck source-path=SCRIPTDIR source=lib.sh
. ci/lib.sh

case ${1:-} in
  -h|--help) usage ci/oracle.sh; exit ;;
  '') usage ci/oracle.sh >&2; exit 2 ;;
esac
rogate=$(realpath "$1")
shift

need_new_compose
program=$new_compose

tests=$PWD/tests
paths=("$@")
[ ${#paths[@]} -gt 0 ] || paths=(tests/projects/shop tests/projects/jobs tests/docs/files/compose.yaml tests/oracle/files/*.yaml)
[ $# -eq 0 ] || cd "$from"
exec python3 -B "$tests/oracle/compare_plan.py" "$rogate" "$program" "${paths[@]}"
