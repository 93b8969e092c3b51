#!/usr/bin/env bash
# Installs the GraphQL clients of the tests (that we did not write) beside their scripts, once for each state of their lock file.
set -euo pipefail
folder=$(cd "$(dirname "$0")/.." && pwd)/crates/cidadao/tests/clients
cmp -s "$folder/package-lock.json" "$folder/node_modules/.installed" && exit 0
command -v npm >/dev/null || { echo "npm is missing: apt-get install nodejs npm (Node 20 or newer)" >&2; exit 1; }
(cd "$folder" && npm ci --no-audit --no-fund --loglevel=error)
cp "$folder/package-lock.json" "$folder/node_modules/.installed"
