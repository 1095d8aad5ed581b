"""What stages cost in seconds; a model for plans and `--dry-run`, good to a factor of two on an idle machine."""

from typing import NamedTuple

SPEED = {"cpu": 6.5e10, "cuda": 3.5e14}
"""Operations per second of a worker in training: one core (measured, small preset), one large GPU (an estimate)."""
BANDWIDTH = {"cpu": 1.5e10, "cuda": 3e12}
"""Bytes of weights per second in decoding, token by token."""
OVERHEAD = {"cpu": 0.5, "cuda": 30.0}
"""Seconds that a stage takes to load its model."""


class Cost(NamedTuple):
    """Seconds of what a model of so many parameters does with examples of so many tokens."""

    parameters: float
    tokens: int
    answer: int
    """Tokens of a summary, at most."""
    device: str

    def training(self, examples: float, frozen: bool = False) -> float:
        """Of presenting that many examples: six operations per parameter and token, four where it is ``frozen``."""
        each = 4 if frozen else 6
        return OVERHEAD[self.device] + examples * each * self.parameters * self.tokens / SPEED[self.device]

    def scoring(self, examples: float) -> float:
        """Of a forward pass over that many examples."""
        return OVERHEAD[self.device] + examples * 2 * self.parameters * self.tokens / SPEED[self.device]

    def generation(self, examples: float, batch: int) -> float:
        """Of reading the articles, and of writing summaries of half the room, each token reading all weights."""
        written = examples * self.answer / 2
        arithmetic = written * 2 * self.parameters / SPEED[self.device]
        memory = written / batch * 4 * self.parameters / BANDWIDTH[self.device]
        return self.scoring(examples) + arithmetic + memory
