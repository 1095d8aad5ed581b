"""The order in which a training sees its examples, a function of the seed alone."""

import numpy as np

from empirical.seeds import stream


class Order:
    """Examples in the order in which they are seen: one permutation after another, each from (seed, pass)."""

    def __init__(self, count: int, seed: int):
        """Of ``count`` examples."""
        self.count, self.seed = count, seed
        self._pass, self._permutation = -1, np.empty(0, np.int64)

    def batch(self, start: int, size: int) -> np.ndarray:
        """Examples at places start..start+size of the endless sequence."""
        parts = []
        while size > 0:
            number, place = divmod(start, self.count)
            if number != self._pass:
                rng = stream((self.seed, number))
                self._pass, self._permutation = number, rng.permutation(self.count)
            parts.append(self._permutation[place : place + size])
            start, size = start + len(parts[-1]), size - len(parts[-1])
        return np.concatenate(parts)
