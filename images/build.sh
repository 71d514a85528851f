#!/usr/bin/env bash
# Builds the sample images rogate/nginx, rogate/redis and rogate/postgresql from Debian's packages.
#
#   images/build.sh [--base IMAGE] [NAME…]
#
# --base IMAGE  what the Dockerfiles start from, for example debian:bookworm-slim where a registry can be reached.
#               Without it, rogate/base:bookworm is used, which mmdebstrap makes from the package mirror.
# An image whose recipe and base have not changed is not built again.
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source=../ci/lib.sh
. ../ci/lib.sh

base=
names=()
while [ $# -gt 0 ]; do
  case $1 in
    --base) base=${2:?--base needs an image}; shift 2 ;;
    -h|--help) sed -n '2,9p' "$0" | sed 's/^# \{0,1\}//'; exit 0 ;;
    -*) echo "images/build.sh: unknown option $1; see --help" >&2; exit 2 ;;
    *) names+=("$1"); shift ;;
  esac
done
[ ${#names[@]} -gt 0 ] || names=(nginx redis postgresql)

make_base() {
  local tar
  docker image inspect rogate/base:bookworm >/dev/null 2>&1 && return
  need_packages mmdebstrap ca-certificates
  say "making the base image from the package mirror (mmdebstrap)"
  tar=$(mktemp)
  # shellcheck disable=SC2064
  trap "rm -f '$tar'" EXIT
  # apt's own sandbox user cannot read a folder that only root may read, such as root's temporary ones.
  as_root mmdebstrap --quiet --format=tar --variant=minbase --aptopt='APT::Sandbox::User "root"' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' bookworm - >"$tar"
  docker import --change 'CMD ["bash"]' --change 'LABEL org.rogate.sample=base' "$tar" rogate/base:bookworm >/dev/null
  rm -f "$tar"
  trap - EXIT
}

[ -n "$base" ] || { make_base; base=rogate/base:bookworm; }
base_id=$(docker image inspect -f '{{.Id}}' "$base" 2>/dev/null || { docker pull -q "$base" >/dev/null && docker image inspect -f '{{.Id}}' "$base"; })

for name in "${names[@]}"; do
  [ -f "$name/Dockerfile" ] || { echo "images/build.sh: there is no image '$name' (images/$name/Dockerfile)" >&2; exit 2; }
  recipe=$( (echo "$base_id"; cd "$name" && find . -type f -print0 | sort -z | xargs -0 sha256sum) | sha256sum | cut -d' ' -f1)
  if [ "$(docker image inspect -f '{{index .Config.Labels "org.rogate.recipe"}}' "rogate/$name" 2>/dev/null)" = "$recipe" ]; then
    continue
  fi
  say "building rogate/$name"
  # The host's network: a build needs the package mirror and nothing else, and name resolution inside a bridge network
  # depends on the host. The classic builder: Debian's docker.io comes without buildx.
  log=$(mktemp)
  if ! DOCKER_BUILDKIT=0 docker build --network host --build-arg BASE="$base" --label "org.rogate.recipe=$recipe" \
      -t "rogate/$name" -t "rogate/$name:bookworm" "$name" >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    rm -f "$log"
    echo "images/build.sh: rogate/$name could not be built" >&2
    exit 1
  fi
  rm -f "$log"
done
