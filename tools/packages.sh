#!/bin/sh
# Installs the Debian packages that this project builds and tests with, if any is missing.
# usage: packages.sh [extra package …]
set -eu
wanted="build-essential postgresql-15 postgresql-server-dev-15 postgresql-15-pgtap libtap-parser-sourcehandler-pgtap-perl
 libwebsockets-dev libwebsockets-evlib-uv libcurl4-openssl-dev libssl-dev libjansson-dev libuv1-dev libsimdjson-dev
 libgtest-dev libpq-dev openssl python3 python3-pytest python3-psycopg2 $*"
missing=
for package in $wanted; do
	dpkg-query -W -f='${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^ii' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then as_root=
elif command -v sudo >/dev/null 2>&1; then as_root=sudo
else
	echo "pg_tradesync needs these Debian packages, and neither root nor sudo is at hand:" >&2
	echo "  apt-get install$missing" >&2
	exit 1
fi
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
if ! { $as_root apt-get update -qq && $as_root apt-get install -y -qq --no-install-recommends $missing; } >"$log" 2>&1; then
	cat "$log" >&2
	echo "could not install:$missing" >&2
	rm -f "$log"
	exit 1
fi
rm -f "$log"
