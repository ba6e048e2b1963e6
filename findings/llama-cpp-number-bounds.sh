#!/usr/bin/env bash
# llama.cpp's server, xllamacpp 2026.10.11549: a strict JSON schema with `minimum` and `maximum`.
# Expected: a constrained answer keeps to the bounds of every number.
# Seen: bounds of an `integer` are kept, bounds of a `number` have no effect at all.
set -euo pipefail
folder=$(mktemp -d)
server=
trap 'kill $server 2>/dev/null || true; rm -rf "$folder"' EXIT
python3 -m venv "$folder/python"
"$folder/python/bin/pip" install --quiet --disable-pip-version-check xllamacpp==2026.10.11549 gguf==0.19.0 numpy
models=$(dirname "$0")/../scripts/models
"$folder/python/bin/python" "$models/make_up.py" "$folder/made-up.gguf"
"$folder/python/bin/python" "$models/llamacpp.py" "$folder/made-up.gguf" 18109 >"$folder/log" 2>&1 &
server=$!
until (exec 3<>/dev/tcp/127.0.0.1/18109) 2>/dev/null; do kill -0 $server; sleep 1; done
"$folder/python/bin/python" - <<'END'
import json
import sys
import urllib.request


def answers(kind):
    schema = {
        "type": "object",
        "properties": {"share": {"type": kind, "minimum": 0, "maximum": 1}},
        "required": ["share"],
        "additionalProperties": False,
    }
    shape = {"type": "json_schema", "json_schema": {"name": "share", "strict": True, "schema": schema}}
    for seed in range(1, 11):
        question = {
            "model": "made-up",
            "seed": seed,
            "temperature": 1,
            "max_tokens": 80,
            "messages": [{"role": "user", "content": "hello"}],
            "response_format": shape,
        }
        request = urllib.request.Request(
            "http://127.0.0.1:18109/v1/chat/completions",
            json.dumps(question).encode(),
            {"content-type": "application/json"},
        )
        choice = json.load(urllib.request.urlopen(request))["choices"][0]
        if choice["finish_reason"] == "stop":
            yield json.loads(choice["message"]["content"])["share"]


outside = {}
for kind in ("integer", "number"):
    values = list(answers(kind))
    outside[kind] = sum(not 0 <= value <= 1 for value in values)
    print(f"{kind}: {outside[kind]} of {len(values)} answers outside of 0 to 1")
sys.exit(0 if outside["integer"] == 0 and outside["number"] > 0 else 1)
END
