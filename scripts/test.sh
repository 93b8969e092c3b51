#!/usr/bin/env bash
# Installs what the tests need and runs everything; the last line counts the tests.
set -uo pipefail
cd "$(dirname "$0")/.."

need() { # program, Debian package
    command -v "$1" >/dev/null && return
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$2"; } >/dev/null && return
    fi
    echo "$1 is missing and could not be installed: apt-get install $2" >&2
    exit 1
}
need chromium chromium
need redis-server redis-server
need faketime faketime
need prometheus prometheus
need promtool prometheus
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || need initdb postgresql
scripts/python.sh || exit 1
scripts/node.sh || exit 1
scripts/python.sh deploy deploy/requirements.txt && scripts/kubectl.sh >/dev/null || exit 1
need systemd-analyze systemd
need dpkg-deb dpkg
scripts/cargo_deb.sh || exit 1
(cd crates/testkit/pprof && npm ci --no-audit --no-fund --loglevel=error >/dev/null) || exit 1

log=$(mktemp)
trap 'rm -f "$log"' EXIT
cargo=(cargo)
command -v mold >/dev/null && cargo=(mold -run cargo)
failed=0
# A test that never ends is a failure of its program, and the others are run.
triple=$(rustc -vV | sed -n 's/^host: //p' | tr 'a-z-' 'A-Z_')
export "CARGO_TARGET_${triple}_RUNNER=timeout --foreground --kill-after=10 2400"

"${cargo[@]}" build --release -p cidadao || exit 1
export CIDADAO_BIN="${CARGO_TARGET_DIR:-$PWD/target}/release/cidadao"
"${cargo[@]}" test --release --workspace --no-fail-fast 2>&1 | tee "$log" || failed=1
(cd web && npm run --silent check && npm test --silent) 2>&1 | tee -a "$log" || failed=1

rust_passed=$(grep -oE '^test result: [a-zA-Z]+\. [0-9]+ passed; [0-9]+ failed' "$log" | awk '{p+=$4} END {print p+0}')
rust_failed=$(grep -oE '^test result: [a-zA-Z]+\. [0-9]+ passed; [0-9]+ failed' "$log" | awk '{f+=$6} END {print f+0}')
plain=$(sed 's/\x1b\[[0-9;]*m//g' "$log")
web_passed=$(grep -E '^ *Tests ' <<<"$plain" | grep -oE '[0-9]+ passed' | awk '{p+=$1} END {print p+0}')
web_failed=$(grep -E '^ *Tests ' <<<"$plain" | grep -oE '[0-9]+ failed' | awk '{f+=$1} END {print f+0}')
[ -z "${CIDADAO_REAL_DATA:-}" ] && echo "real-data: not run, CIDADAO_REAL_DATA names no folder"
# A test program that died counts none of its tests.
[ "$failed" = 1 ] && [ $((rust_failed + web_failed)) = 0 ] && rust_failed=1
echo "$((rust_passed + web_passed)) passed, $((rust_failed + web_failed)) failed"
exit $failed
