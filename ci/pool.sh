#!/usr/bin/env bash
# Several dockerds beside each other, so that integration tests need not wait for one another. Each has a network
# namespace, a folder of data and the sample images of its own.
#
#   ci/pool.sh start [N]       start N dockerds (default 2) with the images of the engine that `docker` reaches
#   ci/pool.sh run COMMAND…    run COMMAND with a free one as its DOCKER_HOST, in its network; wait if none is free
#   ci/pool.sh stop            stop them; their data stay, so that the next start takes seconds
#   ci/pool.sh remove          stop them and remove their data
#
# They are kept below build/pool, or below the folder that ROGATE_POOL names. Needs root.
set -euo pipefail
from=$PWD
cd "$(dirname "$0")/.."
# shellcheck source-path=SCRIPTDIR source=lib.sh
. ci/lib.sh

pool=${ROGATE_POOL:-$PWD/build/pool}
images=(rogate/base:bookworm rogate/nginx rogate/redis rogate/postgresql)

# The process that holds an engine's network namespace outlives its dockerd, which would take its bridge along otherwise.
holder() { cat "$pool/$1/holder" 2>/dev/null; }
alive() { [ -n "$1" ] && [ -d "/proc/$1" ]; }
answers() { docker -H "unix://$pool/$1/engine.sock" version >/dev/null 2>&1; }
engines() { local each; for each in "$pool"/*/; do [ ! -d "$each" ] || basename "$each"; done; }

start_one() {
  local name=$1 folder=$pool/$1
  if alive "$(holder "$name")" && answers "$name"; then return; fi
  mkdir -p "$folder"
  rm -rf "$folder/exec" "$folder/dockerd.pid" "$folder/engine.sock"
  setsid unshare --net sleep infinity </dev/null >/dev/null 2>&1 &
  echo $! >"$folder/holder"
  # The namespace is there once it differs from this one.
  until [ "$(readlink "/proc/$!/ns/net")" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.01; done
  nsenter --net="/proc/$!/ns/net" ip link set lo up
  # Its networks lead nowhere, and published ports are those of its userland proxy, so that rules of iptables, which
  # cost a tenth of the tests' time, would do nothing.
  setsid nsenter --net="/proc/$!/ns/net" env GOGC=400 dockerd --iptables=false \
    --data-root "$folder/data" --exec-root "$folder/exec" --pidfile "$folder/dockerd.pid" -H "unix://$folder/engine.sock" </dev/null >"$folder/log" 2>&1 &
}

await_one() {
  local name=$1
  for _ in $(seq 300); do
    answers "$name" && return
    sleep 0.1
  done
  echo "ci/pool.sh: dockerd $name does not answer; the end of $pool/$name/log:" >&2
  tail -n 20 "$pool/$name/log" >&2
  return 3
}

# Those that it does not have as the first engine has them.
give_images() {
  local name=$1 socket=unix://$pool/$1/engine.sock each id missing=()
  for each in "${images[@]}"; do
    id=$(docker image inspect -f '{{.Id}}' "$each")
    [ "$(docker -H "$socket" image inspect -f '{{.Id}}' "$each" 2>/dev/null)" = "$id" ] || missing+=("$each")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  docker save "${missing[@]}" | docker -H "$socket" load >/dev/null
}

start() {
  local name names=()
  mkdir -p "$pool"
  mapfile -t names < <(seq "$1")
  for name in "${names[@]}"; do start_one "$name"; done
  for name in "${names[@]}"; do
    await_one "$name"
    give_images "$name"
  done
}

stop() {
  local name pid
  for name in $(engines); do
    pid=$(cat "$pool/$name/dockerd.pid" 2>/dev/null || true)
    if alive "$pid"; then
      docker -H "unix://$pool/$name/engine.sock" ps -aq | xargs -r docker -H "unix://$pool/$name/engine.sock" rm -f >/dev/null
      kill "$pid"
      while alive "$pid" && grep -qs '^State:.[^Z]' "/proc/$pid/status"; do sleep 0.1; done
    fi
    if alive "$(holder "$name")"; then kill "$(holder "$name")"; fi
    rm -f "$pool/$name/holder"
  done
}

run() {
  cd "$from"
  ROGATE_POOL=$pool exec python3 -B "$OLDPWD/tests/integration/engines.py" "$@"
}

case ${1:-} in
  start) start "${2:-2}" ;;
  run) shift; run "$@" ;;
  stop) stop ;;
  remove) stop; rm -rf "${pool:?}" ;;
  -h|--help) usage ci/pool.sh ;;
  *) usage ci/pool.sh >&2; exit 2 ;;
esac
