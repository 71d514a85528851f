#!/usr/bin/env bash
# Makes sure of a Docker engine.
#
#   ci/engine.sh ensure   use the engine that DOCKER_HOST, the docker context or the default socket reaches; only if
#                         there is none, install Debian's docker.io and start dockerd
#   ci/engine.sh stop     stop the dockerd that `ensure` started, and no other
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source-path=SCRIPTDIR source=lib.sh
. ./lib.sh

log=/var/log/rogate-dockerd.log
pidfile=/var/run/rogate-dockerd.pid
socket=/var/run/docker.sock

reached() { command -v docker >/dev/null && docker version -f '{{.Server.Version}}' >/dev/null 2>&1; }

# Where nobody reaps, in a container for example, a process that has ended stays as a zombie.
runs() { grep -qs '^State:.[^Z]' "/proc/$1/status"; }
is_dockerd() { [ -n "$1" ] && [ "$(cat "/proc/$1/comm" 2>/dev/null)" = dockerd ] && runs "$1"; }

start() {
  say "no engine is running: starting dockerd (log: $log); stop it with: ci/engine.sh stop"
  # A dockerd that was killed leaves its pid file, and the next one would refuse to start.
  is_dockerd "$(cat /var/run/docker.pid 2>/dev/null)" || as_root rm -f /var/run/docker.pid
  # Without an init system nobody has mounted the control groups.
  grep -q ' /sys/fs/cgroup' /proc/self/mounts || as_root mount -t cgroup2 cgroup2 /sys/fs/cgroup
  as_root sh -c "setsid dockerd >'$log' 2>&1 </dev/null & echo \$! >'$pidfile'"
  local pid
  pid=$(cat "$pidfile")
  for _ in $(seq 300); do
    # The socket is root's and the group docker's, which this user is not in.
    if [ "$(id -u)" -ne 0 ] && [ -S "$socket" ] && ! [ -w "$socket" ]; then as_root chown "$(id -u)" "$socket"; fi
    reached && return
    runs "$pid" || break
    sleep 0.2
  done
  if runs "$pid"; then
    echo "ci/engine.sh: dockerd runs and does not answer; the end of $log:" >&2
  else
    as_root rm -f "$pidfile"
    echo "ci/engine.sh: dockerd has ended; the end of $log:" >&2
  fi
  as_root tail -n 20 "$log" >&2
  exit 3
}

ensure() {
  reached && return
  if [ -n "${DOCKER_HOST:-}" ] && command -v docker >/dev/null; then
    docker version >/dev/null || true  # says why
    echo "ci/engine.sh: no engine answers at DOCKER_HOST=$DOCKER_HOST; start it, or unset DOCKER_HOST" >&2
    exit 3
  fi
  # Somebody else's installation, docker-ce for example, is not to be replaced.
  if ! { command -v docker && command -v dockerd; } >/dev/null; then
    # An engine may be running already, with only the client missing, and where one is started, it is to be the one that
    # `stop` knows.
    need_packages_without_services "${engine_packages[@]}"
    reached && return
    [ -z "${DOCKER_HOST:-}" ] || ensure
  fi
  if [ "$(id -u)" -ne 0 ] && as_root docker version >/dev/null 2>&1; then
    echo "ci/engine.sh: an engine is running, but $(id -un) may not use it; run: sudo usermod -aG docker $(id -un)" >&2
    echo "ci/engine.sh: then log in again; or run the script as root" >&2
    exit 3
  fi
  start
}

stop() {
  local pid
  pid=$(cat "$pidfile" 2>/dev/null) || { echo "ci/engine.sh: no dockerd was started by it" >&2; return; }
  if is_dockerd "$pid"; then
    as_root kill "$pid"
    for _ in $(seq 100); do
      runs "$pid" || break
      sleep 0.2
    done
    if runs "$pid"; then
      echo "ci/engine.sh: dockerd (process $pid) does not end; see $log" >&2
      exit 3
    fi
    say "dockerd is stopped"
  fi
  as_root rm -f "$pidfile"
}

case ${1:-} in
  ensure) ensure ;;
  stop) stop ;;
  -h|--help) usage engine.sh ;;
  *) usage engine.sh >&2; exit 2 ;;
esac
