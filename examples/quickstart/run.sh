#!/bin/sh
# Starts the quickstart, and says what to try once Postern answers:
#
#   run.sh POSTERN HOST:PORT [HOST:PORT of the health checks]
#
# Postern takes this script's place, so that whoever stops it stops Postern.
set -eu
postern=$1
listen=$2
here=$(dirname "$0")

host=${listen%:*}
port=${listen##*:}
case $port in
	'' | *[!0-9]* | 0 | 65535) next=0 ;;
	*) next=$((port + 1)) ;;
esac
admin=${3:-$host:$next}

pipe=$(mktemp -d)/started
mkfifo "$pipe"
sh "$here/hello.sh" "$pipe" &
exec "$postern" serve -c "$here/postern.yaml" --listen "$listen" --admin "$admin" >"$pipe"
