# What the scripts of the examples' applications share: app/up starts an application
# on loopback, says where it is and what opens it, and app/down stops it.
#
#   STATE  the folder of its data   default: postern-examples/NAME in the temporary folder
#   PORT   where it listens         default: the port in the example's postern.yaml
#
# Programs that are missing are installed from Debian's packages by root. What
# cannot be installed ends a script with status 77.
set -euo pipefail
APP=$(basename "$(cd "$(dirname "$0")/.." && pwd)")
HERE=$(cd "$(dirname "$0")" && pwd)
STATE=${STATE:-${TMPDIR:-/tmp}/postern-examples/$APP}
RUN=$STATE/run
mkdir -p "$RUN"
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 LANG=C.UTF-8

log() { echo "[$APP] $*" >&2; }
lacks() { log "$*"; exit 77; }
isroot() { [ "$(id -u)" = 0 ]; }

# packages NAME... installs what is missing, one script at a time, and lets no
# package start a service of its own.
packages() {
	local missing=() p
	for p in "$@"; do
		dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	isroot || lacks "${missing[*]}: not installed, and only root can install them"
	command -v apt-get >/dev/null || lacks "${missing[*]}: not installed, and there is no apt-get"
	log "installing ${missing[*]}, once"
	local locks=${TMPDIR:-/tmp}/postern-testdb-0
	mkdir -p "$locks"
	flock "$locks/apt" bash -c '
		policy=/usr/sbin/policy-rc.d
		[ -e $policy ] || { printf "#!/bin/sh\nexit 101\n" >$policy; chmod 755 $policy; trap "rm -f $policy" EXIT; }
		install="apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=600 -o Dpkg::Options::=--force-confold"
		$install "$@" || { apt-get update -q && $install "$@"; }
	' - "${missing[@]}" >"$RUN/apt.log" 2>&1 || { tail -n 20 "$RUN/apt.log" >&2; lacks "${missing[*]}: they cannot be installed"; }
}

alive() { [ -f "$RUN/$1.pid" ] && kill -0 "$(cat "$RUN/$1.pid")" 2>/dev/null; }

# background NAME COMMAND... runs a program that stays; what it says is in run/NAME.log.
background() {
	local name=$1
	shift
	alive "$name" && return 0
	setsid "$@" >"$RUN/$name.log" 2>&1 </dev/null &
	echo $! >"$RUN/$name.pid"
	watch $!
}

# watch PID stops a program when who started it, the process in WATCH, is gone.
watch() {
	[ -n "${WATCH:-}" ] || return 0
	setsid bash -c "while kill -0 $WATCH && kill -0 $1; do sleep 5; done; kill -- -$1" >/dev/null 2>&1 </dev/null &
}

# answers URL waits until something answers there, whatever its status.
answers() {
	local i
	for i in $(seq 1 "${WAIT:-300}"); do
		curl -s -o /dev/null --max-time 20 "$1" && return 0
		sleep 1
	done
	log "no answer from $1"
	tail -n 20 "$RUN"/*.log >&2
	return 1
}

# stop ends what background began, last first.
stop() {
	local f
	for f in $(ls -t "$RUN"/*.pid 2>/dev/null); do
		kill -- "-$(cat "$f")" 2>/dev/null || true
		rm -f "$f"
	done
}
