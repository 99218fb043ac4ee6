#!/bin/sh
# The core and the codecs may not ask the outside world anything: no clock, randomness, I/O, threads, environment.
set -u
banned='clock_gettime|gettimeofday|time|nanosleep|usleep|rand|srand|random|getrandom|getenv|fopen|open|open64|read|write|socket|connect|poll|epoll_.*|pthread_create|_ZNSt6chrono3_V2.*|_ZNSt13random_device.*|_ZSt4cout|_ZSt4cerr|palloc.*|errstart.*|SPI_.*'
objects=$(find build/worker/core build/worker/exchanges -name '*.o' ! -name '*_test.o')
[ -n "$objects" ] || { echo "no objects: build first"; exit 1; }
bad=$(nm -u $objects | awk '/:$/{f=$0} / U /{sub(/@.*/, "", $2); print f, $2}' | grep -E " ($banned)$")
[ -z "$bad" ] || { echo "core is not pure:"; echo "$bad"; exit 1; }
echo "core purity: $(echo "$objects" | wc -l) objects ok"
