#!/bin/sh
# As root: hands the data to the user redis, and goes on as that user.
set -e
if [ "$1" = redis-server ] && [ "$(id -u)" = 0 ]; then
  find /data \! -user redis -exec chown redis '{}' +
  exec setpriv --reuid redis --regid redis --clear-groups -- "$0" "$@"
fi
umask 0077
exec "$@"
