#!/bin/sh
# Installs a released rogate: fetches the archive by its version, verifies its sum, and puts program, manual pages, completions and
# docker's plugin below a folder.
#
#   ROGATE_BASE_URL=https://… ROGATE_INSTALL_VERSION=0.1.0 ci/install.sh
#     ROGATE_BASE_URL         the folder of releases: BASE/VERSION/ has the archive and SHA256SUMS
#     ROGATE_INSTALL_VERSION  which one
#     ROGATE_PREFIX           where to (default: /usr/local, or ~/.local for who is not root)
set -eu

die() { echo "install.sh: $*" >&2; exit 1; }
case ${1:-} in -h|--help) sed -n '2,/^[^#]/ { /^#/ !d; s/^# \{0,1\}//; p }' "$0"; exit 0 ;; esac

base=${ROGATE_BASE_URL:?set ROGATE_BASE_URL to the folder of releases}
version=${ROGATE_INSTALL_VERSION:?set ROGATE_INSTALL_VERSION, for example 0.1.0}
if [ "$(id -u)" -eq 0 ]; then default=/usr/local; else default=$HOME/.local; fi
prefix=${ROGATE_PREFIX:-$default}

if command -v curl >/dev/null; then
  fetch() { curl --fail --silent --show-error --location --output "$2" "$1"; }
elif command -v wget >/dev/null; then
  fetch() { wget -q -O "$2" "$1"; }
else
  die "neither curl nor wget is here"
fi
command -v sha256sum >/dev/null || die "sha256sum is not here, so that nothing can be verified"

case $(uname -m) in
  x86_64|amd64) arch=amd64 ;;
  aarch64|arm64) arch=arm64 ;;
  *) die "there is no rogate for $(uname -m): amd64 and arm64 are what is released" ;;
esac
archive=rogate-$version-linux-$arch.tar.gz
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fetch "$base/$version/SHA256SUMS" "$work/SHA256SUMS" || die "cannot fetch $base/$version/SHA256SUMS"
fetch "$base/$version/$archive" "$work/$archive" || die "cannot fetch $base/$version/$archive"
grep -F "  $archive" "$work/SHA256SUMS" >"$work/sum" || die "SHA256SUMS does not name $archive"
(cd "$work" && sha256sum -c --quiet sum) || die "$archive is not what SHA256SUMS says; nothing was installed"

mkdir -p "$prefix"
tar -xzf "$work/$archive" -C "$prefix" --strip-components=1 --no-same-owner
"$prefix/bin/rogate" --version >/dev/null || die "$prefix/bin/rogate does not run here"
echo "installed $("$prefix/bin/rogate" --version | head -n 1) into $prefix/bin"
case :$PATH: in *":$prefix/bin:"*) ;; *) echo "$prefix/bin is not on your PATH" ;; esac
