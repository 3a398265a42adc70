# What up, down and wipe share. State is kept in $STATE, every listener is on 127.0.0.1.
set -euo pipefail
APP=$(basename "$(cd "$(dirname "$0")/.." && pwd)")
APPDIR=${STATE:-/var/tmp/postern-examples}/$APP
RUN=$APPDIR/run; mkdir -p "$RUN"
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 LANG=C.UTF-8
log(){ echo "[$APP] $*" >&2; }

# apt_need pkg... : install what is missing (services are kept from starting by policy-rc.d)
apt_need(){
  local miss=() p
  for p in "$@"; do dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || miss+=("$p"); done
  [ ${#miss[@]} -eq 0 ] && return 0
  [ -x /usr/sbin/policy-rc.d ] || { printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d; }
  log "apt-get install ${miss[*]}"
  apt-get install -y --no-install-recommends -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \
     "${miss[@]}" >"$RUN/apt.log" 2>&1 || { tail -20 "$RUN/apt.log" >&2; return 1; }
}
alive(){ [ -f "$1" ] && kill -0 "$(cat "$1")" 2>/dev/null; }
# bg name cmd... : start detached once; pid in run/name.pid, output in run/name.log
bg(){
  local n=$1; shift
  alive "$RUN/$n.pid" && return 0
  setsid nohup "$@" >"$RUN/$n.log" 2>&1 </dev/null &
  echo $! >"$RUN/$n.pid"
}
# wait_http url [seconds] : until something answers (any status)
wait_http(){
  local i; for i in $(seq 1 $((${2:-60}*4))); do
    curl -s -o /dev/null --max-time 5 "$1" && return 0; sleep .25; done
  log "no answer from $1"; return 1
}
wait_port(){ local i; for i in $(seq 1 $((${2:-60}*4))); do (exec 3<>/dev/tcp/127.0.0.1/$1) 2>/dev/null && return 0; sleep .25; done; log "port $1 closed"; return 1; }
stop_all(){ local f p; for f in "$RUN"/*.pid; do [ -f "$f" ] || continue; p=$(cat "$f"); kill -- -"$p" 2>/dev/null || kill "$p" 2>/dev/null || true; rm -f "$f"; done; }

