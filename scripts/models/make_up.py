"""Writes a llama model of made-up weights: a vocabulary of bytes, two layers. Arguments: file, seed."""
import sys
import numpy as np
import gguf

path = sys.argv[1]
DIM, LAYERS, HEADS, FEED, CONTEXT = 64, 2, 4, 128, 8192
rng = np.random.default_rng(int(sys.argv[2]) if len(sys.argv) > 2 else 7)
w = gguf.GGUFWriter(path, "llama")
w.add_name("made-up")
w.add_context_length(CONTEXT)
w.add_embedding_length(DIM)
w.add_block_count(LAYERS)
w.add_feed_forward_length(FEED)
w.add_head_count(HEADS)
w.add_head_count_kv(HEADS)
w.add_layer_norm_rms_eps(1e-5)
w.add_rope_dimension_count(DIM // HEADS)
w.add_file_type(0)
tokens = [b"<unk>", b"<s>", b"</s>"] + [f"<0x{b:02X}>".encode() for b in range(256)]
types = [gguf.TokenType.UNKNOWN, gguf.TokenType.CONTROL, gguf.TokenType.CONTROL] + [gguf.TokenType.BYTE] * 256
for c in range(32, 127):
    tokens.append(("▁" if c == 32 else chr(c)).encode())
    types.append(gguf.TokenType.NORMAL)
w.add_tokenizer_model("llama")
w.add_token_list(tokens)
w.add_token_scores([-1000.0] * 259 + [float(-i) for i in range(len(tokens) - 259)])
w.add_token_types([int(t) for t in types])
w.add_bos_token_id(1)
w.add_eos_token_id(2)
w.add_unk_token_id(0)
w.add_chat_template("{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}assistant:")
V = len(tokens)
def t(name, *shape):
    w.add_tensor(name, rng.normal(0, 0.3, shape).astype(np.float32))
t("token_embd.weight", V, DIM)
w.add_tensor("output_norm.weight", np.ones(DIM, np.float32))
t("output.weight", V, DIM)
for i in range(LAYERS):
    b = f"blk.{i}."
    w.add_tensor(b + "attn_norm.weight", np.ones(DIM, np.float32))
    w.add_tensor(b + "ffn_norm.weight", np.ones(DIM, np.float32))
    for n in ("attn_q", "attn_k", "attn_v", "attn_output"):
        t(b + n + ".weight", DIM, DIM)
    t(b + "ffn_gate.weight", FEED, DIM)
    t(b + "ffn_up.weight", FEED, DIM)
    t(b + "ffn_down.weight", DIM, FEED)
w.write_header_to_file()
w.write_kv_data_to_file()
w.write_tensors_to_file()
w.close()
