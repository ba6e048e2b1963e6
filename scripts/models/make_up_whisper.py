"""Writes a whisper model of made-up weights for CTranslate2: one layer, Whisper's own special tokens."""
import json
import os
import sys

import numpy as np
import tokenizers
from ctranslate2.specs import WhisperSpec
from faster_whisper.tokenizer import _LANGUAGE_CODES

folder = sys.argv[1]
DIM, HEADS, MELS, WORDS = 64, 2, 80, 50257
tokens = [f"w{n} " for n in range(WORDS)]
tokens += ["<|endoftext|>", "<|startoftranscript|>"]
tokens += [f"<|{code}|>" for code in _LANGUAGE_CODES]
tokens += ["<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"]
tokens += [f"<|{n * 0.02:.2f}|>" for n in range(1501)]
number = {token: n for n, token in enumerate(tokens)}

random = np.random.default_rng(7)


def some(*shape):
    return random.normal(0, 0.05, shape).astype(np.float32)


def linear(spec, out, into):
    spec.weight, spec.bias = some(out, into), some(out)


def norm(spec):
    spec.gamma, spec.beta = np.ones(DIM, np.float32), np.zeros(DIM, np.float32)


def feed(spec):
    norm(spec.layer_norm)
    linear(spec.linear_0, 4 * DIM, DIM)
    linear(spec.linear_1, DIM, 4 * DIM)


def attend(spec, *outs):
    norm(spec.layer_norm)
    for one, out in zip(spec.linear, outs):
        linear(one, out, DIM)


spec = WhisperSpec(1, HEADS, 1, HEADS)
encoder, decoder = spec.encoder, spec.decoder
encoder.conv1.weight, encoder.conv1.bias = some(DIM, MELS, 3), some(DIM)
encoder.conv2.weight, encoder.conv2.bias = some(DIM, DIM, 3), some(DIM)
encoder.position_encodings.encodings = some(1500, DIM)
decoder.position_encodings.encodings = some(448, DIM)
decoder.embeddings.weight = some(len(tokens), DIM)
decoder.projection.weight = decoder.embeddings.weight
decoder.scale_embeddings = False
for half in (encoder, decoder):
    norm(half.layer_norm)
    attend(half.layer[0].self_attention, 3 * DIM, DIM)
    feed(half.layer[0].ffn)
attend(decoder.layer[0].attention, DIM, 2 * DIM, DIM)
spec.config.suppress_ids, spec.config.suppress_ids_begin = [], [number["<|endoftext|>"]]
spec.config.lang_ids = [number[f"<|{code}|>"] for code in _LANGUAGE_CODES]
spec.config.alignment_heads = [(0, 0)]
spec.register_vocabulary(tokens)
spec.validate()
os.makedirs(folder, exist_ok=True)
spec.save(folder)

words = tokenizers.Tokenizer(tokenizers.models.WordLevel(number, unk_token=tokens[0]))
words.add_special_tokens([token for token in tokens[WORDS:]])
words.save(os.path.join(folder, "tokenizer.json"))
with open(os.path.join(folder, "preprocessor_config.json"), "w") as file:
    json.dump({"feature_size": MELS}, file)
