# Images made from Debian's packages; sourced after ci/lib.sh, not run.
# shellcheck shell=bash

# The mirrors that this machine installs from, if it is a Debian 12, in the one-line form.
mirrors() {
  local all
  # shellcheck disable=SC2016  # apt fills these in
  all=$(apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) main' \
    'Created-By: Packages' 'Origin: Debian' 'Component: main' 2>/dev/null | grep -E ' bookworm(-updates|-security)? main$' | sort -u)
  grep -q ' bookworm main$' <<<"$all" && printf '%s\n' "$all"
}

# rogate/base:bookworm, by mmdebstrap from the package mirror, unless it is there.
make_base() {
  local work option options=() sources=()
  docker image inspect rogate/base:bookworm >/dev/null 2>&1 && return
  # shellcheck disable=SC2154  # it is in lib.sh
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

# A recipe's files as one archive that is the same on every machine, whatever its clock, users and umask.
recipe() { tar -C "$1" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=u+rw,go=rX -cf - "${@:2}"; }

# build_image BASE TAG FOLDER FILE…: what FOLDER's Dockerfile says with these files, unless TAG is that already.
build_image() {
  local base=$1 tag=$2 folder=$3 base_id content log failed=0
  shift 3
  base_id=$(docker image inspect -f '{{.Id}}' "$base")
  content=$({ echo "$base_id"; recipe "$folder" "$@"; } | sha256sum | cut -d' ' -f1)
  [ "$(docker image inspect -f '{{index .Config.Labels "org.rogate.recipe"}}' "$tag" 2>/dev/null)" != "$content" ] || return 0
  say "building $tag"
  log=$(mktemp)
  # The host's network: a build needs the package mirror and nothing else, and name resolution inside a bridge network
  # depends on the host. The classic builder: Debian's docker.io comes without buildx.
  recipe "$folder" "$@" | DOCKER_BUILDKIT=0 docker build --network host --build-arg BASE="$base" \
    --label "org.rogate.recipe=$content" -t "$tag" - >"$log" 2>&1 || failed=1
  if [ "$failed" -ne 0 ]; then
    tail -n 40 "$log" >&2
    echo "${0##*/}: $tag could not be built" >&2
  fi
  rm -f "$log"
  return "$failed"
}
