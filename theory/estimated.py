"""The four functions of the features, estimated from N labelled points without the bias of plug-in (THEORY_DATA §27).

With S the pooled within-class covariance on dof = N - 2 degrees of freedom, muhat half the difference of the two class
means, N_e = 4/(1/N_+ + 1/N_-), and u > 0:

    F(u) = tr S (S + u)^-1,   v = 1 - F/dof,   k = u/v,   Q = muhat^T (S + u)^-1 muhat

    d1 = F,   d2 = F + k F'/k',   A = v Q - F/N_e,   B = A + k A'/k'        (traces are sums, not divided by d)

by u (S + u)^-1 <-> k (Sigma + k)^-1. Plug-in makes ||muhat|| too long and S^-1 too large; both raise A.
"""

from dataclasses import dataclass

import numpy as np

from theory.spectrum import Features, Moments

FLOOR = 1e-12
"""An eigenvalue of S below this share of the largest is rounding, and counts as 0."""
_GRID, _NEWTON_STEPS, _TOLERANCE = 200, 40, 1e-14


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

    @property
    def largest(self) -> float:  # type: ignore[override]
        """Of S, which exceeds that of Sigma."""
        return float(self.eigenvalues[0])

    @property
    def reach(self) -> float:
        """k(u -> 0+): the effective penalty below which N points say nothing; 0 where they fill all dimensions."""
        s = self.eigenvalues[:-1]
        return self.freedom / float(np.sum(1 / s)) if len(s) >= self.freedom else 0.0

    @property
    def mean_variance(self) -> float:
        """tr S/d, the unit that penalties are given in."""
        return self.trace / self.dimension

    def at(self, k: np.ndarray) -> Moments:
        """The four functions at k > 0; NaN below `reach`."""
        k = np.asarray(k, float)
        u = self.bare_penalty(k)[..., None]
        s, signal = self.eigenvalues, self.signals_sq
        damped = s + u
        f, q = np.sum(s / damped, -1), np.sum(signal / damped, -1)
        f_slope, q_slope = -np.sum(s / damped**2, -1), -np.sum(signal / damped**2, -1)
        v, w = self._shares(u)
        ratio = u[..., 0] * v / w  # k/k'
        a = v * q - f / self.mean_samples
        a_slope = -f_slope * q / self.freedom + v * q_slope - f_slope / self.mean_samples
        return Moments(a, a + ratio * a_slope, f, f + ratio * f_slope)

    def bare_penalty(self, k: np.ndarray) -> np.ndarray:
        """u with k(u) = k, NaN where k is not above `reach`: Newton on log k(log u), which increases."""
        k = np.asarray(k, float)
        grid = np.geomspace(1e-14, 1e8, _GRID) * max(float(self.eigenvalues[0]), np.finfo(float).tiny)
        target = np.log(np.where(k > self.reach, k, np.nan))
        x = np.interp(target, np.log(grid / self._shares(grid[:, None])[0]), np.log(grid))
        x = np.where(np.isnan(target), np.nan, np.minimum(x, target))
        for _ in range(_NEWTON_STEPS):
            u = np.exp(x)
            v, w = self._shares(u[..., None])
            step = (x - np.log(v) - target) * v / w
            x = np.minimum(x - np.clip(step, -3, 3), target)
            if not np.any(abs(step) > _TOLERANCE * np.maximum(abs(x), 1)):
                break
        return np.exp(x)

    def of_covariance(self, u: np.ndarray) -> np.ndarray:
        """k' = dk/du at u."""
        v, w = self._shares(np.asarray(u, float)[..., None])
        return w / v**2

    def _shares(self, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """v = u/k and v^2 k' at u of shape (..., 1), without the cancellation of 1 - F/dof."""
        s = self.eigenvalues[:-1]
        left = u / (s + u)
        free = 1 - len(s) / self.freedom
        return free + np.sum(left, -1) / self.freedom, free + np.sum(left**2, -1) / self.freedom


def scatter(x: np.ndarray, positive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(z, muhat): points less their class mean, (N, d), and half the difference of the means, (d,)."""
    upper, lower = x[positive].mean(0), x[~positive].mean(0)
    return x - np.where(positive[:, None], upper, lower), (upper - lower) / 2


def estimate(x: np.ndarray, positive: np.ndarray) -> Estimated:
    """The functions from points (N, d) of two classes, each with one at least, N >= 3 in all; N < d will do."""
    z, mean = scatter(x, positive)
    freedom, dimension = len(x) - 2, x.shape[1]
    wide = dimension > len(x)
    values, vectors = np.linalg.eigh(z @ z.T if wide else z.T @ z)
    values, vectors = values[::-1], vectors[:, ::-1]
    kept = min(int(np.sum(values > FLOOR * values[0])), freedom)
    values, vectors = values[:kept], vectors[:, :kept]
    along = (mean @ z.T) @ vectors / np.sqrt(values) if wide else mean @ vectors
    rest = max(float(mean @ mean - along @ along), 0.0)
    positives = int(positive.sum())
    return Estimated(
        eigenvalues=np.append(values / freedom, 0.0),
        signals_sq=np.append(along**2, rest),
        freedom=freedom,
        mean_samples=4 / (1 / positives + 1 / (len(x) - positives)),
        trace=float(values.sum() / freedom),
        dimension=dimension,
    )
