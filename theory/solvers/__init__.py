"""The equations of `theory.systems`, solved: numbers by `numbers` (NumPy), what JAX traces by `traced`."""

from theory.arrays import Array, is_jax
from theory.equations import State
from theory.laws import Law
from theory.laws.kept import Kept
from theory.losses import LOSSES, Loss
from theory.systems import system


def reached(loss: str, law: Law | Kept, delta: Array, ridge: Array) -> State:
    """The trained classifier of every cell, fields on one axis: squared loss in closed form, others by `states`."""
    if loss == "squared":
        return system(law).parabolas(law, delta, ridge)
    return states(LOSSES[loss], law, delta, ridge)


def states(loss: Loss, law: Law | Kept, delta: Array, ridge: Array) -> State:
    """Solve cells, fields of ``law``, delta and ridge on one axis: numbers by NumPy, arrays of JAX by JAX."""
    if is_jax((law, delta, ridge)):
        from theory.solvers import traced

        return traced.states(loss, law, delta, ridge)
    from theory.solvers import numbers

    return numbers.states(loss, law, delta, ridge)
