#!/bin/sh
# As root: prepares the directories and goes on as the user postgres, which makes the database cluster the first time.
set -e
if [ "$1" = postgres ] && [ "$(id -u)" = 0 ]; then
  mkdir -p "$PGDATA" /var/run/postgresql
  # Like the official image: a mode that cannot be changed is not the end, an owner is.
  chmod 700 "$PGDATA" || :
  chmod 3775 /var/run/postgresql || :
  find "$PGDATA" /var/run/postgresql \! -user postgres -exec chown postgres '{}' +
  exec setpriv --reuid postgres --regid postgres --init-groups -- "$0" "$@"
fi
if [ "$1" = postgres ] && [ ! -s "$PGDATA/PG_VERSION" ]; then
  password=$(mktemp)
  printf '%s\n' "${POSTGRES_PASSWORD:?set POSTGRES_PASSWORD for the first start}" >"$password"
  initdb --username=postgres --pwfile="$password" --auth-host=scram-sha-256 --auth-local=trust >/dev/null
  rm -f "$password"
fi
exec "$@"
