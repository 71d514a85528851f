#!/usr/bin/env bash
# Run programs that drive docker, unchanged, behind `rogate wrap`: both of Debian's docker compose, testcontainers and dockerode.
#
#   ci/clients.sh ROGATE [CLIENT…]   CLIENT: compose1, compose2, buildkit, testcontainers, reaper, dockerode; by default all of them
#
# As root, with the engine that DOCKER_HOST names. Installs Debian's docker-compose and a node, if there is none; takes trixie's
# docker-compose from the package mirror and the node packages from npm's registry, into build/.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source-path=SCRIPTDIR source=lib.sh
. ci/lib.sh

case ${1:-} in
  -h|--help) usage ci/clients.sh; exit ;;
  '') usage ci/clients.sh >&2; exit 2 ;;
esac
rogate=$(realpath "$1")
shift

packages=(docker-compose)
command -v node >/dev/null || packages+=(nodejs)
command -v npm >/dev/null || packages+=(npm)
need_packages "${packages[@]}"
need_new_compose
if ! [ -f build/clients/node_modules/.package-lock.json ] ||
   [ tests/clients/package-lock.json -nt build/clients/node_modules/.package-lock.json ]; then
  say "taking testcontainers and dockerode from npm"
  mkdir -p build/clients
  cp tests/clients/package.json tests/clients/package-lock.json build/clients
  npm ci --prefix build/clients --ignore-scripts --no-audit --no-fund --loglevel=error >&2
fi
exec python3 -B tests/clients/clients.py "$rogate" "$new_compose" build/clients/node_modules "$@"
