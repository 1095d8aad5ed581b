"""A small model that plays the pre-trained one: nothing to download, and it knows how to copy.

A model from scratch learns to copy words of an article last of all, and pre-trained models can do it already. So the
weights are warmed up on one task alone: repeating spans of random tokens. No news and no language is in it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from empirical.seeds import stream
from empirical.summarization.encode import IGNORED
from theory.errors import InputError

BOS, EOS, UNKNOWN = "<s>", "</s>", "<unk>"
BETAS, CLIP, INIT = (0.9, 0.98), 1.0, 0.08
RISE = 50
"""Steps over which the learning rate of the warm-up rises."""
EASY = 0.5
"""Share of the steps in which all spans have the same length, so that the copy is always as far away."""
SPAN = (8, 12, 16)
"""Fewest tokens of a span, as many as there are at first, and the most."""


@dataclass(frozen=True)
class Shape:
    """Of a Llama: tied embeddings, as many key heads as query heads."""

    width: int = 128
    layers: int = 3
    heads: int = 4
    intermediate: int = 320
    positions: int = 256
    """Longest sequence, in tokens."""


@dataclass(frozen=True)
class WarmUp:
    """Training on copying: a sequence is a span of random tokens, the separator, and the span again.

    At first from one distance, then from several. The first token of a copy is given, the others carry the loss. Stop
    early: a model that has learnt to copy perfectly does nothing else, and is harder to fine-tune.
    """

    steps: int = 300
    batch: int = 32
    learning_rate: float = 1.5e-3


def train_tokenizer(texts: Iterable[str], kind: Literal["word", "bpe"], size: int) -> Any:
    """A tokenizer of at most ``size`` tokens, learnt from texts (among them the prompt's prefix and separator).

    word: whatever stands between spaces, decoded with single spaces. bpe: pairs of bytes, any text is decoded as it
    was. Both put a start token before a text and have no padding token, as Llama's.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    special = [UNKNOWN, BOS, EOS]
    if kind == "word":
        tokenizer = Tokenizer(models.WordLevel(unk_token=UNKNOWN))
        tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
        trainer: Any = trainers.WordLevelTrainer(vocab_size=size, special_tokens=special, show_progress=False)
    elif kind == "bpe":
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        letters = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(
            vocab_size=size, special_tokens=special, initial_alphabet=sorted(letters), show_progress=False
        )
    else:
        raise InputError(f"tokenizer = {kind!r}: must be word or bpe")
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=BOS, eos_token=EOS, unk_token=UNKNOWN, add_bos_token=True
    )


def make_base(
    tokenizer: Any, separator: str, shape: Shape, warm_up: WarmUp, seed: int, device: str = "cpu"
) -> tuple[Any, np.ndarray]:
    """(a Llama with random weights that has been warmed up, the copy loss of every step in nats per token).

    ``separator`` is what stands between article and summary. Equal to the bit for equal arguments on one thread.
    Raises ValueError where the sequences to copy from do not fit the model or the vocabulary.
    """
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=shape.width,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=shape.intermediate,
        max_position_embeddings=shape.positions,
        tie_word_embeddings=True,
        initializer_range=INIT,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    torch.manual_seed(seed)
    model: Any = LlamaForCausalLM(config)
    model = model.to(device)
    return model, _warm_up(model, Copies(tokenizer, separator, shape.positions, warm_up, seed), warm_up)


class Copies:
    """Batches of sequences in which a span of random tokens is repeated after a separator.

    Raises ValueError where spans do not fit into the model's positions, or its vocabulary.
    """

    def __init__(self, tokenizer: Any, separator: str, positions: int, warm_up: WarmUp, seed: int):
        """Of tokens other than the special ones and those of the separator."""
        self.rng = stream(seed)
        self.warm_up = warm_up
        self.separator = tokenizer(separator, add_special_tokens=False)["input_ids"]
        self.head, special = [tokenizer.bos_token_id], tokenizer.all_special_ids
        self.words = np.setdiff1d(np.arange(len(tokenizer)), [*special, *self.separator])
        room = (positions - 1 - len(self.separator)) // 2
        if min(len(self.words), room) < SPAN[-1]:
            raise InputError(
                f"the warm-up copies spans of up to {SPAN[-1]} tokens, and there are {len(self.words)} words and room "
                f"for {room}; raise made.vocabulary or format.block"
            )

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Ids and labels (batch, length) for a step of the warm-up; all spans are as long, with no token twice."""
        count, rng = self.warm_up.batch, self.rng
        length = SPAN[1] if step < EASY * self.warm_up.steps else rng.integers(SPAN[0], SPAN[-1], endpoint=True)
        span = self.words[rng.random((count, len(self.words))).argsort(1)[:, :length]]
        ids = np.concatenate([np.tile(self.head, (count, 1)), span, np.tile(self.separator, (count, 1)), span], 1)
        labels = np.full_like(ids, IGNORED)
        labels[:, 1 - length :] = ids[:, 1 - length :]
        return torch.from_numpy(ids), torch.from_numpy(labels)


def _warm_up(model: Any, copies: Copies, warm_up: WarmUp) -> np.ndarray:
    optimiser = torch.optim.AdamW(model.parameters(), betas=BETAS, fused=True)
    losses = np.empty(warm_up.steps)
    model.train()
    for step in range(warm_up.steps):
        for group in optimiser.param_groups:
            group["lr"] = warm_up.learning_rate * min((step + 1) / RISE, 1.0)
        ids, labels = (tensor.to(model.device) for tensor in copies.batch(step))
        loss = model(input_ids=ids, labels=labels).loss
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimiser.step()
        losses[step] = loss.item()
    model.eval()
    return losses
