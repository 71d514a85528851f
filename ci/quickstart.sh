#!/usr/bin/env bash
# From nothing to a first answer: installs what is needed, builds rogate, makes sure of an engine, builds the sample images,
# and asks nginx which of its mounts it has to write. A second run takes seconds.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=lib.sh
. ci/lib.sh

# shellcheck disable=SC2086
need_packages $build_packages
if ! [ -f build/release/build.ninja ]; then
  say "configuring"
  cmake --preset release >/dev/null
fi
say "building rogate (the first time takes minutes)"
cmake --build --preset release --target rogate | tail -n 1
ci/engine.sh ensure
images/build.sh nginx
say "rogate run scenarios/nginx"
build/release/rogate run scenarios/nginx "$@"
say "done; now try: build/release/rogate run scenarios/redis (images/build.sh redis first)"
