"""The equations of `theory.systems`, solved: numbers by `numbers` (NumPy), what JAX traces by `traced`."""

from theory import certified, status
from theory.arrays import Array, is_jax, of
from theory.equations import State
from theory.laws import Law
from theory.laws.kept import Kept
from theory.losses import LOSSES, Loss
from theory.systems import system


def reached(loss: str, law: Law | Kept, delta: Array, ridge: Array) -> State:
    """The trained classifier of every cell, fields on one axis: squared loss in closed form, others by `states`.

    What is converged has passed the predicate of all rows; accuracies, which are not known here, pass it later.
    """
    if loss == "squared":
        state = system(law).parabolas(law, delta, ridge)
    else:
        state = states(LOSSES[loss], law, delta, ridge)
    numbers = (*(state.a[..., i] for i in range(state.a.shape[-1])), state.tau, state.theta)
    row = certified.Row(delta, state.residual, certified.PROMISED["theory"], numbers, ((0.0, state.norm()),))
    refused = certified.refused(row)
    converged = state.converged & (refused == status.OK)
    xp = of(state.a)
    known = lambda number: xp.where(converged, number, xp.nan)
    why = xp.where(state.converged, refused, state.why)
    a = xp.where(converged[..., None], state.a, xp.nan)
    return State(a, known(state.tau), known(state.theta), converged, state.residual, why)


def states(loss: Loss, law: Law | Kept, delta: Array, ridge: Array) -> State:
    """Solve cells, fields of ``law``, delta and ridge on one axis: numbers by NumPy, arrays of JAX by JAX."""
    if is_jax((law, delta, ridge)):
        from theory.solvers import traced

        return traced.states(loss, law, delta, ridge)
    from theory.solvers import numbers

    return numbers.states(loss, law, delta, ridge)
