#!/bin/sh
# Each library shows PostgreSQL exactly what its map names, and runs no code when it is loaded.
set -u
bad=0
check() {
	allowed=$(sed -n 's/^[[:space:]]*\([A-Za-z_0-9*]*\);$/\1/p' "$2" | grep -v '^\*$' | sed 's/\*/.*/g' | paste -sd'|')
	extra=$(nm -D --defined-only "$1" | awk '{print $3}' | grep -vE "^($allowed)$")
	[ -z "$extra" ] || { echo "$1 exports more than $2 names:"; echo "$extra"; bad=1; }
}
check pg_tradesync.so extension/exports.map
check pg_tradesync_worker.so worker/exports.map
statics=$(for o in $(find build/worker build/extension -name '*.o' ! -name '*_test.o'); do nm "$o" | grep -q '_GLOBAL__sub_I_' && echo "$o"; done)
[ -z "$statics" ] || { echo "these objects run code at load time:"; echo "$statics"; bad=1; }
[ "$bad" = 0 ] && echo "exports: ok"
exit "$bad"
