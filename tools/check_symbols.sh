#!/bin/sh
# PostgreSQL exports functions whose names other libraries use, too (json_object of jansson), and a call from our library
# would bind to PostgreSQL's: a crash. No symbol that our worker takes from a library may exist in the server.
set -u
pg_config=${PG_CONFIG:-/usr/lib/postgresql/15/bin/pg_config}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
nm -D --undefined-only pg_tradesync_worker.so | awk '{sub(/@.*/, "", $2); print $2}' | sort -u >"$work/wanted"
nm -D --defined-only "$("$pg_config" --bindir)/postgres" | awk '{print $3}' | sort -u >"$work/server"
for library in $(ldd pg_tradesync_worker.so | awk '/jansson|curl|websockets|libuv|libssl|libcrypto|simdjson/ {print $3}'); do
	nm -D --defined-only "$library" | awk '{sub(/@.*/, "", $3); print $3}'
done | sort -u >"$work/libraries"
[ -s "$work/server" ] && [ -s "$work/libraries" ] || { echo "could not read the symbols of the server or the libraries"; exit 1; }
clash=$(comm -12 "$work/wanted" "$work/libraries" | comm -12 - "$work/server")
[ -z "$clash" ] || { echo "these calls would bind to PostgreSQL instead of the library:"; echo "$clash"; exit 1; }
echo "symbols: $(comm -12 "$work/wanted" "$work/libraries" | wc -l) library calls, none exists in the server"
