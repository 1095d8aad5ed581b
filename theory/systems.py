"""Which equations a law obeys: those of the low-dimensional part of a sample, or those of its score."""

from typing import Any, Protocol

from theory import equations, scores
from theory.arrays import Array
from theory.equations import State
from theory.laws import Law
from theory.laws.kept import Kept
from theory.losses import Loss


class System(Protocol):
    """What a search asks of equations: `theory.equations` and `theory.scores` are two."""

    def equations(self, u: Array, law: Any, loss: Loss, delta: Array, ridge: Array, nodes: int) -> Array:
        """Relative residuals at u."""
        ...

    def guess(self, law: Any, loss: Loss, delta: Array, ridge: Array) -> Array:
        """u from a resembling parabola."""
        ...

    def parabolas(self, law: Any, delta: Array, ridge: Array) -> State:
        """Squared loss in closed form."""
        ...

    def averaging(self, law: Any, loss: Loss, delta: Array, ridge: Array) -> Array:
        """u at large ridge."""
        ...

    def first_ridge(self, law: Any, ridge: Array) -> Array:
        """Logarithm of a ridge that is large."""
        ...


def system(law: Law | Kept) -> System:
    """The equations of a law."""
    found: System = scores if isinstance(law, Kept) else equations
    return found
