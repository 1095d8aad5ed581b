"""The independent setting class by class: which labels are kept, seen through a score with an intercept or without."""

from typing import Any, NamedTuple

import numpy as np

from theory.arrays import Array, of
from theory.laws.law import Traits
from theory.threshold import per_class
from theory.types import ClassRates, Rates

TRUE = np.array([1.0, -1.0, 1.0, -1.0])
LABEL = np.array([1.0, -1.0, -1.0, 1.0])
"""(y, y') of the four kinds of kept samples: right of class +, right of class -, wrong of class +, wrong of class -."""
GAUSSIAN = Traits(nodes=64, resolved=np.inf, separable=False, vanished=1e-300)
"""Of each kind on its own, whose score is one Gaussian."""


class Kept(NamedTuple):
    """Kept samples of four kinds, no intercept: given its kind, y' w.x ~ N(y y' t, sigma^2) (THEORY §21)."""

    shares: Array
    """q = P(y, y' | kept) in the order of `TRUE` and `LABEL`, on a last axis of 4."""
    features: Any
    """`theory.types.Spectrum` with levels on a last axis, or a `theory.spectrum.Features` that all cells share."""
    smoothing: Array
    """h >= 0: the loss is replaced by its Moreau envelope at h, on the way to h = 0."""
    anchor: Array
    """From where the search measures b, in units of sigma; 0 but on that way, where b may come near to a kink."""

    @property
    def dimension(self) -> int:
        """Unknowns that are not scales: t."""
        return 1

    @property
    def traits(self) -> Traits:
        """No edges."""
        return GAUSSIAN

    def kinds(self) -> tuple[Array, np.ndarray, np.ndarray]:
        """Shares of the kinds whose scores differ, and y y' and y' of each: right and wrong."""
        xp = of(self.shares)
        right, wrong = self.shares[..., :2].sum(-1), self.shares[..., 2:].sum(-1)
        return xp.stack([right, wrong], -1), np.array([1.0, -1.0]), np.zeros(2)


class KeptWithIntercept(Kept):
    """The same with an unpenalised intercept b: given its kind, y' (w.x + b) ~ N(y' (y t + b), sigma^2)."""

    @property
    def dimension(self) -> int:
        """t and b."""
        return 2

    def kinds(self) -> tuple[Array, np.ndarray, np.ndarray]:
        """All four."""
        return self.shares, TRUE * LABEL, LABEL


class LabelMoments(NamedTuple):
    """Of y and y' among what is kept, central where an intercept takes the means up; fields (...)."""

    mean_true: Array
    mean_label: Array
    covariance: Array
    var_true: Array
    var_label: Array


def label_moments(law: Kept) -> LabelMoments:
    """ybar, ybar', cov, var, var' (THEORY §21); without intercept 0, 0, E yy', 1, 1."""
    q = law.shares
    agreement = q[..., 0] + q[..., 1] - q[..., 2] - q[..., 3]
    if law.dimension == 1:
        return LabelMoments(0 * agreement, 0 * agreement, agreement, 1 + 0 * agreement, 1 + 0 * agreement)
    plus, plus_label = q[..., 0] + q[..., 2], q[..., 0] + q[..., 3]
    minus, minus_label = q[..., 1] + q[..., 3], q[..., 1] + q[..., 2]
    covariance = 4 * (q[..., 0] * q[..., 1] - q[..., 2] * q[..., 3])
    return LabelMoments(
        plus - minus, plus_label - minus_label, covariance, 4 * plus * minus, 4 * plus_label * minus_label
    )


def generated_shares(rates: Rates | ClassRates) -> Array:
    """P(y, y', kept) of the four kinds, shape (..., 4): rho_k (1 - p_k) phi_k where y' = y, else rho_k p_k psi_k."""
    p, phi, psi, prior = per_class(rates)
    right, wrong = prior * (1 - p) * phi, prior * p * psi
    return of(right).stack([right[..., 1], right[..., 0], wrong[..., 1], wrong[..., 0]], -1)


def kept_shares(rates: Rates | ClassRates) -> tuple[Array, Array]:
    """q of `Kept.shares`, shape (..., 4): `generated_shares` over the kept rate; and that rate."""
    four = generated_shares(rates)
    kept = four.sum(-1)
    return four / kept[..., None], kept
