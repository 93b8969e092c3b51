#!/usr/bin/env bash
# Measures and writes docs/benchmarks.md. Needs the release binary (`make build`), Python 3 with DuckDB and ocdscardinal, and wrk.
set -euo pipefail
cd "$(dirname "$0")/.."
need() {
    command -v "$1" >/dev/null && return
    [ "$(id -u)" = 0 ] && { apt-get update -qq && apt-get install -y -qq "$2"; } >/dev/null && return
    echo "$1 is missing: apt-get install $2" >&2
    exit 1
}
need wrk wrk
python3 -c 'import duckdb' 2>/dev/null || pip install --quiet duckdb==1.5.6
python3 -c 'import ocdscardinal' 2>/dev/null || pip install --quiet ocdscardinal==0.0.8
exec python3 bench/run.py "$@"
