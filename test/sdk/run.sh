#!/bin/sh
# Unmodified exchange SDKs against a running simulator: run.sh PORTFILE
# One line per check, at the end "N passed, N failed"; the exit status is non-zero when something failed.
set -eu
port_file=$(realpath "${1:?usage: run.sh PORTFILE}")
cd "$(dirname "$0")"
if ! cmp -s package-lock.json node_modules/.tradesync-lock.json; then
    npm ci --ignore-scripts --silent >&2
    cp package-lock.json node_modules/.tradesync-lock.json
fi
exec node run.mjs "$port_file"
