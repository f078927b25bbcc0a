#!/bin/sh
# rounds.sh PEER... measures each peer COUNT times, in turns, and prints the
# output of all: taking turns, they all meet the same phases of a busy machine.
# The peers are ours, asyncio, uvloop and tokio. One that cannot run here is
# skipped with a note. What has to be built is built under CACHE.
set -eu
cd "$(dirname "$0")"

: "${COUNT:=6}" "${BENCHTIME:=0.2}" "${PYTHON:=python3}"
: "${CACHE:=${XDG_CACHE_HOME:-$HOME/.cache}/asyncio-go-benchmarks}"
mkdir -p "$CACHE"

# Each prepare_PEER builds what run_PEER needs, or prints why that cannot be.

prepare_ours() {
	go test -c -o "$CACHE/benchmarks.test" . >&2 || echo "it does not compile"
}

run_ours() {
	"$CACHE/benchmarks.test" -test.run=NONE -test.bench=. -test.benchtime="${BENCHTIME}s"
}

prepare_asyncio() {
	"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
		echo "$PYTHON is not a Python of version 3.11 or later"
}

run_asyncio() {
	"$PYTHON" peers/asyncio/bench.py asyncio -benchtime "$BENCHTIME"
}

prepare_uvloop() {
	why=$(prepare_asyncio)
	if [ -n "$why" ]; then
		echo "$why"
		return
	fi
	venv=$CACHE/venv-$("$PYTHON" -c 'import platform; print(platform.python_version())')
	{
		"$PYTHON" -m venv "$venv" && "$venv/bin/pip" install -q -r peers/asyncio/requirements.txt &&
			ln -sfn "$venv" "$CACHE/venv"
	} >&2 || echo "it cannot be installed"
}

run_uvloop() {
	"$CACHE/venv/bin/python" peers/asyncio/bench.py uvloop -benchtime "$BENCHTIME"
}

prepare_tokio() {
	cargo build -q --release --manifest-path peers/tokio/Cargo.toml --target-dir "$CACHE/tokio" >&2 ||
		echo "cargo cannot build it"
}

run_tokio() {
	"$CACHE/tokio/release/bench" -benchtime "$BENCHTIME"
}

ready=
for peer; do
	why=$("prepare_$peer")
	if [ -z "$why" ]; then
		ready="$ready $peer"
	else
		echo "# $peer: not measured: $why"
		echo "$peer: not measured: $why" >&2
	fi
done

round=0
while [ "$round" -lt "$COUNT" ]; do
	round=$((round + 1))
	for peer in $ready; do
		echo "round $round of $COUNT: $peer" >&2
		"run_$peer"
	done
done
