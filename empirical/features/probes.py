"""Many probes at once: the minimiser of (1/m) sum_kept l(y'(w.x + b)) + (lambda/2)||w||^2, b without penalty.

Each row of a batch has its own points, and weights 1 where a sample is kept and 0 where it is not. Newton's method,
which for squared loss is one step; a probe counts as found where its gradient says so.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

Numbers = NDArray[np.float64]
TOLERANCE = 1e-8
"""Largest entry of the gradient, in units of the largest column of |x| averaged over what is kept."""
_STEPS, _HALVINGS = 60, 30


class Probes(NamedTuple):
    """Fields (batch, ...)."""

    w: Numbers
    b: Numbers
    found: NDArray[np.bool_]
    """False where only one label is kept, or the gradient is not small."""


def fit(x: Numbers, label: Numbers, kept: NDArray[np.bool_], ridge: float, loss: str) -> Probes:
    """Probes of points (batch, n, d) with labels +-1 and what is kept, (batch, n)."""
    share = kept / np.maximum(kept.sum(-1, keepdims=True), 1)
    mean = np.einsum("bn,bnd->bd", share, x)
    z = np.concatenate([x - mean[:, None], np.ones((*x.shape[:2], 1))], -1)  # centred, so that b is well conditioned
    penalty = np.append(np.full(x.shape[2], ridge), 0.0)
    both: NDArray[np.bool_] = np.any(kept & (label > 0), axis=-1) & np.any(kept & (label < 0), axis=-1)
    size = 1 + np.einsum("bn,bnd->bd", share, abs(z)).max(-1)
    w = np.zeros((len(x), z.shape[2]))
    value, slope, curvature = _LOSSES[loss]

    def objective(w: Numbers) -> Numbers:
        margin = label * np.einsum("bnd,bd->bn", z, w)
        return np.sum(share * value(margin), -1) + np.sum(penalty * w**2, -1) / 2

    for _ in range(_STEPS):
        margin = label * np.einsum("bnd,bd->bn", z, w)
        gradient = np.einsum("bnd,bn->bd", z, share * label * slope(margin)) + penalty * w
        found = both & (abs(gradient).max(-1) <= TOLERANCE * size)
        if np.all(found | ~both):
            break
        weighted = z * (share * curvature(margin))[..., None]
        hessian = np.swapaxes(z, 1, 2) @ weighted
        hessian[:, np.arange(len(penalty)), np.arange(len(penalty))] += penalty + 1e-14 * size[:, None] ** 2
        step = np.linalg.solve(hessian, gradient[..., None])[..., 0]
        scale, before = np.ones(len(w)), objective(w)
        for _ in range(_HALVINGS if loss != "squared" else 0):
            worse = objective(w - scale[:, None] * step) > before + 1e-12 * abs(before)
            if not (worse & both).any():
                break
            scale = np.where(worse, scale / 2, scale)
        w = np.where(both[:, None], w - scale[:, None] * step, w)
    weights = w[:, :-1]
    return Probes(weights, w[:, -1] - np.sum(weights * mean, -1), found)


_LOSSES: dict[str, tuple[Callable[[Any], Any], ...]] = {
    "squared": (lambda v: (1 - v) ** 2 / 2, lambda v: v - 1, np.ones_like),
    "logistic": (lambda v: np.logaddexp(0, -v), lambda v: -expit(-v), lambda v: expit(v) * expit(-v)),
}
