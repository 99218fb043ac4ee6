#!/bin/sh
# One screen about the accounts of a database, drawn again every 2 seconds until Ctrl-C.
# usage: monitor.sh [database or connection string]   without one: $DB, else PGHOST, PGPORT, PGUSER, PGDATABASE as psql takes them
# EVERY=seconds between two screens; ONCE=1, or output that is no terminal: one screen.
set -eu
target=${1:-${DB:-}}
psql=$(command -v psql || echo /usr/lib/postgresql/15/bin/psql)
set -- -X -v every="${EVERY:-2}" -f "$(dirname "$0")/monitor.sql"
[ -z "$target" ] || set -- "$@" -d "$target"
rows=$( (stty size </dev/tty) 2>/dev/null | cut -d' ' -f1) || rows=
[ -z "$rows" ] || set -- "$@" -v height="$rows"
if [ -n "${ONCE:-}" ] || ! [ -t 1 ]; then set -- "$@" -v once=1; else printf '\033[2J'; fi
PGAPPNAME=${PGAPPNAME:-pg_tradesync monitor} exec "$psql" "$@"
