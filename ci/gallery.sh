#!/usr/bin/env bash
# Makes the gallery: what applications have to write, as Debian 12 ships them (scenarios/gallery). Builds an image of each
# from the package mirror, asks rogate, and writes what it answers into answer.json and the pages.
#
#   ci/gallery.sh [OPTION…] [NAME…]    all, or those named
#   ci/gallery.sh pages [--check]      write the pages from the answers that are there; no engine is asked
#   ci/gallery.sh clean                remove the images, and what the runs left in build/gallery
#
# --check           write nothing; say how the answers differ from those that are committed, exit code 1 if they do
# --rogate PROGRAM  this one, instead of building it
# --keep            take the results of an earlier run, where build/gallery has some
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source-path=SCRIPTDIR source=lib.sh
. ci/lib.sh
# shellcheck source-path=SCRIPTDIR source=images.sh
. ci/images.sh

gallery=scenarios/gallery
results=build/gallery
check=() keep='' rogate='' names=()
while [ $# -gt 0 ]; do
  case $1 in
    --check) check=(--check); shift ;;
    --keep) keep=yes; shift ;;
    --rogate) rogate=$(realpath "${2:?--rogate needs a program}"); shift 2 ;;
    -h|--help) usage ci/gallery.sh; exit 0 ;;
    -*) echo "ci/gallery.sh: unknown option $1; see --help" >&2; exit 2 ;;
    *) names+=("$1"); shift ;;
  esac
done

pages() { python3 -B "$gallery/pages.py" "$@"; }

case ${names[0]:-} in
  pages) pages write "${check[@]}"; exit ;;
  clean)
    docker images -q 'rogate/gallery' | sort -u | xargs -r docker rmi -f >/dev/null
    rm -rf "$results"
    exit ;;
esac
if [ ${#names[@]} -eq 0 ]; then
  for each in "$gallery"/*/scenario.yaml; do names+=("$(basename "$(dirname "$each")")"); done
fi
for name in "${names[@]}"; do
  [ -f "$gallery/$name/scenario.yaml" ] || { echo "ci/gallery.sh: there is no $gallery/$name/scenario.yaml" >&2; exit 2; }
done

if [ -z "$rogate" ]; then
  need_packages "${build_packages[@]}"
  build release --target rogate
  rogate=$PWD/build/release/rogate
fi
need_packages python3 python3-yaml
ci/engine.sh ensure
make_base
build_image rogate/base:bookworm rogate/gallery:base "$gallery" Dockerfile ||
  { echo "ci/gallery.sh: the package lists could not be had" >&2; exit 3; }

# build_application NAME: its image, unless there is one of the same recipe. Its scenario and its page are no part of it.
build_application() {
  local files=() each
  for each in "$gallery/$1"/*; do
    case ${each##*/} in README.md|scenario.yaml|answer.json) ;; *) files+=("${each##*/}") ;; esac
  done
  # Lists that are old name packages that the mirror no longer has.
  build_image rogate/gallery:base "rogate/gallery:$1" "$gallery/$1" "${files[@]}" ||
    { echo "ci/gallery.sh: if packages were not found, ci/gallery.sh clean makes new lists" >&2; return 3; }
}

# ask NAME: leaves result.json, and beside it what only the engine and rogate can tell.
ask() {
  local folder=$results/$1 scenario=$gallery/$1/scenario.yaml
  if [ -z "$keep" ] || ! [ -f "$folder/result.json" ]; then
    say "asking $1"
    rm -rf "$folder"
    mkdir -p "$folder"
    "$rogate" run -q "$scenario" --out "$folder" >"$folder/output" 2>&1 || { cat "$folder/output" >&2; return 1; }
  fi
  docker run --rm --entrypoint dpkg-query "rogate/gallery:$1" -W -f '${Package}\t${Version}\n' >"$folder/packages"
  # Exit code 2: there is no such command line; the page has what it says.
  "$rogate" patch "$folder/result.json" --command "$(pages command "$1")" >"$folder/patched" 2>"$folder/notes" || [ $? = 2 ]
}

failed=()
for name in "${names[@]}"; do
  if ! build_application "$name" || ! ask "$name"; then failed+=("$name"); continue; fi
  pages answer "${check[@]}" "$name" || failed+=("$name")
done
[ -n "${check[*]}" ] || pages write || failed+=("the pages")
if [ ${#failed[@]} -gt 0 ]; then
  say "failed: ${failed[*]}"
  exit 1
fi
say "done: ${#names[@]} applications"
