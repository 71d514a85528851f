#!/usr/bin/env bash
# Makes what is released: .deb, .rpm, an archive with manual pages and completions, an SBOM, and the sums of them all.
#
#   ci/release.sh [--check] [DIR]    default: build/release-VERSION
#     --check    build a second time, in another folder, and compare byte for byte
#
# The same commit gives the same bytes on the same Debian: nothing depends on the time, the folder or the order of files.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source-path=SCRIPTDIR source=lib.sh
. ci/lib.sh
check=''
case ${1:-} in
  -h|--help) usage ci/release.sh; exit 0 ;;
  --check) check=yes; shift ;;
esac
version=$(sed -n 's/^project(rogate VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
out=$(realpath -m "${1:-build/release-$version}")
[ -z "$(git status --porcelain)" ] || { echo "ci/release.sh: there are changes that are not committed" >&2; exit 2; }

need_packages "${build_packages[@]}" rpm
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH TZ=UTC LC_ALL=C.UTF-8
umask 022

# make_packages SOURCE TO: builds the sources in SOURCE and leaves packages in TO.
make_packages() {
  local source=$1 to=$2 build=$1/build/package
  "$source/ci/sysroot.sh" arm64
  say "building in $source"
  # The build's own folder must not show in the program.
  cmake -S "$source" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DROGATE_WERROR=OFF \
    -DCMAKE_C_FLAGS="-ffile-prefix-map=$source=." -DCMAKE_CXX_FLAGS="-ffile-prefix-map=$source=." >/dev/null
  cmake --build "$build" --target rogate rogate_pages >/dev/null
  mkdir -p "$to"
  (cd "$build" && cpack --config CPackConfig.cmake -B "$to/cpack" >/dev/null)
  find "$to/cpack" -maxdepth 1 -type f \( -name '*.deb' -o -name '*.rpm' -o -name '*.tar.gz' \) -exec mv {} "$to" \;
  rm -rf "$to/cpack"
  ci/sbom.py "$build/rogate" "$version" "$SOURCE_DATE_EPOCH" >"$to/rogate-$version.spdx.json"
  local sums
  sums=$(cd "$to" && sha256sum -- *)
  printf '%s\n' "$sums" >"$to/SHA256SUMS"
}

# The committed files alone, in a folder of their own.
sources_in() {
  rm -rf "$1"
  git clone --quiet --local --no-hardlinks . "$1"
}

rm -rf "$out"
sources_in build/package-source
make_packages "$(realpath build/package-source)" "$out"
if [ -n "$check" ]; then
  sources_in build/package-source-of-the-second-build
  second=$(mktemp -d)
  make_packages "$(realpath build/package-source-of-the-second-build)" "$second"
  if ! diff "$out/SHA256SUMS" "$second/SHA256SUMS"; then
    echo "ci/release.sh: two builds of one commit differ" >&2
    exit 1
  fi
  rm -rf "$second" build/package-source-of-the-second-build
  say "two builds are equal"
fi
say "released into $out:"
cat "$out/SHA256SUMS"
