"""Random numbers of an experiment, each stream named by integers: root seed, role, repetition, and what else tells it.

Streams of different names are independent, and each is a function of its name alone (numpy's SeedSequence). Zeros
at the end of a name do not tell: 5 and (5, 0) are one stream.
"""

from collections.abc import Sequence

import numpy as np

Name = int | Sequence[int]


def stream(name: Name, skipped: int = 0) -> np.random.Generator:
    """The stream of that name, without the first ``skipped`` of its draws (each takes 64 bits, as a double does)."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(name)).advance(skipped))


def word(name: Name) -> int:
    """32 bits for a library that wants an integer; as different names as streams have."""
    return int(np.random.SeedSequence(name).generate_state(1)[0])
