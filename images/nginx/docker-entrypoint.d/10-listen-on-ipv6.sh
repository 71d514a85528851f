#!/bin/sh
# Adds an IPv6 listener to the default server, the way many images do: only when the file can be written.
file=/etc/nginx/conf.d/default.conf
[ -f "$file" ] || exit 0
if ! touch "$file" 2>/dev/null; then
  echo "$file cannot be written: IPv6 stays off"
  exit 0
fi
grep -q 'listen \[::\]:80' "$file" && exit 0
[ -f /proc/net/if_inet6 ] || exit 0
sed -i 's/listen 80;/listen 80;\n    listen [::]:80;/' "$file"
