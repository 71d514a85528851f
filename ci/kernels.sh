#!/usr/bin/env bash
# Runs the table of kernel truth on the kernels of Debian 11, 12 and 13, each in a virtual machine of QEMU's (software
# emulation: a minute or so each). Says per kernel which of the observer's hooks ran, how many calls were made and refused, and
# how many of the refusals were seen, missed or invented.
#
#   ci/kernels.sh [RELEASE…]    default: bullseye bookworm trixie
#
# The kernels are Debian's linux-image-cloud-amd64, fetched by apt-get from this machine's mirror into build/kernels.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source-path=SCRIPTDIR source=lib.sh
. ci/lib.sh
case ${1:-} in -h|--help) usage ci/kernels.sh; exit 0 ;; esac
[ $# -gt 0 ] || set -- bullseye bookworm trixie

need_packages "${build_packages[@]}" "${kernel_packages[@]}"
build dev --target rogate-observer write_calls kernel_truth
store=$PWD/build/kernels
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
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $url $release main" \
    >"$apt/sources.list"
  options=(-o "Dir::Etc::sourcelist=$apt/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$apt/lists"
    -o "Dir::State::status=$apt/status" -o "Dir::Cache=$apt/cache" -o APT::Sandbox::User=root -o Acquire::Languages=none)
  say "fetching the kernel of $release"
  apt-get "${options[@]}" update -qq
  package=$(apt-cache "${options[@]}" depends linux-image-cloud-amd64 | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p')
  # Since Debian 14 the kernel itself is in a package of its own.
  binary=$(apt-cache "${options[@]}" depends "$package" | sed -n 's/.*Depends: \(linux-binary-[0-9].*\)/\1/p')
  (cd "$apt" && apt-get "${options[@]}" download -qq "${binary:-$package}")
  dpkg-deb --fsys-tarfile "$apt"/*.deb | tar -x -C "$apt/unpacked"
  find "$apt/unpacked" -name 'vmlinuz*' -type f -exec cp {} "$store/$release" \;
}

mkdir "$work/root"
cp build/dev/harness/observe/agent/rogate-observer "$work/root/agent"
cp build/dev/tests/programs/write_calls "$work/root/write_calls"
cp build/dev/tests/programs/kernel_truth "$work/root/init"
(cd "$work/root" && printf '%s\n' agent write_calls init | cpio -o -H newc --quiet) >"$work/initrd"

failed=0
for release in "$@"; do
  fetch "$release"
  say "$release"
  timeout 900 qemu-system-x86_64 -accel tcg -cpu max -m 768 -smp 1 -nographic -no-reboot -nic none -kernel "$store/$release" \
    -initrd "$work/initrd" -append "console=ttyS0 loglevel=3 panic=-1 ${ROGATE_OBSERVER_DEBUG:+ROGATE_OBSERVER_DEBUG=1}" </dev/null >"$work/$release.log" 2>&1 || true
  tr -d '\r' <"$work/$release.log" | grep -aoE '(kernel|hooks|truth|missed|invented|kernel_truth): .*' | sort -u | sed 's/^/  /' || true
  truth=$(grep -aoE 'truth: .*' "$work/$release.log" | tr -d '\r' || true)
  if [[ $truth =~ ^truth:\ [0-9]+\ calls,\ [1-9][0-9]*\ refused,\ [0-9]+\ seen,\ 0\ missed,\ 0\ invented,\ 0\ doubtful,\ 0\ lost ]]; then
    continue
  else
    failed=1
    say "$release: the observer is not true on this kernel; the console's last lines:"
    tail -n 5 "$work/$release.log" >&2
  fi
done
exit $failed
