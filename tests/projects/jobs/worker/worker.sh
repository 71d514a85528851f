#!/bin/bash
# Takes jobs until it is told to stop. Work in progress lies in the spool, results are moved out of it.
set -eu
trap 'echo "$WORKER_NAME stops"; exit 0' TERM
test -s /run/secrets/token
mkdir -p /var/spool/worker/tmp
touch /var/lib/worker/started 2>/dev/null || echo "no state kept"
echo "$WORKER_NAME works" | tee -a /var/log/worker/worker.log
while :; do
  job=$(redis-cli -h "$QUEUE" lpop jobs)
  if [ -n "$job" ]; then
    echo "work on $job" >"/var/spool/worker/tmp/$job"
    cp "/var/spool/worker/tmp/$job" "/srv/results/$job"
    rm "/var/spool/worker/tmp/$job"
    echo "$job done" | tee -a /var/log/worker/worker.log
  else
    touch /tmp/busy
    sleep 0.1
  fi
done
