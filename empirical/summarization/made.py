"""A small model that plays the pre-trained one: nothing to download, and it knows how to copy.

A model from scratch learns to copy words of an article last of all, and pre-trained models can do it already. So the
weights are warmed up on repeating spans of random tokens; no news and no language is in that. For made-up stories it is
enough. For real text, whose words are several tokens, the first words of the texts follow, without their summaries.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from empirical.order import Order
from empirical.seeds import stream
from empirical.summarization.encode import IGNORED, Encoder, collate
from theory.errors import InputError

BOS, EOS, UNKNOWN = "<s>", "</s>", "<unk>"
BETAS, CLIP, INIT = (0.9, 0.98), 1.0, 0.08
RISE = 50
"""Steps over which the learning rate rises, for each task."""
EASY = 0.5
"""Share of the steps in which all spans have the same length, so that the copy is always as far away."""
SPAN = (8, 12, 16)
"""Fewest tokens of a span, as many as there are at first, and the most."""
FIRST = 8
"""Words of a text that are its beginning."""


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
    copies = Copies(tokenizer, separator, shape.positions, warm_up, seed)
    return model, learn(model, copies.batch, warm_up.steps, warm_up.learning_rate)


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

    def batch(self, step: int) -> dict[str, Tensor]:
        """input_ids and labels (batch, length) of a step; all spans are as long, with no token twice."""
        count, rng = self.warm_up.batch, self.rng
        length = SPAN[1] if step < EASY * self.warm_up.steps else rng.integers(SPAN[0], SPAN[-1], endpoint=True)
        span = self.words[rng.random((count, len(self.words))).argsort(1)[:, :length]]
        ids = np.concatenate([np.tile(self.head, (count, 1)), span, np.tile(self.separator, (count, 1)), span], 1)
        labels = np.full_like(ids, IGNORED)
        labels[:, 1 - length :] = ids[:, 1 - length :]
        return {"input_ids": torch.from_numpy(ids), "labels": torch.from_numpy(labels)}


class Beginnings:
    """Batches of real texts, each with its first `FIRST` words in the place of a summary: no person has to write one.

    Close to it: the first sentences ("Lead") among the gap sentences of PEGASUS (zhang2020pegasus), which are masked
    there.
    """

    def __init__(self, encoder: Encoder, texts: Sequence[str], size: int, seed: int):
        """Batches of ``size``."""
        self.examples, self.pad, self.size = encoder.examples(texts, encoder.openings(texts, FIRST)), encoder.pad, size
        self.order = Order(len(texts), seed)

    def batch(self, step: int) -> dict[str, Tensor]:
        """input_ids, attention_mask and labels (size, longest) of a step."""
        chosen = self.order.batch(step * self.size, self.size)
        return collate([self.examples[index] for index in chosen], self.pad)


def learn(model: Any, batch: Callable[[int], dict[str, Tensor]], steps: int, learning_rate: float) -> np.ndarray:
    """Train on ``batch(step)`` by AdamW, whose rate rises for `RISE` steps; the loss of every step, nats per token."""
    optimiser = torch.optim.AdamW(model.parameters(), betas=BETAS, fused=True)
    losses = np.empty(steps)
    model.train()
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = learning_rate * min((step + 1) / RISE, 1.0)
        loss = model(**{name: tensor.to(model.device) for name, tensor in batch(step).items()}).loss
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimiser.step()
        losses[step] = loss.item()
    model.eval()
    return losses
