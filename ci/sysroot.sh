#!/usr/bin/env bash
# Fetches Debian's libraries of another architecture, and nothing of this machine's packages changes: with them, and Debian's
# cross compiler, rogate is built for that architecture, and carries the observers of engines that have it.
#
#   ci/sysroot.sh ARCH [whole]    ARCH: arm64 or amd64; into build/sysroot/ARCH
#     whole    what rogate itself needs, and not only its observers
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source-path=SCRIPTDIR source=lib.sh
. ci/lib.sh
case ${1:-} in
  -h|--help) usage ci/sysroot.sh; exit 0 ;;
  arm64|amd64) ;;
  *) usage ci/sysroot.sh >&2; exit 2 ;;
esac
arch=$1
packages=(libbpf-dev libelf-dev zlib1g-dev)
[ "${2:-}" != whole ] || packages+=(libssl-dev libfmt-dev libyaml-cpp-dev libarchive-dev libgtest-dev libgmock-dev)
root=$PWD/build/sysroot/$arch
wanted=${packages[*]}
[ "$(cat "$root/.packages" 2>/dev/null)" != "$wanted" ] || exit 0
say "fetching libraries of $arch"
apt=$root/apt
rm -rf "$root"
mkdir -p "$apt"/{lists/partial,cache/archives/partial}
: >"$apt/status"
echo "deb [arch=$arch signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(mirror) bookworm main" >"$apt/sources.list"
options=(-o "Dir::Etc::sourcelist=$apt/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$apt/lists"
  -o "Dir::State::status=$apt/status" -o "Dir::Cache=$apt/cache" -o APT::Sandbox::User=root -o Acquire::Languages=none
  -o "APT::Architecture=$arch" -o "APT::Architectures::=$arch")
apt-get "${options[@]}" update -qq
# All that they depend on; what a program of C is linked with comes with the compiler.
mapfile -t needed < <(apt-get "${options[@]}" install -y --no-install-recommends --print-uris -qq "${packages[@]}" |
  sed -n "s/^'[^']*' \([^_]*\)_.*/\1/p" | grep -E '^(lib|zlib)' | grep -vx libc6-dev)
(cd "$apt" && apt-get "${options[@]}" download -qq "${needed[@]}")
for package in "$apt"/*.deb; do dpkg-deb --extract "$package" "$root"; done
rm -rf "$apt" "$root/usr/share/doc" "$root/usr/share/locale"
echo "$wanted" >"$root/.packages"
