#!/usr/bin/env bash
# From nothing to a first answer: installs what is missing, builds rogate, makes sure of an engine, builds the sample
# image, and asks nginx which of its mounts it has to write. A second run takes seconds.
#
#   ci/quickstart.sh [OPTION…]    options go to rogate run, for example --out DIR
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source-path=SCRIPTDIR source=lib.sh
. ci/lib.sh
case ${1:-} in -h|--help) usage ci/quickstart.sh; exit 0 ;; esac

need_packages "${build_packages[@]}"
build release --target rogate
ci/engine.sh ensure
images/build.sh nginx
say "build/release/rogate run scenarios/nginx $*"
build/release/rogate run scenarios/nginx "$@"
say "done; next: images/build.sh && build/release/rogate run scenarios/redis scenarios/postgresql"
