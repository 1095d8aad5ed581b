"""Accuracy of argmax_j s_j where the scores of class k are normal: S e_k + g, g ~ N(0, Sigma) (THEORY §12).

K = 2 is Phi and K = 3 is Phi2; K = 4, 5, 6 are integrals of Phi2 over K - 3 coordinates by product rules. Beyond, noise
of its own is split off from every score, and what is left is smooth enough for a sparse grid; where it is not,
randomised quasi-Monte Carlo does better. Each has its error. Where classes are treated alike one integral over a line
is exact at any K.
"""

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import special

from theory.arrays import NUMPY, Array, of, quiet
from theory.classes.sparse import grids
from theory.geometry import orthant
from theory.quadrature import legendre, midpoints
from theory.types import Scalar

if TYPE_CHECKING:
    from jaxtyping import Float

REACH, STEPS = 9.0, 400
"""Expectations over N(0, 1) are sums over STEPS midpoints of [-REACH, REACH], exact to 1e-14 here."""
GAUSS = {1: 100, 2: 48, 3: 32}
"""Gauss-Legendre points a coordinate, where K - 3 coordinates are so few."""
SHIFTS, POINTS = 8, 2**16
"""Beyond, independent randomisations of a Sobol set, and its points in each;"""
GOOD, SHORT, LINE = 2e-7, 6.5, 36
"""unless the sparse grid differs from the next coarser one by less than this. Reach and points of its line."""
OUTSIDE = 1e-10
"""What lies beyond."""
SAME = 1e-7
"""Relative size below which the difference of two scores, given the other differences, is a tie."""
EXACT = 1e-14
"""Error of what is no estimate."""


class Accuracy(NamedTuple):
    """P(argmax = y), with its error; NaN where two classes tie."""

    mean: Scalar
    """sum_k rho_k P(argmax = k | y = k)."""
    error: Scalar
    """Of ``mean``: against a coarser rule, or standard where it is an estimate; rounding where it is exact."""
    by_class: "Float[Array, '... K']"
    """P(argmax = k | y = k)."""


@quiet
def symmetric_accuracy(lead: Scalar, classes: Any) -> Scalar:
    """A_K(t) = E[ Phi(t + h)^(K-1) ], h ~ N(0, 1): the right score leads each of K - 1 equal ones by t, unit noise.

    A_K(0) = 1/K; A_K(sqrt(a)) is Bayes for means of gap a; Phi(t/sqrt(2)) at K = 2.
    """
    xp, (h, step) = of(lead, classes), midpoints(-REACH, REACH, STEPS)
    gap = xp.asarray(lead, float)[..., None] + h
    return xp.sum(xp.exp((classes - 1) * xp.log_ndtr(gap) - h**2 / 2), -1) * step[0] / np.sqrt(2 * np.pi)


def accuracy(scores: "Float[Array, '... K K']", covariance: "Float[Array, '... K K']", prior: Any) -> Accuracy:
    """Of normal scores: S_jk = mean score of class j at a point of class k, the same covariance in every class.

    NumPy. The randomisations are shared by all classes, so that classes are averaged before the error is taken.
    """
    scores, covariance = np.asarray(scores, float), np.asarray(covariance, float)
    classes = scores.shape[-1]
    if classes <= 3:
        parts = np.stack([_low(*_ahead(scores, covariance, k)) for k in range(classes)], -1)
        mean = np.sum(prior * parts, -1)
        return Accuracy(mean, np.where(np.isnan(mean), np.nan, EXACT), parts)
    batch, one = scores.shape[:-2], (-1, classes, classes)
    weights = np.broadcast_to(prior, (*batch, classes)).reshape(-1, classes)
    cells = zip(scores.reshape(one), covariance.reshape(one), weights, strict=True)
    found = zip(*(_many(*cell) for cell in cells), strict=True)
    return Accuracy(*(np.array(field).reshape((*batch, *np.shape(field)[1:])) for field in found))


