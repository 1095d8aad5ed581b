"""Accuracy where scores are not Gaussian: the theory's law of the weights on the scores of one's own points.

The weights behind `theory.coloured.Scores` are w = H K mu + (beta/sqrt m) K Sigma^1/2 g, K = (lambda + nu Sigma)^-1.
From S and muhat of four fifths of the points, by (Sigma + k)^-1 <-> (u/k) (S + u)^-1:

    wbar = (H/nu) (u/k) (S + u)^-1 muhat,   C = (beta/nu)^2/(m k') (S + u)^-1 S (S + u)^-1

and accuracy is the mean over the other fifth of Phi(y (wbar.x + b)/sqrt(x^T C x)), C scaled so that the variance of a
score within classes is the theory's sigma^2. Only for n <= N/2: beyond that the noise of muhat is no longer small
beside that of the training.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from empirical.features.points import Points
from theory import estimated

FOLDS = 5
Numbers = NDArray[np.float64]


def accuracy(points: Points, scores: Any, k: Numbers, m: Numbers, seed: int) -> Numbers:
    """Mean over draws that are solved, (sizes,), from `theory.coloured.Scores` of shape (sizes, draws) at k, m."""
    m = np.maximum(m, 1)  # where nothing is kept, nothing is solved
    order = np.random.default_rng(seed).permutation(len(points.x))
    order = order[np.argsort(points.positive[order], kind="stable")]  # so that every fold has both classes
    found = sum(_part(points, order[fold::FOLDS], scores, k, m) for fold in range(FOLDS)) / len(points.x)
    solved = np.isfinite(scores.mean_score)
    return np.where(solved, found, 0.0).sum(-1) / solved.sum(-1)


def _part(points: Points, held_out: NDArray[np.int_], scores: Any, k: Numbers, m: Numbers) -> Numbers:
    """Sum over the held-out points of the probability to be right, (sizes, draws)."""
    rest = np.delete(np.arange(len(points.x)), held_out)
    x, positive = points.x[rest], points.positive[rest]
    features, vectors = estimated.decompose(x, positive)
    upper, lower = x[positive].mean(0), x[~positive].mean(0)
    centre, shift, values = (upper + lower) / 2, (upper - lower) / 2, features.eigenvalues[:-1]
    along = shift @ vectors
    test, y = points.x[held_out] - centre, np.where(points.positive[held_out], 1.0, -1.0)
    inside = test @ vectors  # (points, r)
    flat = k.ravel()
    u = features.bare_penalty(flat)[:, None]
    gain = (scores.pull / scores.response).ravel()[:, None] * u / flat[:, None]
    mean = inside @ (gain * along / (values + u)).T  # (points, cells)
    mean += (test @ shift - inside @ along)[:, None] * (gain / u)[:, 0]  # where S sees nothing
    scale = (scores.push / scores.response).ravel() ** 2 / m.ravel() / features.slope(u[:, 0])
    spread = inside**2 @ (scale[:, None] * values / (values + u) ** 2).T
    target = scores.score_sd.ravel() ** 2 * (1 + 1 / m.ravel())
    means = np.where(y[:, None] > 0, mean[y > 0].mean(0), mean[y < 0].mean(0))
    left = np.maximum(target - ((mean - means) ** 2).sum(0) / (len(y) - 2), 1e-3 * target)
    spread *= left / spread.mean(0)
    right = ndtr(y[:, None] * (mean + scores.offset.ravel()) / np.sqrt(spread))
    return right.sum(0).reshape(k.shape)
