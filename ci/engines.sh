#!/usr/bin/env bash
# Runs the integration tests on engines that this machine has not installed, each from a directory that mmdebstrap makes in
# build/engines from the package mirror, and prints a table.
#
#   ci/engines.sh [ENGINE…] [-- CTEST OPTION…]    default: every engine, -L integration
#     docker-trixie      dockerd of Debian 13
#     docker-rootless    dockerd of Debian 12, of an ordinary user (in a user namespace), whose the tests are too
#     podman             podman's service of Debian 12
#
# Each engine has a root, a network and data of its own, and is stopped afterwards. Needs root. Tests that start an engine of
# their own, and those that ask none, are left out. A test that needs what this engine or its user has not is skipped and says
# why; elsewhere that would be a failure.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source-path=SCRIPTDIR source=lib.sh
. ci/lib.sh

declare -A release=([docker-trixie]=trixie [docker-rootless]=bookworm [podman]=bookworm)
declare -A packages=([docker-trixie]="docker.io,procps,iptables,ca-certificates"
  [docker-rootless]="docker.io,procps,iptables,ca-certificates,rootlesskit,slirp4netns,uidmap,iproute2"
  [podman]="podman,procps,runc,catatonit,netavark,aardvark-dns,iptables,ca-certificates")
# The engines that are an ordinary user's.
declare -A owner=([docker-rootless]=4242)

# Its user must not ask anything of the machine: slirp4netns gets a tun device that everybody may open.
be_rootless() {
  local data=$1.data run=$1.run uid=$2
  export XDG_RUNTIME_DIR=/run/user HOME=$run PATH=$PATH:/usr/share/docker.io/contrib
  mkdir "$XDG_RUNTIME_DIR"
  mknod -m 666 /run/tun c 10 200
  mount --bind /run/tun /dev/net/tun
  chown "$uid:$uid" "$XDG_RUNTIME_DIR" "$data" "$run"
  exec setpriv --reuid "$uid" --regid "$uid" --clear-groups dockerd-rootless.sh --data-root "$data" -H "unix://$run/engine.sock"
}

# Podman's default limits are higher than root may set where it has no CAP_SYS_RESOURCE: containers keep those that are.
be_podman() {
  local data=$1.data run=$1.run
  printf '[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n' >/etc/containers/containers.conf
  mkdir "$run/bin"
  cat >"$run/bin/runc" <<'RUNTIME'
#!/bin/sh
previous=
for word in "$@"; do
  file=
  case $previous in --bundle) file=$word/config.json ;; --process) file=$word ;; esac
  [ -z "$file" ] || perl -pi -e 's/"rlimits":\[[^\]]*\]/"rlimits":[]/' "$file"
  previous=$word
done
exec /usr/sbin/runc "$@"
RUNTIME
  chmod 755 "$run/bin/runc"
  exec podman --root "$data" --runroot "$run/containers" --runtime "$run/bin/runc" system service --time 0 "unix://$run/engine.sock"
}

# Becomes the engine: in a mount namespace whose root is the engine's directory. What tests bind has to be there under its own name.
be_engine() {
  local name=$1 store=$2 root=$2/$1 each
  mount --bind "$root" "$root"
  for each in /proc /sys /dev /tmp "$PWD" "$store/$name.data" "$store/$name.run"; do
    mkdir -p "$root$each"
    mount --rbind "$each" "$root$each"
  done
  mount -t tmpfs tmpfs "$root/run"
  cd "$root"
  pivot_root . .
  umount -l .
  cd /
  if [ "$name" = podman ]; then be_podman "$store/$name"; fi
  if [ -n "${owner[$name]:-}" ]; then be_rootless "$store/$name" "${owner[$name]}"; fi
  exec dockerd --data-root "$store/$name.data" --exec-root "$store/$name.run/exec" --pidfile "$store/$name.run/pid" \
    -H "unix://$store/$name.run/engine.sock"
}
if [ "${1:-}" = --be ]; then be_engine "$2" "$3"; fi

apart=
if [ "${1:-}" = --apart ]; then apart=yes; shift; fi
engines=()
while [ $# -gt 0 ]; do
  case $1 in
    -h|--help) usage ci/engines.sh; exit 0 ;;
    --) shift; break ;;
    *)
      [ -n "${release[$1]:-}" ] || { echo "ci/engines.sh: no engine '$1'; there are: ${!release[*]}" >&2; exit 2; }
      engines+=("$1")
      shift
      ;;
  esac
