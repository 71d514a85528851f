# Shared by the scripts; sourced, not run.
# shellcheck shell=bash
# shellcheck disable=SC2034  # the lists are for the scripts that source this

# Everything that building and testing needs from Debian 12, and the compiler of the other architecture's observers.
# (libvalijson-dev would bring 250 packages more, Qt among them.)
build_packages=(g++ cmake ninja-build ccache mold clang bpftool libbpf-dev libelf-dev zlib1g-dev libboost1.81-dev
  libssl-dev nlohmann-json3-dev rapidjson-dev libfmt-dev libcli11-dev libyaml-cpp-dev libarchive-dev libexpat1-dev
  libexpected-dev libgtest-dev libgmock-dev python3 python3-jsonschema python3-yaml git patch strace libxml2-utils
  gcc-aarch64-linux-gnu libc6-dev-arm64-cross linux-libc-dev-armhf-cross)
# Without them the tests with the label lint would be left out.
lint_packages=(clang-format shellcheck)
# The HTML report is tested in a browser.
browser_packages=(chromium fonts-dejavu-core)
# A test reaches the engine through an sshd of its own, another one fetches a release; ci/pool.sh needs ip(8).
test_packages=(openssh-client openssh-server curl iproute2)
engine_packages=(docker.io iptables ca-certificates)
base_packages=(mmdebstrap ca-certificates)
bench_packages=(strace bpftrace wrk libbenchmark-dev gcc util-linux)

# dockerd and bpftool are where an ordinary user's PATH does not look.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

# Seconds since the first script began, also in the scripts that it calls.
export ROGATE_CI_STARTED=${ROGATE_CI_STARTED:-$EPOCHSECONDS}
say() { printf '==> [%3d s] %s\n' $((EPOCHSECONDS - ROGATE_CI_STARTED)) "$*" >&2; }

# usage SCRIPT: the comment at the top of a script is its help.
usage() { sed -n '2,/^[^#]/ { /^#/ !d; s/^# \{0,1\}//; p }' "$1"; }

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    echo "this needs root: $*; run the script as root, or install sudo" >&2
    return 3
  fi
}

# Installs what is missing; costs milliseconds when nothing is.
need_packages() {
  local missing=() name installed
  installed=$(dpkg-query -W -f '${db:Status-Status}:${Package}\n' "$@" 2>/dev/null || true)
  for name in "$@"; do
    [[ $'\n'$installed$'\n' == *$'\n'installed:"$name"$'\n'* ]] || missing+=("$name")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing ${missing[*]}"
  as_root apt-get -o DPkg::Lock::Timeout=120 update -qq
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get -o DPkg::Lock::Timeout=120 install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# The Debian mirror among this machine's package sources.
mirror() {
  local url
  # shellcheck disable=SC2016  # apt fills it in
  url=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Component: main' 'Suite: oldstable' \
    2>/dev/null | head -n 1)
  [ -n "$url" ] || { echo "${0##*/}: no Debian mirror is among this machine's package sources" >&2; return 3; }
  echo "$url"
}

# Debian starts a service as its package is installed. These must not be.
need_packages_without_services() {
  local policy=/usr/sbin/policy-rc.d ours='' failed=0
  if ! [ -e "$policy" ]; then
    ours=yes
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
  fi
  need_packages "$@" || failed=$?
  [ -z "$ours" ] || as_root rm -f "$policy"
  return "$failed"
}

# Chromium, and npm's packages for tests/browser as its lock file names them. A node that is there, Debian's or another, is
# kept: Debian's npm brings hundreds of packages and would replace it.
need_browser() {
  local packages=("${browser_packages[@]}")
  command -v node >/dev/null || packages+=(nodejs)
  command -v npm >/dev/null || packages+=(npm)
  need_packages "${packages[@]}"
  local installed=tests/browser/node_modules/.package-lock.json
  if ! [ -f "$installed" ] || [ tests/browser/package-lock.json -nt "$installed" ]; then
    say "installing the browser tests' npm packages"
    npm ci --prefix tests/browser --ignore-scripts --no-audit --no-fund --loglevel=error >&2
  fi
}

# build PRESET [ARGUMENT…]: configures once and builds. On a terminal ninja shows its progress; elsewhere its output is
# shown when it fails.
build() {
  local preset=$1 log
  shift
  log=$(mktemp)
  if ! [ -f "build/$preset/build.ninja" ]; then
    ci/sysroot.sh arm64 || say "this rogate will drive no engine on arm64"
    say "configuring ($preset)"
    cmake --preset "$preset" >"$log" 2>&1 || { cat "$log" >&2; rm -f "$log"; return 1; }
  fi
  say "building ($preset; the first time takes minutes)"
  if [ -t 1 ]; then
    rm -f "$log"
    cmake --build --preset "$preset" "$@"
  else
    cmake --build --preset "$preset" "$@" >"$log" 2>&1 || { cat "$log" >&2; rm -f "$log"; return 1; }
    tail -n 1 "$log"
    rm -f "$log"
  fi
}

# new_compose: Debian trixie's docker-compose, taken from the package mirror once, into build/oracle; nothing is installed.
need_new_compose() {
  local folder=$PWD/build/oracle own
  new_compose=$folder/root/usr/libexec/docker/cli-plugins/docker-compose
  [ -x "$new_compose" ] && return
  say "taking docker-compose from the mirror"
  mkdir -p "$folder"/{lists/partial,cache/archives/partial}
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(mirror) trixie main" >"$folder/sources.list"
  own=(-o Dir::Etc::sourcelist="$folder/sources.list" -o Dir::Etc::sourceparts=- -o Dir::State::lists="$folder/lists"
    -o Dir::Cache="$folder/cache" -o APT::Sandbox::User=root)
  apt-get "${own[@]}" -qq update
  (cd "$folder" && apt-get "${own[@]}" -qq download docker-compose)
  dpkg-deb -x "$folder"/docker-compose_*.deb "$folder/root"
}
