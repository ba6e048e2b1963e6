#!/usr/bin/env bash
# faster-whisper-server 0.0.3 calls itself OpenAI-compatible and serves several models by name. Expected:
# the form field `model`, as in OpenAI's interface and in this package's own examples, chooses one. Seen:
# the field is not read; without `model_name` every request asks for `whisper-1`.
set -euo pipefail
folder=$(mktemp -d)
server=
trap 'kill $server 2>/dev/null || true; rm -rf "$folder"' EXIT
python3 -m venv "$folder/python"
"$folder/python/bin/pip" install --quiet --disable-pip-version-check faster-whisper-server==0.0.3
printf 'models:\n  - name: large\n    path: /nowhere\n' >"$folder/models.yaml"
"$folder/python/bin/faster-whisper-server" --config "$folder/models.yaml" --host 127.0.0.1 --port 18110 >"$folder/log" 2>&1 &
server=$!
until (exec 3<>/dev/tcp/127.0.0.1/18110) 2>/dev/null; do kill -0 $server; sleep 1; done
answer=$(curl --silent --form file=@"$0" --form model=large http://127.0.0.1:18110/v1/audio/transcriptions)
echo "asked for the model large: $answer"
[[ $answer = *"unknown model: whisper-1"* ]]