done
[ ${#engines[@]} -gt 0 ] || engines=(docker-trixie docker-rootless podman)
options=("$@")
[ $# -gt 0 ] || options=(-L integration -E '\.(outage|bench|template|audit|patch|gate)\.|jobs.(scenarios_are|an_engine_that)')
[ "$(id -u)" -eq 0 ] || { echo "ci/engines.sh: needs root" >&2; exit 3; }

# What a test mounts, the engine must see; nobody else need. So the rest is in a mount namespace whose mounts are shared, and the
# engine has a slave of it.
if [ -z "$apart" ]; then
  need_packages "${build_packages[@]}" "${base_packages[@]}" util-linux iproute2
  need_packages_without_services "${test_packages[@]}"
  build dev
  ci/engine.sh ensure
  images/build.sh
  exec unshare --mount --propagation private ci/engines.sh --apart "${engines[@]}" -- "${options[@]}"
fi
mount --make-rshared /
store=$PWD/build/engines
mkdir -p "$store"

make_root() {
  local name=$1 url
  [ -e "$store/$name/.made" ] && return
  url=$(mirror)
  say "$name: making its root (mmdebstrap)"
  rm -rf "${store:?}/$name"
  mmdebstrap --quiet --variant=minbase --aptopt='APT::Sandbox::User "root"' --include="${packages[$name]}" \
    "${release[$name]}" "$store/$name" "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $url ${release[$name]} main"
  [ -z "${owner[$name]:-}" ] || chroot "$store/$name" useradd --uid "${owner[$name]}" --no-create-home rogate
  touch "$store/$name/.made"
}

engine=
address=
stop_engine() {
  [ -n "$engine" ] || return 0
  local each namespace
  namespace=$(readlink "/proc/$engine/ns/mnt" || true)
  # Podman's containers would outlive it.
  docker -H "$address" ps -q 2>/dev/null | xargs -r docker -H "$address" rm -f >/dev/null 2>&1 || true
  kill "$engine" 2>/dev/null || true
  wait "$engine" 2>/dev/null || true
  # Podman's helpers (conmon of commands that were executed, its name server) outlive it, too.
  for each in /proc/[0-9]*; do
    if [ -n "$namespace" ] && [ "$(readlink "$each/ns/mnt" 2>/dev/null)" = "$namespace" ]; then kill "${each#/proc/}" 2>/dev/null || true; fi
  done
  engine=
}
trap stop_engine EXIT

start_engine() {
  local name=$1
  if [ -n "${owner[$name]:-}" ] && ! setpriv --reuid "${owner[$name]}" --clear-groups test -x "$PWD"; then
    echo "ci/engines.sh: $name: its user may not enter $PWD; take a clone that everybody may read" >&2
    exit 3
  fi
  rm -rf "$store/$name.run"
  mkdir -p "$store/$name.run" "$store/$name.data"
  unshare --net --mount --propagation slave ci/engines.sh --be "$name" "$store" >"$store/$name.log" 2>&1 </dev/null &
  engine=$!
  for _ in $(seq 300); do
    docker -H "unix://$store/$name.run/engine.sock" version >/dev/null 2>&1 && break
    [ -d "/proc/$engine" ] || break
    sleep 0.2
  done
  if ! docker -H "unix://$store/$name.run/engine.sock" version >/dev/null; then
    echo "ci/engines.sh: $name does not answer; the end of $store/$name.log:" >&2
    tail -n 20 "$store/$name.log" >&2
    exit 3
  fi
  nsenter --net="/proc/$engine/ns/net" ip link set lo up
}

# beside ENGINE COMMAND…: in its network, as its user. What ctest keeps for the next time is not for this user.
beside() {
  local name=$1 uid=${owner[$1]:-}
  shift
  [ -z "$uid" ] || set -- unshare --mount sh -c 'mount -t tmpfs -o mode=1777 tmpfs build/dev/Testing && exec "$@"' sh \
    setpriv --reuid "$uid" --regid "$uid" --clear-groups env "HOME=$store/$name.run" "$@"
  DOCKER_HOST=unix://$store/$name.run/engine.sock ROGATE_TESTS_MAY_SKIP=yes nsenter --net="/proc/$engine/ns/net" "$@"
}

table=$store/table
: >"$table"
for name in "${engines[@]}"; do
  make_root "$name"
  start_engine "$name"
  address=unix://$store/$name.run/engine.sock
  say "$name: loading the images"
  docker save rogate/base:bookworm rogate/nginx:bookworm rogate/nginx:latest rogate/redis:bookworm rogate/redis:latest \
    rogate/postgresql:bookworm rogate/postgresql:latest | docker -H "$address" load >/dev/null
  version=$(docker -H "$address" version -f '{{range .Server.Components}}{{.Name}} {{.Version}}, {{end}}' 2>/dev/null || true)
  say "$name: testing (${version%, })"
  beside "$name" ctest --test-dir build/dev --timeout 300 --output-on-failure --no-tests=error \
    --output-junit "$store/$name.run/tests.xml" "${options[@]}" >"$store/$name.tests" 2>&1 || true
  python3 - "$name" "$store/$name.run/tests.xml" "$store/$name.skipped" >>"$table" <<'PYTHON'
import collections
import re
import sys
import xml.etree.ElementTree
cases = xml.etree.ElementTree.parse(sys.argv[2]).getroot().findall("testcase")
of = lambda status: [each.get("name") for each in cases if each.get("status") in status]
print("{}\t{}\t{}\t{}\t{}".format(sys.argv[1], len(of(["run"])), len(of(["fail"])), len(of(["notrun", "disabled"])), " ".join(of(["fail"]))))
reasons = collections.Counter()
for each in cases:
    if each.get("status") in ("notrun", "disabled"):
        reasons.update(re.findall("^skipped: (.*)$", each.findtext("system-out", ""), re.MULTILINE)[:1] or ["it did not say why"])
with open(sys.argv[3], "w") as out:
    for reason, count in reasons.most_common():
        print(f"{sys.argv[1]}: {count} skipped: {reason}", file=out)
PYTHON
  stop_engine
done
printf '%-15s %7s %7s %8s  %s\n' engine passed failed skipped 'failed tests'
while IFS=$'\t' read -r name passed failed skipped which; do
  printf '%-15s %7s %7s %8s  %s\n' "$name" "$passed" "$failed" "$skipped" "$which"
done <"$table"
for name in "${engines[@]}"; do cat "$store/$name.skipped"; done
! cut -f 3 "$table" | grep -qv '^0$'
