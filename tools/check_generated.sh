#!/bin/sh
# docs/state-machines.md is printed from worker/core/*_states.def; this fails when the committed page is another one.
# usage: check_generated.sh [--write]
set -eu
cd "$(dirname "$0")/.."
mkdir -p build
g++ -std=c++20 -Wall -Wextra -Werror -Iworker tools/states_to_docs.cpp -o build/states_to_docs
build/states_to_docs >build/state-machines.md
if [ "${1:-}" = --write ]; then cp build/state-machines.md docs/state-machines.md; fi
diff -u docs/state-machines.md build/state-machines.md || { echo "stale: run tools/check_generated.sh --write"; exit 1; }
echo "generated pages: ok"
