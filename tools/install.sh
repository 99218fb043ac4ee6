#!/bin/sh
# Installs the built extension into the server's directories, as root or through sudo, and only when something changed.
set -eu
cd "$(dirname "$0")/.."
pg_config=${PG_CONFIG:-/usr/lib/postgresql/15/bin/pg_config}
version=$(sed -n "s/^default_version = '\(.*\)'/\1/p" extension/pg_tradesync.control)
lib=$("$pg_config" --pkglibdir) share=$("$pg_config" --sharedir)
if cmp -s pg_tradesync.so "$lib/pg_tradesync.so" && cmp -s pg_tradesync_worker.so "$lib/pg_tradesync_worker.so" &&
	cmp -s "build/pg_tradesync--$version.sql" "$share/extension/pg_tradesync--$version.sql" &&
	cmp -s extension/pg_tradesync.control "$share/extension/pg_tradesync.control"; then exit 0; fi
if [ "$(id -u)" = 0 ] || [ -w "$lib" ]; then make -s --no-print-directory -f build.mk install
elif command -v sudo >/dev/null 2>&1; then sudo make -s --no-print-directory -f build.mk install
else
	echo "cannot write to $lib: run 'make install' as root, or install sudo" >&2
	exit 1
fi
