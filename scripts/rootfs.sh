#!/usr/bin/env bash
# Makes the whole of what a container needs to run the program, and nothing else: no shell, no package manager.
# Usage: scripts/rootfs.sh BINARY DUCKDB_LIBRARY OUT; what lies at OUT is replaced.
set -euo pipefail
binary=$1 library=$2 out=$3
# What the loader finds must not depend on who calls.
unset LD_PRELOAD LD_LIBRARY_PATH
rm -rf "$out"
mkdir -p "$out"/{usr/bin,etc/ssl/certs,var/lib/cidadao,tmp,proc}
install -m 0755 "$binary" "$out/usr/bin/cidadao"
# The shared libraries of the system that either needs, at the places where their loader looks; the loader names itself.
ldd "$binary" "$library" | grep -oE '/[^ ]+[^ :]' | grep -vE '/libduckdb\.so$' | grep -vxF "$binary" | sort -u | while read -r file; do
    install -D -m 0755 "$(readlink -f "$file")" "$out$file"
done
# Beside them DuckDB's: found also where there is no /proc, of which the loader learns what $ORIGIN is.
beside=$(dirname "$(ldd "$binary" | grep -oE '/[^ ]+/libc\.so\.6')")
install -m 0644 "$library" "$out$beside/libduckdb.so"
# Profiles on demand read the names of functions.
strip --strip-debug "$out/usr/bin/cidadao"
strip --strip-unneeded "$out$beside/libduckdb.so"
certificates=/etc/ssl/certs/ca-certificates.crt
[ ! -f "$certificates" ] || install -m 0644 "$certificates" "$out$certificates"
printf 'root:x:0:0:root:/:/sbin/nologin\ncidadao:x:10001:10001::/var/lib/cidadao:/sbin/nologin\n' > "$out/etc/passwd"
printf 'root:x:0:\ncidadao:x:10001:\n' > "$out/etc/group"
printf 'hosts: files dns\n' > "$out/etc/nsswitch.conf"
chmod 1777 "$out/tmp"
[ "$(id -u)" != 0 ] || chown 10001:10001 "$out/var/lib/cidadao"
