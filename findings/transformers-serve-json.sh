#!/usr/bin/env bash
# `transformers serve` 5.17.0 is asked for JSON of a schema and at most 5 tokens, with a model of made-up
# weights. Expected: an answer of that form and length, or an error that names what the server cannot do.
# Seen: 200 and prose of 1,024 tokens; `response_format` and `max_completion_tokens` are read over
# without a word. Only `max_tokens` bounds the answer.
set -euo pipefail
folder=$(mktemp -d)
server=
trap 'kill $server 2>/dev/null || true; rm -rf "$folder"' EXIT
models=$(dirname "$0")/../scripts/models
python3 -m venv "$folder/python"
"$folder/python/bin/pip" install --quiet --disable-pip-version-check 'transformers[serving]==5.17.0' torch==2.15.0 requests
"$folder/python/bin/python" "$models/make_up_transformers.py" "$folder/model" 2>"$folder/log"
HF_HUB_OFFLINE=1 "$folder/python/bin/transformers" serve "$folder/model" --host 127.0.0.1 --port 18111 >>"$folder/log" 2>&1 &
server=$!
until (exec 3<>/dev/tcp/127.0.0.1/18111) 2>/dev/null; do kill -0 $server; sleep 1; done
"$folder/python/bin/python" - "$folder/model" <<'END'
import json
import sys
import urllib.request

shape = {"type": "json_schema", "json_schema": {"name": "one", "strict": True, "schema": {"type": "object"}}}


def asked(**more):
    body = {"model": sys.argv[1], "messages": [{"role": "user", "content": "hello"}], **more}
    head = {"content-type": "application/json"}
    request = urllib.request.Request("http://127.0.0.1:18111/v1/chat/completions", json.dumps(body).encode(), head)
    with urllib.request.urlopen(request) as answer:
        return answer.status, json.load(answer)


def is_json(text):
    try:
        json.loads(text)
        return True
    except ValueError:
        return False


status, answer = asked(response_format=shape, max_completion_tokens=5)
tokens = answer["usage"]["completion_tokens"]
bounded = asked(max_tokens=5)[1]["usage"]["completion_tokens"]
words = answer["choices"][0]["message"]["content"]
print(f"status {status}, {tokens} tokens of 5, JSON: {is_json(words)}; with max_tokens: {bounded} tokens")
sys.exit(not (status == 200 and tokens > 5 and not is_json(words) and bounded <= 5))
END
