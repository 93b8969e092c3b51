#!/usr/bin/env bash
# Installs cargo-deb, pinned, into the cache folder, once, and says where it is: it takes some ninety seconds of a processor.
set -euo pipefail
version=3.8.0
folder=${XDG_CACHE_HOME:-$HOME/.cache}/cidadao/cargo-deb-$version
[ -x "$folder/bin/cargo-deb" ] || CARGO_TARGET_DIR="$folder/target" cargo install cargo-deb --version "=$version" --locked --quiet --root "$folder"
rm -rf "$folder/target"
echo "$folder/bin/cargo-deb"
