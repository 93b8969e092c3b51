#!/usr/bin/env bash
# Builds what the bench needs and runs it: bench/live/run.sh [--clients N] [--streams N] [--telling N] [--rounds N]
set -euo pipefail
cd "$(dirname "$0")/../.."
cargo=(cargo)
command -v mold >/dev/null && cargo=(mold -run cargo)
"${cargo[@]}" build --release --quiet -p cidadao
"${cargo[@]}" build --release --quiet -p api --example live_load
ulimit -n "$(ulimit -Hn)"
exec python3 bench/live/run.py "$@"
