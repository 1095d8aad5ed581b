"""Tokenizers of the three kinds, and small random models, made here."""

import json

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    LlamaTokenizer,
    PreTrainedTokenizerFast,
)

WORDS = (
    "the a man woman said told left in of to rome oslo lima paris on monday friday seven nine police bank strike "
    "fire vote fell rose began ended people after before mayor court wins loses team . ,"
).split()


def sentences(count, seed=0, low=3, high=30):
    """Texts of words."""
    generator = torch.Generator().manual_seed(seed)
    texts = []
    for _ in range(count):
        length = int(torch.randint(low, high + 1, (1,), generator=generator))
        texts.append(" ".join(WORDS[i] for i in torch.randint(0, len(WORDS), (length,), generator=generator).tolist()))
    return texts


def word_level():
    """Ours: whitespace, a pad token of its own."""
    vocabulary = ["<pad>", "<unk>", "<s>", "</s>", "summary", *WORDS]
    core = Tokenizer(models.WordLevel({word: index for index, word in enumerate(vocabulary)}, unk_token="<unk>"))
    core.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(
        tokenizer_object=core, pad_token="<pad>", unk_token="<unk>", bos_token="<s>", eos_token="</s>"
    )


def _pieces():
    """(vocabulary, merges) as SentencePiece has them: ▁ begins a word, bytes stand for what is not there."""
    core = Tokenizer(models.BPE(unk_token="<unk>"))
    core.pre_tokenizer = pre_tokenizers.Metaspace()
    special = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    trainer = trainers.BpeTrainer(vocab_size=340, special_tokens=special, show_progress=False)
    core.train_from_iterator(sentences(300), trainer)
    model = json.loads(core.to_str())["model"]
    return model["vocab"], [tuple(merge) for merge in model["merges"]]


def llama2_like():
    """transformers' class for Llama 2: adds bos, has no pad token."""
    vocab, merges = _pieces()
    return LlamaTokenizer(vocab=vocab, merges=merges, add_bos_token=True)


def llama2_file():
    """As the tokenizer.json of Llama 2 on the hub has it: a normalizer instead of a pre-tokenizer."""
    vocab, merges = _pieces()
    core = Tokenizer(models.BPE(vocab=vocab, merges=merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    core.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    core.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    core.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return PreTrainedTokenizerFast(tokenizer_object=core, unk_token="<unk>", bos_token="<s>", eos_token="</s>")


def byte_level(bos=True):
    """Like Llama 3 (with bos) or GPT-2 (without): byte-level pieces, no pad token, a clean-up asked for."""
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=330,
        special_tokens=["<|begin|>", "<|end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    core.train_from_iterator(sentences(300), trainer)
    if bos:
        core.post_processor = processors.TemplateProcessing(single="<|begin|> $A", special_tokens=[("<|begin|>", 0)])
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        bos_token="<|begin|>" if bos else None,
        eos_token="<|end|>",
        clean_up_tokenization_spaces=True,
    )


KINDS = {
    "word": word_level,
    "llama2": llama2_like,
    "llama2-file": llama2_file,
    "llama3": byte_level,
    "gpt2": lambda: byte_level(bos=False),
}


def llama(tokenizer, seed=0, positions=128, spread=0.2, **changes):
    """A small Llama of random weights, spread wide so that its answers differ, and inclined to end them."""
    torch.manual_seed(seed)
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4} | changes
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        max_position_embeddings=positions,
        initializer_range=spread,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        **sizes,
    )
    model = LlamaForCausalLM(config).eval()
    model.lm_head.weight.data[tokenizer.eos_token_id] *= 2
    return model


def gpt2(tokenizer, seed=0, positions=128):
    """A model whose positions are absolute: a shift by padding would show."""
    torch.manual_seed(seed)
    config = GPT2Config(
        vocab_size=len(tokenizer),
        n_positions=positions,
        n_embd=32,
        n_layer=2,
        n_head=4,
        initializer_range=0.2,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
    )
    return GPT2LMHeadModel(config).eval()
