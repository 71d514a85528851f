#!/usr/bin/env bash
# Builds the sample images rogate/nginx, rogate/redis and rogate/postgresql from Debian's packages.
#
#   images/build.sh [--base IMAGE] [NAME…]
#
# --base IMAGE  what the Dockerfiles start from, for example debian:bookworm-slim where a registry can be reached.
#               Without it, rogate/base:bookworm is used, and if that is missing, mmdebstrap makes it from the package
#               mirror: no registry is asked, so none is waited for.
# An image whose recipe and base have not changed is not built again. What was built is tagged :bookworm and :latest.
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source-path=SCRIPTDIR source=../ci/lib.sh
. ../ci/lib.sh

base=
names=()
while [ $# -gt 0 ]; do
  case $1 in
    --base) base=${2:?--base needs an image}; shift 2 ;;
    -h|--help) usage build.sh; exit 0 ;;
    -*) echo "images/build.sh: unknown option $1; see --help" >&2; exit 2 ;;
    *) names+=("$1"); shift ;;
  esac
done
[ ${#names[@]} -gt 0 ] || names=(nginx redis postgresql)

# The mirrors that this machine installs from, if it is a Debian 12, in the one-line form.
mirrors() {
  local all
  # shellcheck disable=SC2016  # apt fills these in
  all=$(apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) main' \
    'Created-By: Packages' 'Origin: Debian' 'Component: main' 2>/dev/null | grep -E ' bookworm(-updates|-security)? main$' | sort -u)
  grep -q ' bookworm main$' <<<"$all" && printf '%s\n' "$all"
}

make_base() {
  local work option options=() sources=()
  docker image inspect rogate/base:bookworm >/dev/null 2>&1 && return
  need_packages "${base_packages[@]}"
  say "making the base image from the package mirror (mmdebstrap)"
  work=$(mktemp -d)
  # shellcheck disable=SC2064
  trap "rm -rf '$work'" EXIT
  # On another system mmdebstrap takes the mirror that it knows itself.
  if mirrors >"$work/sources.list"; then sources=("$work/sources.list"); fi
  # How this machine reaches its mirror and what it forgives it (a proxy, a frozen mirror's dates) holds for the image too.
  while IFS= read -r option; do options+=(--aptopt="$option"); done \
    < <(apt-config dump 2>/dev/null | grep -E '^Acquire::(https?::Proxy|Check-Valid-Until|Check-Date) ')
  # apt's own sandbox user cannot read a folder that only root may read, such as root's temporary ones.
  as_root mmdebstrap --quiet --format=tar --variant=minbase --aptopt='APT::Sandbox::User "root"' "${options[@]}" \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' bookworm - "${sources[@]}" >"$work/base.tar"
  docker import --change 'CMD ["bash"]' --change 'LABEL org.rogate.sample=base' "$work/base.tar" rogate/base:bookworm >/dev/null
  rm -rf "$work"
  trap - EXIT
}

[ -n "$base" ] || { make_base; base=rogate/base:bookworm; }
docker image inspect "$base" >/dev/null 2>&1 || docker pull -q "$base" >/dev/null
base_id=$(docker image inspect -f '{{.Id}}' "$base")

# A recipe's files as one archive that is the same on every machine, whatever its clock, users and umask.
recipe() { tar -C "$1" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=u+rw,go=rX -cf - .; }

log=$(mktemp)
trap 'rm -f "$log"' EXIT
for name in "${names[@]}"; do
  [ -f "$name/Dockerfile" ] || { echo "images/build.sh: there is no image '$name' (images/$name/Dockerfile)" >&2; exit 2; }
  content=$({ echo "$base_id"; recipe "$name"; } | sha256sum | cut -d' ' -f1)
  if [ "$(docker image inspect -f '{{index .Config.Labels "org.rogate.recipe"}}' "rogate/$name" 2>/dev/null)" = "$content" ]; then
    continue
  fi
  say "building rogate/$name"
  # The host's network: a build needs the package mirror and nothing else, and name resolution inside a bridge network
  # depends on the host. The classic builder: Debian's docker.io comes without buildx.
  if ! recipe "$name" | DOCKER_BUILDKIT=0 docker build --network host --build-arg BASE="$base" \
      --label "org.rogate.recipe=$content" -t "rogate/$name" -t "rogate/$name:bookworm" - >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    echo "images/build.sh: rogate/$name could not be built" >&2
    exit 1
  fi
done
