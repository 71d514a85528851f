#!/usr/bin/env bash
# Makes what is released, for amd64 and arm64: a program without shared libraries as .deb, .rpm, archive (with manual pages and
# completions) and container image, an SBOM for each, and the sums of them all.
#
#   ci/release.sh [--check] [--arch ARCH] [DIR]    default: both, build/release-VERSION
#     --check        build a second time, in another folder, and compare byte for byte
#     --arch ARCH    that one alone (amd64, arm64)
#
# The same commit gives the same bytes on the same Debian: nothing depends on the time, the folder or the order of files. The
# program of the other architecture comes from Debian's cross compiler, and writes its manual pages in QEMU's emulation.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source-path=SCRIPTDIR source=lib.sh
. ci/lib.sh
check=''
architectures=(amd64 arm64)
while [ $# -gt 0 ]; do
  case $1 in
    -h|--help) usage ci/release.sh; exit 0 ;;
    --check) check=yes; shift ;;
    --arch) architectures=("${2:?}"); shift 2 ;;
    *) break ;;
  esac
done
version=$(sed -n 's/^project(rogate VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
out=$(realpath -m "${1:-build/release-$version}")
[ -z "$(git status --porcelain)" ] || { echo "ci/release.sh: there are changes that are not committed" >&2; exit 2; }

need_packages "${build_packages[@]}" rpm
this=$(dpkg --print-architecture)
for arch in "${architectures[@]}"; do
  case $arch in
    "$this") ;;
    arm64) need_packages g++-aarch64-linux-gnu qemu-user-static ;;
    *) echo "ci/release.sh: rogate for $arch is not built on $this" >&2; exit 2 ;;
  esac
done
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH TZ=UTC LC_ALL=C.UTF-8
umask 022

# make_packages SOURCE TO ARCH: builds the sources in SOURCE and leaves packages in TO.
make_packages() {
  local source=$1 to=$2 arch=$3 build=$1/build/package-$3 options=()
  "$source/ci/sysroot.sh" arm64 whole
  [ "$arch" = "$this" ] || options=(--toolchain "$source/ci/$arch.cmake")
  say "building for $arch in $source"
  # The build's own folder must not show in the program.
  cmake -S "$source" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DROGATE_WERROR=OFF -DROGATE_STATIC=ON "${options[@]}" \
    -DCMAKE_C_FLAGS="-ffile-prefix-map=$source=." -DCMAKE_CXX_FLAGS="-ffile-prefix-map=$source=." >/dev/null
  cmake --build "$build" --target rogate rogate_pages >"$build/log" || { tail -n 40 "$build/log" >&2; exit 1; }
  mkdir -p "$to"
  (cd "$build" && cpack --config CPackConfig.cmake -B "$to/cpack" >/dev/null)
  find "$to/cpack" -maxdepth 1 -type f \( -name '*.deb' -o -name '*.rpm' -o -name '*.tar.gz' \) -exec mv {} "$to" \;
  tar -xzOf "$to/rogate-$version-linux-$arch.tar.gz" "rogate-$version-linux-$arch/bin/rogate" >"$to/cpack/rogate"
  ci/image.py "$to/cpack/rogate" "$version" "$SOURCE_DATE_EPOCH" "$arch" | gzip -n >"$to/rogate-$version-linux-$arch.image.tar.gz"
  ci/sbom.py "$to/cpack/rogate" "$version" "$SOURCE_DATE_EPOCH" >"$to/rogate-$version-linux-$arch.spdx.json"
  rm -rf "$to/cpack"
}

sum_up() {
  local sums
  sums=$(cd "$1" && sha256sum -- *)
  printf '%s\n' "$sums" >"$1/SHA256SUMS"
}

# The committed files alone, in a folder of their own.
sources_in() {
  rm -rf "$1"
  git clone --quiet --local --no-hardlinks . "$1"
}

# release_from SOURCE TO
release_from() {
  local arch
  sources_in "$1"
  for arch in "${architectures[@]}"; do make_packages "$(realpath "$1")" "$2" "$arch"; done
  cp "$1/ci/install.sh" "$2"
  sum_up "$2"
}

rm -rf "$out"
release_from build/package-source "$out"
if [ -n "$check" ]; then
  second=$(mktemp -d)
  release_from build/package-source-of-the-second-build "$second"
  if ! diff "$out/SHA256SUMS" "$second/SHA256SUMS"; then
    echo "ci/release.sh: two builds of one commit differ" >&2
    exit 1
  fi
  rm -rf "$second" build/package-source-of-the-second-build
  say "two builds are equal"
fi
say "released into $out:"
cat "$out/SHA256SUMS"
