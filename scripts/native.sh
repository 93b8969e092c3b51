#!/usr/bin/env bash
# Fetches the DuckDB shared library for this platform (pinned in native/package-lock.json) into native/lib.
set -euo pipefail
cd "$(dirname "$0")/../native"
command -v npm >/dev/null || { echo "npm is missing: install Node.js 20 or newer" >&2; exit 1; }
# `npm ci` refuses a lock file that lacks optional packages of other platforms; `install` honours its pins all the same.
npm install --no-save --no-audit --no-fund --loglevel=error
mkdir -p lib
found=$(find node_modules/@duckdb -name 'libduckdb.*' -o -name 'duckdb.dll' | grep -v musl | head -1 || true)
[ -n "$found" ] || { echo "no DuckDB library for $(uname -sm) in the package; build with --features lake/duckdb-bundled" >&2; exit 1; }
cp -f "$found" lib/
