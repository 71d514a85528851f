#!/bin/sh
# Runs the set-up scripts in order, then becomes nginx.
set -e
for script in /docker-entrypoint.d/*.sh; do
  [ -x "$script" ] && "$script"
done
exec "$@"
