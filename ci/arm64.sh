#!/usr/bin/env bash
# Settles nginx and PostgreSQL on an arm64 engine, with both observers: Debian 12 for arm64 with its kernel and its dockerd in a
# virtual machine of QEMU's (software emulation: half an hour), driven by the rogate of this machine.
#
#   ci/arm64.sh [SCENARIO…]    default: scenarios/nginx scenarios/postgresql
#
# Needs root, an engine for building the images (ci/engine.sh), and 6 GiB below build/arm64-machine, where what was made is kept.
# Programs of arm64 are run by qemu-user-static, which is registered with the kernel while the images are made, and taken away
# again if it was not there before.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source-path=SCRIPTDIR source=lib.sh
. ci/lib.sh
case ${1:-} in -h|--help) usage ci/arm64.sh; exit 0 ;; esac
[ $# -gt 0 ] || set -- scenarios/nginx scenarios/postgresql
need_packages "${build_packages[@]}" "${base_packages[@]}" qemu-system-arm qemu-user-static arch-test e2fsprogs iproute2
build dev --target rogate
store=$PWD/build/arm64-machine
mkdir -p "$store"
machine='' space=''
registry=/proc/sys/fs/binfmt_misc
registered=''
# shellcheck disable=SC2317  # by the trap
finish() {
  [ -z "$machine" ] || kill "$machine" 2>/dev/null || true
  [ -z "$space" ] || kill "$space" 2>/dev/null || true
  [ -z "$registered" ] || echo -1 >"$registry/$registered"
}
trap finish EXIT

# binfmt_misc(5): an ELF file of 64 bits for AArch64; F: the emulator is opened now, so that it is there in every root.
register() {
  [ -e "$registry/register" ] || mount -t binfmt_misc none "$registry"
  [ ! -e "$registry/qemu-aarch64" ] || return 0
  registered=qemu-aarch64
  printf '%s' ':qemu-aarch64:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00:\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:/usr/bin/qemu-aarch64-static:F' >"$registry/register"
}

# root_of TO [PACKAGE…]: Debian 12 for arm64 with these packages, as an archive.
root_of() {
  local to=$1 option options=() package
  shift
  for package in "$@"; do options+=(--include="$package"); done
  while IFS= read -r option; do options+=(--aptopt="$option"); done \
    < <(apt-config dump 2>/dev/null | grep -E '^Acquire::(https?::Proxy|Check-Valid-Until|Check-Date) ')
  mmdebstrap --quiet --architectures=arm64 --format=tar --variant=minbase "${options[@]}" \
    --aptopt='APT::Sandbox::User "root"' --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' bookworm "$to" "$(mirror)"
}

make_images() {
  [ ! -s "$store/images.tar" ] || return 0
  say "making arm64 images (emulated)"
  # The engine that builds them takes them for its own architecture's; that changes nothing of what is in them.
  root_of "$store/base.tar"
  docker import --change 'CMD ["bash"]' "$store/base.tar" rogate-arm64/base >/dev/null
  for name in nginx postgresql; do
    tar -C "images/$name" -cf - . | DOCKER_BUILDKIT=0 docker build --network host \
      --build-arg BASE=rogate-arm64/base -t "rogate-arm64/$name" - >"$store/$name.log" 2>&1 || { tail "$store/$name.log" >&2; return 1; }
  done
  docker save -o "$store/images.tar" rogate-arm64/nginx rogate-arm64/postgresql
  docker rmi -f rogate-arm64/nginx rogate-arm64/postgresql rogate-arm64/base >/dev/null
  rm "$store/base.tar"
}

# The first process of the machine: what dockerd needs, the images, and dockerd.
first_process() {
  cat <<'INIT'
#!/bin/bash
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev 2>/dev/null
mkdir -p /dev/pts; mount -t devpts devpts /dev/pts; mount -t tmpfs tmpfs /run; mount -t tmpfs tmpfs /tmp
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -o remount,rw /
for each in virtio_net overlay br_netfilter veth bridge; do modprobe "$each"; done
ip link set lo up; for each in /sys/class/net/e*; do name=${each##*/}; done
ip link set "$name" up; ip addr add 10.0.2.15/24 dev "$name"; ip route add default via 10.0.2.2
dockerd -H unix:///run/docker.sock >/run/dockerd.log 2>&1 &
until docker version >/dev/null 2>&1; do sleep 1; done
docker load -i /images.tar
for name in nginx postgresql; do docker tag rogate-arm64/$name rogate/$name; done
kill %1; wait
exec dockerd -H tcp://0.0.0.0:2375 --tls=false
INIT
}

make_machine() {
  [ ! -s "$store/disk" ] || return 0
  say "making the arm64 machine (emulated)"
  root_of "$store/root.tar" docker.io iptables iproute2 kmod procps ca-certificates linux-image-cloud-arm64
  rm -rf "$store/root"
  mkdir "$store/root"
  tar -C "$store/root" -xf "$store/root.tar" --exclude ./dev/\*
  cp "$store/root"/boot/vmlinuz-* "$store/kernel"
  cp "$store/root"/boot/initrd.img-* "$store/initrd"
  ln "$store/images.tar" "$store/root/images.tar"
  first_process >"$store/root/rogate-init"
  chmod 755 "$store/root/rogate-init"
  rm -f "$store/root/usr/sbin/iptables" && ln -s xtables-nft-multi "$store/root/usr/sbin/iptables"
  mke2fs -q -t ext4 -d "$store/root" "$store/disk.new" 5G
  mv "$store/disk.new" "$store/disk"
  rm -rf "$store/root" "$store/root.tar"
}

register
make_images
make_machine
# A network of its own, in which the engine's address is not loopback: what the scenarios ask of the application goes by a relay.
unshare --net sleep infinity &
space=$!
until [ "$(readlink "/proc/$space/ns/net")" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.1; done
inside() { nsenter --net="/proc/$space/ns/net" "$@"; }
inside ip link set lo up
inside ip link add engine type dummy
inside ip addr add 192.0.2.1/32 dev engine
inside ip link set engine up
say "starting the machine"
inside qemu-system-aarch64 -M virt -cpu max -smp 2 -m 3072 -nographic -no-reboot -snapshot \
  -kernel "$store/kernel" -initrd "$store/initrd" -append 'console=ttyAMA0 root=/dev/vda rw init=/rogate-init panic=-1' \
  -drive "file=$store/disk,format=raw,if=virtio" -nic 'user,model=virtio-net-pci,hostfwd=tcp:192.0.2.1:2375-:2375' \
  </dev/null >"$store/console" 2>&1 &
machine=$!
export DOCKER_HOST=tcp://192.0.2.1:2375
for _ in $(seq 900); do
  kill -0 "$machine" 2>/dev/null || { tail "$store/console" >&2; exit 1; }
  ! inside docker version >/dev/null 2>&1 || break
  sleep 1
done
say "the engine: $(inside docker version -f '{{.Server.Version}} on {{.Server.Os}}/{{.Server.Arch}}, Linux {{.Server.KernelVersion}}')"
failed=0
for scenario in "$@"; do
  for observer in ebpf ptrace; do
    say "$scenario, $observer"
    inside build/dev/rogate run "$scenario" --observer "$observer" --out "$store/out" || { echo "exit code $?"; failed=1; }
  done
done
exit $failed
