"""The four functions of the features, estimated from N labelled points without the bias of plug-in (THEORY §27).

With S the pooled within-class covariance on dof = N - 2 degrees of freedom, muhat half the difference of the two class
means, N_e = 4/(1/N_+ + 1/N_-), and u > 0:

    F(u) = tr S (S + u)^-1,   v = 1 - F/dof,   k = u/v,   Q = muhat^T (S + u)^-1 muhat

    d1 = F,   d2 = F + k F'/k',   A = v Q - F/N_e,   B = A + k A'/k'        (traces are sums, not divided by d)

by u (S + u)^-1 <-> k (Sigma + k)^-1. Plug-in makes ||muhat|| too long and S^-1 too large; both raise A.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from theory.display import record
from theory.spectrum import Features, Moments

FLOOR = 1e-12
"""An eigenvalue of S below this share of the largest is rounding, and counts as 0."""
_GRID, _NEWTON_STEPS, _TOLERANCE = 1000, 40, 1e-9


@dataclass(frozen=True, kw_only=True)
class Estimated(Features):
    """Features as N points show them: what gives the four functions at the effective penalties that can be reached."""

    eigenvalues: np.ndarray
    """s_j of S that are not 0, and a last one that is: whatever S does not see."""
    signals_sq: np.ndarray
    """Squared norm of muhat on each of those eigenspaces."""
    freedom: int
    """dof = N - 2, over which S averages."""
    mean_samples: float
    """N_e = 4/(1/N_+ + 1/N_-): muhat has covariance Sigma/N_e."""
    trace: float
    """tr S."""
    dimension: int
    """d."""

    def __repr__(self) -> str:
        """A line for each thing that one asks of it."""
        return record(self)

    def _asdict(self) -> dict[str, Any]:
        about = {"points": self.freedom + 2, "dimension": self.dimension}
        return about | {"mean_variance": self.mean_variance, "reach": self.reach}

    @property
    def largest(self) -> float:  # type: ignore[override]
        """Of S, which exceeds that of Sigma."""
        return float(self.eigenvalues[0])

    @property
    def mean_variance(self) -> float:
        """tr S/d, the unit that penalties are given in."""
        return self.trace / self.dimension

    @cached_property
    def reach(self) -> float:
        """k(u -> 0+): the effective penalty below which N points say nothing; 0 where they fill all dimensions."""
        s = self.eigenvalues[:-1]
        return self.freedom / float(np.sum(1 / s)) if len(s) >= self.freedom else 0.0

    def at(self, k: np.ndarray) -> Moments:
        """The four functions at k > 0; NaN below `reach`."""
        u = self.bare_penalty(k)
        first, second = self._sums(u)
        f, q, left = first[..., 0], first[..., 1], first[..., 2]
        f_slope, q_slope, left_slope = second[..., 0], second[..., 1], second[..., 2]
        v, w = self._shares(u, left, left_slope)
        ratio = u * v / w  # k/k'
        a = v * q - f / self.mean_samples
        a_slope = f_slope * q / self.freedom - v * q_slope + f_slope / self.mean_samples
        return Moments(a, a + ratio * a_slope, f, f - ratio * f_slope)

    def bare_penalty(self, k: np.ndarray) -> np.ndarray:
        """u with k(u) = k, NaN where k is not above `reach`: Newton on log k(log u), which increases."""
        k = np.asarray(k, float)
        target = np.log(np.where(k > self.reach, k, np.nan))
        x = np.minimum(np.interp(target, *self._table), target)
        for _ in range(_NEWTON_STEPS):
            v, w = self._at_bare(np.exp(x))
            step = (x - np.log(v) - target) * v / w
            x = np.minimum(x - np.clip(step, -3, 3), target)
            if not np.any(abs(step) > _TOLERANCE):
                break
        return np.exp(x)

    def slope(self, u: np.ndarray) -> np.ndarray:
        """k' = dk/du at u."""
        v, w = self._at_bare(np.asarray(u, float))
        return w / v**2

    @cached_property
    def _columns(self) -> np.ndarray:
        """s, squared muhat, and where s is not 0: what (S + u)^-1 and (S + u)^-2 are summed against."""
        seen = np.arange(len(self.eigenvalues)) < len(self.eigenvalues) - 1
        return np.stack([self.eigenvalues, self.signals_sq, seen], -1)

    @cached_property
    def _table(self) -> tuple[np.ndarray, np.ndarray]:
        """log k and log u, from which Newton starts."""
        u = np.geomspace(1e-12, 1e12, _GRID) * self.largest
        return np.log(u / self._at_bare(u)[0]), np.log(u)

    def _sums(self, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The columns against 1/(s + u) and 1/(s + u)^2, each (..., 3)."""
        inverse = 1 / (self.eigenvalues + u[..., None])
        return inverse @ self._columns, inverse**2 @ self._columns

    def _at_bare(self, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        first, second = self._sums(u)
        return self._shares(u, first[..., 2], second[..., 2])

    def _shares(self, u: np.ndarray, left: np.ndarray, left_slope: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """v = u/k and v^2 k', without the cancellation of 1 - F/dof."""
        free = 1 - (len(self.eigenvalues) - 1) / self.freedom
        return free + u * left / self.freedom, free + u**2 * left_slope / self.freedom


def scatter(x: np.ndarray, positive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(z, muhat): points less their class mean, (N, d), and half the difference of the means, (d,)."""
    upper, lower = x[positive].mean(0), x[~positive].mean(0)
    return x - np.where(positive[:, None], upper, lower), (upper - lower) / 2


def estimate(x: np.ndarray, positive: np.ndarray) -> Estimated:
    """The functions from points (N, d) of two classes, each with one at least, N >= 3 in all; N < d will do."""
    return decompose(x, positive)[0]


def decompose(x: np.ndarray, positive: np.ndarray) -> tuple[Estimated, np.ndarray]:
    """`estimate`, and the eigenvectors of S whose eigenvalues are not 0, (d, r)."""
    z, mean = scatter(x, positive)
    freedom, dimension = len(x) - 2, x.shape[1]
    wide = dimension > len(x)
    values, vectors = np.linalg.eigh(z @ z.T if wide else z.T @ z)
    values, vectors = values[::-1], vectors[:, ::-1]
    kept = min(int(np.sum(values > FLOOR * values[0])), freedom)
    values, vectors = values[:kept], vectors[:, :kept]
    if wide:
        vectors = z.T @ (vectors / np.sqrt(values))
    along = mean @ vectors
    positives = int(positive.sum())
    found = Estimated(
        eigenvalues=np.append(values / freedom, 0.0),
        signals_sq=np.append(along**2, max(float(mean @ mean - along @ along), 0.0)),
        freedom=freedom,
        mean_samples=4 / (1 / positives + 1 / (len(x) - positives)),
        trace=float(values.sum() / freedom),
        dimension=dimension,
    )
    return found, vectors
