"""A small encoder-decoder transformer whose decoder serves all beams of a matrix from one encoding.

Beams are rows of the query: cross-attention reads the keys and values of a matrix once, however wide the beam, and
nothing of the encoder's is copied. Attention over the tokens written so far reads a cache, one row per beam.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

Norm = Literal["pre", "post"]


class Architecture(NamedTuple):
    """Sizes of the model. The decoder's embedding is tied to its output; there is no dropout."""

    input_vocabulary: int
    output_vocabulary: int
    """Tokens that can be written, with the start token."""
    input_length: int
    output_length: int
    width: int
    """Model dimension; feed-forward layers are four times as wide."""
    heads: int
    encoder_layers: int
    decoder_layers: int
    norm: Norm
    """pre: normalise what enters a block and what leaves the stack. post: normalise embeddings and block outputs."""


Pair = tuple[Tensor, Tensor]
"""Keys and values: of encoded matrices (batch, heads, input length, head width), shared by the beams; of what the
beams have written (batch, beams, heads, output length, head width)."""


class Attention(nn.Module):
    """Multi-head attention; queries, keys and values are one matrix."""

    def __init__(self, width: int, heads: int):
        """Xavier-uniform projections, zero biases."""
        super().__init__()
        self.heads = heads
        self.inward = nn.Linear(width, 3 * width)
        self.outward = nn.Linear(width, width)
        for part in (*self.inward.weight.chunk(3), self.outward.weight):
            nn.init.xavier_uniform_(part)
        nn.init.zeros_(self.inward.bias)
        nn.init.zeros_(self.outward.bias)

    def project(self, x: Tensor, first: int, last: int) -> list[Tensor]:
        """Projections ``first`` to ``last`` of (query, key, value), each (batch, heads, length, head width)."""
        batch, length, width = x.shape
        rows = slice(first * width, last * width)
        flat = functional.linear(x, self.inward.weight[rows], self.inward.bias[rows])
        parts = flat.view(batch, length, last - first, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        return list(parts)

    def merge(self, x: Tensor) -> Tensor:
        """(batch, heads, length, head width) to (batch, length, width)."""
        return self.outward(x.transpose(1, 2).flatten(2))

    def forward(self, x: Tensor, causal: bool = False) -> Tensor:
        """Attention of a sequence to itself."""
        query, key, value = self.project(x, 0, 3)
        return self.merge(functional.scaled_dot_product_attention(query, key, value, is_causal=causal))

    def across(self, x: Tensor, encoded: Pair) -> Tensor:
        """Attention of a sequence, or of beams, to the encoded matrix."""
        (query,) = self.project(x, 0, 1)
        return self.merge(functional.scaled_dot_product_attention(query, encoded[0], encoded[1]))

    def step(self, x: Tensor, written: Pair, position: int) -> Tensor:
        """Attention of the newest token of every beam to the tokens of its beam; writes into the cache."""
        batch, beams, width = x.shape
        heads, head = self.heads, width // self.heads
        query, key, value = self.inward(x).view(batch, beams, 3, heads, head).unbind(2)
        for cache, new in zip(written, (key, value), strict=True):
            cache[:, :, :, position] = new
        keys, values = (cache[:, :, :, : position + 1].flatten(0, 1) for cache in written)
        out = functional.scaled_dot_product_attention(query.reshape(batch * beams, heads, 1, head), keys, values)
        return self.outward(out.reshape(batch, beams, width))


class FeedForward(nn.Module):
    """Two linear layers with a ReLU between."""

    def __init__(self, width: int):
        """Xavier-uniform weights, zero biases."""
        super().__init__()
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        for layer in (self.up, self.down):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Position by position."""
        return self.down(functional.relu(self.up(x)))


class Block(nn.Module):
    """One layer: self-attention, in the decoder cross-attention, feed-forward; each with a residual and a norm."""

    def __init__(self, sizes: Architecture, decoder: bool):
        """Make the parts."""
        super().__init__()
        self.pre = sizes.norm == "pre"
        self.attention = Attention(sizes.width, sizes.heads)
        self.cross = Attention(sizes.width, sizes.heads) if decoder else None
        self.feed = FeedForward(sizes.width)
        self.norms = nn.ModuleList(nn.LayerNorm(sizes.width) for _ in range(3 if decoder else 2))

    def forward(self, x: Tensor, encoded: Pair | None = None) -> Tensor:
        """A whole sequence; in the decoder causal, with something encoded to attend to."""
        causal = self.cross is not None
        return self._rest(self._residual(0, x, lambda h: self.attention(h, causal)), encoded)

    def step(self, x: Tensor, encoded: Pair, written: Pair, position: int) -> Tensor:
        """The newest token of every beam."""
        return self._rest(self._residual(0, x, lambda h: self.attention.step(h, written, position)), encoded)

    def remember(self, memory: Tensor) -> Pair:
        """What cross-attention reads of encoded matrices (batch, input length, width)."""
        assert self.cross is not None
        keys, values = self.cross.project(memory, 1, 3)
        return keys, values

    def _rest(self, x: Tensor, encoded: Pair | None) -> Tensor:
        cross = self.cross
        if cross is not None:
            assert encoded is not None
            x = self._residual(1, x, lambda h: cross.across(h, encoded))
        return self._residual(-1, x, self.feed)

    def _residual(self, index: int, x: Tensor, part: Callable[[Tensor], Tensor]) -> Tensor:
        norm = self.norms[index]
        return x + part(norm(x)) if self.pre else norm(x + part(x))


class Transformer(nn.Module):
    """Matrix tokens in, logits of eigenvalue tokens out. Every answer has one length and starts from token START."""

    START = 0

    def __init__(self, sizes: Architecture):
        """Make the layers; embeddings are normal with standard deviation width^-1/2."""
        super().__init__()
        self.sizes = sizes
        width = sizes.width
        self.input_table = nn.Embedding(sizes.input_vocabulary, width)
        self.output_table = nn.Embedding(sizes.output_vocabulary, width)
        self.input_place = nn.Embedding(sizes.input_length, width)
        self.output_place = nn.Embedding(sizes.output_length, width)
        for table in (self.input_table, self.output_table, self.input_place, self.output_place):
            nn.init.normal_(table.weight, std=width**-0.5)
        self.encoder = nn.ModuleList(Block(sizes, decoder=False) for _ in range(sizes.encoder_layers))
        self.decoder = nn.ModuleList(Block(sizes, decoder=True) for _ in range(sizes.decoder_layers))
        self.encoder_norm, self.decoder_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.bias = nn.Parameter(torch.zeros(sizes.output_vocabulary))

    def forward(self, inputs: Tensor, labels: Tensor) -> Tensor:
        """Logits (batch, output length, vocabulary) of every label token, given the matrix and those before it."""
        encoded = self.encode(inputs)
        x = self._enter(self.output_table, self.output_place, functional.pad(labels[:, :-1], (1, 0)), self.decoder_norm)
        for block, pair in zip(self._decoder, encoded, strict=True):
            x = block(x, pair)
        return self._leave(x)

    def encode(self, inputs: Tensor) -> list[Pair]:
        """What each decoder layer attends to of (batch, input length) tokens."""
        x = self._enter(self.input_table, self.input_place, inputs, self.encoder_norm)
        for block in self.encoder:
            x = block(x)
        memory = self.encoder_norm(x) if self.sizes.norm == "pre" else x
        return [block.remember(memory) for block in self._decoder]

    def step(self, tokens: Tensor, encoded: list[Pair], written: list[Pair], position: int) -> Tensor:
        """Logits (batch, beams, vocabulary) after the newest token (batch, beams) of every beam."""
        x = self.output_table(tokens) + self.output_place.weight[position]
        if self.sizes.norm == "post":
            x = self.decoder_norm(x)
        for block, pair, cache in zip(self._decoder, encoded, written, strict=True):
            x = block.step(x, pair, cache, position)
        return self._leave(x)

    def empty_cache(self, encoded: list[Pair], beams: int) -> list[Pair]:
        """Room for the keys and values of what is written, per decoder layer, in the precision of what is encoded."""
        sizes, like = self.sizes, encoded[0][0]
        shape = (len(like), beams, sizes.heads, sizes.output_length, sizes.width // sizes.heads)
        return [(like.new_empty(shape), like.new_empty(shape)) for _ in self.decoder]

    @property
    def _decoder(self) -> list[Block]:
        return cast(list[Block], list(self.decoder))

    def _enter(self, table: nn.Embedding, place: nn.Embedding, tokens: Tensor, norm: nn.LayerNorm) -> Tensor:
        x = table(tokens) + place.weight[: tokens.shape[1]]
        return norm(x) if self.sizes.norm == "post" else x

    def _leave(self, x: Tensor) -> Tensor:
        if self.sizes.norm == "pre":
            x = self.decoder_norm(x)
        return functional.linear(x, self.output_table.weight, self.bias)
