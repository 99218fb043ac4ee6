#!/bin/sh
# Compiles the C side against the server headers of PostgreSQL 17 and 18. Debian's newer suites carry them; they are fetched
# from the mirror that this machine's apt is configured for and unpacked into build/headers, never installed.
# usage: check_headers.sh [version …]
set -u
cd "$(dirname "$0")/.."
home=$PWD/build/headers
suites="trixie sid"
flags="-std=gnu99 -O2 -fPIC -fvisibility=hidden -D_GNU_SOURCE -Iworker -Iextension -Wall -Wextra -Werror
 -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers -DTRADESYNC_VERSION=\"check\""

# apt with its own lists and cache beside the machine's, so that neither root nor a changed configuration is needed.
own_apt() {
	apt-get -qq -o Dir::Etc::SourceList="$home/sources.list" -o Dir::Etc::SourceParts=- -o Dir::State::Lists="$home/lists" \
		-o Dir::Cache="$home/cache" -o APT::Sandbox::User=root -o Acquire::Languages=none "$@"
}

look_up_suites() {
	[ -d "$home/lists" ] && return
	mkdir -p "$home/lists/partial" "$home/cache/archives/partial"
	mirror=$(apt-get indextargets --format '$(SITE) $(RELEASE)' 'Created-By: Packages' | awk '$2 !~ /security/ {print $1; exit}')
	keyring=/usr/share/keyrings/debian-archive-keyring.gpg
	if [ -z "$mirror" ]; then echo "apt knows no mirror"; return 1; fi
	for suite in $suites; do echo "deb [signed-by=$keyring] $mirror $suite main"; done >"$home/sources.list"
	own_apt update && return
	rm -rf "$home/lists"
	return 1
}

unpack() {
	[ -f "$home/$1/usr/include/postgresql/$1/server/postgres.h" ] && return
	look_up_suites && (cd "$home" && own_apt download "postgresql-server-dev-$1") && dpkg -x "$home/postgresql-server-dev-$1"_*.deb "$home/$1"
}

# Those headers expect a C library that declares strlcpy itself; the one of Debian 12 does not.
declare_newer_libc() {
	printf '#include <stddef.h>\nsize_t strlcpy(char *, const char *, size_t);\nsize_t strlcat(char *, const char *, size_t);\n' >"$home/newer_libc.h"
}

compile() {
	good=0 bad=0
	for file in extension/*.c worker/postgres/*.c worker/main.c; do
		if ${CC:-cc} $flags -include "$home/newer_libc.h" -I"$home/$1/usr/include/postgresql/$1/server" -c "$file" -o /dev/null; then good=$((good + 1))
		else bad=$((bad + 1)); fi
	done
	echo "PostgreSQL $1: $good files ok, $bad failed"
	[ "$bad" = 0 ]
}

failed=0
mkdir -p "$home"
declare_newer_libc
for version in ${*:-17 18}; do
	if unpack "$version" >"$home/log" 2>&1; then compile "$version" || failed=1
	else
		cat "$home/log"
		echo "PostgreSQL $version: the package postgresql-server-dev-$version cannot be had from $(echo "$suites" | sed 's/ / or /') of the configured mirror"
		failed=1
	fi
done
exit "$failed"
