#!/usr/bin/env bash
# Plants a sample, ingests and judges it, and compares what was found with what was planted.
# Usage: scripts/eval.sh BINARY CONTRACTS FOLDER; the folder's old sample and data are removed.
set -euo pipefail
binary=$1 contracts=$2 folder=$3 seed=${SEED:-2026}
document=$(cd "$(dirname "$0")/.." && pwd)/docs/evaluation.md
mkdir -p "$folder"
rm -rf "$folder/sample" "$folder/data"
started=$SECONDS
"$binary" sample --contracts "$contracts" --seed "$seed" --out "$folder/sample" --json > "$folder/sample.json"
echo "sample: $((SECONDS - started)) s" >&2
# Broken rows are planted too: 3 says that some were quarantined.
code=0
"$binary" --data-dir "$folder/data" ingest "$folder/sample" --json > "$folder/ingest.json" || code=$?
[ "$code" = 0 ] || [ "$code" = 3 ] || exit "$code"
echo "ingested and judged: $((SECONDS - started)) s" >&2
"$binary" --data-dir "$folder/data" eval sample "$folder/sample" --into "$document" --json > "$folder/report.json"
"$binary" --data-dir "$folder/data" eval sample "$folder/sample"
echo "$folder/report.json; docs/evaluation.md: the part between its marks of the sample" >&2
