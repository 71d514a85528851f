#!/usr/bin/env bash
# Makes sure of a Docker engine.
#
#   ci/engine.sh ensure   use the engine that DOCKER_HOST, the docker context or the default socket reaches; only if
#                         there is none, install Debian's docker.io and start dockerd
#   ci/engine.sh stop     stop the dockerd that `ensure` started, and no other
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source=lib.sh
. ./lib.sh

log=/var/log/rogate-dockerd.log
pidfile=/var/run/rogate-dockerd.pid

reached() { command -v docker >/dev/null && docker version -f '{{.Server.Version}}' >/dev/null 2>&1; }

ensure() {
  reached && return
  if [ -n "${DOCKER_HOST:-}" ]; then
    echo "ci/engine.sh: no engine answers at DOCKER_HOST=$DOCKER_HOST; start it, or unset DOCKER_HOST" >&2
    exit 3
  fi
  # shellcheck disable=SC2086
  need_packages $engine_packages
  reached && return
  say "no engine is running: starting dockerd (log: $log; stop it with: ci/engine.sh stop)"
  # A dockerd that was killed leaves its pid file, and the next one would refuse to start.
  as_root sh -c "pid=\$(cat /var/run/docker.pid 2>/dev/null) && ! grep -qs dockerd /proc/\$pid/comm && rm -f /var/run/docker.pid; true"
  as_root sh -c "setsid dockerd >'$log' 2>&1 </dev/null & echo \$! >'$pidfile'"
  for _ in $(seq 150); do
    reached && return
    sleep 0.2
  done
  echo "ci/engine.sh: dockerd does not answer; the end of its log:" >&2
  as_root tail -n 20 "$log" >&2
  exit 3
}

stop() {
  local pid
  pid=$(as_root cat "$pidfile" 2>/dev/null) || { echo "ci/engine.sh: no dockerd was started by it" >&2; exit 0; }
  if grep -qs dockerd "/proc/$pid/comm"; then as_root kill "$pid"; fi
  as_root rm -f "$pidfile"
}

case ${1:-} in
  ensure) ensure ;;
  stop) stop ;;
  *) sed -n '2,7p' "$0" | sed 's/^# \{0,1\}//'; exit 2 ;;
esac
