"""A tiny Llama as GGUF, as llama.cpp's converter would write it."""

import json

import numpy as np

from tests.empirical.summarization.tokenizers import byte_level, llama

LAYER = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
WHOLE = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}


def write(path, quantised="Q8_0"):
    """The file; returns the model that was written, and its tokenizer."""
    import gguf

    tokenizer = byte_level(bos=False)
    model = llama(tokenizer, num_key_value_heads=2)
    config = model.config
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(10_000.0)
    writer.add_vocab_size(config.vocab_size)
    _write_tokenizer(writer, tokenizer, gguf)
    kind = gguf.GGMLQuantizationType[quantised]
    for name, tensor in model.state_dict().items():
        array = tensor.numpy()
        if ".q_proj." in name or ".k_proj." in name:
            array = _permuted(array, config.num_attention_heads if "q_proj" in name else config.num_key_value_heads)
        if array.ndim == 2:
            writer.add_tensor(_name(name), gguf.quants.quantize(array, kind), raw_dtype=kind)
        else:
            writer.add_tensor(_name(name), array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return model, tokenizer


def _write_tokenizer(writer, tokenizer, gguf):
    core = json.loads(tokenizer.backend_tokenizer.to_str())["model"]
    tokens = sorted(core["vocab"], key=core["vocab"].get)
    special = [tokenizer.eos_token, "<|begin|>"]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    kinds = [gguf.TokenType.CONTROL if token in special else gguf.TokenType.NORMAL for token in tokens]
    writer.add_token_types(kinds)
    writer.add_token_merges([merge if isinstance(merge, str) else " ".join(merge) for merge in core["merges"]])
    writer.add_eos_token_id(tokenizer.eos_token_id)
    writer.add_bos_token_id(tokens.index("<|begin|>"))
    writer.add_add_bos_token(False)


def _name(name):
    parts = name.removesuffix(".weight").split(".layers.")
    if len(parts) == 1:
        return f"{WHOLE[parts[0]]}.weight"
    number, _, part = parts[1].partition(".")
    return f"blk.{number}.{LAYER[part]}.weight"


def _permuted(array, heads):
    """llama.cpp rotates neighbours where transformers rotates halves."""
    return (
        array.reshape(heads, 2, array.shape[0] // heads // 2, -1).swapaxes(1, 2).reshape(array.shape).astype(np.float32)
    )
