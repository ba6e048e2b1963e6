#!/usr/bin/env bash
# LiteLLM's proxy 1.108.7 with a master key and no database: a request with another key.
# Expected: 401, as for any wrong key.
# Seen: 400 with the type `no_db_connection`: a client takes its request for wrong, not its key.
set -euo pipefail
folder=$(mktemp -d)
server=
trap 'kill $server 2>/dev/null || true; rm -rf "$folder"' EXIT
python3 -m venv "$folder/python"
"$folder/python/bin/pip" install --quiet --disable-pip-version-check 'litellm[proxy]==1.108.7'
cat >"$folder/litellm.yaml" <<'END'
model_list:
  - model_name: any
    litellm_params: {model: openai/any, api_base: "http://127.0.0.1:9/v1", api_key: none}
general_settings: {master_key: sk-the-right-key-of-this-machine}
END
LITELLM_LOCAL_MODEL_COST_MAP=True "$folder/python/bin/litellm" --config "$folder/litellm.yaml" \
    --host 127.0.0.1 --port 18108 >"$folder/log" 2>&1 &
server=$!
until (exec 3<>/dev/tcp/127.0.0.1/18108) 2>/dev/null; do kill -0 $server; sleep 1; done
status=$(curl --silent --output "$folder/answer" --write-out '%{http_code}' \
    --header 'authorization: Bearer sk-a-wrong-key' --header 'content-type: application/json' \
    --data '{"model": "any", "messages": [{"role": "user", "content": "hello"}]}' \
    http://127.0.0.1:18108/v1/chat/completions)
echo "status $status: $(cat "$folder/answer")"
[ "$status" = 400 ] && grep -q no_db_connection "$folder/answer"
