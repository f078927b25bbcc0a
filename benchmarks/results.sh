#!/bin/sh
# results.sh prints results.md: one run of all measurements, with what is needed
# to judge it.
set -eu
cd "$(dirname "$0")"

load() { cut -d' ' -f1-3 /proc/loadavg 2>/dev/null || echo unknown; }

cat <<EOF
# Results

Written by \`make results\` and not edited. README.md says how to read it.

Commit $(git describe --always --dirty 2>/dev/null || echo unknown), $(go version | cut -d' ' -f3-), $(getconf _NPROCESSORS_ONLN) processors,
load average $(load) before; COUNT=$COUNT BENCHTIME=$BENCHTIME.

## Time

EOF
make --no-print-directory bench-peers
cat <<EOF

## Memory

EOF
make --no-print-directory million
echo
echo "Load average afterwards: $(load)."
