#!/usr/bin/env bash
# Makes the Debian package of a program that is built already.
# Usage: scripts/deb.sh PROFILE OUT; PROFILE is `dist` or `release`, OUT the file to write.
set -euo pipefail
profile=$1 out=$2
cd "$(dirname "$0")/.."
cargo_deb=$(scripts/cargo_deb.sh)
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
binary=$target/$profile/cidadao
# What the package carries beside the program is made by it.
parts=$(pwd)/deploy/deb/made
# One at a time, for the package's list names these places.
exec 9>"$target/deb.lock"
flock 9
rm -rf "$parts"
mkdir -p "$parts/man"
trap 'rm -rf "$parts"' EXIT
install -m 0755 "$binary" native/lib/libduckdb.so "$parts/"
# Profiles on demand read the names of functions.
strip --strip-debug "$parts/cidadao"
strip --strip-unneeded "$parts/libduckdb.so"
ln -s ../lib/cidadao/cidadao "$parts/link"
"$binary" man --out "$parts/man"
for shell in bash zsh fish; do "$binary" completions "$shell" > "$parts/completions.$shell"; done
fast=()
[ "$profile" = dist ] || fast=(--fast)
CARGO_TARGET_DIR=$target "$cargo_deb" \
    --package cidadao --no-build --no-strip --quiet "${fast[@]}" --output "$out"
