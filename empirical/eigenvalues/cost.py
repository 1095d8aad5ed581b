"""What stages cost, in arithmetic and in seconds; a model for plans and `--dry-run`, good to a factor of two."""

from typing import NamedTuple

from empirical.eigenvalues.model import Architecture

SPEED = {"cpu": 4.5e10, "cuda": 2e14}
"""Operations per second of a worker in training: one idle core (measured, 2 x 2 to 4 x 4), one large GPU (estimate)."""
DECODING = {"cpu": 1.0, "cuda": 0.1}
"""Speed of decoding relative to training: measured, on the GPU an H100."""
OVERHEAD = 0.3
"""Seconds that any stage takes."""
UPDATE = {"cpu": 0.0, "cuda": 3e-4}
"""Seconds that an update takes however small it is: its kernels, recorded as a graph (measured on an H100)."""
MATRIX = {"cpu": 3e-4, "cuda": 8e-5}
"""Seconds that Muon takes for a matrix however small: measured (width 64; on an H100 width 256)."""
MUON = {"cpu": 4.0, "cuda": 1.0}
"""Speed of Muon's products, which are in bfloat16, relative to training."""


class Cost(NamedTuple):
    """Seconds of the stages of one kind of model on one kind of device."""

    sizes: Architecture
    device: str

    def training(self, steps: int, batch: int, muon: bool) -> float:
        """Of that many updates: a backward pass costs twice a forward pass."""
        update = UPDATE[self.device] + batch * 3 * sum(operations(self.sizes)) / SPEED[self.device]
        if muon:
            matrices, work = orthogonal(self.sizes)
            update += matrices * MATRIX[self.device] + work / (SPEED[self.device] * MUON[self.device])
        return OVERHEAD + steps * update

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


def orthogonal(sizes: Architecture) -> tuple[int, float]:
    """Matrices that Muon makes orthogonal, and operations that takes: five times X X', its square, and that times X."""
    square, wide = (10.0 * (2 * times + 1) * sizes.width**3 for times in (1, 4))
    squares = 4 * (sizes.encoder_layers + 2 * sizes.decoder_layers)
    wides = 2 * (sizes.encoder_layers + sizes.decoder_layers)
    return squares + wides, squares * square + wides * wide
