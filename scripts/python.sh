#!/usr/bin/env bash
# Makes a Python of the tests in the cache folder, once for each state of its list: of clients that we did not write, or another.
# Usage: scripts/python.sh [NAME LIST]
set -euo pipefail
list=$(cd "$(dirname "$0")/.." && pwd)/${2:-crates/testkit/python/requirements.txt}
folder=${XDG_CACHE_HOME:-$HOME/.cache}/cidadao/${1:-python}
cmp -s "$list" "$folder/requirements.txt" && exit 0
apt() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null && { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@"; } >/dev/null; }
python3 -c 'import venv, ensurepip' 2>/dev/null || apt python3 python3-venv || { echo "Python is missing and could not be installed: apt-get install python3 python3-venv" >&2; exit 1; }
rm -rf "$folder"
python3 -m venv "$folder"
"$folder/bin/pip" install --quiet --disable-pip-version-check -r "$list"
cp "$list" "$folder/requirements.txt"