def alike(scores: Array, covariance: Array) -> Accuracy:
    """Of scores that treat all classes alike: S = s I, Sigma = q I up to multiples of 1 1^T, t = s/sqrt(q)."""
    classes = scores.shape[-1]
    lead = (scores[..., 0, 0] - scores[..., 1, 0]) / np.sqrt(covariance[..., 0, 0] - covariance[..., 0, 1])
    mean = np.asarray(symmetric_accuracy(lead, classes))
    by_class = np.broadcast_to(mean[..., None], (*mean.shape, classes))
    return Accuracy(mean, np.where(np.isnan(mean), np.nan, EXACT), by_class)


def _ahead(scores: Array, covariance: Array, k: int) -> tuple[Array, Array]:
    """Mean (..., K-1) and covariance of s_k - s_j, j != k, at a point of class k."""
    others = [j for j in range(scores.shape[-1]) if j != k]
    contrast = np.eye(scores.shape[-1])[k] - np.eye(scores.shape[-1])[others]
    return scores[..., k] @ contrast.T, contrast @ covariance @ contrast.T


@quiet
def _low(mean: Array, covariance: Array) -> Array:
    """P(g > 0), one or two coordinates."""
    spread = np.sqrt(np.diagonal(covariance, axis1=-2, axis2=-1))
    spread = np.where(spread > 0, spread, np.nan)
    ahead = mean / spread
    if mean.shape[-1] == 1:
        found: Array = of(ahead).ndtr(ahead[..., 0])
        return found
    correlation = covariance[..., 0, 1] / (spread[..., 0] * spread[..., 1])
    separate = (1 - correlation**2) > SAME**2
    both = orthant(ahead[..., 0], ahead[..., 1], np.where(separate, correlation, 0.0))
    return np.where(separate, both, np.nan)


class _Rule(NamedTuple):
    """For coordinates that are integrated one after the other, each over what lies above a bound."""

    nodes: np.ndarray
    """(coordinates, points), in the unit cube."""
    weights: np.ndarray
    uniform: bool
    """Whether nodes are shares of the normal mass above the bound; else of the way from there to REACH."""

    def above(self, i: int, bound: Array) -> tuple[Array, Array]:
        """Values of coordinate i, and the factor of the integrand there."""
        if self.uniform:
            mass = NUMPY.ndtr(-bound)
            return -special.ndtri(np.maximum(self.nodes[i] * mass, 1e-300)), mass
        low = np.clip(bound, -REACH, REACH)
        h = low + self.nodes[i] * (REACH - low)
        return h, (REACH - low) * NUMPY.pdf(h)


