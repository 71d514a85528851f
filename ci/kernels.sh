#!/usr/bin/env bash
# Runs the table of kernel truth on the kernels of Debian 11, 12, 13 and testing, each in a virtual machine of QEMU's (software
# emulation: a minute or so each). Says per kernel which of the observer's hooks ran, how many calls were made and refused, and
# how many of the refusals were seen, missed or invented: on a machine of its own (truth), and with neighbours that interrupt the
# observer (crowd), where an attempt may be doubted, but none be lost.
#
#   ci/kernels.sh [--arch ARCH] [RELEASE…]    default: amd64, bullseye bookworm trixie forky
#
# The kernels are Debian's linux-image-cloud-ARCH, fetched by apt-get from this machine's mirror into build/kernels.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source-path=SCRIPTDIR source=lib.sh
. ci/lib.sh
arch=amd64
case ${1:-} in
  -h|--help) usage ci/kernels.sh; exit 0 ;;
  --arch) arch=${2:?}; shift 2 ;;
esac
[ $# -gt 0 ] || set -- bullseye bookworm trixie forky

store=$PWD/build/kernels
case $arch in
  amd64) emulator=(qemu-system-x86_64 -accel tcg -cpu max) console=ttyS0 machine_packages=(qemu-system-x86) ;;
  arm64) emulator=(qemu-system-aarch64 -M virt -cpu max) console=ttyAMA0 machine_packages=(qemu-system-arm); store+=/arm64 ;;
  *) usage ci/kernels.sh >&2; exit 2 ;;
esac
need_packages "${build_packages[@]}" cpio "${machine_packages[@]}"
agent=build/dev/harness/observe/agent/rogate-observer
programs=build/dev/tests/programs
suffix=''
if [ "$arch" = "$(dpkg --print-architecture)" ]; then
  build dev --target rogate-observer write_calls capabilities kernel_truth
else
  suffix=-$arch
  build dev --target "rogate-observer-for-$arch" "write_calls-for-$arch" "capabilities-for-$arch" "kernel_truth-for-$arch"
fi
[ -s "$agent$suffix" ] || { echo "ci/kernels.sh: build/dev was configured without a compiler for $arch" >&2; exit 3; }
mkdir -p "$store"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# fetch RELEASE: the kernel as $store/RELEASE, with an apt that knows nothing but that release.
fetch() {
  local release=$1 apt=$work/apt-$1 package binary url options
  [ -s "$store/$release" ] && return
  url=$(mirror)
  mkdir -p "$apt"/{lists/partial,cache/archives/partial,unpacked}
  : >"$apt/status"
  echo "deb [arch=$arch signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $url $release main" \
    >"$apt/sources.list"
  options=(-o "Dir::Etc::sourcelist=$apt/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$apt/lists"
    -o "Dir::State::status=$apt/status" -o "Dir::Cache=$apt/cache" -o APT::Sandbox::User=root -o Acquire::Languages=none
    -o "APT::Architecture=$arch" -o "APT::Architectures::=$arch")
  say "fetching the kernel of $release"
  apt-get "${options[@]}" update -qq
  package=$(apt-cache "${options[@]}" depends "linux-image-cloud-$arch" | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p')
  # Since Debian 14 the kernel itself is in a package of its own.
  binary=$(apt-cache "${options[@]}" depends "$package" | sed -n 's/.*Depends: \(linux-binary-[0-9].*\)/\1/p')
  (cd "$apt" && apt-get "${options[@]}" download -qq "${binary:-$package}")
  dpkg-deb --fsys-tarfile "$apt"/*.deb | tar -x -C "$apt/unpacked"
  find "$apt/unpacked" -name 'vmlinuz*' -type f -exec cp {} "$store/$release" \;
}

mkdir "$work/root"
cp "$agent$suffix" "$work/root/agent"
cp "$programs/write_calls$suffix" "$work/root/write_calls"
cp "$programs/capabilities$suffix" "$work/root/capabilities"
cp "$programs/kernel_truth$suffix" "$work/root/init"
(cd "$work/root" && printf '%s\n' agent write_calls capabilities init | cpio -o -H newc --quiet) >"$work/initrd"

failed=0
# Without fexit (arm64 before 6.4) they are looked for by probes, which not every kernel has.
or_none=''
[ "$arch" != arm64 ] || or_none='|not seen'

# is_true WHOSE REST: with a machine to itself (truth), and with neighbours that interrupt the observer (crowd).
is_true() {
  local log=$work/$release.log
  grep -aqE "^$1: [0-9]+ calls, [1-9][0-9]* refused, [0-9]+ seen, 0 missed, 0 invented, 0 lost$2" "$log" &&
    grep -aqE "^$1 checks: (14 used, 13 denied, 0 lost$or_none)" "$log"
}

for release in "$@"; do
  fetch "$release"
  say "$release ($arch)"
  timeout 900 "${emulator[@]}" -m 768 -smp 1 -nographic -no-reboot -nic none -kernel "$store/$release" \
    -initrd "$work/initrd" -append "console=$console loglevel=3 panic=-1 ${ROGATE_OBSERVER_DEBUG:+ROGATE_OBSERVER_DEBUG=1}" </dev/null >"$work/$release.log" 2>&1 || true
  tr -d '\r' <"$work/$release.log" | grep -aoE '(kernel|hooks|(truth|crowd)( checks)?|missed|invented|kernel_truth): .*' | sort -u | sed 's/^/  /' || true
  if is_true truth ', 0 doubtful' && is_true crowd ''; then
    continue
  else
    failed=1
    say "$release: the observer is not true on this kernel; the console's last lines:"
    tail -n 5 "$work/$release.log" >&2
  fi
done
exit $failed
