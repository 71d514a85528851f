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

folder=$PWD/build/oracle
program=$folder/root/usr/libexec/docker/cli-plugins/docker-compose
if ! [ -x "$program" ]; then
  say "taking docker-compose from the mirror"
  mkdir -p "$folder"/{lists/partial,cache/archives/partial}
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(mirror) trixie main" >"$folder/sources.list"
  own=(-o Dir::Etc::sourcelist="$folder/sources.list" -o Dir::Etc::sourceparts=- -o Dir::State::lists="$folder/lists"
    -o Dir::Cache="$folder/cache" -o APT::Sandbox::User=root)
  apt-get "${own[@]}" -qq update
  (cd "$folder" && apt-get "${own[@]}" -qq download docker-compose)
  dpkg-deb -x "$folder"/docker-compose_*.deb "$folder/root"
fi

tests=$PWD/tests
paths=("$@")
[ ${#paths[@]} -gt 0 ] || paths=(tests/projects/shop tests/projects/jobs tests/docs/files/compose.yaml tests/oracle/files/*.yaml)
[ $# -eq 0 ] || cd "$from"
exec python3 -B "$tests/oracle/compare_plan.py" "$rogate" "$program" "${paths[@]}"
