"""Saves a llama model of made-up weights as the transformers library does: bytes as words, one layer."""
import sys

import tokenizers
import torch
import transformers

folder = sys.argv[1]
torch.manual_seed(7)
letters = tokenizers.pre_tokenizers.ByteLevel.alphabet()
words = tokenizers.Tokenizer(tokenizers.models.BPE({one: n for n, one in enumerate(sorted(letters) + ["</s>"])}, []))
words.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
words.decoder = tokenizers.decoders.ByteLevel()
words = transformers.PreTrainedTokenizerFast(tokenizer_object=words, eos_token="</s>", pad_token="</s>")
words.chat_template = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}assistant:"
words.save_pretrained(folder)
end = words.eos_token_id
config = transformers.LlamaConfig(
    vocab_size=len(words), hidden_size=64, intermediate_size=128, num_hidden_layers=1, num_attention_heads=4,
    max_position_embeddings=8192, bos_token_id=end, eos_token_id=end, pad_token_id=end,
)
transformers.LlamaForCausalLM(config).save_pretrained(folder)
