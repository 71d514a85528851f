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
# shellcheck source-path=SCRIPTDIR source=../ci/images.sh
. ../ci/images.sh

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

[ -n "$base" ] || { make_base; base=rogate/base:bookworm; }
docker image inspect "$base" >/dev/null 2>&1 || docker pull -q "$base" >/dev/null

for name in "${names[@]}"; do
  [ -f "$name/Dockerfile" ] || { echo "images/build.sh: there is no image '$name' (images/$name/Dockerfile)" >&2; exit 2; }
  build_image "$base" "rogate/$name:latest" "$name" .
  docker tag "rogate/$name:latest" "rogate/$name:bookworm"
done
