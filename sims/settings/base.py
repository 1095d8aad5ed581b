"""What a setting says on the simulating road."""

from abc import ABC, abstractmethod
from typing import NamedTuple

import jax
from jaxtyping import Array, Bool, Float, Key

from theory.types import Problem


class Sample(NamedTuple):
    """n labelled points. Labels are +-1 in float64."""

    x: Float[Array, "n d"]
    """Features, y mu + z with z ~ N(0, I_d)."""
    y: Float[Array, " n"]
    """True label, used by the independent verifier and by the counts, never by a fit."""
    label: Float[Array, " n"]
    """y', the label that the generator gives."""


class Setting(ABC):
    """One setting: which class a point is of, how it is labelled, and whether it is kept."""

    def classes(self, key: Key[Array, ""], problem: Problem, n: int) -> Float[Array, " n"]:
        """True labels; by default both classes are equally likely."""
        return jax.random.rademacher(key, (n,), dtype=float)

    @abstractmethod
    def label(
        self, key: Key[Array, ""], problem: Problem, x: Float[Array, "n d"], y: Float[Array, " n"]
    ) -> Float[Array, " n"]:
        """y', the labels that are trained on."""

    @abstractmethod
    def keep(self, key: Key[Array, ""], problem: Problem, sample: Sample) -> Bool[Array, " n"]:
        """Mask of the kept samples."""