@cache
def _rules(coordinates: int) -> tuple[_Rule, ...]:
    """A finer and a coarser product of Gauss-Legendre rules, or SHIFTS independently scrambled Sobol sets."""
    if coordinates in GAUSS:
        return tuple(_gauss(coordinates, points) for points in (GAUSS[coordinates], GAUSS[coordinates] * 3 // 4))
    from scipy.stats import qmc

    sets = [qmc.Sobol(coordinates, rng=np.random.default_rng([coordinates, shift])) for shift in range(SHIFTS)]
    nodes = [np.clip(points.random(POINTS), 1e-15, 1 - 1e-15).T for points in sets]
    return tuple(_Rule(each, np.full(POINTS, 1 / POINTS), True) for each in nodes)


def _gauss(coordinates: int, points: int) -> _Rule:
    nodes, weights = legendre(np.zeros(()), np.ones(()), points)
    grid = np.meshgrid(*[nodes] * coordinates, indexing="ij")
    weight = np.prod(np.meshgrid(*[weights] * coordinates, indexing="ij"), axis=0)
    return _Rule(np.stack([axis.ravel() for axis in grid]), weight.ravel(), False)


def _many(scores: np.ndarray, covariance: np.ndarray, prior: np.ndarray) -> Accuracy:
    """One cell of four classes or more."""
    if len(scores) - 3 in GAUSS:
        return _compared(_high(scores, covariance), prior, EXACT)
    sparse = _compared(_sparse(scores, covariance), prior, OUTSIDE)
    if sparse.error < GOOD:
        return sparse
    estimates = _high(scores, covariance)
    means = prior @ estimates
    return Accuracy(means.mean(), means.std(ddof=1) / np.sqrt(SHIFTS), estimates.mean(-1))


def _compared(estimates: np.ndarray, prior: np.ndarray, least: float) -> Accuracy:
    """By the finer rule, with what the coarser one differs by, and what both leave out."""
    means = prior @ estimates
    return Accuracy(means[0], abs(means[0] - means[1]) + least, estimates[:, 0])


@quiet
def _sparse(scores: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """P(argmax = k | y = k) by a finer and a coarser grid, (K, 2).

    Sigma = D + rest up to a common shift, D diagonal and as large as it can be:
    P = E[ int prod_(j != k) Phi((S_kk - S_jk + g_k - g_j + sqrt(D_k) h)/sqrt(D_j)) phi(h) dh ],  g ~ N(0, rest)
    """
    from scipy.linalg import eigh

    classes = len(scores)
    basis = np.linalg.qr(np.eye(classes)[:, 1:] - 1 / classes)[0]
    inner = basis.T @ covariance @ basis
    own = np.diagonal(basis @ inner @ basis.T)
    try:
        own = own * eigh(inner, (basis.T * own) @ basis, eigvals_only=True)[0]
    except (ValueError, np.linalg.LinAlgError):  # not finite, or two scores are one
        return np.full((classes, 2), np.nan)
    if not np.all(own > SAME**2 * np.max(np.diagonal(inner))):
        return np.full((classes, 2), np.nan)
    values, vectors = np.linalg.eigh(inner - (basis.T * own) @ basis)
    root = (basis @ (vectors * np.sqrt(np.maximum(values, 0))))[:, :0:-1]
    h, step = midpoints(-SHORT, SHORT, LINE)
    line = np.exp(-(h**2) / 2) * step[0] / np.sqrt(2 * np.pi)
    found = []
    for points, weights in grids(classes - 2):
        noise = points @ root.T
        for k in range(classes):
            ahead = scores[k, k] - scores[:, k] + noise[:, [k]] - noise
            product = np.ones((len(points), LINE))
            for j in range(classes):
                if j != k:
                    product *= special.ndtr((ahead[:, [j]] + np.sqrt(own[k]) * h) / np.sqrt(own[j]))
            found.append(weights @ (product @ line))
    return np.reshape(found, (2, classes)).T


@quiet
def _high(scores: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """P(argmax = k | y = k) for four classes or more, one estimate per rule: (K, rules)."""
    rules = _rules(len(scores) - 3)
    cells = [_ahead(scores, covariance, k) for k in range(len(scores))]
    return np.array([[_wins(*cell, rule) for rule in rules] for cell in cells])


def _wins(mean: np.ndarray, covariance: np.ndarray, rule: _Rule) -> float:
    """P(g > 0) in every coordinate, g ~ N(mean, covariance), three or more; NaN where it is singular.

        P = E[ prod_i Phi(t_i) Phi2(the last two) ],  t_i = (mean_i + sum_(j<i) L_ij h_j) / L_ii

    where h_j ~ N(0, 1) given h_j > -t_j: the separation of variables of
    genz1992numerical, the least likely coordinates first.
    """
    spread = np.sqrt(np.diagonal(covariance))
    order = np.argsort(mean / spread)
    mean, covariance = mean[order], covariance[np.ix_(order, order)]
    try:
        factor = np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        return np.nan
    if not np.all(np.diagonal(factor) > SAME * spread[order]):
        return np.nan
    outer = len(mean) - 2
    h, product = np.zeros((outer, len(rule.weights))), rule.weights
    for i in range(outer):
        h[i], mass = rule.above(i, -(mean[i] + factor[i, :i] @ h[:i]) / factor[i, i])
        product = product * mass
    first, second = mean[outer:, None] + factor[outer:, :outer] @ h
    width = np.hypot(*factor[-1, -2:])
    return float(product @ orthant(first / factor[-2, -2], second / width, factor[-1, -2] / width))
