"""What stages cost, in arithmetic and in seconds; a model for plans and `--dry-run`, good to a factor of two."""

from typing import NamedTuple

from empirical.eigenvalues.model import Architecture

SPEED = {"cpu": 3e10, "cuda": 2e14}
"""Operations per second of a worker in training: one core (measured, quick profile), one large GPU (an estimate)."""
DECODING = {"cpu": 1.0, "cuda": 0.2}
"""Speed of decoding relative to training: measured, and an estimate."""
OVERHEAD = 0.3
"""Seconds that any stage takes."""


class Cost(NamedTuple):
    """Seconds of the stages of one kind of model on one kind of device."""

    sizes: Architecture
    device: str

    def training(self, examples: int) -> float:
        """Of presenting that many examples: a backward pass costs twice a forward pass."""
        encoder, decoder = operations(self.sizes)
        return OVERHEAD + examples * 3 * (encoder + decoder) / SPEED[self.device]

    def decoding(self, matrices: int, beams: int) -> float:
        """Of answering matrices with beams that share the encoder's work."""
        encoder, decoder = operations(self.sizes)
        return OVERHEAD + matrices * (encoder + beams * decoder) / (SPEED[self.device] * DECODING[self.device])


def operations(sizes: Architecture) -> tuple[float, float]:
    """Floating-point operations of a forward pass of one example: (encoder, decoder). A product-sum counts two."""
    square = sizes.width**2
    read, written = sizes.input_length, sizes.output_length
    layer = read * (12 * square + 2 * read * sizes.width)
    encoder = sizes.encoder_layers * layer + sizes.decoder_layers * 2 * square * read
    block = written * (14 * square + 2 * (read + written) * sizes.width)
    decoder = sizes.decoder_layers * block + written * sizes.width * sizes.output_vocabulary
    return 2.0 * encoder, 2.0 * decoder
