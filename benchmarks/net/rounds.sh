#!/bin/sh
# rounds.sh [PEER]... measures the peers COUNT times, in turns, and prints the
# output of all. Without arguments these are all peers. One that cannot run here
# is skipped with a note. What has to be built is built under CACHE.
#
# The variables below say what is measured, and on which cores: server and load
# have one each. KV is the command of the server beside redis-server, with {port}
# for its port.
set -eu
cd "$(dirname "$0")"

: "${COUNT:=3}" "${DURATION:=2s}" "${PYTHON:=python3}" "${SERVER:=0}" "${CLIENT:=1}"
: "${WORKS:=echo idle loops churn redis}"
: "${CONNS:=1 100 1000 10000}" "${SIZES:=64 1024 65536}"
: "${IDLE:=10000}" "${CHURN:=100000}" "${REDIS:=200000}"
: "${CACHE:=${XDG_CACHE_HOME:-$HOME/.cache}/asyncio-go-benchmarks}"
bin=$CACHE/net
: "${KV:=$bin/kv -listen 127.0.0.1:{port\}}"
mkdir -p "$bin"

build() {
	go build -o "$bin/" "$@" >&2 || echo "it does not compile"
}

uvloop() {
	venv=$CACHE/venv-$("$PYTHON" -c 'import platform; print(platform.python_version())')
	{
		"$PYTHON" -m venv "$venv" && "$venv/bin/pip" install -q -r ../peers/asyncio/requirements.txt &&
			ln -sfn "$venv" "$CACHE/venv"
	} >&2 || echo "it cannot be installed"
}

# prepare PEER builds what the peer needs, or prints why that cannot be.
prepare() {
	case $1 in
	ours | ours-reads) build ./servers/ours ;;
	net | net-2) build ./servers/gonet ;;
	gnet) build ./servers/gnet ;;
	asyncio)
		"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
			echo "$PYTHON is not a Python of version 3.11 or later"
		;;
	uvloop | uvloop-protocol)
		why=$(prepare asyncio)
		if [ -n "$why" ]; then echo "$why"; else uvloop; fi
		;;
	tokio)
		cargo build -q --release --manifest-path peers/tokio/Cargo.toml --target-dir "$CACHE/tokio-echo" >&2 ||
			echo "cargo cannot build it"
		;;
	redis)
		command -v redis-server >/dev/null && command -v redis-benchmark >/dev/null ||
			echo "redis-server and redis-benchmark are not installed"
		;;
	kv) case $KV in "$bin"/*) build ../../examples/kv ;; esac ;;
	*) echo "there is no such peer" ;;
	esac
}

# command_of PEER is the command of a server: words without blanks in them.
command_of() {
	case $1 in
	ours) echo "env GOMAXPROCS=1 $bin/ours" ;;
	ours-reads) echo "env GOMAXPROCS=1 $bin/ours -reads" ;;
	net) echo "env GOMAXPROCS=1 $bin/gonet" ;;
	net-2) echo "env GOMAXPROCS=2 $bin/gonet" ;;
	gnet) echo "env GOMAXPROCS=1 $bin/gnet" ;;
	asyncio) echo "$PYTHON peers/python/echo.py asyncio streams" ;;
	uvloop) echo "$CACHE/venv/bin/python peers/python/echo.py uvloop streams" ;;
	uvloop-protocol) echo "$CACHE/venv/bin/python peers/python/echo.py uvloop protocol" ;;
	tokio) echo "$CACHE/tokio-echo/release/echo" ;;
	redis) echo "redis-server --bind 127.0.0.1 --port {port} --save --appendonly no --dir ${TMPDIR:-/tmp}" ;;
	kv) echo "env GOMAXPROCS=1 $KV" ;;
	esac
}

# cores_of PEER are those of its server. The second one of net-2 is the load's
# too.
cores_of() {
	case $1 in
	net-2) echo "$SERVER,$CLIENT" ;;
	*) echo "$SERVER" ;;
	esac
}

ready() {
	case " $prepared " in *" $1 "*) ;; *) return 1 ;; esac
}

# load MEASUREMENT PEER ARG... measures. What fails is noted, and the rounds go
# on.
load() {
	measurement=$1 peer=$2
	shift 2
	"$bin/load" "$measurement" -peer "$peer" -client "$CLIENT" "$@" ||
		echo "# $peer: $measurement has failed: $*"
}

measure_echo() {
	for size in $SIZES; do
		for conns in $CONNS; do
			for peer in $echoes; do
				load echo "$peer" -conns "$conns" -size "$size" -d "$DURATION" -server "$(cores_of "$peer")" \
					-- $(command_of "$peer") -buffer "$((size < 4096 ? 4096 : size))"
			done
		done
	done
}

measure_idle() {
	for peer in $echoes; do
		load idle "$peer" -conns "$IDLE" -server "$SERVER" -- $(command_of "$peer")
	done
}

# Two loops share both cores with the load, and so does the one loop that they
# are compared with.
measure_loops() {
	ready ours || return 0
	for loops in 1 2; do
		load echo "loops-$loops" -work Loops -d "$DURATION" -server "$SERVER,$CLIENT" \
			-- env GOMAXPROCS=2 "$bin/ours" -loops "$loops"
	done
}

measure_churn() {
	for peer in ours net; do
		if ready "$peer" && ready net; then
			load churn "$peer" -n "$CHURN" -server "$SERVER" -- $(command_of net)
		fi
	done
}

measure_redis() {
	ready redis || return 0
	for pipeline in 1 16; do
		for peer in redis kv; do
			if ready "$peer"; then
				load redis "$peer" -pipeline "$pipeline" -n "$((REDIS * (pipeline > 1 ? 4 : 1)))" \
					-server "$SERVER" -- $(command_of "$peer")
			fi
		done
	done
}

[ $# -gt 0 ] || set -- ours ours-reads net net-2 gnet asyncio uvloop uvloop-protocol tokio redis kv

why=$(build ./cmd/load)
if [ -n "$why" ]; then
	echo "cmd/load: $why" >&2
	exit 1
fi
echo "# $(go version | cut -d' ' -f3-), $(sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -1), $(getconf _NPROCESSORS_ONLN) processors"

prepared= echoes=
for peer; do
	why=$(prepare "$peer")
	if [ -n "$why" ]; then
		echo "# $peer: not measured: $why"
		echo "$peer: not measured: $why" >&2
		continue
	fi
	prepared="$prepared $peer"
	case $peer in redis | kv) ;; *) echoes="$echoes $peer" ;; esac
done

round=0
while [ "$round" -lt "$COUNT" ]; do
	round=$((round + 1))
	for work in $WORKS; do
		echo "round $round of $COUNT: $work, load average $(cut -d' ' -f1 /proc/loadavg)" >&2
		"measure_$work"
	done
done
