#!/bin/sh
# results.sh prints results.md, or with the argument net results-net.md: one run of
# the measurements, with what is needed to judge it.
set -eu
cd "$(dirname "$0")"

load() { cut -d' ' -f1-3 /proc/loadavg 2>/dev/null || echo unknown; }

measure() { make --no-print-directory "$1"; }

head_of() {
	cat <<EOF
# $1

Written by \`make $2\` and not edited. README.md says how to read it.

Commit $(git describe --always --dirty 2>/dev/null || echo unknown), $(go version | cut -d' ' -f3-), $(getconf _NPROCESSORS_ONLN) processors,
load average $(load) before; $3.

EOF
}

if [ "${1:-}" = net ]; then
	head_of "Results over sockets" results-net "ROUNDS=$ROUNDS"
	measure bench-net
else
	head_of Results results "COUNT=$COUNT BENCHTIME=$BENCHTIME"
	printf '## Time\n\n'
	measure bench-peers
	printf '\n## Memory\n\n'
	measure million
fi
echo
echo "Load average afterwards: $(load)."
