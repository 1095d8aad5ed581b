"""Wrong labels that do not depend on x, spread evenly or in pairs, what a verifier keeps, and what that is worth."""

from typing import NamedTuple

import numpy as np

from empirical.worth.data import CLASSES, Labels, Numbers
from theory.classes.threshold import kept_rate, kept_table, spread
from theory.threshold import p_star
from theory.types import Rates

PARTNERS = (6, 7, 5, 8, 9, 2, 0, 1, 3, 4)
"""For which digit each is taken, where errors come in pairs: 0 and 6, 1 and 7, 2 and 5, 3 and 8, 4 and 9."""
SHARES: dict[str, Numbers] = {
    "spread": (1 - np.eye(CLASSES)) / (CLASSES - 1),
    "pair": np.eye(CLASSES)[list(PARTNERS)],
}
"""S_kl: which label a wrong one of class k is, by the kind of errors."""
VERIFIERS = (
    *((1.0, 1.0), (0.5, 0.5), (0.9, 0.7), (0.9, 0.4), (0.8, 0.15)),
    *((0.6, 0.05), (0.3, 0.01), (1.0, 0.0), (0.6, 0.8)),
)
"""(phi, psi): none, a coin, four from weak to strict, a very strict one, an oracle, one that prefers wrong labels."""


class Value(NamedTuple):
    """What the rules read."""

    p_star: float
    """phi/(phi + psi), of two classes: where the kept turn from mostly right to mostly wrong."""
    lead: float
    """a: by how much the right label leads the most frequent wrong one among the kept, least over classes."""
    worth: float
    """W = kappa a^2, and 0 where a <= 0: clean samples that one generated sample is worth (THEORY §28)."""


def value(rates: Rates, errors: str) -> Value:
    """Of a generator and a verifier with scalar rates; ``errors`` is a name of `SHARES`.

        a = min_k (pi_kk - max_{l != k} pi_kl),   pi_kl = P(y' = l | y = k, kept)

    Spread evenly that is pi - (1-pi)/(K-1), in pairs 2 pi - 1.
    """
    same = np.eye(CLASSES)
    confusion = spread(rates.p, SHARES[errors], rates.phi * same + rates.psi * (1 - same))
    kept = np.asarray(kept_table(confusion))
    share = kept / kept.sum(-1, keepdims=True)
    lead = float(np.min(np.diagonal(share) - np.max(np.where(same == 1, -np.inf, share), -1)))
    return Value(float(p_star(rates)), lead, float(kept_rate(confusion)) * max(lead, 0.0) ** 2)


def label(y: Labels, p: float, errors: str, rng: np.random.Generator) -> Labels:
    """Labels of classes y, wrong with probability p."""
    other = np.argmax(rng.random((len(y), 1)) < np.cumsum(SHARES[errors], -1)[y], -1)
    return np.where(rng.random(len(y)) < p, other, y)


def keep(right: np.ndarray, phi: float, psi: float, score: Numbers) -> np.ndarray:
    """Which labels a verifier keeps: phi of the right and psi of the wrong ones. ``score`` is uniform on [0, 1)."""
    return score < np.where(right, phi, psi)
