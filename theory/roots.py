"""Roots of a few equations, for many problems at once: Newton's method with a Jacobian that is moved along (Broyden).

The Jacobian is taken by difference quotients, moved along with every step, and taken anew where a step gains too
little. A step that does not lower the residual is shortened. Each problem goes its own way, whatever the others do.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from theory.arrays import NUMPY, quiet

Residuals = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""(u, which) -> residuals, both (points, k), of the problems ``which`` (points,). NaN outside their domain."""
ROUNDING = 1e-14
"""Residual norm that no further step is worth."""
_STUCK = 1e-3
"""Fraction of a Newton step at which no shorter one is tried."""
_SLOW = 0.2
"""A Jacobian is moved along while steps bring the residual norm below this fraction."""
_DIFFERENCE = 1e-7


class Roots(NamedTuple):
    """Best points (points, k), their residual norms max |residuals|, the Jacobians there, as far as they are known."""

    u: np.ndarray
    norm: np.ndarray
    slope: np.ndarray


@quiet
def roots(
    residuals: Residuals,
    u: np.ndarray,
    *,
    target: float,
    evaluations: int,
    longest: float = np.inf,
    slope: np.ndarray | None = None,
    polish: bool = True,
) -> Roots:
    """Search from u, of shape (points, k), one point per problem.

    Args:
        residuals: of the problems. target: residual norm at which to stop. evaluations: after the first, at most.
        longest: largest component of a step. slope: Jacobians at u, (points, k, k), NaN where they are not known.
        polish: whether what is there takes one more step, which mostly ends at rounding.
    """
    u, everything = u.copy(), np.arange(len(u))
    value = residuals(u, everything)
    norm, fraction = _norm(value), np.ones(len(u))
    slope = np.full((*u.shape, u.shape[1]), np.nan) if slope is None else slope.copy()
    exact = np.isnan(slope).any((-2, -1))
    slope[exact] = _jacobian(residuals, u[exact], value[exact], everything[exact])
    step = _newton(slope, value, longest)
    for _ in range(evaluations):
        which = np.flatnonzero((norm > target) & (fraction > _STUCK) & np.isfinite(step).all(-1))
        if not which.size:
            break
        shift = fraction[which, None] * step[which]
        trial = residuals(u[which] + shift, which)
        size = _norm(trial)
        gain = size < (1 - 0.1 * fraction[which]) * norm[which]
        won, lost = which[gain], which[~gain]
        slow = size[gain] > np.maximum(_SLOW * norm[won], target)
        slope[won] = _moved(slope[won], shift[gain], trial[gain] - value[won])
        u[won], value[won], norm[won] = u[won] + shift[gain], trial[gain], size[gain]
        exact[won], fraction[won] = False, 1.0
        fraction[lost[exact[lost]]] *= 0.35
        renew = np.concatenate([won[slow], lost[~exact[lost]]])
        if renew.size:
            slope[renew] = _jacobian(residuals, u[renew], value[renew], renew)
            exact[renew], fraction[renew] = True, 1.0
        changed = np.union1d(won, renew)
        step[changed] = _newton(slope[changed], value[changed], longest)
        lame = changed[~exact[changed] & ~np.isfinite(step[changed]).all(-1)]
        if lame.size:  # moved along until it was singular
            slope[lame], exact[lame] = _jacobian(residuals, u[lame], value[lame], lame), True
            step[lame] = _newton(slope[lame], value[lame], longest)
    if polish:
        which = np.flatnonzero((norm <= target) & (norm > ROUNDING) & np.isfinite(step).all(-1))
        if which.size:
            trial = u[which] + step[which]
            size = _norm(residuals(trial, which))
            better = size < norm[which]
            u[which[better]], norm[which[better]] = trial[better], size[better]
    return Roots(u, norm, slope)


def _norm(values: np.ndarray) -> np.ndarray:
    return np.max(np.abs(values), -1)


def _jacobian(residuals: Residuals, u: np.ndarray, value: np.ndarray, which: np.ndarray) -> np.ndarray:
    """d residuals / d u by difference quotients."""
    columns = []
    for i in range(u.shape[-1] if len(u) else 0):
        moved = u.copy()
        moved[:, i] += _DIFFERENCE
        columns.append((residuals(moved, which) - value) / _DIFFERENCE)
    return np.stack(columns, -1) if columns else np.empty((0, *u.shape[1:], u.shape[-1]))


def _moved(slope: np.ndarray, shift: np.ndarray, change: np.ndarray) -> np.ndarray:
    """The Jacobian nearest to another that explains by how much the residuals changed along a shift."""
    missed = change - (slope @ shift[:, :, None])[..., 0]
    moved: np.ndarray = slope + missed[:, :, None] * (shift / np.sum(shift**2, -1, keepdims=True))[:, None, :]
    return moved


def _newton(slope: np.ndarray, value: np.ndarray, longest: float) -> np.ndarray:
    """Newton's step, no component longer than ``longest``."""
    step = NUMPY.solve(slope, -value)
    shortened: np.ndarray = step * np.minimum(1.0, longest / np.max(np.abs(step), -1, keepdims=True))
    return shortened
