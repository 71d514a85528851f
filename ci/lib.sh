# Shared by the scripts; sourced, not run.
# shellcheck shell=bash

# Everything that building and testing needs from Debian 12.
build_packages="g++ cmake ninja-build ccache mold clang bpftool libbpf-dev libelf-dev zlib1g-dev
  libboost1.81-dev libssl-dev nlohmann-json3-dev libfmt-dev libcli11-dev libyaml-cpp-dev libarchive-dev
  libexpected-dev libvalijson-dev libgtest-dev libgmock-dev"
engine_packages="docker.io iptables ca-certificates"

say() { printf '==> [%3d s] %s\n' "$SECONDS" "$*" >&2; }

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# Installs what is missing; costs milliseconds when nothing is.
need_packages() {
  local missing=() name
  for name in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || missing+=("$name")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing ${missing[*]}"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}
